#!/bin/sh
# The hub and the device program of examples/ with Microsoft's own clients, over TLS on 127.0.0.1; installs what is missing
# (Debian, Ubuntu; and the npm packages that package-lock.json names).
#
#   sh tests/e2e/run.sh [OPTION...] [PART OF A TEST'S NAME]
#     --cuts N       how often the device program's connection is cut (default: 50)
#     --build DIR    the build folder (default: build-e2e)
#
# The last line is "N passed, M failed".
. "$(dirname "$0")/../../tools/lib.sh"
. "$root/tests/e2e/lib.sh"

cuts=50
build=$root/build-e2e
while [ $# -gt 0 ]; do
  case $1 in
    --cuts) cuts=$2; shift ;;
    --build) mkdir -p "$2" && build=$(cd "$2" && pwd) || exit 2; shift ;;
    --*) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) break ;;
  esac
  shift
done

# What a failed step before the tests counts as.
give_up() {
  echo "$1"
  echo "0 passed, 1 failed"
  exit 1
}

install_clients || give_up "npm could not install Microsoft's clients"

work=$(mktemp -d)
chmod 711 "$work"  # the broker's user passes through
trap 'rm -rf "$work"' EXIT
sh "$root/examples/device/start.sh" --prepare --build "$build" || give_up "the device program could not be built"
sh "$root/examples/mosquitto_hub/start.sh" --prepare --build "$build" --dir "$work/hub" || give_up "the hub could not be built"

# The service's client takes a certificate authority from the environment alone.
NODE_EXTRA_CA_CERTS=$work/hub/ca.pem
export NODE_EXTRA_CA_CERTS
timeout $((400 + cuts)) node "$root/tests/e2e/main.mjs" "$build" "$work" "$cuts" "$@" </dev/null && exit 0
status=$?
[ $status -eq 1 ] || echo "0 passed, 1 failed"  # it did not come to its last line
exit 1
