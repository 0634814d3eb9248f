# Shared by the scripts in this folder. The script that reads this file sets nothing beforehand.

root=$(cd "$(dirname "$0")/.." && pwd)

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

jobs() {
  getconf _NPROCESSORS_ONLN
}
