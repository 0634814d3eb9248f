# Shared by the scripts of this repository. The script that reads this file sets nothing beforehand.

# The folder above the script that has this file.
root=$(cd "$(dirname "$0")" && while [ ! -f tools/lib.sh ] && [ "$PWD" != / ]; do cd .. || exit; done && pwd)

# need REASON PACKAGE...: installs what is missing of the Debian packages.
need() {
  reason=$1
  shift
  if ! command -v dpkg >/dev/null || ! command -v apt-get >/dev/null; then
    for command in c++ cmake make; do
      command -v $command >/dev/null && continue
      echo "Please install the equivalents of these Debian packages ($reason): $*" >&2
      exit 1
    done
    return 0
  fi
  missing=
  for package in "$@"; do
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' ||
      missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  echo "Installing$missing ($reason)"
  as_root=
  [ "$(id -u)" -eq 0 ] || as_root=sudo
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  # The package lists of a fresh machine may be empty or old.
  $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 && return 0
  $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing \
    >/dev/null && return 0
  echo "apt-get could not install:$missing" >&2
  exit 1
}

# need_beast: Boost's headers with Beast, 1.74 or newer. A machine may have another version of them than the system's default.
need_beast() {
  [ -f /usr/include/boost/beast/version.hpp ] || need "the hub's HTTP server" libboost-dev
}

# want REASON PACKAGE...: as need, but goes on without them, loudly. False then.
want() {
  (need "$@") && return 0
  echo "*** NOT CHECKED: $1. Missing packages: $(shift; echo "$*") ***" >&2
  return 1
}

jobs() {
  getconf _NPROCESSORS_ONLN
}

# set_up PART DIR: configures a build folder that has one part of the project: TOOLS, EXAMPLES or BENCH. An existing one
# keeps its other parts and settings; a new one has that part alone, whose packages are all that it needs.
set_up() {
  need "compiler and build tools" g++ make cmake
  need "the library's only dependency" rapidjson-dev
  if [ -f "$2/Makefile" ] || [ -f "$2/build.ninja" ]; then
    cmake "-DDEVICETWIN_BUILD_$1=ON" "$2"
    return
  fi
  # There is no folder, or one whose first configuration failed.
  rm -f "$2/CMakeCache.txt"
  off=
  for part in TESTS FUZZ TOOLS EXAMPLES BENCH; do
    [ $part = "$1" ] || off="$off -DDEVICETWIN_BUILD_$part=OFF"
  done
  # shellcheck disable=SC2086 # these are several words
  cmake -S "$root" -B "$2" "-DDEVICETWIN_BUILD_$1=ON" $off
}

# build_example NAME DIR: builds one example in a build folder, quietly.
build_example() {
  log=$(mktemp)
  need "compiler and build tools" g++ make cmake  # says so; what follows is quiet
  need "the library's only dependency" rapidjson-dev
  set_up EXAMPLES "$2" >"$log" 2>&1 && cmake --build "$2" --target "$1" >>"$log" 2>&1 && rm -f "$log" && return 0
  cat "$log" >&2
  rm -f "$log"
  exit 1
}
