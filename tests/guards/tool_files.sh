#!/bin/sh
# usage: tool_files.sh TOOL, in the repository's root
# What the command line tool does to the files that it writes: links, owners, modes, mounts, full disks, locks, signals.
# What needs root is skipped for others, and says so.
tool=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
mounts=
clean() {
  cd / || exit
  for mount in $mounts; do umount "$mount"; done
  rm -rf "$work"
}
trap clean EXIT
chmod 755 "$work"
cd "$work" || exit 1
status=0
fail() {
  echo "$*"
  status=1
}
skip() {
  echo "SKIPPED: $*"
}

# expect NAME STATUS MESSAGE ARGUMENT...: runs the tool. MESSAGE is what standard error starts with; nothing if empty.
expect() {
  what=$1 expected=$2 message=$3
  shift 3
  "$tool" "$@" >out 2>err
  actual=$?
  [ $actual -eq "$expected" ] || fail "$what: exit status $actual, not $expected: $(cat err)"
  case $(cat err) in
    '') [ -z "$message" ] || fail "$what: says nothing" ;;
    "devicetwin: $message"*) [ -n "$message" ] || fail "$what: says $(cat err)" ;;
    *) fail "$what: says $(cat err)" ;;
  esac
}
# holds NAME FILE TEXT
holds() {
  [ "$(cat "$2")" = "$3" ] || fail "$1: $2 holds $(cat "$2")"
}
# clean_folder NAME [FOLDER]: no temporary file is left.
clean_folder() {
  left=$(find "${2:-.}" -name '.devicetwin-*')
  [ -z "$left" ] || fail "$1: leaves $left"
}
property() {
  stat -c "$1" "$2"
}

echo '{"a":1}' >d
echo '{"b":2}' >p
result='{"a":1,"b":2}'
"$tool" twin new --id x --at 2026-01-01T00:00:00Z >new_twin
echo '{"properties":{"desired":{"a":1}}}' >sp
echo '{"tags":{"a":1}}' >tp

# --- Not a regular file ---
{ echo one; "$tool" apply d p -o /dev/stdout; echo three; } >log
holds 'standard output by name' log "one
$result
three"
{ echo one; "$tool" apply d p -o /dev/fd/4; echo three >&4; } 4>log >&4
holds 'a descriptor by number' log "one
$result
three"
ln -s /dev/stdout to_output
{ echo one; "$tool" apply d p -o to_output; echo three; } >log
holds 'a link to standard output' log "one
$result
three"
echo kept >log
"$tool" apply d p -o /dev/stdout >>log
holds 'an appended file' log "kept
$result"
"$tool" apply d p -o /proc/self/fd/2 2>log
holds 'standard error' log "$result"
expect 'a descriptor that is not there' 2 '/dev/fd/9: cannot be written: Bad file descriptor' apply d p -o /dev/fd/9 9>&-
expect 'a descriptor of the tool itself' 2 '/dev/fd/3: cannot be written' apply d p -o /dev/fd/3 3>&-
"$tool" apply d p -o /dev/fd/0 <log 2>err && fail 'a descriptor for reading is written to'
mkfifo pipe
cat pipe >log &
"$tool" apply d p -o pipe
wait $!
[ -p pipe ] || fail 'a pipe is replaced'
holds 'a pipe' log "$result"
sleep 20 >other & sleeper=$!
until [ /proc/$sleeper/fd/1 -ef other ]; do sleep 0.05; done
echo kept >other
"$tool" apply d p -o /proc/$sleeper/fd/1
kill $sleeper
wait $sleeper 2>/dev/null
holds 'an open file of another process' other "kept
$result"
expect 'a device' 0 '' apply d p -o /dev/null
[ -c /dev/null ] || fail '/dev/null is replaced'

# --- Links ---
printf old >target
ln -s target link
expect 'a link' 0 '' apply d p -o link
[ -L link ] && holds 'a link' target "$result" || fail 'a link is replaced'
ln -s missing dangling
mkdir folder
ln -s ../elsewhere folder/far
ln -s folder/far chain
expect 'a link to nothing' 0 '' apply d p -o dangling
[ -L dangling ] && holds 'a link to nothing' missing "$result" || fail 'a link to nothing is replaced'
expect 'a chain of links' 0 '' apply d p -o chain
[ -L chain ] && [ -L folder/far ] && holds 'a chain of links' elsewhere "$result" || fail 'a chain of links is broken'
ln -s circle circle
expect 'a circle' 2 'circle: cannot be written: Too many levels of symbolic links' apply d p -o circle
printf 'a longer text than the result that is written' >hard
ln hard hard2
expect 'a hard link' 0 'hard: written in place: it has other hard links' apply d p -o hard
[ "$(property %i hard)" = "$(property %i hard2)" ] && holds 'a hard link' hard2 "$result" || fail 'a hard link is broken'

# --- Names, modes ---
for length in 240 249 254 255; do
  name=$(printf "%0${length}d" 0)
  for time in first second; do expect "a name of $length bytes, $time" 0 '' apply d p -o "$name"; done
  holds "a name of $length bytes" "$name" "$result"
done
expect 'a name of 256 bytes' 2 "$(printf '%0256d' 0): cannot be written: File name too long" apply d p -o "$(printf '%0256d' 0)"
expect 'a folder' 2 'folder: cannot be written: Is a directory' apply d p -o folder
expect 'a folder with a slash' 2 'folder/: cannot be written: Is a directory' apply d p -o folder/
expect 'a name that ends with a slash' 2 'newer/: cannot be written' apply d p -o newer/
[ ! -e newer ] || fail 'a name that ends with a slash is written'
expect 'a name that starts with a dash' 0 '' apply d p -o ./-name
for mode in 600 640 444 755; do
  printf old >target
  chmod $mode target
  expect "mode $mode" 0 '' apply d p -o target
  [ "$(property %a target)" = $mode ] || fail "mode $mode becomes $(property %a target)"
  rm -f target
done
(umask 027; "$tool" apply d p -o fresh) && [ "$(property %a fresh)" = 640 ] || fail "a new file has mode $(property %a fresh)"
printf old >target
chmod 6755 target
expect 'set-id bits' 0 '' apply d p -o target
[ "$(property %a target)" = 755 ] || fail "set-id bits stay: $(property %a target)"
ln target target2
chmod 6755 target
expect 'set-id bits in place' 0 'target: written in place' apply d p -o target
[ "$(property %a target)" = 755 ] || fail "set-id bits stay in place: $(property %a target)"
if command -v setfattr >/dev/null && setfattr -n user.colour -v green d 2>/dev/null; then
  cp d attributes && setfattr -n user.colour -v green attributes
  expect 'attributes' 0 '' apply d p -o attributes
  getfattr -n user.colour attributes 2>/dev/null | grep -q green || fail 'an attribute is lost'
else
  skip 'extended attributes: setfattr (package attr) or support of the file system is missing'
fi
if command -v setfacl >/dev/null && cp d listed && setfacl -m u:nobody:r listed 2>/dev/null; then
  chmod 640 listed && setfacl -m u:nobody:r listed
  expect 'an access list' 0 '' apply d p -o listed
  getfacl listed 2>/dev/null | grep -q '^user:nobody:r' || fail 'an access list is lost'
  mkdir shared && cp d shared/plain && chmod 660 shared/plain && setfacl -d -m u:nobody:rw shared
  expect 'a folder with an access list' 0 '' apply d p -o shared/plain
  getfacl shared/plain 2>/dev/null | grep -q '^user:nobody' && fail 'a file gets an access list from its folder'
else
  skip 'access lists: setfacl (package acl) or support of the file system is missing'
fi

# --- Several outputs ---
patch='--as service --at 2026-01-01T00:00:01Z'
cp new_twin t
expect 'all outputs' 0 '' twin patch t sp $patch --notification n --event e -o t
holds 'a notification' n '{"a":1,"$version":2}'
[ -s e ] || fail 'there is no event'
expect 'the device is told nothing' 0 '' twin patch t tp $patch --notification n --event e -o t
[ ! -e n ] || fail 'the notification of an earlier write stays'
[ -s e ] || fail 'the event is gone'
ln -s n to_n
expect 'a notification through a link' 0 '' twin patch t sp $patch --notification to_n -o t
expect 'nothing through a link' 0 '' twin patch t tp $patch --notification to_n -o t
[ ! -e n ] || fail 'a notification stays behind a link'
echo old >n
expect 'a refused write' 1 'sp:1:1: the twin has changed' twin patch t sp $patch --if-match stale --notification n -o t
holds 'a refused write' n old
expect 'to standard output' 0 '' twin patch new_twin sp $patch --notification - -o t
holds 'a notification to standard output' out '{"a":1,"$version":2}'
expect 'nothing to standard output' 0 '' twin patch new_twin tp $patch --notification - -o t
[ ! -s out ] || fail "nothing is printed as $(cat out)"
expect 'both to standard output' 2 '--output and --notification both go to standard output' twin patch t sp $patch --notification -
expect 'both to standard output' 2 '--output and --event both go to standard output' twin patch t sp $patch --event - -o /dev/stdout
expect 'both to standard output' 2 '--notification and --event both go to' twin patch t sp $patch --notification - --event - -o t
[ ! -e ./- ] || fail 'there is a file named -'
cp t t_before
ln -sf t to_t
ln -f t t_hard
rm -f absent
for other in t ./t to_t t_hard "$work/t"; do
  expect "one file twice, as $other" 2 '--output and --notification are the same file' twin patch new_twin sp $patch -o t --notification "$other"
  expect "an input, as $other" 2 "--notification would overwrite the input $other" twin patch t sp $patch --notification "$other"
done
rm -f t_hard
expect 'one new file twice' 2 '--output and --event are the same file' twin patch t sp $patch -o absent --event folder/../absent
"$tool" twin patch t sp $patch -o /dev/stdout --event log >log 2>err && fail 'standard output and its file are written'
grep -q 'are the same file' err || fail "standard output and its file: $(cat err)"
cmp -s t t_before && [ ! -e absent ] || fail 'a usage error has changed a file'
# One that cannot be written: all stay.
printf old >n
for bad in no/such/file folder /dev/full; do
  expect "an event to $bad" 2 "$bad: cannot be written" twin patch t sp $patch -o t --notification n --event $bad
  expect "a twin to $bad" 2 "$bad: cannot be written" twin patch t sp $patch -o $bad --notification n
  cmp -s t t_before && [ "$(cat n)" = old ] || fail "with $bad, a file has changed"
done
"$tool" twin patch t sp $patch --notification n >/dev/full 2>err && fail 'a full standard output is not noticed'
holds 'a full standard output' n old
"$tool" twin patch t sp $patch -o t --notification - >&- 2>err && fail 'a closed standard output is not noticed'
grep -q 'standard output: cannot be written: Bad file descriptor' err || fail "closed standard output: $(cat err)"
cmp -s t t_before || fail 'a closed standard output: the twin has changed'
"$tool" twin patch t sp $patch -o t >&- 2>&- <&- || fail 'closed descriptors that are not needed are an error'
clean_folder 'several outputs'

# --- Limits, signals ---
printf '{"long":"%0200000d"}' 0 >large
cp large large2
printf old >target
for file in target fresh2 hard; do
  old=$(cat $file 2>/dev/null)
  (ulimit -f 64; exec "$tool" apply large p -o $file) 2>err
  code=$?
  [ $code -eq 2 ] && grep -q "$file: cannot be written: File too large" err || fail "a limit of file size, $file: $code $(cat err)"
  [ "$(cat $file 2>/dev/null)" = "$old" ] || fail "a limit of file size changes $file"
done
[ ! -e fresh2 ] || fail 'a limit of file size leaves a new file'
clean_folder 'a limit of file size'
# The tool waits for a reader of the pipe when the new file is there already: without a name where the system can do that.
new_file_of() {
  find . -name '.devicetwin-*'
  ls -l /proc/$1/fd 2>/dev/null | grep -F "$work" | grep -F '(deleted)'
}
mkfifo slow
for signal in INT TERM HUP USR1 XCPU KILL; do
  cp new_twin t
  env --default-signal=INT "$tool" twin patch t sp $patch -o t --event slow 2>/dev/null & waiting=$!
  tries=0
  until [ -n "$(new_file_of $waiting)" ] || [ $tries -gt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
  [ $tries -le 100 ] || fail "SIG$signal: there is no new file to be seen"
  named=$(find . -name '.devicetwin-*')
  kill -$signal $waiting
  wait $waiting 2>/dev/null && fail "SIG$signal does not end the tool"
  if [ $signal = KILL ] && [ -n "$named" ]; then
    skip 'SIGKILL: this file system has no files without a name'
    rm -f .devicetwin-*
  fi
  clean_folder "SIG$signal"
  cmp -s t new_twin || fail "SIG$signal: the twin has changed"
done

# Out of memory: a hard link is written in place, and its old text is kept in memory until then.
truncate -s 300M hard
if (ulimit -v 100000; "$tool" --version) >/dev/null 2>&1; then
  cp new_twin t
  (ulimit -v 100000; exec "$tool" twin patch t sp $patch -o t --event hard) 2>err
  code=$?
  [ $code -eq 2 ] && [ "$(cat err)" = 'devicetwin: out of memory' ] || fail "out of memory: $code, $(cat err)"
  cmp -s t new_twin && [ "$(property %s hard)" = 314572800 ] || fail 'out of memory: a file has changed'
  clean_folder 'out of memory'
else
  skip 'out of memory: the tool does not run in 100 MB (sanitizers)'
fi
printf old >hard

# --- Locks ---
cp new_twin cc
: >errors
loop() {
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do
    echo "{\"properties\":{\"desired\":{\"$1$i\":$i}}}" | "$tool" twin patch cc - --as service --notification n$1 -o cc 2>>errors
  done
}
loop a & first=$!
loop b & second=$!
loop c
wait $first
wait $second
version=$("$tool" twin show cc | sed 's/.*"desired":{[^}]*"\$version":\([0-9]*\).*/\1/;s/.*"desired":{.*"\$version":\([0-9]*\)},"reported".*/\1/')
[ "$version" = 121 ] && [ ! -s errors ] || fail "updates are lost: version $version, $(cat errors)"
clean_folder 'locks'
# Two files, in either order; and one that reads what the other writes.
cp new_twin t1
cp new_twin t2
cross() {
  for i in 1 2 3 4 5 6 7 8 9 10; do "$tool" twin patch new_twin sp $patch -o $1 --event $2; done
}
cross t1 t2 & first=$!
cross t2 t1
wait $first || fail 'two files in either order fail'
cp new_twin t
timeout 20 sh -c '"$0" twin patch t sp --as service --notification - -o t | sed "s/.*/{\"a\":7}/" | "$0" twin patch t - --as device -o t' "$tool" ||
  fail 'a pipe between two that write one file does not end'
"$tool" twin show t | grep -q '"desired":{"a":1.*"reported":{"a":7' || fail "a pipe: $("$tool" twin show t)"
# Another program replaces the file while the tool waits for a reader of the pipe.
cp new_twin t
"$tool" twin patch t sp $patch -o t --event slow 2>err & waiting=$!
tries=0
until [ -n "$(new_file_of $waiting)" ] || [ $tries -gt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
echo newer >other_t && mv other_t t
timeout 20 cat slow >out
wait $waiting && fail 'a file that was replaced meanwhile is written'
grep -q '^devicetwin: t: cannot be written: another program has replaced it meanwhile' err || fail "replaced meanwhile: $(cat err)"
holds 'a file that was replaced meanwhile' t newer
cp new_twin t
[ ! -s out ] || fail 'an event of a twin that was not written'
if command -v flock >/dev/null; then
  timeout 20 flock t "$tool" twin patch t sp --as service -o t || fail 'called under flock(1), the tool does not end'
fi

# --- Power loss: the order of the system calls ---
rm -f target
printf old >target
# calls ARGUMENT...: what the tool does, in order.
calls() {
  # A sanitizer cannot look for leaks in a program that is traced.
  ASAN_OPTIONS=detect_leaks=0 strace -o trace -e trace=fsync,rename,renameat,renameat2,pwrite64 "$tool" "$@" 2>/dev/null &&
    sed -n 's/^\(fsync\|rename\|pwrite\)[a-z0-9]*(.*= [0-9]*$/\1/p' trace | tr '\n' ' '
}
if command -v strace >/dev/null && strace -o trace true 2>/dev/null; then
  [ "$(calls apply d p -o target)" = 'fsync rename fsync ' ] || fail "a file: $(cat trace)"
  cp new_twin t
  echo old >n
  order=$(calls twin patch t sp $patch -o t --notification n)
  [ "$order" = 'fsync fsync rename rename fsync fsync ' ] || fail "two files: $(cat trace)"
  [ "$(calls apply d p -o hard)" = 'pwrite fsync ' ] || fail "in place: $(cat trace)"
else
  skip 'the order of system calls: strace is missing or not allowed'
fi

# --- As root: owners, mounts, full disks ---
if [ "$(id -u)" -ne 0 ]; then
  skip 'owners, mounts and full disks: they need root'
  exit $status
fi
for owner in nobody:nogroup nobody:root root:nogroup; do
  rm -f target
  printf old >target
  chown "$owner" target
  chmod 600 target
  expect "a file of $owner" 0 '' apply d p -o target
  [ "$(property '%U:%G %a' target)" = "$owner 600" ] || fail "a file of $owner 600 becomes $(property '%U:%G %a' target)"
done
rm -f target
mkdir open closed && chmod 777 open && chmod 755 closed
as_nobody() {
  setpriv --reuid nobody --regid nogroup --clear-groups "$tool" "$@" >out 2>err
}
if command -v setpriv >/dev/null && setpriv --reuid nobody --regid nogroup --clear-groups test -x "$tool" -a -r d; then
  printf old >open/roots && chmod 666 open/roots
  as_nobody apply d p -o open/roots || fail "a file that all may write: $(cat err)"
  [ "$(property %U open/roots)" = root ] && holds 'a file that all may write' open/roots "$result" || fail 'a file changes its owner'
  grep -q 'written in place: a new file would not keep its owner' err || fail "another's file: $(cat err)"
  printf old >open/roots2
  as_nobody apply d p -o open/roots2 && fail "another's file is written"
  holds "another's file" open/roots2 old
  printf 'old and longer than the new text' >closed/file && chown nobody closed/file
  as_nobody apply d p -o closed/file || fail "a folder that may not be written: $(cat err)"
  holds 'a folder that may not be written' closed/file "$result"
  grep -q 'closed/file: written in place: no file can be made beside it: Permission denied' err || fail "a closed folder: $(cat err)"
  as_nobody apply d p -o closed/new && fail 'a new file in a folder that may not be written'
  # One of two cannot be written in the end: the other one is as before.
  cp new_twin open/t && chown nobody open/t
  as_nobody twin patch open/t sp --as service -o open/t --notification closed/none && fail 'a notification in a closed folder'
  cmp -s open/t new_twin || fail 'a twin is written although its notification is not'
  # What should go cannot go.
  as_nobody twin patch open/t tp --as service -o open/t --notification closed/file || fail "nothing in a closed folder: $(cat err)"
  [ ! -s closed/file ] || fail 'an old notification stays in a closed folder'
  clean_folder 'another user'
else
  skip 'the files of other users: setpriv is missing, or nobody may not run the tool'
fi
# Names can be added to such a folder, but not taken away.
mkdir adding && cp d adding/file && cp d adding/notification
if chattr +a adding 2>/dev/null; then
  expect 'a folder that only gains names' 0 'adding/file: written in place: no file can be replaced in its folder' apply d p -o adding/file
  holds 'a folder that only gains names' adding/file "$result"
  expect 'an old notification there' 0 'adding/notification: written in place: it cannot be removed' \
    twin patch new_twin tp $patch -o t --notification adding/notification
  [ ! -s adding/notification ] || fail 'an old notification stays in a folder that only gains names'
  if [ -z "$named" ]; then
    expect 'a new file there' 0 '' apply d p -o adding/new
    holds 'a new file there' adding/new "$result"
    clean_folder 'a folder that only gains names' adding
  fi
  chattr -a adding
else
  skip 'a folder that only gains names: chattr is missing or not supported'
fi
if ! mkdir disk || ! mount -t tmpfs -o size=128k none "$work/disk" 2>/dev/null; then
  skip 'mounts and full disks: mount is not allowed'
  exit $status
fi
mounts=$work/disk
printf old >disk/file
printf old >disk/linked
ln disk/linked disk/linked2
cp new_twin disk/t
for file in disk/file disk/new disk/linked; do
  old=$(cat $file 2>/dev/null)
  expect "a full disk, $file" 2 "$file: cannot be written: No space left on device" apply large p -o $file
  [ "$(cat $file 2>/dev/null)" = "$old" ] || fail "a full disk changes $file"
done
[ ! -e disk/new ] || fail 'a full disk leaves a part of a file'
printf old >n
printf '{"properties":{"desired":{"a":"%01000d"}}}' 0 >sp_long
dd if=/dev/zero of=disk/filler bs=4k count=100 2>/dev/null
expect 'a full disk, twin' 2 'disk/t: cannot be written: No space left on device' twin patch disk/t sp_long $patch -o disk/t --notification n --event e
holds 'a full disk: the notification' n old
cmp -s disk/t new_twin || fail 'a full disk: the twin has changed'
clean_folder 'a full disk' disk
rm disk/filler

printf 'old and longer than the new text' >mounted
: >disk/mounted
printf old >beside
mount --bind mounted disk/mounted && mounts="$work/disk/mounted $mounts"
expect 'a mounted file' 0 'disk/mounted: written in place: it cannot be replaced: Device or resource busy' apply d p -o disk/mounted
holds 'a mounted file' mounted "$result"
for time in 1 2; do
  echo old >disk/n
  expect 'a mounted twin' 0 'disk/mounted: written in place' twin patch new_twin sp $patch -o disk/mounted --notification disk/n
  [ "$(cat disk/n)" = '{"a":1,"$version":2}' ] || fail "a mounted twin: $(cat disk/n)"
done
expect 'a mounted notification that should go' 0 'disk/mounted: written in place: it cannot be removed' twin patch new_twin tp $patch -o t --notification disk/mounted
[ ! -s mounted ] || fail 'a mounted notification stays'
# The twin's file is mounted and its disk is full: what was done before is undone.
umount "$work/disk/mounted"
mounts=$work/disk
mkdir small && mount -t tmpfs -o size=8k none "$work/small" && mounts="$work/small $mounts"
printf old >small/mounted
mount --bind small/mounted disk/mounted && mounts="$work/disk/mounted $mounts"
printf old >disk/n
rm -f disk/e
inode=$(property %i disk/n)
printf '{"properties":{"desired":{"a":"%04000d","b":"%04000d","c":"%04000d"}}}' 0 0 0 >sp_long
expect 'undone' 2 'disk/mounted: cannot be written: No space left on device' twin patch new_twin sp_long $patch -o disk/mounted --notification disk/n --event disk/e
holds 'undone: the twin' small/mounted old
holds 'undone: the notification' disk/n old
[ "$(property %i disk/n)" = "$inode" ] || fail 'undone: the notification is another file'
[ ! -e disk/e ] || fail 'undone: the event stays'
expect 'undone, removed' 2 'disk/mounted: cannot be written: No space left on device' twin patch new_twin sp_long $patch -o disk/n --notification disk/e --event disk/mounted
holds 'undone: the twin' disk/n old
clean_folder 'undone' disk
mount -o remount,ro "$work/small"
expect 'a disk for reading' 2 'small/mounted: cannot be written: Read-only file system' apply d p -o small/mounted
exit $status
