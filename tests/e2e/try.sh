#!/bin/sh
# Microsoft's device client, to be tried by hand with the hub that examples/mosquitto_hub/start.sh runs: prints what is desired
# of the device, and reports each line that is typed. Installs what is missing.
#
#   sh tests/e2e/try.sh [CONNECTION_STRING]     (default: the second device of the hub's list)
. "$(dirname "$0")/../../tools/lib.sh"
. "$root/tests/e2e/lib.sh"

install_clients || exit 1
hub=$root/build/hub
if [ ! -f "$hub/keys" ]; then
  echo "There is no hub on this machine yet: sh examples/mosquitto_hub/start.sh" >&2
  exit 1
fi
[ $# -gt 0 ] || set -- "$(awk '$1 == "device" && ++n == 2 { print "HostName=localhost;DeviceId=" $2 ";SharedAccessKey=" $3 }' "$hub/keys")"
exec node "$root/tests/e2e/try.mjs" "$1" "$hub/ca.pem"
