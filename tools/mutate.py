#!/usr/bin/env python3
"""Do the tests notice when the code is wrong? Changes one small thing in a header, builds the tests that should
notice and runs them; again and again, for a random sample of all such changes.

    tools/mutate.py [--sample N] [--seed N] [--only REGEX] [--jobs N] [--seconds N] [--compiler CXX] [--least SHARE]
      --sample N      how many changes to try (default: 150)
      --seed N        which ones (default: 1)
      --only REGEX    only those whose FILE:LINE has a match, for example 'text_diff.hpp:3[0-9][0-9]$'
      --jobs N        how many at the same time (default: 1)
      --seconds N     start no more after this time (default: no limit)
      --compiler CXX  default: clang++ if there is one, it is quicker here, else c++
      --least SHARE   fail if fewer are noticed, in percent (default: 95)
      --list          print the changes, try none

Prints for each: killed (and by which tests), survived, or did not compile. Changes that make no difference that a
test could see are listed with the reason in tests/equivalent_mutants.txt; they do not count, and are not tried.
Runs with the lowest priority."""

import argparse
import concurrent.futures
import hashlib
import math
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parent.parent
include = root / "include" / "devicetwin"
equivalents = root / "tests" / "equivalent_mutants.txt"

# The headers, and the tests that should notice, those likely to first. A name is one of tests/unit, or a fuzz target,
# which is run over its corpus.
headers = [
    ("json/number.hpp", ["number", "number_text", "small_number"]),
    ("json/text/scan.hpp", ["scan", "small_scan", "text"]),
    ("json/text/tokens.hpp", ["text", "small_text", "fuzz_text"]),
    ("json/text/validate.hpp", ["json_validate", "text"]),
    ("json/tree/tree_diff.hpp", ["merge_patch", "built_values", "write", "fuzz_merge", "text", "arena"]),
    ("json/tree/glance.hpp", ["glance", "tree_diff", "built_values"]),
    ("json/tree/unordered_members.hpp", ["unordered_members", "tree_diff", "built_values"]),
    ("merge/text.hpp", ["text", "small_text", "fuzz_text"]),
    ("merge/text/*.hpp", ["text", "small_text", "fuzz_text"]),
    ("merge/diff.hpp", ["merge_patch", "arena", "built_values", "fuzz_merge", "text"]),
    ("merge/journal.hpp", ["merge_patch", "text", "arena"]),
    ("merge/options.hpp", ["merge_patch", "text"]),
    ("merge/merge_patch.hpp", ["merge_patch", "arena", "built_values", "fuzz_merge", "text"]),
    ("merge/tree/patch_operation.hpp", ["patch_operation", "json_patch"]),
    ("merge/tree/*.hpp", ["merge_patch", "arena", "built_values", "fuzz_merge", "text", "change"]),
    ("merge/detail/change_plan.hpp", ["merge_patch", "arena", "built_values", "fuzz_merge", "text", "change"]),
    ("merge/change_builder.hpp", ["change_builder", "change"]),
    ("merge/outbox.hpp", ["outbox", "fuzz_outbox"]),
    ("merge/*.hpp", ["change", "merge3", "change_builder", "fuzz_algebra", "fuzz_merge3", "outbox"]),
    ("merge/detail/*.hpp", ["change", "change_builder", "merge3", "fuzz_algebra", "fuzz_merge3", "outbox"]),
    ("twin/digital_twin.hpp", ["digital_twin"]),
    ("twin/detail/digital_*.hpp", ["digital_twin"]),
]


def find_headers():
    found = {}
    for pattern, tests in headers:
        for path in sorted(include.glob(pattern)):
            found.setdefault(str(path.relative_to(include)), tests)
    return found


# --- Changes ---------------------------------------------------------------------------------------

swaps = [
    (r"==", "!="), (r"!=", "=="),
    (r"(?<= )<(?= )", "<="), (r"(?<= )>(?= )", ">="), (r"<=(?!>)", "<"), (r"(?<!-)>=", ">"),
    (r"&&(?= )", "||"), (r"\|\|", "&&"),
    (r"\+\+", "--"), (r"--", "++"), (r"\+=", "-="), (r"-=", "+="),
    (r"\+ 1\b", "- 1"), (r"- 1\b", "+ 1"), (r"\+ 1\b", ""), (r"- 1\b", ""),
    (r"\breturn true;", "return false;"), (r"\breturn false;", "return true;"),
    (r"= true;", "= false;"), (r"= false;", "= true;"),
]
statement = re.compile(r"^(\s*)((?:[\w.\[\]]|->|::)+(?:\s*(?:[+|&-]?=)\s*[^;]*|\([^;]*\)|\+\+|--)|(?:\+\+|--)[\w.>-]+);\s*$")
not_a_statement = re.compile(r"^\s*(return|static_assert|using|throw|delete|goto|break|continue|typedef|namespace)\b")


def bare(line):
    """The line with comments and what stands in quotes blanked out."""
    line = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])\'', lambda m: "_" * len(m.group()), line)
    return re.sub(r"//.*", lambda m: " " * len(m.group()), line)


def condition_end(line, start):
    """Where the parenthesis that opens at `start` closes, or None when it does not in this line."""
    depth = 0
    for i in range(start, len(line)):
        depth += {"(": 1, ")": -1}.get(line[i], 0)
        if depth == 0:
            return i
    return None


def changes_of(line):
    """All changed versions of a line."""
    code = bare(line)
    if not code.strip() or re.match(r"\s*(#|template|using|static_assert)", code) or "static_assert" in code:
        return []
    made = []
    for pattern, replacement in swaps:
        for m in re.finditer(pattern, code):
            if "operator" in code[: m.start()] and pattern in ("==", "!="):
                continue
            made.append(line[: m.start()] + replacement + line[m.end():])
    for m in re.finditer(r"\b(if|while) \(", code):
        start = m.end() - 1
        end = condition_end(code, start)
        if end is None or ";" in code[start:end]:
            continue
        inside = line[start + 1 : end]
        if re.match(r"(const )?[\w:]+ \w+ = ", inside):  # declares a variable
            continue
        made.append(line[: start + 1] + "!(" + inside + ")" + line[end:])
        made.append(line[: start + 1] + "false && (" + inside + ")" + line[end:])  # the branch is dropped
    m = statement.match(code)
    if m and not not_a_statement.match(code):
        made.append(m.group(1) + ";\n")
    return [one for one in dict.fromkeys(made) if one != line]


class Mutant:
    def __init__(self, file, number, old, new, tests):
        self.file, self.number, self.old, self.new, self.tests = file, number, old, new, tests

    def key(self):
        return self.file, self.old.strip(), self.new.strip()

    def place(self):
        return f"{self.file}:{self.number}"


def active_lines(compiler):
    """The lines of each header that the compiler gets to see, in the two ways the tests are built."""
    seen = {}
    for flags in ([], small_flags):
        text = subprocess.run([compiler, "-std=c++17", "-E", *flags, "-I", str(root / "include"), "-x", "c++", "-"],
                              input="#include <devicetwin/devicetwin.hpp>\n", capture_output=True, text=True,
                              check=True).stdout
        file, number = None, 0
        for line in text.splitlines():
            m = re.match(r'# (\d+) "([^"]*)"', line)
            if m:
                path = os.path.normpath(m.group(2))
                file = os.path.relpath(path, include) if path.startswith(str(include)) else None
                number = int(m.group(1))
                continue
            if file and line.strip():
                seen.setdefault(file, set()).add(number)
            number += 1
    return seen


def all_mutants(compiler):
    active = active_lines(compiler)
    found = []
    for file, tests in find_headers().items():
        for number, line in enumerate((include / file).read_text().splitlines(keepends=True), 1):
            if number not in active.get(file, ()):
                continue
            found += [Mutant(file, number, line, new, tests) for new in changes_of(line)]
    return found


def known_equivalents():
    """Entries of three lines and reasons: the file; - line; + line."""
    known, entry = set(), []
    for line in equivalents.read_text().splitlines() if equivalents.exists() else []:
        if line.startswith("#") or not line.strip():
            continue
        if not line[0].isspace():
            entry = [line] if not line.startswith(("- ", "+ ")) else entry + [line[2:].strip()]
            if len(entry) == 3:
                known.add(tuple(entry))
    return known


# --- Building and running ----------------------------------------------------------------------------

small_flags = ["-DDEVICETWIN_SMALL"]
precompiled = """#include "{root}/tests/catch.hpp"
#include <rapidjson/document.h>
#include <rapidjson/writer.h>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>
"""


class Builder:
    def __init__(self, compiler, work):
        self.compiler, self.work = compiler, work
        self.flags = ["-std=c++17", "-O0", "-w", "-UNDEBUG", f'-DDEVICETWIN_TEST_DATA="{root}/tests"']
        header = work / "precompiled.hpp"
        header.write_text(precompiled.format(root=root))
        clang = "clang" in subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
        made = work / ("precompiled.pch" if clang else "precompiled.hpp.gch")
        subprocess.run([compiler, *self.flags, "-x", "c++-header", str(header), "-o", str(made)], check=True)
        self.first = ["-include-pch", str(made)] if clang else ["-include", str(header)]
        self.main = work / "replay_main.o"
        subprocess.run([compiler, *self.flags, "-c", str(root / "fuzz" / "replay_main.cpp"), "-o", str(self.main)],
                       check=True)

    def build(self, test, headers, out):
        """Builds a program of tests over these headers. Returns whether it compiled."""
        flags = list(self.flags)
        name = test
        if name.startswith("small_"):
            name = name[len("small_"):]
            flags += small_flags
        if name.startswith("fuzz_"):
            source, rest = root / "fuzz" / (name + ".cpp"), [str(self.main)]
        else:
            source, rest = root / "tests" / "unit" / (name + ".cpp"), ["-lCatch2Main", "-lCatch2"]
            if not catch2_is_3():
                rest = ["-lCatch2WithMain"]
        command = [self.compiler, *flags, *self.first, f"-I{headers}", str(source), *rest, "-o", str(out)]
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600).returncode == 0

    def run(self, test, program, seconds=1000):
        """Runs it. Returns how it ended, None when all is well, and the seconds of CPU time it took, which are limited."""
        name = test.replace("small_", "")
        arguments = [str(root / "fuzz" / "corpus" / name)] if name.startswith("fuzz_") else ["--abort"]

        def limits():
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds) + 1))

        started = subprocess.Popen([str(program), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL, preexec_fn=limits, cwd=self.work)
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        took = usage.ru_utime + usage.ru_stime
        if started.returncode < 0:
            return ("time" if took >= seconds - 1 else "signal"), took
        return ("failure" if started.returncode else None), took


def catch2_is_3():
    return pathlib.Path("/usr/include/catch2/catch_test_macros.hpp").exists()


def baseline(builder, tests, jobs):
    """Every program must pass on the headers as they are. Returns the seconds each takes."""

    def time_one(test):
        program = builder.work / ("baseline_" + test)
        if not builder.build(test, root / "include", program):
            return test, "it does not compile"
        ended, took = builder.run(test, program)
        return test, ended or took

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        taken = dict(pool.map(time_one, sorted(tests)))
    for test, result in taken.items():
        if isinstance(result, str):
            sys.exit(f"{test} does not pass as it is: {result}")
        print(f"{test} passes in {result:.1f} s")
    return taken


def try_one(builder, mutant, number, taken):
    """killed, survived or broken, and by what."""
    place = builder.work / str(number)
    shutil.copytree(root / "include", place / "include")
    path = place / "include" / "devicetwin" / mutant.file
    lines = path.read_text().splitlines(keepends=True)
    lines[mutant.number - 1] = mutant.new if mutant.new.endswith("\n") else mutant.new + "\n"
    path.write_text("".join(lines))
    try:
        compiled = False
        for test in mutant.tests:
            program = place / test
            if not builder.build(test, place / "include", program):
                # One that breaks some tests only is noticed by those who build them.
                return ("killed", test + ", which does not compile") if compiled else ("did not compile", "")
            compiled = True
            ended, _ = builder.run(test, program, 5 + 3 * taken[test])
            if ended:
                return "killed", test + ("" if ended == "failure" else f" ({ended})")
        return "survived", ""
    finally:
        shutil.rmtree(place, ignore_errors=True)


def interval(hits, of):
    """Wilson's 95 % interval, in percent."""
    if of == 0:
        return 0.0, 100.0
    z, p = 1.96, hits / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return 100 * (middle - half), 100 * (middle + half)


def main():
    take = argparse.ArgumentParser(usage=__doc__)
    take.add_argument("--sample", type=int, default=150)
    take.add_argument("--seed", type=int, default=1)
    take.add_argument("--only", default="")
    take.add_argument("--jobs", type=int, default=1)
    take.add_argument("--seconds", type=float, default=math.inf)
    take.add_argument("--compiler", default="clang++" if shutil.which("clang++") else "c++")
    take.add_argument("--least", type=float, default=95)
    take.add_argument("--list", action="store_true")
    chosen = take.parse_args()
    os.nice(19)

    everything = all_mutants(chosen.compiler)
    known = known_equivalents()
    left = [one for one in everything if one.key() not in known and re.search(chosen.only, one.place())]
    # Each has its own place in the order, so that a change of one line does not shuffle the others.
    left.sort(key=lambda one: hashlib.sha256(f"{chosen.seed} {one.key()}".encode()).digest())
    sample = left[: chosen.sample]
    print(f"{len(everything)} changes possible, {len(everything) - len(left)} left out, {len(sample)} to try")
    if chosen.list:
        for one in sample:
            print(f"{one.place()}\n- {one.old.strip()}\n+ {one.new.strip()}")
        return 0

    counts = {"killed": 0, "survived": 0, "did not compile": 0}
    with tempfile.TemporaryDirectory() as folder:
        builder = Builder(chosen.compiler, pathlib.Path(folder))
        taken = baseline(builder, {test for one in sample for test in one.tests}, chosen.jobs)
        began = time.monotonic()

        def attempt(numbered):
            number, one = numbered
            if time.monotonic() - began > chosen.seconds:
                return one, None, ""
            return (one, *try_one(builder, one, number, taken))

        with concurrent.futures.ThreadPoolExecutor(chosen.jobs) as pool:
            for one, verdict, by in pool.map(attempt, enumerate(sample)):
                if verdict is None:
                    continue
                counts[verdict] += 1
                print(f"{verdict:16} {one.place()}" + (f" by {by}" if by else ""))
                if verdict != "killed":
                    print(f"                 - {one.old.strip()}\n                 + {one.new.strip()}")
                sys.stdout.flush()

    tried = counts["killed"] + counts["survived"]
    low, high = interval(counts["killed"], tried)
    share = 100 * counts["killed"] / tried if tried else 0
    print(f"{counts['killed']} killed, {counts['survived']} survived, {counts['did not compile']} did not compile")
    print(f"{share:.1f} % noticed (of all such changes, with 95 % confidence, {low:.1f} to {high:.1f} %)")
    return 0 if share >= chosen.least else 1


if __name__ == "__main__":
    sys.exit(main())
