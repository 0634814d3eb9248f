#!/bin/sh
# Writes the hand-made seeds below fuzz/corpus/: one file per interesting text or pair of texts.
cd "$(dirname "$0")" || exit 1
mkdir -p corpus/fuzz_read corpus/fuzz_merge corpus/fuzz_text corpus/fuzz_text_tree corpus/fuzz_twin corpus/fuzz_topic corpus/fuzz_device_session \
  corpus/fuzz_hub_session corpus/fuzz_json_patch
n=0
while IFS= read -r text; do
  n=$((n + 1))
  printf '%s' "$text" >corpus/fuzz_read/seed-$n
done <<'TEXTS'
{"deviceId":"pump-7","version":12,"tags":{"site":"north"},"properties":{"desired":{"rpm":900,"$version":3},"reported":{"rpm":870.5,"ok":true,"note":null,"$version":9}}}
[1,-1,0,-0,-0.0,1.5,1e5,1E-7,9007199254740993,18446744073709551615,18446744073709551616,-9223372036854775808,5e-324,1.7976931348623157e308]
0.324315470366742364179071e-330
0.0e109
1e400
"\u0061\ud83d\ude00\n\t\"\\\/"
{"a":1,"\u0061":2}
[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12,"m":13,"n":14,"o":15,"p":16,"q":17,"r":18,"a":19}
"\ud800"
"\udc00"
 [ true , false , null ] 
[1,]
{"é":"日本語","long name that is not inline":"long text that is not inline either"}
TEXTS
n=0
while IFS='|' read -r first second; do
  n=$((n + 1))
  printf '%s\000%s' "$first" "$second" >corpus/fuzz_merge/seed-$n
  printf '%s%s\000%s' $((n % 6)) "$first" "$second" >corpus/fuzz_text/seed-$n
  printf '0%s\000%s' "$first" "$second" >corpus/fuzz_text_tree/seed-$n
done <<'PAIRS'
{"a":"b"}|{"a":"c"}
{"a":"b","b":"c"}|{"a":null}
{"a":{"b":"c"}}|{"a":{"b":"d","c":null}}
{"a":[{"b":"c"}]}|{"a":[1]}
{"e":null}|{"a":1}
[1,2]|{"a":"b","c":null}
{}|{"a":{"bb":{"ccc":null}}}
{"a":1,"b":2,"c":3,"d":4}|{"d":4,"c":3.0,"b":5,"x":{"y":{}},"a":1}
{"a":{"x":1,"y":[1,{"z":2}]},"b":1}|{"a":{"y":[1,{"z":2.0}],"x":1},"b":1}
1|1.0
{"n":null}|{"n":null,"m":1}
{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12,"m":13,"n":14,"o":15,"p":16,"q":17,"r":18}|{"r":18,"q":17,"p":16,"o":15,"n":14,"m":13,"l":12,"k":11,"j":10,"i":9,"h":8,"g":7,"f":6,"e":5,"d":4,"c":3,"b":2,"new":1}
{"a":null,"b":null,"c":1,"d":2,"e":3,"f":4,"g":5,"h":6,"i":7,"j":8,"k":9,"l":10,"m":11,"n":12,"o":13,"p":14,"q":15,"r":16}|{"c":null,"d":null,"e":null,"f":null,"g":null,"h":null,"i":null,"j":null,"k":null,"zz":{"a":null},"l":0}
PAIRS
# Documents and JSON Patches, or two documents.
n=0
while IFS='|' read -r first second; do
  n=$((n + 1))
  printf '%s\000%s' "$first" "$second" >corpus/fuzz_json_patch/seed-$n
done <<'PATCHES'
{"a":1,"list":[1,{"x":2}]}|[{"op":"add","path":"/list/1","value":[5]},{"op":"remove","path":"/list/2/x"},{"op":"replace","path":"/a","value":null},{"op":"move","from":"/list","path":"/l~1"},{"op":"copy","from":"/l~1","path":"/c~0"},{"op":"test","path":"/c~0","value":[1,[5.0],{}]}]
{"a":["x"]}|[{"op":"copy","from":"/a","path":"/a/-"},{"op":"copy","from":"/a","path":"/a/-"},{"op":"copy","from":"/a","path":"/a/-"},{"op":"copy","from":"","path":"/a/0/b"}]
{"a":["x"]}|[{"op":"copy","from":"/a","path":"/a/-"},{"op":"copy","from":"/a","path":"/a/0"},{"op":"move","from":"/a","path":"/a/0"}]
 { "a" : [ 1 , 2 ] , "b":{ } } |[{"op":"add","path":"/b/c","value":1},{"op":"remove","path":"/a/1"},{"op":"add","path":"/a/-","value":{"y":[]}},{"op":"move","from":"/a/0","path":""}]
[0,1,2,3,4,5,6,7,8,9]|[0,9,1,2,4,5,{"x":1},7,8]
{"a":[{"id":1,"v":[1,2]},{"id":2},{"id":3}]}|{"a":[{"v":[1.0,3],"id":1},{"id":3},{"id":4}],"b":null}
[1e400,0.1,123456789012345678901234567890]|[{"op":"test","path":"/0","value":10e399},{"op":"copy","from":"/2","path":"/-"}]
{"a":1|[{"op":"remove","path":"/a"}]
{"":{"":1}}|[{"op":"replace","path":"//","value":{"":[]}},{"op":"add","path":"///-","value":"\u00e9"},{"op":"remove","path":"/01"}]
PATCHES
# Numbers of any length, names that need escapes in pointers, patches of several levels; the last one is edited bytewise.
n=0
while IFS='|' read -r first second; do
  n=$((n + 1))
  printf '0%s\000%s' "$first" "$second" >corpus/fuzz_text_tree/texts-$n
done <<'TREES'
{"id":89490200001234567890,"pi":3.14159265358979323846}|{"id":89490200001234567891,"pi":3.141592653589793}
{"a":1e-400,"b":0.1,"c":100,"d":-0}|{"a":10e-401,"b":0.10000000000000001,"c":1e2,"d":0.0}
{"a/b":{"m~n":[1,{"":2}]}," ":3}|{"a/b":{"m~n":[1,{"":2.0}],"x":null}," ":{"y":{"z":null}}}
{ "\u0061" : { "b" : [ ] } , "\ud83d\ude00" : null }|{"a":{"b":[],"c":{"d":[null]}},"😀":null}
[{"a":1}]|[{"a":1},2]
TREES
printf '\377{"a":{"b":1,"c":[1,2]},"d":"text"}\000\000\1201\001\041x\001\000}' >corpus/fuzz_text_tree/edited-1
n=0
# Pairs of texts that mean the same, or are no JSON; the digit before them chooses options (fuzz_text.cpp).
while IFS='|' read -r first second; do
  n=$((n + 1))
  printf '%s%s\000%s' $((n % 6)) "$first" "$second" >corpus/fuzz_text/texts-$n
done <<'TEXTS'
{"a":"x","b":1,"long name that is not short":[1,{"y":2,"z":[]}]}| { "\u0061" : "\u0078" , "b" : 10e-1 , "long name that is not\u0020short" : [ 1.0 , { "z" : [ ] , "y" : 2 } ] } 
{"a":1,"b":{"c":"some text that goes over more than one block of sixty-four bytes, to be sure of it","d":2},"e":3}|{"a":1,"b":{"c":"some text that goes over more than one block of sixty-four bytes, to be sure of it","d":3},"e":3}
{"a":"\\\\","b":"\\\"","c":{"d":"}{][,"}}|{"a":"\\\\","b":"\\\"","c":{"d":"}{][,,"}}
{"a":1 "b":2}|{"a":1 "b":3}
{"a":[1,2,{"b":[3]]}|{"a":[1,2,{"b":[3]]}
{"a":{"b":{"c":1},"d":2},"e":{"f":1,"g":2,"h":3,"i":4}}|{"e":{"i":4,"h":3,"g":2,"f":0},"a":{"d":2,"b":{"c":1}}}
{"a":1}|{"a":{"b":null,"c":{"d":null},"e":1,"f":null}}
{"r0":1,"r1":1,"r2":1,"k":1,"s":2,"t":3}|{"n0":1,"n1":1,"k":1,"t":3,"s":2,"n2":0}
{"id":89490200001234567890,"pi":3.14159265358979323846,"z":-0,"e":1E5}|{"id":89490200001234567891,"pi":3.141592653589793238460,"z":0.0,"e":100000}
{"a":[1e400,0.10000000000000001],"b":10e999999999,"c":1e-400}|{"a":[10e399,0.1],"b":1e1000000000,"c":0}
TEXTS
# Twins: the dialect, a byte for the first twin, then one text after the other: 24 says that a text comes, then its kind
# (0 and 1 the service patches and replaces, 2 the device patches, 3 is loaded), the text, NUL, and some choices.
n=0
while IFS='|' read -r dialect kinds first second third; do
  n=$((n + 1))
  {
    printf '%b' "\\0$dialect\\0000"
    for text in "$first" "$second" "$third"; do
      printf '\030%b\001\001%s\000\007\007\007\003\000\007' "\\000${kinds%"${kinds#?}"}" "$text"
      kinds=${kinds#?}
    done
  } >corpus/fuzz_twin/seed-$n
done <<'TWINS'
000|022|{"tags":{"site":"n"},"properties":{"desired":{"a":1,"b":{"c":[1,2]}}}}|{"a":{"value":1,"ac":200,"av":2},"b":{"c":[1,2.0]}}|{"a":null,"b":{"c":null,"d":{}}}
000|013|{"properties":{"desired":{"a":1,"b":2}}}|{"properties":{"desired":{"a":1,"c":100}},"tags":{}}|{"properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2015-02-30T16:24:48.789Z","a":null},"$version":9223372036854775807}}}
000|020|{"properties":{"desired":{"\u0024x":1}}}|{"$version":3}|{"properties":{"desired":{"$version":3,"a":{}},"reported":{"b":1}}}
001|300|{"deviceId":"d","etag":"x","version":9,"desired":{"a":{"b":1},"$metadata":{"$lastUpdated":"2020-01-01T00:00:00.1Z","a":{}}},"reported":{"value":1,"ac":2,"av":3}}|{"properties":{"desired":{"a":{"b":null}}}}|{"properties":{"desired":null},"tags":null}
004|200|{"a":{"b":{"c":{"d":1}}}}|{"tags":{"a":[null]}}|{"properties":{"desired":{"a":1.0,"b":{"c":null}}}}
005|022|{"properties":{"desired":{"a":{"b":null}}}}|{"a":{"b":null}}|{"a":{"b":null,"c":{"d":null}}}
006|112|{"properties":{"desired":{"a":[1,null],"b":null}}}|{"properties":{"desired":{}}}|{"a":1}
010|020|{"tags":{"a":"0123456789012345678901234567890123456789012345678901234567890123456789"}}|{"a":"0123456789012345678901234567890123456789","b":1}|{"properties":{"desired":{"a":"0123456789012345678901234567890123456789012345678901234567890123456789"}}}
011|020|{"properties":{"desired":{"a":[1]}}}|{}|{"version":3}
TWINS
n=0
while IFS= read -r topic; do
  n=$((n + 1))
  printf '%s' "$topic" >corpus/fuzz_topic/seed-$n
done <<'TOPICS'
$iothub/twin/GET/?$rid=5e8f0d6e-1c1c-4a63-8c1a-1e8e1a6e4b5f
$iothub/twin/PATCH/properties/reported/?$rid=1&$version=9223372036854775807
$iothub/twin/res/204/?$rid=1&$version=6
$iothub/twin/res/404/?&$random&=v&$rid=%20a&
$iothub/twin/PATCH/properties/desired/?$version=3
$aws/things/my-thing/shadow/update/documents
$aws/things/my-thing/shadow/name/config/delete/rejected
pump-7/$edgeHub
$iothub/twin/PATCH/properties/desired/#
$iothub/+/PATCH/+/desired/+/#
$iothub/+/PATCH/+/desired/+
+/twin/#
TOPICS
# Calls of a hub: what, who, and texts up to a NUL (fuzz_hub_session.cpp). `=` stands for the NUL between texts.
n=0
mkdir -p corpus/fuzz_hub_session
while IFS= read -r calls; do
  n=$((n + 1))
  printf '%b' "$(printf '%s' "$calls" | sed 's/=/\\0000/g; s/~/=/g')" >corpus/fuzz_hub_session/seed-$n
done <<'CALLS'
\000\000\001\000\006\000=\010\000{"properties":{"desired":{"a":1,"b":{"c":[1]}}}}=\007\000{"a":1}=\003\000
\000\000\000\001\001\001\004\001$iothub/#=\010\001{"properties":{"desired":{"a":1}},"tags":{"x":2}}=\005\001$iothub/#=\012\001{"properties":{"desired":{"b":1}}}=AAAAAAAAAAI=\003\001
\000\002\013\002$iothub/twin/GET/?$rid~1= =\014\00025=x=\015\00025&$version~1={"a":{"$b":1}}=\015\00025&$version~1={"a":2}=\015\00025&$version~1={"a":3}=
\000\000\007\000{"$version":1}=\007\000{"a":[null]}=\007\000{"a"=\013\000$iothub/twin/res/200/?$rid~1=x=\016\000$iothub/twin/GET/?$rid~7=slow=\017\000=W/"AAAAAAAAAAE="=
\003\004\007\003{}=\013\004$iothub/twin/GET/?$rid~1==\000\003\001\004\017\000=*=
CALLS
# Device sessions: 1 says that calls follow, then the size of the buffer and three choices; the calls are letters of which
# the code modulo 12 says what is done (fuzz_device_session.cpp): x connects, z is the twin, { accepts a patch, } is a
# change, s a report, u lets time go by.
n=0
while IFS='|' read -r calls; do
  n=$((n + 1))
  {
    printf '\001\377\040\001\001'
    printf '%s' "$calls" | tr '^' '\000'
  } >corpus/fuzz_device_session/seed-$n
done <<'CALLS'
x^z{"desired":{"a":1,"b":{"c":2},"$version":3},"reported":{"x":1,"$version":2}}^}{"a":null,"b":{"d":[1]},"$version":4}^s{"x":2,"y":{"z":1}}^{^s{"x":3}^
s{"a":null}^s{"a":{"b":1}}^x^z{"desired":{"$version":1},"reported":{"a":{"c":1}}}^{^s{"long":"0123456789012345678901234567890123456789","w":{"v":[1,2,3],"u":true}}^{^{^
x^}{"a":1,"$version":1}^u^x^z{"properties":{"desired":{"\u0024version":7},"reported":null}}^u^x^z{"desired":{"a":{"b":{}},"$version":9},"reported":{"$version":1}}^
CALLS
