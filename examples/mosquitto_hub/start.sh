#!/bin/sh
# A twin hub on this machine: mosquitto with the plugin of this folder. Installs what is missing (Debian, Ubuntu), builds
# the plugin, makes a certificate authority, a server certificate and keys where there are none, prints what devices and
# back ends need, and runs the broker until it is told to stop (Ctrl+C).
#
#   sh examples/mosquitto_hub/start.sh [OPTION...]
#     --dir DIR          where certificates, keys and twins are kept (default: build/hub)
#     --host NAME        one more name or IP address of this hub, besides localhost and 127.0.0.1; can be repeated
#     --port PORT        MQTT over TLS, on 127.0.0.1 (default: 8883)
#     --https-port PORT  the service side, on 127.0.0.1 (default: 443 if it may be bound, else 8443)
#     --http-port PORT   the service side without TLS as well, on 127.0.0.1 (default: not at all)
#     --puback WHEN      "committed": a report at QoS 1 is on disk before its PUBACK, and the connection ends if it cannot be
#                        stored; "early": its reply alone says so, and many more reports go through (default: early)
#     --build DIR        the build folder (default: build)
#     --prepare          makes what is missing, and starts nothing
#
# The broker never runs as root. When root starts it, it runs as Debian's user mosquitto, which then owns DIR, and may bind
# ports below 1024.
. "$(dirname "$0")/../../tools/lib.sh"

dir=
build=$root/build
port=8883
https_port=
http_port=
hosts=
puback=early
prepare=
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=$2; shift ;;
    --host)
      case $2 in
        '' | [-.]* | *[!0-9A-Za-z.:-]*) echo "--host $2: neither a name nor an IP address" >&2; exit 2 ;;
      esac
      hosts="$hosts $2"
      shift
      ;;
    --port) port=$2; shift ;;
    --https-port) https_port=$2; shift ;;
    --http-port) http_port=$2; shift ;;
    --puback) puback=$2; shift ;;
    --build) build=$2; shift ;;
    --prepare) prepare=yes ;;
    --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "$1: no such option" >&2; exit 2 ;;
  esac
  shift
done
hosts=$(printf '%s\n' localhost 127.0.0.1 $hosts | tr 'A-Z' 'a-z' | awk '!seen[$0]++')

need "the broker and what its plugin is made of" mosquitto mosquitto-dev libmosquitto-dev libssl-dev libsqlite3-dev pkg-config openssl
need_beast
build_example mosquitto_hub "$build"
build=$(cd "$build" && pwd) || exit 1
plugin=$build/twin_hub.so

# --- the folder, and who it belongs to ---------------------------------------------------------

owner=$(id -un)
as=         # runs a command as the broker's user
as_broker=  # the same for the broker, which may bind ports below 1024
if [ "$(id -u)" = 0 ]; then
  owner=mosquitto
  id $owner >/dev/null 2>&1 || owner=nobody
  as="setpriv --reuid=$(id -u $owner) --regid=$(id -g $owner) --clear-groups --no-new-privs"
  as_broker="$as --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service"
  $as_broker true 2>/dev/null || as_broker=$as
fi

# take_over DIR: gives the hub's folder to the broker's user, when that is another one.
take_over() {
  [ -n "$as" ] || return 0
  if [ ! -e "$1/keys" ] && [ -n "$(ls -A "$1")" ]; then
    echo "$1 is not empty and has no hub: choose another --dir" >&2
    exit 1
  fi
  chown -h "$owner" "$1" || exit 1
  for file in keys ca.key ca.pem ca.srl server.key server.pem server.csr openssl.cnf mosquitto.conf twin_hub.so \
    twins.sqlite twins.sqlite-journal twins.sqlite-wal twins.sqlite-shm; do
    [ ! -e "$1/$file" ] || chown -h "$owner" "$1/$file" || exit 1
  done
}

given=$dir
[ -n "$dir" ] || dir=$root/build/hub
mkdir -p "$dir" && dir=$(cd "$dir" && pwd -P) || exit 1
take_over "$dir"
if ! $as test -w "$dir" -a -x "$dir"; then
  if [ -n "$given" ]; then
    echo "The broker's user $owner cannot reach $dir: choose another --dir" >&2
    exit 1
  fi
  # The repository is in a folder of root's own. The hub's files go elsewhere, with a link where they are looked for.
  away=/var/lib/devicetwin-hub
  if [ -e $away ]; then
    echo "The broker's user $owner cannot reach $dir, and $away is there already: choose another --dir" >&2
    exit 1
  fi
  mv "$dir" $away && ln -s $away "$dir" && dir=$away || exit 1
fi
# Held as long as the broker runs: two hubs would write to one database.
exec 9<"$dir"
flock -n 9 || { echo "A hub is running in $dir already" >&2; exit 1; }
umask 077

# put FILE: writes standard input to a file of the broker's user.
put() {
  $as sh -c 'cat >"$1.new" && mv -f "$1.new" "$1"' put "$1" || exit 1
}
# The build folder may be out of the user's reach, too.
[ -z "$as" ] || { plugin=$dir/twin_hub.so && put "$plugin" <"$build/twin_hub.so"; }

# --- certificates and keys ---------------------------------------------------------------------

# A certificate authority of its own, and a server certificate for the hub's names.
names=$(for host in $hosts; do
  case $host in
    *:*) echo "IP:$host" ;;
    *[!0-9.]*) echo "DNS:$host" ;;
    *) echo "IP:$host" ;;
  esac
done | paste -s -d ,)
config="[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = $names"
new_key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config openssl.cnf"
make_authority() {
  # shellcheck disable=SC2086 # these are several words
  $as openssl req -x509 $new_key -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Twin hub of this machine" -extensions ca &&
    $as chmod 644 ca.pem
}
make_certificate() {
  # shellcheck disable=SC2086
  $as openssl req $new_key -keyout server.key -out server.csr -subj "/CN=localhost" &&
    $as openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 3650 \
      -extfile openssl.cnf -extensions server
}
cd "$dir" || exit 1
# Made anew when the names have changed, or when it ends within 30 days.
if [ ! -f server.pem ] || [ "$(cat openssl.cnf)" != "$config" ] || ! openssl x509 -in server.pem -noout -checkend 2592000 >/dev/null; then
  rm -f server.pem
  printf '%s\n' "$config" | put "$dir/openssl.cnf"
  log=$(mktemp)
  { { [ -f ca.pem ] || make_authority; } && make_certificate; } >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  rm -f "$log"
fi
if [ ! -f keys ]; then
  {
    echo "# kind   name           key"
    for name in greenhouse-07 greenhouse-08; do echo "device   $name  $(openssl rand -base64 32)"; done
    echo "policy   service        $(openssl rand -base64 32)"
  } | put "$dir/keys"
fi
for file in keys ca.key server.key twins.sqlite; do [ ! -e $file ] || $as chmod 600 $file; done

# --- the broker --------------------------------------------------------------------------------

# Whether the broker may bind port 443: it keeps that right from root, or every user has it, or this process or the
# broker's program does (CAP_NET_BIND_SERVICE is bit 10).
may_bind_443() {
  [ -z "$as" ] || [ "$as" = "$as_broker" ] || return 0
  [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)" -gt 443 ] || return 0
  ambient=$(sed -n 's/^CapAmb:[^0-9a-f]*//p' /proc/self/status 2>/dev/null)
  [ $((0x${ambient:-0} >> 10 & 1)) -eq 0 ] || return 0
  PATH=$PATH:/usr/sbin:/sbin getcap "$(command -v mosquitto || echo /usr/sbin/mosquitto)" 2>/dev/null | grep -q cap_net_bind_service
}
if [ -z "$https_port" ]; then
  https_port=443
  if ! may_bind_443; then
    https_port=8443
    echo "HTTPS is on port 8443, for this user may not bind 443. Microsoft's service clients know 443 only: for them start this as root, or after \"sudo sysctl net.ipv4.ip_unprivileged_port_start=443\"."
  fi
fi

put "$dir/mosquitto.conf" <<EOF
listener $port 127.0.0.1
cafile $dir/ca.pem
certfile $dir/server.pem
keyfile $dir/server.key
tls_version tlsv1.2
set_tcp_nodelay true
allow_anonymous false
max_qos 1
max_packet_size 300000
persistence false
log_dest stderr
log_timestamp_format %H:%M:%S
user $owner

plugin $plugin
$(for host in $hosts; do echo "plugin_opt_host $host"; done)
plugin_opt_keys $dir/keys
plugin_opt_database $dir/twins.sqlite
plugin_opt_puback $puback
plugin_opt_https_port $https_port
plugin_opt_certfile $dir/server.pem
plugin_opt_keyfile $dir/server.key
$([ -z "$http_port" ] || echo "plugin_opt_http_port $http_port")
EOF

[ -z "$prepare" ] || exit 0

host=localhost
[ "$port" = 8883 ] || host=localhost:$port
url=https://localhost
[ "$https_port" = 443 ] || url=$url:$https_port

echo "Devices connect with"
awk -v host="$host" '$1 == "device" && $2 !~ "/" { print "  HostName=" host ";DeviceId=" $2 ";SharedAccessKey=" $3 }' keys
echo "and trust $dir/ca.pem. A back end's requests go to $url; with curl:"
echo "  sh examples/mosquitto_hub/twin.sh greenhouse-07 '{\"vent\":\"auto\"}'"
echo
exec $as_broker mosquitto -c "$dir/mosquitto.conf"
