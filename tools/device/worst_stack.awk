# Reads the call graph that g++ writes for -fcallgraph-info=su: prints, for each function whose name starts with "call_", the
# bytes of stack that it and what it calls take at worst. A call through a pointer counts as one of the lambdas that are
# made to pointers. Fails when a frame has no fixed size, or functions call themselves.
function worst(node,    best, i, n, targets, below) {
  if (node in known) return known[node]
  if (node in open) { print "recursion in " node; bad = 1; return 0 }
  open[node] = 1
  n = split(calls[node], targets, " ")
  for (i = 1; i <= n; ++i) {
    below = worst(targets[i])
    if (below > best) best = below
  }
  delete open[node]
  return known[node] = own[node] + best
}
/^node:/ {
  split($0, quoted, "\"")
  if (match(quoted[4], /[0-9]+ bytes \([a-z,]+\)/)) {
    own[quoted[2]] = substr(quoted[4], RSTART) + 0
    if (substr(quoted[4], RSTART, RLENGTH) !~ /\(static\)/) { print "no fixed frame: " quoted[4]; bad = 1 }
    if (quoted[2] ~ /_FUN/) calls["__indirect_call"] = calls["__indirect_call"] " " quoted[2]
    if (quoted[2] ~ /^_Z[0-9]+call_/) name[quoted[2]] = substr(quoted[4], index(quoted[4], "call_"))
  }
}
/^edge:/ { split($0, quoted, "\""); calls[quoted[2]] = calls[quoted[2]] " " quoted[4] }
END {
  for (node in name) {
    sub(/\(.*/, "", name[node])
    print worst(node), substr(name[node], 6)
  }
  exit bad
}
