#!/bin/sh
# Do the tests notice when the code is wrong? Installs what is missing (Debian, Ubuntu) and runs mutate.py, which has the
# options and says more: sh tools/mutate.sh --help
. "$(dirname "$0")/lib.sh"
need "the script" python3
need "compiler" g++
need "the library's only dependency" rapidjson-dev
need "test framework" catch2
exec python3 "$root/tools/mutate.py" "$@"
