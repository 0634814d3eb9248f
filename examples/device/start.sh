#!/bin/sh
# A device that keeps its twin in step with a hub. Installs what is missing (Debian, Ubuntu), builds the program, and runs it:
# what changes is printed, each line that is typed is reported. Without a connection string: as the first device of the hub
# that examples/mosquitto_hub/start.sh runs on this machine.
#
#   sh examples/device/start.sh [CONNECTION_STRING [OPTION...]]
. "$(dirname "$0")/../../tools/lib.sh"

need "what the device program is made of" libmosquitto-dev libssl-dev pkg-config
build_example mosquitto_device "$root/build"

hub=$root/build/hub
if [ $# -eq 0 ]; then
  if [ ! -f "$hub/keys" ]; then
    echo "There is no hub on this machine yet: sh examples/mosquitto_hub/start.sh" >&2
    exit 1
  fi
  set -- "$(awk '$1 == "device" { print "HostName=localhost;DeviceId=" $2 ";SharedAccessKey=" $3; exit }' "$hub/keys")"
fi
case $1 in
  *HostName=localhost[:\;]*) set -- "$@" --ca "$hub/ca.pem" ;;
esac
name=$(printf '%s' "$1" | sed -n 's/.*DeviceId=\([^;]*\).*/\1/p')
mkdir -p "$root/build/device"
exec "$root/build/twin_device" --state "$root/build/device/$name.state" "$@"
