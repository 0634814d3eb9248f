#!/bin/sh
# A device that keeps its twin in step with a hub. Installs what is missing (Debian, Ubuntu), builds the program, and runs it:
# what changes is printed, each line that is typed is reported (build/twin_device --help says more). The connection string may
# be in $DEVICETWIN_CONNECTION_STRING instead, where others cannot see its key. Without one: as the first device of the hub that
# examples/mosquitto_hub/start.sh runs on this machine.
#
#   sh examples/device/start.sh [OPTION...] [CONNECTION_STRING [OPTION OF THE PROGRAM...]]
#     --build DIR   the build folder (default: build)
#     --prepare     builds, and starts nothing
. "$(dirname "$0")/../../tools/lib.sh"

build=$root/build
prepare=
while [ $# -gt 0 ]; do
  case $1 in
    --build) build=$2; shift ;;
    --prepare) prepare=yes ;;
    --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) break ;;
  esac
  shift
done

need "what the device program is made of" libmosquitto-dev libssl-dev pkg-config
build_example mosquitto_device "$build"
[ -z "$prepare" ] || exit 0

hub=$root/build/hub
if [ $# -eq 0 ] && [ -n "$DEVICETWIN_CONNECTION_STRING" ]; then
  set -- "$DEVICETWIN_CONNECTION_STRING"
elif [ $# -eq 0 ]; then
  if [ ! -f "$hub/keys" ]; then
    echo "There is no hub on this machine yet: sh examples/mosquitto_hub/start.sh" >&2
    exit 1
  fi
  set -- "$(awk '$1 == "device" { print "HostName=localhost;DeviceId=" $2 ";SharedAccessKey=" $3; exit }' "$hub/keys")"
fi
case $1 in
  *HostName=localhost[:\;]*) set -- "$@" --ca "$hub/ca.pem" ;;
esac
# field NAME: what the connection string has under this name, as a part of a file's name.
field() {
  printf ';%s' "$connection" | sed -n "s/.*;$1=\([^;]*\).*/\1/p"
}
connection=$1
states=$root/build/device
state=$states/$(field HostName | sed 's/:[0-9]*$//')/$(field DeviceId)$(field ModuleId | sed 's/^./+&/').state
mkdir -p "$(dirname "$state")"
# Earlier versions had one file for a device of whatever hub; the program says that it takes it.
old=$states/$(field DeviceId).state
[ -f "$state" ] || [ ! -f "$old" ] || mv "$old" "$state"
# Not as an argument: everybody on a machine can see those, and it has a key.
DEVICETWIN_CONNECTION_STRING=$connection
export DEVICETWIN_CONNECTION_STRING
shift
exec "$build/twin_device" --state "$state" "$@"
