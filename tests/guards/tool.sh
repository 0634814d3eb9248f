#!/bin/sh
# usage: tool.sh TOOL, in the repository's root
# The command line tool as a user meets it: results, exit status, messages, and what happens to files.
tool=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
status=0

# check NAME EXPECTED_STATUS EXPECTED_OUTPUT EXPECTED_ERROR_PREFIX ARGUMENT...: standard input is the file `in`.
check() {
  name=$1 expected=$2 out=$3 err=$4
  shift 4
  [ -f in ] || : >in
  "$tool" "$@" <in >out 2>err
  actual=$?
  printf '%s' "$out" >expected_out
  problem=
  [ $actual -eq "$expected" ] || problem="exit status $actual, not $expected"
  [ "$(cat out)" = "$(cat expected_out)" ] || problem="$problem; prints: $(cat out)"
  case $(cat err) in
    "$err"*) ;;
    *) problem="$problem; says: $(cat err)" ;;
  esac
  [ -n "$err" ] || [ ! -s err ] || problem="$problem; says: $(cat err)"
  [ -z "$problem" ] || { echo "$name: $problem"; status=1; }
}

echo '{"a":1,"b":{"c":2}}' >doc
echo '{"b":{"c":null,"d":3}}' >p1
echo '{"a":null}' >p2
printf '{\n "a": 1,\n "b": nul\n}' >bad
printf '{"a":{\n  "b": null}}' >null
echo '[1,2' >in

check apply 0 '{"a":1,"b":{"d":3}}' '' apply doc p1
check 'apply in order' 0 '{"b":{"d":3}}' '' apply doc p1 p2
echo '{"b":{"c":2}}' >to
check diff 0 '{"a":null}' '' diff doc to
check 'diff of equals' 0 '{}' '' diff doc doc
check 'exit code, different' 1 '{"a":null}' '' diff doc to --exit-code
check 'exit code, equal' 0 '{}' '' diff --exit-code doc doc
check pretty 0 '{
  "a": 1,
  "b": {
    "d": 3
  }
}' '' apply --pretty doc p1
cp p1 in
check 'standard input' 0 '{"a":1,"b":{"d":3}}' '' apply doc -
check 'standard input twice' 2 '' 'devicetwin: standard input can be read only once' apply - -
check 'bad text' 2 '' 'devicetwin: bad:3:10: unexpected character (byte 0x0a), at /b' apply bad p1
check 'bad patch' 2 '' 'devicetwin: bad:3:10: unexpected character (byte 0x0a), at /b' apply doc bad
check 'null cannot be said' 2 '' 'devicetwin: null:2:8: a merge patch cannot set a member to null; a JSON Patch can, at /a/b' diff doc null
long=$(printf 'a name of thirty-two characters_%.0s' 1 2 3 4 5)
printf '{"%s":\n {"%s":null}}' "$long" "$long!" >null
check 'a long pointer is found too' 2 '' 'devicetwin: null:2:167: a merge patch cannot' diff doc null
check 'no such file' 2 '' 'devicetwin: nothing: cannot be opened: ' apply nothing p1
check 'a folder' 2 '' 'devicetwin: .: cannot be read: ' apply . p1
check 'no command' 2 '' 'devicetwin: a command is missing'
check 'unknown command' 2 '' 'devicetwin: unknown command frob' frob
check 'no output file' 2 '' 'devicetwin: -o needs FILE' apply doc p1 -o
check 'an empty output file' 2 '' 'devicetwin: -o needs FILE' apply doc p1 -o ''
check 'output to standard output' 0 '{"a":1,"b":{"d":3}}' '' apply doc p1 -o -
check 'an option with =' 0 '' '' apply doc p1 --output=assigned
check 'a letter with its argument' 0 '' '' apply doc p1 -oattached
[ "$(cat assigned attached)" = "$(printf '{"a":1,"b":{"d":3}}\n{"a":1,"b":{"d":3}}')" ] || { echo "--output=, -o: $(cat assigned attached)"; status=1; }
check 'an argument with =' 0 '' '' apply doc p1 --output==a=b
[ -f '=a=b' ] || { echo "--output==a=b is not taken as it is"; status=1; }
check 'an option with = and nothing' 2 '' 'devicetwin: --output needs FILE' apply doc p1 --output=
check 'an option with = that takes nothing' 2 '' 'devicetwin: --pretty takes no argument' apply doc p1 --pretty=2
check 'a choice with =' 2 '' 'devicetwin: --prefer needs ours|theirs|fail' merge doc doc doc --prefer=mine
check 'an unknown option with =' 2 '' 'devicetwin: unknown option --frob=1' apply --frob=1 doc p1
check 'the last of two' 0 '' '' apply doc p1 -o first -o second
[ ! -e first ] && [ -f second ] || { echo "of two -o, the last is not taken"; status=1; }
check 'unknown option' 2 '' 'devicetwin: unknown option --frob' apply --frob doc p1
check 'too few files' 2 '' 'devicetwin: apply needs DOC' apply doc
check 'too many files' 2 '' 'devicetwin: diff needs FROM and TO' diff doc doc doc
printf '{}\0junk' >in
check 'NUL and junk' 2 '' 'devicetwin: standard input:1:3: something follows' apply doc -

# diff --format human
printf '{"a":1,"s":"x","list":[1,2,3,4],"t":{"u v":[{"n":1,"m":2}]},"gone":[true, null],"same":[1.0,{"x":1,"y":2}]}' >h1
printf '{"same":[1,{"y":2,"x":1.0}],"a":null,"s":"y","list":[1,9,2,3],"t":{"u v":[{"n":1,"m":3}]},"new":{"k" : [ 1 , "a b" ]}}' >h2
human='- .a: 1
+ .a: null
- .s: "x"
+ .s: "y"
+ .list[1]: 9
- .list[3]: 4
- .t["u v"][0].m: 2
+ .t["u v"][0].m: 3
- .gone: [true,null]
+ .new: {"k":[1,"a b"]}'
check human 0 "$human" '' diff h1 h2 --format human
check 'human, exit code' 1 "$human" '' diff h1 h2 --format human --exit-code
check 'human of equals' 0 '' '' diff h1 h1 --format human --exit-code
check 'human to a file' 0 '' '' diff h1 h2 --format=human -o human_file
[ "$(cat human_file)" = "$human" ] || { echo "human to a file: $(cat human_file)"; status=1; }
printf '[1.0,{"a":"\\u00e9","b":-0}]' >spelled1
printf ' [ 10e-1 , {"b" : 0.0, "\\u0061":"\303\251"} ] ' >spelled2
check 'human, other spellings' 0 '' '' diff spelled1 spelled2 --format human --exit-code
printf '"x"' >string
printf '[1]' >array
printf '{"a":1}' >one_
: >empty_file
echo >in
check 'human, a file that is not there yet' 0 '+ .a: 1' '' diff empty_file one_ --format human
check 'human, a file that is gone' 0 '- .a: 1' '' diff one_ /dev/null --format human
check 'human, white space alone' 2 '' 'devicetwin: standard input:' diff one_ - --format human
check 'an empty file is no JSON' 2 '' 'devicetwin: empty_file:' diff empty_file one_
check 'human, roots' 0 '- .: "x"
+ .: [1]' '' diff string array --format human
printf '[[1,2],[3]]' >array
printf '[[1,5],[3]]' >array2
check 'human, arrays in an array' 0 '- .[0][1]: 2
+ .[0][1]: 5' '' diff array array2 --format human
red=$(printf '\033[31m') green=$(printf '\033[32m') plain=$(printf '\033[0m')
printf '{"a":1}' >one
printf '{"a":2}' >two
coloured="$red- .a: 1$plain
$green+ .a: 2$plain"
lines='- .a: 1
+ .a: 2'
check 'human in colours' 0 "$coloured" '' diff one two --format human --color always
check 'human without colours' 0 "$lines" '' diff one two --format human --color never
check 'human, no terminal' 0 "$lines" '' diff one two --format human --color=auto
check 'a wrong colour' 2 '' 'devicetwin: --color needs auto|always|never' diff one two --format human --color red
check 'a wrong format' 2 '' 'devicetwin: --format needs merge-patch|json-patch|human' diff one two --format xml
check 'colours of JSON' 2 '' 'devicetwin: --color goes with --format human' diff one two --color always
check 'human and pretty' 2 '' 'devicetwin: --pretty goes with --format merge-patch and json-patch' diff one two --format human --pretty
check 'tests of human' 2 '' 'devicetwin: --tests goes with --format json-patch' diff one two --format human --tests
check 'tests of a merge patch' 2 '' 'devicetwin: --tests goes with --format json-patch' diff one two --tests
check 'a format of apply' 2 '' 'devicetwin: --format goes with diff' apply one two --format human
# On a terminal: util-linux's script has one.
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
  on_terminal() { script -qec "$1" /dev/null </dev/null | tr -d '\r'; }
  [ "$(on_terminal "TERM=xterm '$tool' diff one two --format human")" = "$coloured" ] || { echo "no colours on a terminal"; status=1; }
  for off in 'NO_COLOR=1 TERM=xterm' 'TERM=dumb'; do
    [ "$(on_terminal "$off '$tool' diff one two --format human")" = "$lines" ] || { echo "colours with $off"; status=1; }
  done
  [ "$(on_terminal "NO_COLOR= TERM=xterm '$tool' diff one two --format human")" = "$coloured" ] || { echo "no colours with an empty NO_COLOR"; status=1; }
  [ "$(on_terminal "NO_COLOR=1 TERM=xterm '$tool' diff one two --format human --color always")" = "$coloured" ] || { echo "NO_COLOR goes before --color always"; status=1; }
  on_terminal "TERM=xterm '$tool' diff one two --format human -o human_file" >/dev/null
  [ "$(cat human_file)" = "$lines" ] || { echo "colours in a file: $(cat human_file)"; status=1; }
else
  echo "SKIPPED: colours on a terminal (no script)"
fi
# What a terminal would obey is escaped, in values and in names.
printf '{}' >nothing
printf '{"a\302\2332J\\u001b[2J":"\342\200\256\\u202e\177\\u0007\\u009b\\n\\"\\\\\\/ \303\251\\ud83d\\ude00"}' >hostile
check 'human, hostile' 0 '+ .["a\u009b2J\u001b[2J"]: "\u202e\u202e\u007f\u0007\u009b\n\"\\/ é😀"' '' diff nothing hostile --format human
printf '{"a b\\"\\\\":1}' >quoted
check 'human, quotes in a name' 0 '+ .["a b\"\\"]: 1' '' diff nothing quoted --format human
printf '{"a":"\233"}' >broken
check 'human, not UTF-8' 2 '' 'devicetwin: broken:1:7: ' diff nothing broken --format human
check 'human, not UTF-8 in the first' 2 '' 'devicetwin: broken:1:7: ' diff broken nothing --format human
check 'human, bad text' 2 '' 'devicetwin: bad:3:10: unexpected character (byte 0x0a), at /b' diff doc bad --format human
printf '{"a":%0300d1,"b":1e400}' 0 | sed 's/:0*1/:1/; s/1,/12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890,/' >huge1
sed 's/7890,/7891,/; s/e400/e401/' huge1 >huge2
check 'human, huge numbers' 0 '- .a: …6789012345678901234567890
+ .a: …6789012345678901234567891
- .b: 1e400
+ .b: 1e401' '' diff huge1 huge2 --format human
# Long values are shortened, between two characters, so that the difference can be seen.
e50=$(printf '\303\251%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50)
printf '["%s%s%s"]' "$e50" "$e50" "$e50" >long1
printf '["%sX%s%s"]' "$e50" "$e50" "$e50" >long2
printf '["%s%s%sY"]' "$e50" "$e50" "$e50" >long3
check 'human, a long value' 0 "- .[0]: …$(printf '\303\251%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)$e50$(printf '\303\251%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38)… (302 bytes)
+ .[0]: …$(printf '\303\251%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)X$e50$(printf '\303\251%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37)… (303 bytes)" '' diff long1 long2 --format human
check 'human, a long value that goes on' 0 "- .[0]: …$(printf '\303\251%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)\"
+ .[0]: …$(printf '\303\251%.0s' 1 2 3 4 5 6 7 8 9 10 11 12)Y\"" '' diff long1 long3 --format human
printf '{"%0200d":1}' 0 >long_name
check 'human, a long name' 0 "+ .[\"$(printf '%060d' 0)…\"]: 1" '' diff nothing long_name --format human

# diff --format json-patch, patch
"$tool" diff h1 h2 --format json-patch >made
"$tool" patch h1 made -o patched
check 'a JSON Patch makes the second document' 0 '' '' diff patched h2 --format human --exit-code
check 'a JSON Patch, exit code' 1 "$(cat made)" '' diff h1 h2 --format json-patch --exit-code
check 'a JSON Patch of equals' 0 '[]' '' diff h1 h1 --format json-patch --exit-code
check 'a JSON Patch, pretty' 0 '[
  {
    "op": "replace",
    "path": "/a",
    "value": 2
  }
]' '' diff one two --format json-patch --pretty
check 'a JSON Patch with tests' 0 '[{"op":"test","path":"/a","value":1},{"op":"replace","path":"/a","value":2}]' '' diff one two --format json-patch --tests
check 'a JSON Patch, bad text' 2 '' 'devicetwin: bad:3:10: unexpected character (byte 0x0a), at /b' diff doc bad --format json-patch
"$tool" diff one two --format json-patch --tests >tested
check 'a test holds' 0 '{"a":2}' '' patch one tested
check 'a test fails' 1 '' 'devicetwin: tested:1:2: the value is not the one that was tested for, in operation 0, at /a' patch two tested
printf '[{"op":"add","path":"/b","value":1e400},\n {"op":"remove","path":"/x/y"}]' >absent
check 'no such place' 1 '' 'devicetwin: absent:2:2: there is no such value, in operation 1, at /x' patch one absent
[ "$("$tool" patch one absent 2>/dev/null)" = '' ] || { echo "patch prints after a failure"; status=1; }
printf '[{"op":"add","path":"/b","value":12345678901234567890123}]' >digits
check 'patch keeps digits' 0 '{"a":1,"b":12345678901234567890123}' '' patch one digits
check 'patches in order' 0 '{"a":2,"b":12345678901234567890123}' '' patch one digits tested
check 'the second patch fails' 1 '' 'devicetwin: tested:1:2: ' patch one tested tested
cp digits in
check 'a patch from standard input' 0 '{"a":1,"b":12345678901234567890123}' '' patch one -
check 'patch, pretty' 0 '{
  "a": 2
}' '' patch --pretty one tested
cp one patch_target
check 'patch onto its document' 0 '' '' patch patch_target tested -o patch_target
[ "$(cat patch_target)" = '{"a":2}' ] || { echo "patch -o: $(cat patch_target)"; status=1; }
check 'patch onto its document, a failure' 1 '' 'devicetwin: tested:1:2: ' patch patch_target tested -o patch_target
[ "$(cat patch_target)" = '{"a":2}' ] || { echo "patch -o: a failure changed the file"; status=1; }
printf '[\n{"op":"add","path":"/a"}]' >no_value
check 'an operation without its value' 2 '' 'devicetwin: no_value:2:1: not a JSON Patch' patch one no_value
check 'no JSON Patch' 2 '' 'devicetwin: p1:1:1: not a JSON Patch' patch one p1
check 'patch, bad document' 2 '' 'devicetwin: bad:3:10: ' patch bad tested
check 'patch, bad patch' 2 '' 'devicetwin: bad:3:10: ' patch one bad
check 'patch, too few files' 2 '' 'devicetwin: patch needs DOC and at least one PATCH' patch one

# Large files are mapped, small ones are read: the results are the same. 40,000 members of 50 bytes are 2 MB.
large() { awk -v changed="$1" -v indent="$2" 'BEGIN {
  printf "{"
  for (i = 0; i < 40000; ++i)
    printf "%s%s\"member %d\":%s{\"value\":%d,\"text\":\"\\u0041 \\\"b\\\"\"}", i ? "," : "", indent ? "\n  " : "", i, indent ? " " : "", i == changed ? -1 : i
  printf "%s}\n", indent ? "\n" : ""
}'; }
large -1 '' >large1
large 30000 '' >large2
large -1 1 >large3
check 'diff of mapped files' 1 '{"member 30000":{"value":-1}}' '' diff large1 large2 --exit-code
check 'diff of mapped files, human' 1 '- .["member 30000"].value: 30000
+ .["member 30000"].value: -1' '' diff large3 large2 --exit-code --format human
"$tool" diff large1 large2 | "$tool" apply large3 - >result
sed 's/\\u0041/A/g' large2 | cmp -s - result || { echo "apply to a mapped file makes something else"; status=1; }
"$tool" diff large1 large2 | "$tool" apply large3 - --pretty -o result
"$tool" diff result large2 --exit-code >/dev/null && [ "$(grep -c '^    "value": ' result)" = 40000 ] ||
  { echo "apply --pretty to a mapped file makes something else"; status=1; }
printf '{"new":null}' >to_null
check 'diff of everything' 0 "$(sed 's/\\u0041/A/g' large1)" '' diff nothing large1
awk 'BEGIN { printf "{"; for (i = 0; i < 400000; ++i) printf "%s\"member %d\":\"%040d\"", i ? "," : "", i, i; print "}" }' >large4
"$tool" diff nothing large4 | cmp -s - large4 || { echo "a patch that is not collected is something else"; status=1; }
rm large4
echo '{"member 1":{"value":"ours"}}' | "$tool" apply large1 - -o large_ours
"$tool" merge large1 large_ours large2 >result
[ "$("$tool" diff large1 result)" = '{"member 1":{"value":"ours"},"member 30000":{"value":-1}}' ] ||
  { echo "merge of mapped files: $("$tool" diff large1 result)"; status=1; }
printf '{"member 5":%s' "$(cat large2)" | head -c 1500000 >large_bad
check 'bad text, mapped' 2 '' 'devicetwin: large_bad:1:1500001: ' diff large1 large_bad
check 'bad text, mapped, first' 2 '' 'devicetwin: large_bad:1:1500001: ' diff large_bad large1
sed 's/"value":30000/"value":null/' large1 >large_null
check 'null, mapped' 2 '' 'devicetwin: large_null:1:' diff large1 large_null
check 'null of a JSON Patch' 0 '[{"op":"replace","path":"/member 30000/value","value":null}]' '' diff large1 large_null --format json-patch
# The output may be the input, by whatever name.
cp large1 target1
check 'a mapped file onto itself' 0 '' '' apply target1 to_null -o target1
sed 's/\\u0041/A/g' large1 | cmp -s - target1 || { echo "a mapped file onto itself is something else"; status=1; }
cp large1 target1
ln target1 target2
check 'a mapped file in place' 0 '' 'devicetwin: target1: written in place' apply target1 to_null -o target1
sed 's/\\u0041/A/g' large1 | cmp -s - target2 || { echo "a mapped file in place is something else"; status=1; }
cp large1 target1
"$tool" apply target1 to_null >>target1
sed 's/\\u0041/A/g' large1 | cat large1 - | cmp -s - target1 || { echo "a mapped file appended to itself is something else"; status=1; }
cp large1 target1
"$tool" apply target1 to_null 1<>target1
[ "$(head -c 1500000 target1 | cksum)" = "$(sed 's/\\u0041/A/g' large1 | head -c 1500000 | cksum)" ] ||
  { echo "a mapped file written over itself is something else"; status=1; }
# A mapped file that another program cuts, or writes to. The tool stops at a full pipe, and goes on when that is read.
mkfifo pipe
for change in 'truncate -s 4096' 'truncate -s +1'; do
  cp large1 target1
  "$tool" apply target1 to_null >pipe 2>err &
  process=$!
  exec 3<pipe
  head -c 1 <&3 >/dev/null
  $change target1
  cat <&3 >/dev/null
  exec 3<&-
  wait $process
  code=$?
  [ $code -eq 2 ] || { echo "$change: exit status $code"; status=1; }
  case $change:$(cat err) in
    *4096:'devicetwin: target1: cannot be read: it became shorter meanwhile, or its disk fails') ;;
    *1:'devicetwin: target1: another program has written to it meanwhile') ;;
    *) echo "$change: $(cat err)"; status=1 ;;
  esac
done
rm -f large1 large2 large3 large_* target1 target2 pipe result

# compose, invert, merge
printf '{"a":null}' >r1
printf '{"a":{"x":1}}' >r2
printf '{"a":{"old":5},"b":1}' >rdoc
check 'compose without a base' 0 '{"a":null}
{"a":{"x":1}}' '' compose r1 r2
check 'compose with a base' 0 '{"a":{"old":null,"x":1}}' '' compose r1 r2 --base rdoc
check 'compose to one patch' 0 '{"b":{"c":null,"d":3},"a":null}' '' compose p1 p2
check 'compose, bad base' 2 '' 'devicetwin: bad:3:10: ' compose p1 --base bad
check 'compose, no base' 2 '' 'devicetwin: --base needs DOC' compose p1 --base
check 'compose, two standard inputs' 2 '' 'devicetwin: standard input can be read only once' compose - --base -
check invert 0 '{"b":{"c":2,"d":null}}' '' invert doc p1
printf '{"n":null,"m":1}' >nulls
printf '{"n":7}' >seven
check 'invert to null' 2 '' 'devicetwin: nulls:1:6: a merge patch cannot set a member to null; a JSON Patch can, at /n' invert nulls seven
printf '{"a":1,"b":{"c":2},"d":{"e":1},"f":0}' >base
printf '{"a":2,"b":{"c":2},"d":{"e":2},"f":0,"new":1}' >ours
printf '{"a":3,"b":{"c":9},"f":0}' >theirs
conflicts='{"pointer":"/a","conflict":"both changed","base":1,"ours":2,"theirs":3,"chosen":"ours"}
{"pointer":"/d","conflict":"changed and removed","base":{"e":1},"ours":{"e":2},"chosen":"ours"}'
check 'merge fails' 1 '{"a":2,"b":{"c":9},"d":{"e":2},"f":0,"new":1}' "$conflicts" merge base ours theirs
check 'merge, ours' 0 '{"a":2,"b":{"c":9},"d":{"e":2},"f":0,"new":1}' "$conflicts" merge base ours theirs --prefer ours
check 'merge, theirs' 0 '{"a":3,"b":{"c":9},"f":0,"new":1}' '{"pointer":"/a"' merge --prefer theirs base ours theirs
check 'merge, no conflict' 0 '{"a":3,"b":{"c":9},"f":0}' '' merge base base theirs
check 'merge, bad preference' 2 '' 'devicetwin: --prefer needs ours|theirs|fail' merge base ours theirs --prefer mine
check 'merge, bad input' 2 '' 'devicetwin: bad:3:10:' merge base ours bad
: >empty
check 'merge with an empty base' 1 '{"a":2,"b":{"c":2},"d":{"e":2},"f":0,"new":1}' '{"pointer":"/a"' merge empty ours theirs
check 'merge needs three' 2 '' 'devicetwin: merge needs BASE, OURS and THEIRS' merge base ours

# Numbers keep their spelling, whatever their size.
many='{"id":89490200001234567890,"pi":3.14159265358979323846,"big":1e400,"one":1.0,"zero":-0,"e":1E5,"tiny":1e-400}'
echo "$many" >many
echo '{"x":1}' >x1
echo '{"id":89490200001234567891,"new":-9223372036854775809}' >id
check 'apply keeps digits' 0 "${many%\}},\"x\":1}" '' apply many x1
check 'apply takes digits' 0 "$(echo "${many%\}},\"new\":-9223372036854775809}" | sed s/890,/891,/)" '' apply many id
check 'apply, equal numbers stay' 0 "$many" '' apply many many
check 'apply --pretty keeps digits' 0 "$(echo "${many%\}},\"x\":1}" | sed 's/[{,]"/&/g; s/{/{\
  /; s/,/,\
  /g; s/":/": /g; s/}/\
}/')" '' apply --pretty many x1
echo '{"id":89490200001234567890,"pi":3.14159265358979323846}' >from
echo '{"id":89490200001234567891,"pi":3.141592653589793238460}' >to
check 'diff sees every digit' 1 '{"id":89490200001234567891}' '' diff from to --exit-code
check 'diff of equal numbers' 0 '{}' '' diff many many --exit-code
echo '[1.0,100]' >array1
echo '[1,1e2]' >array2
check 'diff of arrays of equal numbers' 0 '[1.0,100]' '' diff array1 array2 --exit-code
echo 89490200001234567890 >number1
echo 89490200001234567891 >number2
check 'diff of numbers' 1 89490200001234567891 '' diff number1 number2 --exit-code
echo '{"id":5,"pi":3}' >five
check 'invert keeps digits' 0 '{"id":89490200001234567890,"pi":3.14159265358979323846}' '' invert from five
check 'invert, nothing to undo' 0 '{}' '' invert from from
check 'compose keeps digits' 0 '{"id":89490200001234567891,"pi":3.14159265358979323846,"new":-9223372036854775809}' '' compose from id
check 'compose with a base keeps digits' 0 '{"id":89490200001234567891,"new":-9223372036854775809}' '' compose from id --base from
echo '{"a":1.0,"b":89490200001234567890,"c":[1e400,{"d":0.10}]}' >nbase
echo '{"a":1,"b":89490200001234567890,"c":[10e399,{"d":0.1}]}' >nours
echo '{"a":10e-1,"b":89490200001234567891,"c":[1e400,{"d":0.10}],"n":"x"}' >ntheirs
check 'merge keeps digits' 0 '{"a":1,"b":89490200001234567891,"c":[10e399,{"d":0.1}],"n":"x"}' '' merge nbase nours ntheirs
echo '{"b":89490200001234567892,"n":3.14159265358979323846}' >nours2
check 'merge reports digits' 1 '{"b":89490200001234567892,"n":3.14159265358979323846}' \
  '{"pointer":"/b","conflict":"both changed","base":89490200001234567890,"ours":89490200001234567892,"theirs":89490200001234567891,"chosen":"ours"}
{"pointer":"/n","conflict":"type clash","ours":3.14159265358979323846,"theirs":"x","chosen":"ours"}' merge nbase nours2 ntheirs

# Into a twin go integers of 64 bits and doubles; the check and the write agree.
"$tool" twin new --id d --at 2026-01-31T12:00:00Z >numbered
for number in 18446744073709551616 -9223372036854775809 894902000012345678901234 1e400 -1e400; do
  case $number in
    *e*) what='the number is too large for a double' ;;
    *) what='the integer does not fit in 64 bits' ;;
  esac
  echo "{\"a\":{\"b\":[$number]}}" >in
  for dialect in azure edge_hub aws ditto rfc7396; do
    check "check of $number by $dialect" 1 "$what, at /a/b/0" '' check - --section desired --dialect $dialect
  done
  check "patch with $number" 1 '' "devicetwin: standard input:1:12: $what, at /a/b/0" twin patch numbered - --as device
  echo "{\"properties\":{\"desired\":{\"a\":$number}}}" >in
  check "check of a twin with $number" 1 "$what, at /properties/desired/a" '' check -
  check "service patch with $number" 1 '' "devicetwin: standard input:1:31: $what, at /properties/desired/a" twin patch numbered - --as service
done
echo '{"a":[18446744073709551616,"x"],"b.c":1,"d":{"$e":1e400},"$version":7}' >in
check 'check names every violation' 1 'the integer does not fit in 64 bits, at /a/0
the number is too large for a double, at /d/$e
the name has a character that is forbidden in names, at /b.c
names that start with '\''$'\'' are written by the service alone, at /d/$e' '' check - --section desired
echo '{"a":18446744073709551615}' >in
check 'check of the largest integer' 0 '' '' check - --section desired --dialect aws

# merge as git's merge driver: one side changes a, the other b, on neighbouring lines.
if command -v git >/dev/null; then
  (
    mkdir repository && cd repository && git init -q . && git checkout -q -b main
    git config user.email nobody@example.com && git config user.name nobody
    git config merge.json.driver "'$tool' merge %O %A %B --pretty -o %A"
    echo '*.json merge=json' >.gitattributes
    printf '{\n  "a": 1,\n  "b": 1\n}\n' >twin.json
    git add . && git commit -q -m base && git checkout -q -b other
    printf '{\n  "a": 1,\n  "b": 2\n}\n' >twin.json && git commit -q -a -m theirs
    git checkout -q main
    printf '{\n  "a": 2,\n  "b": 1\n}\n' >twin.json && git commit -q -a -m ours
    git merge -q other -m merged
  ) >git_log 2>&1 || { echo "the merge driver fails: $(cat git_log)"; status=1; }
  [ "$(cat repository/twin.json)" = "$(printf '{\n  "a": 2,\n  "b": 2\n}')" ] ||
    { echo "the merge driver makes $(cat repository/twin.json)"; status=1; }
  rm -rf repository
fi

# diff as git's difftool and external diff, apply as its textconv (docs/tool.md).
if command -v git >/dev/null; then
  (
    PATH=$(dirname "$tool"):$PATH
    mkdir repository && cd repository && git init -q . && git config user.email nobody@example.com && git config user.name nobody
    git config diff.json.command 'f() { echo "$1"; devicetwin diff "$2" "$5" --format human; }; f'
    git config difftool.devicetwin.cmd 'devicetwin diff "$LOCAL" "$REMOTE" --format human'
    git config diff.pretty.textconv "f() { echo '{}' | devicetwin apply \"\$1\" - --pretty; }; f"
    printf '*.json diff=json\n*.line diff=pretty\n' >.gitattributes
    echo '{"a":1,"b":{"c":2}}' >twin.json
    cp twin.json twin.line
    git add . && git commit -q -m one
    echo '{"b":{"c":3},"a":1}' >twin.json
    echo '{"a":1,"b":{"c":3}}' >twin.line
    echo '{"d":4}' >new.json
    git add -N new.json
    git diff twin.json new.json >../git_diff
    git diff twin.line | grep '^[-+] ' >../git_textconv
    git config --unset diff.json.command  # it goes before a difftool
    git difftool --no-prompt --tool devicetwin twin.json >../git_difftool
  ) >git_log 2>&1 || { echo "git fails: $(cat git_log)"; status=1; }
  [ "$(cat git_diff)" = "$(printf 'new.json\n+ .d: 4\ntwin.json\n- .b.c: 2\n+ .b.c: 3')" ] || { echo "git diff shows $(cat git_diff git_log)"; status=1; }
  [ "$(cat git_difftool)" = "$(printf -- '- .b.c: 2\n+ .b.c: 3')" ] || { echo "git difftool shows $(cat git_difftool git_log)"; status=1; }
  [ "$(cat git_textconv)" = "$(printf -- '-    "c": 2\n+    "c": 3')" ] || { echo "git's textconv shows $(cat git_textconv git_log)"; status=1; }
  rm -rf repository
fi

# --pretty keeps the layout that the first input has.
printf '{\r\n    "a": 1,\r\n    "b": {\r\n        "c": 2\r\n    }\r\n}\r\n' >four
printf '{\r\n    "a": 1,\r\n    "b": {\r\n        "d": 3\r\n    }\r\n}\r\n' >four_expected
printf '{\n\t"a": 1,\n\t"b": {}\n}\n' >tabs
printf '{\n\t"a": 1,\n\t"b": {\n\t\t"d": 3\n\t}\n}\n' >tabs_expected
printf '{\n  "a": 1,\n  "b": {\n    "d": 3\n  }\n}\n' >two_expected
printf '{"a":1,\r\n"b":{}}' >none
printf '{\r\n"a": 1,\r\n"b": {\r\n"d": 3\r\n}\r\n}\r\n' >none_expected
# laid_out NAME EXPECTED ARGUMENT...
laid_out() {
  name=$1 expected=$2
  shift 2
  "$tool" "$@" --pretty -o result && cmp -s result "$expected" || { echo "$name: $(od -c result)"; status=1; }
}
"$tool" apply doc p1 -o merged
laid_out 'merge keeps four spaces and CRLF' four_expected merge doc four merged
laid_out 'merge keeps tabs' tabs_expected merge tabs tabs merged
laid_out 'apply keeps four spaces and CRLF' four_expected apply four p1
laid_out 'apply keeps tabs' tabs_expected apply tabs p1
laid_out 'lines without indentation stay so' none_expected apply none p1
laid_out 'one line becomes lines of two spaces' two_expected apply doc p1
printf '{\n%1000s"a":1}' '' >wide
laid_out 'an indentation of 1,000 spaces is not taken' two_expected apply wide p1
cp four result
laid_out 'a file keeps its own layout' four_expected apply result p1

# What a terminal would obey is escaped in messages.
printf '{"a\302\2332J":nul}' >bad_name
check 'C1 in a name' 2 '' "devicetwin: bad_name:1:12: unexpected character '}', at /a\\u009b2J" apply bad_name p1
printf '{"\342\200\256\177":\302\2332J}' >bad_name
check 'direction in a name' 2 '' 'devicetwin: bad_name:1:7: unexpected character (byte 0xc2), at /\u202e\u007f' apply bad_name p1
check 'ESC and C1 in a file name' 2 '' 'devicetwin: \u001b[2J\u009b\x9b: cannot be opened: ' apply "$(printf '\033[2J\302\233\233')" p1
check 'a line end in an option' 2 '' 'devicetwin: unknown option --a\u000ab' apply doc p1 --a'
'b
check 'a name that ends the line' 2 '' 'devicetwin: no\u000asuch/folder: cannot be written' apply doc p1 -o 'no
such/folder'
printf '{"\302\233":"\342\200\256","x":1}' >c1_ours
printf '{"\302\233":"\363\240\201\201"}' >c1_theirs
"$tool" merge empty c1_ours c1_theirs >out 2>err
[ "$(cat err)" = '{"pointer":"/\u009b","conflict":"both changed","ours":"\u202e","theirs":"\udb40\udc41","chosen":"ours"}' ] ||
  { echo "a conflict is told as $(cat err)"; status=1; }

# -o writes a file whole, or leaves it.
cp doc target
chmod 640 target
check 'output to an input' 0 '' '' apply target p1 -o target
[ "$(cat target)" = '{"a":1,"b":{"d":3}}' ] || { echo "-o: target is $(cat target)"; status=1; }
[ "$(ls -l target | cut -c1-10)" = '-rw-r-----' ] || { echo "-o changes the file's mode"; status=1; }
check 'output after an error' 2 '' 'devicetwin: bad:3:10:' apply target bad -o target
[ "$(cat target)" = '{"a":1,"b":{"d":3}}' ] || { echo "-o: a failure changed the file"; status=1; }
ln -s target link
check 'output to a link' 0 '' '' apply doc p2 -o link
[ -L link ] && [ "$(cat target)" = '{"b":{"c":2}}' ] || { echo "-o does not write through a link"; status=1; }
check 'output to nowhere' 2 '' 'devicetwin: no/such/folder: cannot be written' apply doc p1 -o no/such/folder
[ -z "$(ls -A | grep '^\.devicetwin-')" ] || { echo "-o leaves temporary files"; status=1; }

# What a twin does not know it does not claim.
stamp() { printf '"$lastUpdated":"2026-01-01T00:00:00Z","$lastUpdatedVersion":%s' "$1"; }
for version in 1 3; do
  printf '{"properties":{"desired":{"a":1,"$metadata":{%s,"a":{%s}},"$version":%s}}}' "$(stamp 1)" "$(stamp 3)" $version >strange
  check "since 1, stamps out of order, version $version" 1 '' 'devicetwin: strange:1:1: what changed' twin since strange 1 --section desired
done
"$tool" twin new --id d --with-history >twin
for patch in '{"a":1}' '{"b":1}' '{"a":null}'; do
  echo "{\"properties\":{\"desired\":$patch}}" | "$tool" twin patch twin - --as service -o twin || status=1
done
check 'since a version' 0 '{"a":null}' '' twin since twin 3 --section desired
check 'since the present version' 0 '{}' '' twin since twin 4 --section desired
"$tool" twin show twin --no-metadata >stripped || status=1
check 'since, without metadata' 1 '' 'devicetwin: stripped:1:1: what changed' twin since stripped 3 --section desired
sed 's/"knownSince":1/"knownSince":9/' twin >strange
check 'since, with another history' 1 '' 'devicetwin: strange:1:1: what changed' twin since strange 3 --section desired
echo '{"tags":{"x":1}}' >tags
check 'a list of etags' 0 '' '' twin patch twin tags --as service --if-match '"x,y", "AAAAAAAAAAQ="' -o matched
check 'no etag of a list' 1 '' 'devicetwin: tags:1:1: the twin has changed' twin patch twin tags --as service --if-match '"AAAAAAAAAAQ=,"'
echo '{"properties":{"desired":{}},"desired":{"b":1}}' >mixed
check 'desired beside properties' 2 '' 'devicetwin: mixed:1:40: desired and reported belong inside properties, not beside it, at /desired' \
  twin show mixed

check 'a model that is not UTF-8' 2 '' 'devicetwin: the new twin: the string is not valid UTF-8' twin new --id d --model "$(printf '\233')"

# check looks at the identity, and at the limits of the whole.
echo '{"deviceId":"a b","moduleId":null,"etag":5,"x509Thumbprint":{"primaryThumbprint":1},"parentScopes":[1],"other":7}' >identity
check identity 1 "$(cat <<'end'
not a device or module id: 1 to 128 of the letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ ', at /deviceId
the value has another type than was asked for, at /etag
the value has another type than was asked for, at /x509Thumbprint/primaryThumbprint
the value has another type than was asked for, at /parentScopes
end
)" '' check identity
check 'a fresh identity' 0 '' '' check twin
for limit in aws:8192 ditto:102400; do
  printf '{"a":"%0*d"}' $((${limit#*:} - 8)) 0 >section
  check "a section of ${limit#*:} bytes" 0 '' '' check section --section reported --dialect ${limit%:*}
  printf '{"a":"%0*d"}' $((${limit#*:} - 7)) 0 >section
  "$tool" check section --section reported --dialect ${limit%:*} >out
  [ $? -eq 1 ] && [ "$(wc -l <out)" -eq 1 ] || { echo "a section of more than ${limit#*:} bytes: $(cat out)"; status=1; }
  printf '{"properties":{"reported":%s}}' "$(cat section)" >whole
  "$tool" check whole --dialect ${limit%:*} >out
  [ $? -eq 1 ] && [ "$(wc -l <out)" -eq 1 ] || { echo "a twin of more than ${limit#*:} bytes: $(cat out)"; status=1; }
done

# Output that cannot be written is an error.
if [ -w /dev/full ]; then
  "$tool" apply doc p1 >/dev/full 2>err && { echo "a full disk is not noticed"; status=1; }
  grep -q '^devicetwin: standard output: cannot be written' err || { echo "full disk: $(cat err)"; status=1; }
  check 'a full disk with -o' 2 '' 'devicetwin: /dev/full: cannot be written' apply doc p1 -o /dev/full
fi
"$tool" apply doc p1 >&- 2>err && { echo "a closed standard output is not noticed"; status=1; }
# More than a pipe holds, so that writing goes on until nobody reads any more.
printf '{"long":"%0200000d"}' 0 >large
{ "$tool" apply large p1 2>err; echo $? >code; } | true
[ "$(cat code)" = 2 ] || { echo "a closed pipe is not noticed"; status=1; }
grep -q '^devicetwin: standard output: cannot be written' err || { echo "closed pipe: $(cat err)"; status=1; }
"$tool" --help >out || { echo "--help fails"; status=1; }
grep -q 'Examples' out || { echo "--help has no examples"; status=1; }
"$tool" --version >/dev/null || { echo "--version fails"; status=1; }
exit $status
