#!/bin/sh
# What a back end does, with curl: shows a twin of the hub that start.sh runs, or patches its desired properties first.
#
#   sh examples/mosquitto_hub/twin.sh [OPTION...] DEVICE [PATCH_OF_DESIRED]
#     --dir DIR          the hub's folder (default: build/hub)
#     --http-port PORT   the hub's service side (default: 8080)
. "$(dirname "$0")/../../tools/lib.sh"

dir=$root/build/hub
http_port=8080
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=$2; shift ;;
    --http-port) http_port=$2; shift ;;
    --*) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) break ;;
  esac
  shift
done
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

need "requests and their tokens" curl openssl

# A token for all twins, from the key of the first policy: docs/azure.md, "Tokens".
policy=$(awk '$1 == "policy" { print $2; exit }' "$dir/keys")
key=$(awk '$1 == "policy" { print $3; exit }' "$dir/keys" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expiry=$(($(date +%s) + 60))
signature=$(printf 'localhost\n%s' "$expiry" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A |
  sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')

device=$1
shift
[ $# -eq 0 ] || set -- -X PATCH -H 'Content-Type: application/json' -d "{\"properties\":{\"desired\":$1}}"
curl -sS -H "Authorization: SharedAccessSignature sr=localhost&sig=$signature&se=$expiry&skn=$policy" "$@" \
  "http://127.0.0.1:$http_port/twins/$device?api-version=2021-04-12" && echo
