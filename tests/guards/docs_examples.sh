#!/bin/sh
# usage: docs_examples.sh TOOL_DIR COMPILER [FLAG...], in the repository's root
#
# Runs the examples of README.md and docs/*.md in the repository's root:
#   - a ```cpp block that has an `int main` is compiled and run;
#   - a ```sh block after a line `<!-- run -->` is run, with the tool `devicetwin` in the PATH.
# When the next block follows a line `<!-- output -->`, it must be what the example prints.
tool_dir=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Writes each example as NNN.cpp or NNN.sh, its output as NNN.expected and its place as NNN.place.
for document in README.md docs/*.md; do
  [ -f "$document" ] && awk -v work="$work" -v document="$document" '
    function finish() {
      if (language == "cpp" && text ~ /int main/ || language == "sh" && mark == "run") {
        example = sprintf("%s/%s-%03d", work, name, ++count)
        printf "%s", text >(example "." language)
        print document ":" first >(example ".place")
      } else if (mark == "output" && example != "") {
        printf "%s", text >(example ".expected")
        example = ""
      } else {
        example = ""
      }
      mark = ""
    }
    BEGIN { name = document; gsub("/", "_", name) }
    /^```/ {
      if (inside) { inside = 0; finish() }
      else { inside = 1; language = substr($0, 4); first = NR; text = "" }
      next
    }
    inside { text = text $0 "\n"; next }
    /^<!-- run -->$/ { mark = "run" }
    /^<!-- output -->$/ { mark = "output" }
  ' "$document"
done

status=0
fail() {
  echo "$(cat "$example.place"): $1"
  status=1
}

for place in "$work"/*.place; do
  [ -f "$place" ] || continue
  example=${place%.place}
  if [ -f "$example.cpp" ]; then
    if ! "$@" -std=c++17 -pthread -Iinclude "$example.cpp" -o "$example.program" 2>"$example.log"; then
      fail "the example does not compile"
      head -n 20 "$example.log"
      continue
    fi
    "$example.program" >"$example.actual" 2>&1 || fail "the example ends with exit status $?"
  else
    # A command may fail on purpose; then its output is what counts.
    PATH="$tool_dir:$PATH" sh "$example.sh" >"$example.actual" 2>&1 || [ -f "$example.expected" ] ||
      fail "the example ends with exit status $?"
  fi
  if [ -f "$example.expected" ] && ! diff "$example.expected" "$example.actual" >"$example.log"; then
    fail "the example prints something else than the text below it"
    cat "$example.log"
  fi
done
exit $status
