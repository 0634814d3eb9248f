#!/bin/sh
# How many reports a second the hub takes, for both values of start.sh's --puback: eight devices over TLS on this machine, each
# with eight reports at QoS 1 under way; a report counts when its reply and its PUBACK are there. Installs what is missing.
#
#   sh tests/e2e/rate.sh [OPTION...]
#     --seconds N    how long each of the five measurements takes (default: 3)
#     --build DIR    the build folder (default: build-e2e)
. "$(dirname "$0")/../../tools/lib.sh"
. "$root/tests/e2e/lib.sh"

seconds=3
build=$root/build-e2e
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift ;;
    --build) mkdir -p "$2" && build=$(cd "$2" && pwd) || exit 2; shift ;;
    *) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done

install_clients || exit 1
# On a disk: what is in memory is synchronised at once.
work=$(mktemp -d -p "$build")
chmod 711 "$work"  # the broker's user passes through
trap 'rm -rf "$work"' EXIT
sh "$root/examples/mosquitto_hub/start.sh" --prepare --build "$build" --dir "$work/hub" || exit 1
node "$root/tests/e2e/rate.mjs" "$build" "$work" "$seconds" </dev/null
