#!/bin/sh
# What a back end does, with curl: shows a twin of the hub that start.sh runs, or patches its desired properties first.
#
#   sh examples/mosquitto_hub/twin.sh [OPTION...] DEVICE [PATCH_OF_DESIRED]
#     --dir DIR           the hub's folder (default: build/hub)
#     --https-port PORT   the hub's service side (default: as the hub was started)
. "$(dirname "$0")/../../tools/lib.sh"

dir=$root/build/hub
port=
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=$2; shift ;;
    --https-port) port=$2; shift ;;
    --*) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) break ;;
  esac
  shift
done
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
if [ ! -f "$dir/mosquitto.conf" ]; then
  echo "There is no hub in $dir yet: sh examples/mosquitto_hub/start.sh" >&2
  exit 1
fi
[ -n "$port" ] || port=$(sed -n 's/^plugin_opt_https_port //p' "$dir/mosquitto.conf")

need "requests and their tokens" curl openssl

# A token for all twins, from the key of the first policy: docs/azure.md, "Tokens". The key and the token stay out of the
# arguments of programs, which everybody on this machine can see.
hex() {
  od -An -v -tx1 | tr -d ' \n'
}
# padded HEX BYTE: the first half of HMAC (RFC 2104): the key, each byte of its 64 combined with BYTE.
padded() {
  rest=$1
  n=0
  while [ $n -lt 64 ]; do
    byte=${rest%"${rest#??}"}
    rest=${rest#??}
    printf "\\$(printf %03o $((0x${byte:-0} ^ $2)))"
    n=$((n + 1))
  done
}
policy=$(awk '$1 == "policy" { print $2; exit }' "$dir/keys")
key=$(awk '$1 == "policy" { print $3; exit }' "$dir/keys" | openssl base64 -d -A | hex)
[ ${#key} -le 128 ] || key=$(awk '$1 == "policy" { print $3; exit }' "$dir/keys" | openssl base64 -d -A | openssl dgst -sha256 -binary | hex)
expiry=$(($(date +%s) + 60))
signature=$({
  padded "$key" 0x5c
  { padded "$key" 0x36; printf 'localhost\n%s' "$expiry"; } | openssl dgst -sha256 -binary
} | openssl dgst -sha256 -binary | openssl base64 -A | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')

device=$1
shift
[ $# -eq 0 ] || set -- -X PATCH -H 'Content-Type: application/json' -d "{\"properties\":{\"desired\":$1}}"
printf 'Authorization: SharedAccessSignature sr=localhost&sig=%s&se=%s&skn=%s\n' "$signature" "$expiry" "$policy" |
  curl -sS --cacert "$dir/ca.pem" -H @- "$@" "https://127.0.0.1:$port/twins/$device?api-version=2021-04-12" && echo
