#!/bin/sh
# usage: run.sh BUILD_DIR [CONSUMER...]
# Uses the library the way other projects do: installs BUILD_DIR to a temporary prefix, then builds
# and runs each consumer (default: all) with the compiler and the RapidJSON of BUILD_DIR.
set -e
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cached() {
  sed -n "s/^$1:[^=]*=//p" "$build/CMakeCache.txt"
}
CXX=$(cached CMAKE_CXX_COMPILER)
export CXX
rapidjson=$(cached DEVICETWIN_RAPIDJSON_DIR)

install() {
  [ -d "$work/prefix" ] || cmake --install "$build" --prefix "$work/prefix" >"$work/log"
}

with_cmake() {
  cmake -S "$here/$1" -B "$work/$1" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DDEVICETWIN_RAPIDJSON_DIR="$rapidjson" >"$work/log" 2>&1 &&
    cmake --build "$work/$1" >>"$work/log" 2>&1
}

# pkg-config names the installed RapidJSON; another one given to BUILD_DIR goes before it.
with_pkg_config() {
  mkdir "$work/pkg_config"
  [ -z "$rapidjson" ] || CXX="$CXX -isystem $rapidjson/include -isystem $rapidjson"
  PKG_CONFIG_PATH=$work/prefix/share/pkgconfig \
    make -C "$here/pkg_config" CXX="$CXX" OUT="$work/pkg_config" >"$work/log" 2>&1
}

# Meson wants its subprojects below the project.
with_meson() {
  mkdir -p "$work/meson/subprojects"
  cp "$here/meson_subproject/meson.build" "$here/main.cpp" "$work/meson"
  ln -s "$source" "$work/meson/subprojects/devicetwin"
  meson setup "$work/meson_subproject" "$work/meson" --wrap-mode=nofallback \
    --force-fallback-for=devicetwin -Ddevicetwin:rapidjson_dir="$rapidjson" >"$work/log" 2>&1 &&
    ninja -C "$work/meson_subproject" >>"$work/log" 2>&1
}

for consumer in ${*:-find_package add_subdirectory pkg_config meson_subproject}; do
  case $consumer in
    find_package) install && with_cmake find_package ;;
    add_subdirectory) with_cmake add_subdirectory ;;
    pkg_config) install && with_pkg_config ;;
    meson_subproject) with_meson ;;
    *) echo "unknown" >"$work/log"; false ;;
  esac || { echo "$consumer does not build:"; cat "$work/log"; exit 1; }
  "$work/$consumer/consumer" || { echo "$consumer ends with exit status $?"; exit 1; }
done
