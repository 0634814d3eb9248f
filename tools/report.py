#!/usr/bin/env python3
"""Writes docs/performance.md and docs/performance.svg from what the benchmarks measured.

    tools/report.py RESULTS_CSV DETAILS_CSV COMPILER FLAGS

What was tried and did not help stands in docs/tried.md and is put in."""

import csv
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent

# The sizes of the documents, which are the same bytes everywhere.
sizes = {"small": 961, "typical": 3985, "max": 30018, "meta": 40700, "wide": 294056}
changes = {"p0": 0, "p1": 1, "p5": 5, "n20": 20, "n100": 100, "p50": 500}  # in the document max

one_parse = "simdjson-one-parse"


def readable(ns):
    for unit, name in ((1e6, "ms"), (1e3, "µs")):
        if ns >= unit:
            return f"{ns / unit:.3g} {name}" if ns < 100 * unit else f"{ns / unit:.0f} {name}"
    return f"{ns:.0f} ns"


def read_rows(file):
    with open(file, newline="") as stream:
        return list(csv.DictReader(stream))


class Times:
    """The medians of all contestants."""

    def __init__(self, rows):
        self.rows = rows
        self.ns = {(r["road"], r["document"], r["changes"], r["peer"]): float(r["median_ns"])
                   for r in rows if r["median_ns"]}

    def get(self, road, document, change, peer="devicetwin"):
        return self.ns.get((road, document, change, peer))

    def ratio(self, road, document, change, peer="devicetwin", to=one_parse):
        ours, other = self.get(road, document, change, peer), self.get(road, document, change, to)
        return ours / other if ours and other else None

    def noise(self):
        """How far the median of the nine repetitions lies above the least: for half of the entries, nine in ten."""
        above = sorted(float(r["median_ns"]) / float(r["least_ns"]) - 1 for r in self.rows if r["least_ns"])
        return 100 * statistics.median(above), 100 * above[int(len(above) * 0.9)]


# --- The plot --------------------------------------------------------------------------------------

# Road, contestant, label, class. Those that were not measured are left out.
lines = [
    ("text_diff", "nlohmann", "nlohmann/json", "peer"),
    ("text_diff", "boost", "Boost.JSON", "peer"),
    ("text_diff", "rapidjson-cursor", "RapidJSON, hand-tuned walk", "peer"),
    ("text_diff", "jsoncons", "jsoncons", "peer"),
    ("text_diff", "yyjson-iter", "yyjson, hand-tuned walk", "peer"),
    ("text_diff", "simdjson-walk", "simdjson, hand-tuned walk", "peer"),
    ("text_diff", one_parse, "simdjson, only reading one text", "yardstick"),
    ("text_diff_checked", "devicetwin", "devicetwin, checking both texts", "checked"),
    ("text_diff", "devicetwin", "devicetwin, trusting them", "ours"),
]

style = """
  .background { fill: #ffffff } text { fill: #1f2328; font: 14px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
  .title { font-size: 18px; font-weight: 600 } .axis { fill: #59636e; font-size: 13px }
  .grid { stroke: #d9dee3; stroke-width: 1 } .lead { stroke: #afb8c1; stroke-width: 1 }
  .line { fill: none; stroke-linejoin: round; stroke-linecap: round }
  .peer { stroke: #8b949e; stroke-width: 1.75 } .dot-peer { fill: #8b949e } .label-peer { fill: #59636e }
  .yardstick { stroke: #c2410c; stroke-width: 2.5; stroke-dasharray: 7 5 } .dot-yardstick { fill: #c2410c } .label-yardstick { fill: #b03a0a; font-weight: 600 }
  .checked { stroke: #2f81d6; stroke-width: 2.5 } .dot-checked { fill: #2f81d6 } .label-checked { fill: #1f6fc2; font-weight: 600 }
  .ours { stroke: #0a4fa8; stroke-width: 4 } .dot-ours { fill: #0a4fa8 } .label-ours { fill: #0a4fa8; font-weight: 700 }
"""
dark = """
  .background { fill: #0d1117 } text { fill: #e6edf3 } .axis { fill: #9aa4af }
  .grid { stroke: #2a313a } .lead { stroke: #4b5562 }
  .peer { stroke: #7d8590 } .dot-peer { fill: #7d8590 } .label-peer { fill: #9aa4af }
  .yardstick { stroke: #ff9a5c } .dot-yardstick { fill: #ff9a5c } .label-yardstick { fill: #ff9a5c }
  .checked { stroke: #58a6ff } .dot-checked { fill: #58a6ff } .label-checked { fill: #58a6ff }
  .ours { stroke: #a5d3ff } .dot-ours { fill: #a5d3ff } .label-ours { fill: #a5d3ff }
"""


def spread(wanted, least):
    """Places close to the wanted ones and at least so far apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    groups = []  # [first, last, sum of wanted minus offset, members]
    for i in order:
        groups.append([wanted[i], [i]])
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < least * len(groups[-2][1]):
            start, members = groups.pop()
            before, others = groups.pop()
            total = len(others) + len(members)
            middle = (before * len(others) + (start - least * len(others)) * len(members)) / total
            groups.append([middle, others + members])
    placed = [0.0] * len(wanted)
    for start, members in groups:
        for k, i in enumerate(members):
            placed[i] = start + k * least
    return placed


def panel(out, top, title, axis, ticks, position, points_of, low, high):
    """One picture. `position` maps what is on the x axis to 0..1."""
    left, bottom, width = 78, top + 340, 520

    def x(at):
        return left + 24 + position(at) * (width - 48)

    def y(ns):
        return bottom - (math.log10(ns) - low) / (high - low) * (bottom - top)

    out.append(f'<text class="title" x="{left}" y="{top - 18}">{title}</text>')
    for power in range(math.ceil(low), math.floor(high) + 1):
        name = {2: "100 ns", 3: "1 µs", 4: "10 µs", 5: "100 µs", 6: "1 ms", 7: "10 ms", 8: "100 ms"}[power]
        out.append(f'<line class="grid" x1="{left}" x2="{left + width}" y1="{y(10 ** power):.1f}" y2="{y(10 ** power):.1f}"/>')
        out.append(f'<text class="axis" text-anchor="end" x="{left - 8}" y="{y(10 ** power) + 4:.1f}">{name}</text>')
    for at, name in ticks:
        out.append(f'<line class="grid" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top}" y2="{bottom}"/>')
        for row, part in enumerate(name.split("\n")):
            out.append(f'<text class="axis" text-anchor="middle" x="{x(at):.1f}" y="{bottom + 20 + 16 * row}">{part}</text>')
    out.append(f'<text class="axis" text-anchor="middle" x="{left + width / 2}" y="{bottom + 44}">{axis}</text>')
    drawn = [(label, kind, points) for road, peer, label, kind in lines if (points := points_of(road, peer))]
    edge = max(points[-1][0] for _, _, points in drawn)
    ends = iter(spread([y(points[-1][1]) for _, _, points in drawn if points[-1][0] == edge], 19))
    for label, kind, points in drawn:
        path = " ".join(f"{x(at):.1f},{y(ns):.1f}" for at, ns in points)
        out.append(f'<polyline class="line {kind}" points="{path}"/>')
        for at, ns in points:
            out.append(f'<circle class="dot-{kind}" cx="{x(at):.1f}" cy="{y(ns):.1f}" r="{4.5 if kind == "ours" else 3.2}"/>')
        last_x, last_y = x(points[-1][0]), y(points[-1][1])
        if points[-1][0] != edge:  # took too long there
            out.append(f'<text class="label-{kind}" x="{last_x + 10:.1f}" y="{last_y + 5:.1f}">{label}</text>')
            continue
        end = next(ends)
        out.append(f'<line class="lead" x1="{last_x + 6:.1f}" y1="{last_y:.1f}" x2="{left + width + 4}" y2="{end:.1f}"/>')
        out.append(f'<text class="label-{kind}" x="{left + width + 9}" y="{end + 5:.1f}">{label}</text>')


def plot(times):
    documents = ["small", "typical", "max", "wide"]

    def by_size(road, peer):
        return [(sizes[d], ns) for d in documents if (ns := times.get(road, d, "p1", peer))]

    def by_changes(road, peer):
        found = [(n, ns) for c, n in changes.items() if (ns := times.get(road, "max", c, peer))]
        return found if len(found) > 2 else []

    everything = [ns for road, peer, _, _ in lines for points in (by_size(road, peer), by_changes(road, peer))
                  for _, ns in points]
    low, high = math.log10(min(everything)) - 0.1, math.log10(max(everything)) + 0.1
    first, last = math.log10(sizes["small"]), math.log10(sizes["wide"])
    out = []
    panel(out, 78, "One leaf changed, in documents of any size", "size of each of the two texts (log scale)",
          [(sizes["small"], "1 kB"), (sizes["typical"], "4 kB"), (sizes["max"], "30 kB"), (sizes["wide"], "294 kB")],
          lambda size: (math.log10(size) - first) / (last - first), by_size, low, high)
    panel(out, 540, "Any number of changes, in a document of 30 kB", "leaves changed, of 1000 (log scale from 1 on)",
          [(0, "none"), (1, "1"), (5, "5"), (20, "20"), (100, "100"), (500, "500")],
          lambda n: 0 if n == 0 else 0.16 + 0.84 * math.log(n) / math.log(500), by_changes, low, high)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 940" role="img" aria-labelledby="t d">
<title id="t">Time to make the merge patch between two JSON texts</title>
<desc id="d">Two plots with logarithmic axes: time against the size of the documents, and against the number of changed leaves. Lower is faster.</desc>
<style>{style}@media (prefers-color-scheme: dark) {{{dark}}}
</style>
<rect class="background" width="880" height="940"/>
<text class="axis" x="78" y="30">Time from two JSON texts to the text of the merge patch between them (log scale): lower is faster</text>
{chr(10).join(out)}
</svg>
"""


# --- The page --------------------------------------------------------------------------------------

road_names = {
    "text_diff": "text × text → patch text, trusted", "text_diff_checked": "the same, checked",
    "text_apply": "text + patch text → text, trusted", "text_apply_checked": "the same, checked",
    "lookup": "values of a text by pointer",
    "diff": "tree × tree → patch", "equal": "equal trees", "apply": "patch onto a tree", "read": "text → tree",
    "device_patch": "a device's patch onto a twin", "memory": "memory of a twin",
    "session_change": "a change of desired at a device's session", "session_report": "a report of it, acknowledged",
    "hub_get": "a device's GET at a hub", "hub_report": "a device's report at a hub", "hub_desired": "a service's patch at a hub",
}
peer_names = {
    one_parse: "simdjson parsing one text", "rapidjson-cursor": "hand-tuned RapidJSON walk",
    "rapidjson-default-parse": "RapidJSON's default parse", "simdjson-on-demand": "simdjson on demand",
    "simdjson-walk": "hand-tuned simdjson walk", "yyjson-iter": "hand-tuned yyjson walk",
}
change_names = {"p0": "none", "p1": "1 leaf", "p5": "5 leaves", "p50": "half", "p0s": "none, shuffled",
                "p5s": "5, shuffled", "p50s": "half, shuffled"}


def cell(row):
    if not row["ratio"]:
        return "–"
    ratio, must, aim = float(row["ratio"]), float(row["must"]), float(row["aim"] or 0)
    mark = "✗" if ratio > must else "✓✓" if aim and ratio <= aim else "✓"
    return f"{ratio:.2f} {mark}" if ratio < 10 else f"{ratio:.1f} {mark}"


def asked_tables(rows):
    """One table for each group of changes that are asked about together."""
    asked = [r for r in rows if r["must"]]
    tables = []
    for title, roads, note in (
        ("Texts", ("text_diff", "text_diff_checked", "text_apply", "text_apply_checked", "lookup"), ""),
        ("Trees", ("diff", "equal", "apply", "read"), ""),
        ("Twins", ("device_patch", "memory", "since-growth", "in-sync-growth"),
         "What is compared with stands in [bench/README.md](../bench/README.md)."),
        ("Sessions and hubs", ("session_change", "session_report", "hub_get", "hub_report", "hub_desired"),
         "RapidJSON reads the payload alone, of a GET the reply's."),
    ):
        mine = [r for r in asked if r["road"] in roads]
        if not mine:
            continue
        columns = list(dict.fromkeys(r["changes"] for r in mine))
        order = list(change_names) + columns
        columns.sort(key=order.index)
        text = [f"### {title}", ""] + ([note, ""] if note else [])
        text.append("| road | document | compared with | must | aim | " + " | ".join(change_names.get(c, c) for c in columns) + " |")
        text.append("|---|---|---|---|---|" + "---|" * len(columns))
        groups = {}
        for r in mine:
            key = r["road"], yardstick_of(r), r["must"], r["aim"]
            groups.setdefault(key, {}).setdefault(r["document"], {})[r["changes"]] = r
        for (road, yardstick, must, aim), document, by_change in (
                (key, document, found) for key, documents in groups.items() for document, found in documents.items()):
            cells = " | ".join(cell(by_change[c]) if c in by_change else "" for c in columns)
            text.append(f"| {road_names.get(road, road)} | {document} | {yardstick} | {must} | {aim} | {cells} |")
        tables.append("\n".join(text))
    growth = [r for r in asked if r["road"].endswith("-growth") and r["document"] == "w100000"]
    if growth:
        text = ["### Growth: ten times the members, how many times the time", "", "| road | changes | times | must | aim | met |", "|---|---|---|---|---|---|"]
        for r in growth:
            text.append(f"| {r['road'].replace('-growth', '')} | {change_names.get(r['changes'], r['changes'])} | "
                        f"{float(r['ratio']):.1f} | {r['must']} | {r['aim']} | {cell(r).split()[-1]} |")
        tables.append("\n".join(text))
    shown = sum(text.count(" ✓") + text.count(" ✗") for text in tables)
    count = sum(1 for r in asked if r["ratio"])
    if shown != count:
        sys.exit(f"{count} rows are asked for, {shown} are in the tables")
    met = sum(1 for r in asked if r["met"] == "yes")
    best = sum(1 for r in asked if r["ratio"] and r["aim"] and float(r["ratio"]) <= float(r["aim"]))
    return tables, count, met, best


def yardstick_of(row):
    """Who is compared with. The best of several may be another one in each row."""
    best = {"any": "the best other", "library": "the best library call", "hand-written": "the best written by hand",
            "packaged": "the best walk over RapidJSON, simdjson and others"}
    return best.get(row["yardstick"]) or peer_names.get(row["yardstick"], row["yardstick"])


def headline(times):
    ours, one = times.get("text_diff", "max", "p1"), times.get("text_diff", "max", "p1", one_parse)
    if not ours or not one:
        return "simdjson was not there to compare with."
    return (f"**devicetwin diffs two documents faster than the fastest parser reads one.** Two texts of 30 kB that differ in one "
            f"leaf become a merge patch in {readable(ours)}; simdjson, the fastest parser among those compared with, reads one of the two in "
            f"{readable(one)}. On your machine:\n\n```sh\nsh tools/bench.sh --quick    # five minutes; rows text_diff, and it writes this page anew\n```")


def where_it_holds(times):
    columns = list(change_names)[:4]
    text = ["| document | size | door | " + " | ".join(change_names[c] for c in columns) + " |", "|---|---|---|" + "---|" * len(columns)]
    for document in sizes:
        for road, door in (("text_diff", "trusted"), ("text_diff_checked", "checked")):
            ratios = [times.ratio(road, document, c) for c in columns]
            if not any(ratios):
                continue
            cells = " | ".join("" if r is None else f"**{r:.2f}**" if r < 1 else f"{r:.2f}" for r in ratios)
            text.append(f"| {document} | {sizes[document]:,} B | {door} | {cells} |")
    return "\n".join(text)


def what_order_costs(times):
    """The same pairs of documents, with members in kept order and shuffled at every level."""
    walks = {"text_diff": ("yyjson-iter", "simdjson-walk", "rapidjson-cursor"), "diff": ("rapidjson-cursor",)}
    walks["text_diff_checked"], walks["equal"] = walks["text_diff"], walks["diff"]
    text = ["| road | document | changes | kept order | shuffled | times | the best walk by hand, shuffled | ratio to it |", "|---|---|---|---|---|---|---|---|"]
    for road in ("text_diff", "text_diff_checked", "diff", "equal"):
        for document in sizes:
            for change in ("p0", "p5"):
                kept, shuffled = times.get(road, document, change), times.get(road, document, change + "s")
                if not kept or not shuffled:
                    continue
                walk, peer = min(((ns, p) for p in walks[road] if (ns := times.get(road, document, change + "s", p))), default=(0, ""))
                compared = f"{readable(walk)}, {peer_names[peer].split()[1]} | {shuffled / walk:.2f}" if walk else "– | –"
                text.append(f"| {road_names[road] if road != 'text_diff_checked' else 'text × text → patch text, checked'} | {document} | {change_names[change]} | {readable(kept)} | "
                            f"{readable(shuffled)} | {shuffled / kept:.1f} | {compared} |")
    return "\n".join(text)


def levels(times):
    names = sorted({r["peer"][len("devicetwin-"):] for r in times.rows if r["peer"].startswith("devicetwin-")} - {"document"})
    if not names:
        return ""
    text = ["| door | document | changes | " + " | ".join(names) + " | the best here |", "|---|---|---|" + "---|" * (len(names) + 1)]
    for road, door in (("text_diff", "trusted"), ("text_diff_checked", "checked")):
        for document in ("typical", "max", "meta"):
            for change in ("p0", "p1", "p5", "p50"):
                found = [times.get(road, document, change, "devicetwin-" + n) for n in names]
                best = times.get(road, document, change)
                if best and all(found):
                    cells = " | ".join(f"{readable(ns)} ({ns / best:.1f}×)" for ns in found)
                    text.append(f"| {door} | {document} | {change_names[change]} | {cells} | {readable(best)} |")
    return "\n".join(text)


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return ""


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    model = re.search(r"model name\s*: (.*)", info)
    virtual = ", a virtual machine" if re.search(r"^flags.*\bhypervisor\b", info, re.M) else ""
    release = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text()) if os.path.exists("/etc/os-release") else None
    return (f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores{virtual}; "
            f"{release.group(1) if release else platform.system()}, {platform.machine()}")


def versions():
    found = []
    for package in ("rapidjson-dev", "libsimdjson-dev", "libboost-json1.81-dev", "nlohmann-json3-dev", "libcjson-dev",
                    "libjansson-dev", "libbenchmark-dev"):
        version = first_line("dpkg-query", "-W", "-f", "${Version}", package)
        if version:
            found.append(f"{package.replace('-dev', '')} {version}")
    return ", ".join(found)


def page(times, rows, compiler, flags):
    tables, count, met, best = asked_tables(rows)
    half, most = times.noise()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    tried = root / "docs" / "tried.md"
    tried_text = re.sub(r"\A# .*\n+", "", tried.read_text()) if tried.exists() else ""
    level_table = levels(times)
    parts = [
        "# Performance",
        "<!-- Written by tools/bench.sh: change tools/report.py or docs/tried.md instead. -->",
        headline(times),
        "![Time from two JSON texts to the merge patch between them, against the size of the documents and the number of changes](performance.svg)",
        "The peers parse both texts, diff the trees and write the patch, as a competent user of each would; every result is judged before it is timed. "
        "What the documents, roads and contestants are stands in [bench/README.md](../bench/README.md).",
        "## Where it holds",
        "Our time from two texts to the patch's text, divided by simdjson's time to parse *one* of them into its DOM, by the number of changed leaves. "
        "Below 1, in bold, the claim holds. The trusted door is for texts that your own store or writer made; the checked one validates both texts "
        "as strictly as the reader does.",
        where_it_holds(times),
        "## What is asked, and what is met",
        f"Ratios of our time to what is compared with, in the same run. ✗: above what must be; ✓: met; ✓✓: the aim is met too; –: not compared. "
        f"Of {count} rows {met} are met, {best} with the aim.",
        *tables,
        "## What order costs",
        "The members of the second document in kept order, and shuffled at every level. The walks by hand look each member up behind the one before it.",
        what_order_costs(times),
    ]
    if level_table:
        parts += ["## Instruction sets",
                  "The same diffs with less: what a processor without the better ones takes, and how many times as long as the best one here. "
                  "ARM's NEON is tested under QEMU, where only instructions can be counted: it takes 1.6 to 3.4 times fewer than the portable code (`sh tools/count_neon.sh`).", level_table]
    parts += [
        "## How it was measured",
        f"- {machine()}.\n- {first_line(compiler, '--version')}, `{flags}`, for the compiler's default target; the levels of the instruction set are chosen at run time.\n"
        f"- {versions()}.\n"
        f"- One core, pinned where that is possible; each figure is the median of nine repetitions of CPU time, all entries interleaved at random.\n"
        f"- Noise: the median lies at most {half:.0f} % above the least of the nine for half of the entries, and {most:.0f} % for nine in ten. "
        f"Load averages at the end (one program would be 1.0): {load}. "
        + ("Other programs were running on the same cores: trust ratios rather than times." if os.getloadavg()[1] > 1.6 else "The machine was quiet."),
        "## What was tried and did not help",
        tried_text.strip() or "Nothing is recorded yet.",
    ]
    return "\n\n".join(parts) + "\n"


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    results, details, compiler, flags = sys.argv[1:]
    times = Times(read_rows(details))
    (root / "docs" / "performance.svg").write_text(plot(times))
    (root / "docs" / "performance.md").write_text(page(times, read_rows(results), compiler, flags))


if __name__ == "__main__":
    main()
