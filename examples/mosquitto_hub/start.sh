#!/bin/sh
# A twin hub on this machine: mosquitto with the plugin of this folder. Installs what is missing (Debian, Ubuntu), builds
# the plugin, makes a certificate authority, a server certificate and keys where there are none, prints what devices and
# back ends need, and runs the broker until it is told to stop (Ctrl+C).
#
#   sh examples/mosquitto_hub/start.sh [OPTION...]
#     --dir DIR          where certificates, keys and twins are kept (default: build/hub)
#     --port PORT        MQTT over TLS, on 127.0.0.1 (default: 8883)
#     --http-port PORT   the service side, on 127.0.0.1 (default: 8080)
#     --build DIR        the build folder (default: build)
#     --prepare          makes what is missing, and starts nothing
. "$(dirname "$0")/../../tools/lib.sh"

dir=$root/build/hub
build=$root/build
port=8883
http_port=8080
prepare=
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=$2; shift ;;
    --port) port=$2; shift ;;
    --http-port) http_port=$2; shift ;;
    --build) build=$2; shift ;;
    --prepare) prepare=yes ;;
    --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "$1: no such option" >&2; exit 2 ;;
  esac
  shift
done

need "the broker and what its plugin is made of" mosquitto mosquitto-dev libmosquitto-dev libssl-dev libsqlite3-dev \
  libcpp-httplib-dev pkg-config openssl
build_example mosquitto_hub "$build"
mkdir -p "$dir" && dir=$(cd "$dir" && pwd) || exit 1
umask 077

# A certificate authority of its own, and a server certificate for this machine's own names.
if [ ! -f "$dir/server.pem" ]; then
  cat >"$dir/openssl.cnf" <<EOF
[req]
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
subjectAltName = DNS:localhost,IP:127.0.0.1
EOF
  (
    cd "$dir" || exit 1
    new_key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config openssl.cnf"
    # shellcheck disable=SC2086 # these are several words
    openssl req -x509 $new_key -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Twin hub of this machine" -extensions ca &&
      openssl req $new_key -keyout server.key -out server.csr -subj "/CN=localhost" &&
      openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 3650 \
        -extfile openssl.cnf -extensions server
  ) >"$dir/openssl.log" 2>&1 || { cat "$dir/openssl.log" >&2; exit 1; }
fi
if [ ! -f "$dir/keys" ]; then
  {
    echo "# kind   name           key"
    for name in greenhouse-07 greenhouse-08; do echo "device   $name  $(openssl rand -base64 32)"; done
    echo "policy   service        $(openssl rand -base64 32)"
  } >"$dir/keys"
fi

cat >"$dir/mosquitto.conf" <<EOF
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
user $(id -un)

plugin $build/twin_hub.so
plugin_opt_host localhost
plugin_opt_host 127.0.0.1
plugin_opt_keys $dir/keys
plugin_opt_database $dir/twins.sqlite
plugin_opt_http_port $http_port
EOF

[ -z "$prepare" ] || exit 0

host=localhost
[ "$port" = 8883 ] || host=localhost:$port

echo "Devices connect with"
awk -v host="$host" '$1 == "device" && $2 !~ "/" { print "  HostName=" host ";DeviceId=" $2 ";SharedAccessKey=" $3 }' "$dir/keys"
echo "and trust $dir/ca.pem. A back end's requests go to http://127.0.0.1:$http_port; with curl:"
echo "  sh examples/mosquitto_hub/twin.sh greenhouse-07 '{\"vent\":\"auto\"}'"
echo
exec mosquitto -c "$dir/mosquitto.conf"
