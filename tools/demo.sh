#!/bin/sh
# Builds the command line tool and shows its main job on the files in examples/data; installs what is
# missing (Debian, Ubuntu). The tool stays at build/devicetwin.
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 1

need "compiler and build tools" g++ make cmake
need "the library's only dependency" rapidjson-dev

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quiet() {
  "$@" >"$work/log" 2>&1 && return 0
  cat "$work/log"
  exit 1
}

quiet set_up TOOLS build
quiet cmake --build build --target devicetwin_tool

# show SENTENCE ARGUMENT...: the sentence, the command, what it prints.
show() {
  printf '\n%s\n\n$ build/devicetwin' "$1"
  shift
  printf ' %s' "$@"
  printf '\n'
  build/devicetwin "$@" || exit 1
}

before=examples/data/twin.json
after=examples/data/twin-after.json
show "A greenhouse's device twin was saved twice. What has changed is a JSON Merge Patch; a member
that has gone is null:" diff $before $after --pretty
show "Kept in a file, the patch" diff $before $after -o build/changes.json
show "is applied to the first state" apply $before build/changes.json -o build/result.json
show "and the result is the second state, with nothing left to change:" diff build/result.json $after
show "An operator's patch: measure every minute, warmer nights, another watering plan, no limit for
the vent. Applied to the first state:" apply $before examples/data/patch.json --pretty

device=examples/data/device.json
show "The twin of a weather station, as its service keeps it. What has the station still to do?" \
  twin delta $device
echo '{"telemetryConfig": {"sendFrequency": "5m", "status": null}}' >build/report.json
show "It reports that it has done so; nothing is left" \
  twin patch $device build/report.json --as device --at 2026-03-02T07:00:00Z -o build/station.json
show "and the service sees who wrote what when:" twin show build/station.json --pretty
