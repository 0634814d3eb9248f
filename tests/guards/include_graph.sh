#!/bin/sh
# The headers form floors: base < json < merge < twin < protocol < device, hub and fleet, which are neighbours; version.hpp
# below and devicetwin.hpp above all. testing, which is for users' tests, is above even that. Run in the repository's root.
# Checked are
#   - a header includes headers of its own folder or of lower floors, not of a neighbour; so nothing includes testing;
#   - there is no include cycle;
#   - detail/ and the namespaces detail belong to their floor alone: no other floor includes or names them. What floors
#     share stands in headers with a contract: base/, json/tree/, json/text/, merge/tree/, merge/text/, in the namespaces
#     base, json::core and merge::core;
#   - RapidJSON's namespace is spelled in json/value.hpp and json/tree/inside.hpp only;
#   - no header includes a standard header that is expensive or out of place;
#   - the headers and functions that docs/architecture.md names are there.
cd include/devicetwin || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The file without its comments, line by line.
code() {
  awk '{
    line = $0
    out = ""
    while (line != "") {
      if (comment) {
        end = index(line, "*/")
        if (!end) break
        line = substr(line, end + 2)
        comment = 0
      }
      block = index(line, "/*")
      rest = index(line, "//")
      if (rest && (!block || rest < block)) { out = out substr(line, 1, rest - 1); break }
      if (!block) { out = out line; break }
      out = out substr(line, 1, block - 1)
      line = substr(line, block + 2)
      comment = 1
    }
    print out
  }' "$1"
}

find . -name '*.hpp' | sed 's|^\./||' | sort | while read -r header; do
  code "$header" >"$work/code"

  # Includes of own headers, as "from to"; paths in quotes are relative to the including file.
  sed -nE "s|^ *# *include *\"([^\"]*)\".*|$header $(dirname "$header")/\1|p" "$work/code" |
    sed -e ':again' -e 's|[^/ ]*/\.\./||' -e 't again' -e 's| \./| |' >>"$work/edges"
  if grep -qE '# *include *[<"]devicetwin/' "$work/code"; then
    echo "$header includes a header of this project by its full path; relative paths are the rule"
  fi

  if [ "$header" != json/value.hpp ] && [ "$header" != json/tree/inside.hpp ]; then
    grep -nE 'rapidjson::|RAPIDJSON_NAMESPACE' "$work/code" | head -n 1 | sed -E \
      "s|^([0-9]+):.*|$header:\1 spells RapidJSON's namespace; only json/value.hpp and json/tree/inside.hpp may|"
  fi
  folder=${header%%/*}
  grep -nE '\b[a-z]+::detail::' "$work/code" | grep -vE "\b($folder|devicetwin)::detail::" | head -n 1 |
    sed -E "s|^([0-9]+):.*|$header:\1 names another floor's detail|"
  sed -nE "s/^ *# *include *(<(functional|iostream|regex|ranges|memory_resource|algorithm)>).*/\1/p" \
    "$work/code" | sed "s|^|$header includes |"
done >"$work/problems"

awk '
  function folder_of(path) {
    sub("/.*", "", path)
    return path
  }
  function floor_of(path,  folder) {
    if (path == "version.hpp") return 0
    if (path == "devicetwin.hpp") return 7
    folder = path
    sub("/.*", "", folder)
    if (folder in floors) return floors[folder]
    if (!(path in unknown)) print path " belongs to no floor"
    unknown[path] = 1
    return -1
  }
  BEGIN {
    split("base json merge twin protocol device", names, " ")
    for (i in names) floors[names[i]] = i + 0
    floors["hub"] = floors["fleet"] = floors["device"]
    floors["testing"] = 8
  }
  {
    from = floor_of($1); to = floor_of($2)
    if (from >= 0 && to > from) print $1 " (floor " from ") includes " $2 " (floor " to ")"
    if ($2 ~ /\/detail\// && folder_of($1) != folder_of($2)) print $1 " includes " $2 ", which is the detail of another floor"
    if (from > 0 && to == from && folder_of($1) != folder_of($2)) print $1 " includes its neighbour " $2
  }
' "$work/edges" >>"$work/problems"

tsort "$work/edges" 2>&1 >/dev/null |
  sed -n 's/^tsort: \(.*\.hpp\)$/\1 is part of an include cycle/p' >>"$work/problems"

find . -name '*.hpp' >"$work/headers"
grep -oE '`[a-z0-9_/]+\.hpp`' ../../docs/architecture.md | tr -d '\`' | sort -u | while read -r header; do
  grep -q "/$header\$" "$work/headers" || echo "docs/architecture.md names $header, which is not there"
done >>"$work/problems"
grep -oE '[a-z0-9_]+\(\)`' ../../docs/architecture.md | tr -d '()\`' | sort -u | while read -r function; do
  grep -rqE "\b$function\(" . || echo "docs/architecture.md names $function(), which is not there"
done >>"$work/problems"

cat "$work/problems"
[ ! -s "$work/problems" ]
