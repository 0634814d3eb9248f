#!/bin/sh
# Microsoft's device client, to be tried by hand with the hub that examples/mosquitto_hub/start.sh runs: prints what is desired
# of the device, and reports each line that is typed. Installs what is missing.
#
#   [CONNECTION_STRING=...] sh tests/e2e/try.sh     (default: the second device of the hub's list)
#
# The connection string has a key, so it is no argument: everybody on a machine can see those.
. "$(dirname "$0")/../../tools/lib.sh"
. "$root/tests/e2e/lib.sh"

install_clients || exit 1
hub=$root/build/hub
if [ ! -f "$hub/keys" ]; then
  echo "There is no hub on this machine yet: sh examples/mosquitto_hub/start.sh" >&2
  exit 1
fi
CONNECTION_STRING=${CONNECTION_STRING:-$(awk '$1 == "device" && ++n == 2 { print "HostName=localhost;DeviceId=" $2 ";SharedAccessKey=" $3 }' "$hub/keys")}
export CONNECTION_STRING
exec node "$root/tests/e2e/try.mjs" "$hub/ca.pem"
