// Runs every contestant on every row and prints one table; Google Benchmark does the timing loops.
//
//   devicetwin_bench [OPTION...] [GOOGLE BENCHMARK OPTION...]
//
//   --quick          the rows something is asked of and a few more, with shorter runs
//   --check          check documents and results, time nothing
//   --list           print contestants and whose work their operations are, time nothing
//   --only=REGEX     only names road/document/changes/contestant with a match
//   --csv=FILE       the table as CSV
//   --details=FILE   median and least time of every contestant as CSV

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "asks.hpp"
#include "contest.hpp"
#include "documents.hpp"
#include "judge.hpp"
#include "peers/peers.hpp"
#include "real_text.hpp"

namespace bench {
namespace {

const char* const ours = "devicetwin";
const char* const ours_too = "devicetwin-document";  // shown beside, never "ours" nor "best"

bool is_ours(const std::string& peer) { return peer == ours || peer == ours_too; }

// Whether a contestant's library is a package that tools/bench.sh installs.
bool is_packaged(const std::string& peer) {
  return peer.rfind("yyjson", 0) != 0 && peer != "jsoncons" && peer != "glaze";
}

const char* name_of(road where) {
  switch (where) {
    case road::read:
      return "read";
    case road::write:
      return "write";
    case road::equal:
      return "equal";
    case road::diff:
      return "diff";
    case road::apply:
      return "apply";
    case road::text_diff:
      return "text_diff";
    case road::text_apply:
      return "text_apply";
    case road::lookup:
      return "lookup";
    case road::json_patch_diff:
      return "json_patch_diff";
    case road::json_patch_apply:
      return "json_patch_apply";
    case road::json_patch_text_diff:
      return "json_patch_text_diff";
    case road::json_patch_text_apply:
      return "json_patch_text_apply";
    case road::device_patch:
      return "device_patch";
    case road::changes_since:
      return "changes_since";
    case road::in_sync:
      return "in_sync";
    case road::hub_get:
      return "hub_get";
    case road::hub_report:
      return "hub_report";
    case road::hub_desired:
      return "hub_desired";
    case road::session_change:
      return "session_change";
    case road::session_report:
      return "session_report";
    case road::text_diff_checked:
      return "text_diff_checked";
    case road::text_apply_checked:
      return "text_apply_checked";
  }
  return "";
}

const char* name_of(made_by whose) {
  switch (whose) {
    case made_by::library_call:
      return "library call";
    case made_by::handwritten:
      return "hand-written";
    case made_by::yardstick:
      return "yardstick";
  }
  return "";
}

std::vector<contestant> all_contestants() {
  std::vector<contestant> all;
  const auto add = [&all](std::vector<contestant> some) {
    for (contestant& one : some) all.push_back(std::move(one));
  };
#ifdef DEVICETWIN_BENCH_HAS_DEVICETWIN
  add(devicetwin_contestants());
  add({{ours, devicetwin_twin_operations()}});
  add({{ours, devicetwin_hub_operations()}});
#endif
  add(rapidjson_contestants());
  add(nlohmann_contestants());
  add({{"nlohmann", nlohmann_twin_operations()}});
#ifdef DEVICETWIN_BENCH_HAS_BOOST
  add(boost_contestants());
  add({{"boost", boost_twin_operations()}});
#endif
#ifdef DEVICETWIN_BENCH_HAS_CJSON
  add(cjson_contestants());
#endif
#ifdef DEVICETWIN_BENCH_HAS_JANSSON
  add(jansson_contestants());
#endif
#ifdef DEVICETWIN_BENCH_HAS_SIMDJSON
  add(simdjson_contestants());
#endif
#ifdef DEVICETWIN_BENCH_HAS_YYJSON
  add(yyjson_contestants());
#endif
#ifdef DEVICETWIN_BENCH_HAS_JSONCONS
  add(jsoncons_contestants());
#endif
#ifdef DEVICETWIN_BENCH_HAS_GLAZE
  add(glaze_contestants());
#endif
  return all;
}

// One row of the table.
struct row {
  road where;
  std::string document;
  std::string changes;
  bool ours_only = false;  // for the growth rows: nobody else is timed
};

// The rows of a full run, or of a quick one. Documents of a road come in ascending size.
std::vector<row> all_rows(bool quick) {
  const std::vector<std::string> documents =
      quick ? std::vector<std::string>{"typical", "max", "meta"}
            : std::vector<std::string>{"small", "typical", "max", "meta", "wide"};
  const std::vector<std::string> everywhere = {"small", "typical", "max", "meta", "wide"};
  std::vector<row> rows;
  const auto add = [&rows](road where, const std::vector<std::string>& of,
                           const std::vector<std::string>& changes) {
    for (const std::string& document : of)
      for (const std::string& change : changes) rows.push_back({where, document, change});
  };
  using names = std::vector<std::string>;
  add(road::read, everywhere, {"p0"});
  add(road::write, documents, {"p0"});
  add(road::equal, documents, {"p0", "p0s"});
  add(road::diff, documents, names{"p0", "p1", "p5", "p50", "p0s", "p5s"});
  add(road::apply, documents, quick ? names{"p1", "p5", "p50"} : names{"p1", "p5", "p50", "p5s"});
  const std::vector<std::string> texts =
      quick ? std::vector<std::string>{"typical", "max", "meta"} : documents;
  for (const road where : {road::text_diff, road::text_diff_checked})
    add(where, texts, {"p0", "p1", "p5", "p50", "p0s", "p5s"});
  for (const road where : {road::text_apply, road::text_apply_checked})
    add(where, texts, {"p1", "p5", "p50"});
  for (const road where : {road::text_diff, road::text_diff_checked}) {  // for the plot
    add(where, {"max"}, {"n20", "n100"});
    if (quick) add(where, {"small", "wide"}, {"p1"});
  }
  for (const road where : {road::text_diff, road::text_diff_checked})
    add(where, {"real-4k", "real-40k", "real-400k"}, {"p0", "p5"});
  add(road::lookup, texts, {"p1", "p5"});
  for (const road where : {road::json_patch_diff, road::json_patch_apply,
                           road::json_patch_text_diff, road::json_patch_text_apply})
    add(where, texts, {"p1", "p5", "p50"});
  add(road::device_patch, {"twin-typical", "twin-max"}, {"p1", "p5"});
  for (const road where : {road::session_change, road::session_report})
    add(where, {"twin-o16"}, {"p1", "p5"});
  if (!quick) {
    for (const road where : {road::diff, road::apply})
      for (const char* const changes : {"p1", "p50"})
        add(where, {"w100", "w1000", "w10000", "w100000"}, {changes});
  }
  // Whatever is asked for, or a growth row needs, and is not there yet.
  const auto add_missing = [&rows](road where, std::string_view document, std::string_view changes,
                                   bool ours_only) {
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const row& r) {
      return r.where == where && r.document == document && r.changes == changes;
    });
    if (!known) rows.push_back({where, std::string(document), std::string(changes), ours_only});
  };
  for (const ask& asked : asks())
    for (const auto document : asked.documents)
      for (const auto change : asked.changes) add_missing(asked.where, document, change, false);
  for (const growth_ask& asked : growth_asks())
    for (const auto document : {asked.small, asked.large})
      for (const auto change : asked.changes) add_missing(asked.where, document, change, true);
  return rows;
}

// CPU time of this thread where there is such a clock: other processes then disturb less.
double seconds_now() {
#ifdef CLOCK_THREAD_CPUTIME_ID
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
#else
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
#endif
}

double seconds_for(job& work, std::size_t runs) {
  const double begin = seconds_now();
  for (std::size_t i = 0; i != runs; ++i) work.run();
  return seconds_now() - begin;
}

// An operation of a contestant on a row, judged and ready to be timed.
struct entrant {
  std::size_t row;
  std::string peer;
  made_by whose;
  double median_ns = 0;  // filled in by the reporter, over the repetitions
  double least_ns = 0;
};

// Seconds for one run of somebody else.
constexpr double too_long = 1.0;       // not timed
constexpr double slow_at_once = 0.02;  // not tried on a larger document

constexpr double batch_seconds = 50e-6;  // runs between two looks at the clock

// The even number of runs to time in one go; a `tidy` follows each such batch.
std::size_t batch_size(double seconds_for_two) {
  const double pairs = batch_seconds / std::max(seconds_for_two, 1e-9);
  return 2 * static_cast<std::size_t>(std::min(std::max(pairs, 1.0), 2048.0));
}

void time_job(benchmark::State& state, const operation& what, const pair_texts& texts,
              std::size_t batch) {
  const std::unique_ptr<job> work = what.prepare(texts);
  seconds_for(*work, 2);
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(batch))) {
    state.SetIterationTime(seconds_for(*work, batch));
    work->tidy();
  }
}

struct settings {
  bool quick = false;
  bool check = false;
  bool list = false;
  std::string only = ".*";
  std::string csv;
  std::string details;
};

// Judges every contestant on every row and registers what may be timed under
// road/document/changes/peer. Returns false when one of our own results is wrong.
bool enter_all(const std::vector<row>& rows, const std::vector<contestant>& contestants,
               const settings& chosen, std::map<std::string, entrant>& entrants) {
  bool well = true;
  std::map<std::string, std::size_t> slow_from;  // road/changes/peer: bytes of the document
  std::map<std::string, std::shared_ptr<const pair_texts>> pairs;
  const std::regex wanted(chosen.only);
  for (std::size_t r = 0; r != rows.size(); ++r) {
    const row& at = rows[r];
    const operation* first = nullptr;  // whose work the others' is compared with
    for (const contestant& who : contestants) {
      if (at.ours_only && !is_ours(who.name)) continue;
      for (const operation& what : who.operations) {
        if (what.where != at.where) continue;
        const std::string name =
            name_of(at.where) + ("/" + at.document + "/" + at.changes + "/" + who.name);
        const std::string line = name_of(at.where) + ("/" + at.changes + "/" + who.name);
        if (!std::regex_search(name, wanted)) continue;
        auto& texts = pairs[at.document + "/" + at.changes];
        if (!texts) {
          const bool twin = is_twin(at.document);
          texts = std::make_shared<const pair_texts>(
              twin                        ? make_twin_texts(at.document, at.changes)
              : is_real_text(at.document) ? make_real_texts(at.document, at.changes)
                                          : make_pair_texts(at.document, at.changes));
          const std::string wrong = judge_pair(*texts, twin);
          if (!wrong.empty()) throw std::runtime_error(name + ": " + wrong);
        }
        const auto slow = slow_from.find(line);
        if (slow != slow_from.end() && texts->from.size() > slow->second) continue;
        std::unique_ptr<job> work;
        std::string complaint = judge_operation(what, *texts, work);
        if (complaint.empty() && at.where == road::device_patch && what.what == yields::expected) {
          if (first == nullptr)
            first = &what;
          else
            complaint = judge_agreement(*first, what, *texts);
        }
        if (!complaint.empty()) {
          std::fprintf(stderr, "not timed: %s: %s\n", name.c_str(), complaint.c_str());
          if (is_ours(who.name)) well = false;
          continue;
        }
        double pair_seconds = seconds_for(*work, 2);
        if (pair_seconds < 1e-3)
          pair_seconds = std::min(seconds_for(*work, 2), seconds_for(*work, 2));
        if (!is_ours(who.name) && pair_seconds > 2 * slow_at_once)
          slow_from.emplace(line, texts->from.size());
        if (!is_ours(who.name) && pair_seconds > 2 * too_long) {
          std::fprintf(stderr, "not timed: %s: %.1f s for one run\n", name.c_str(),
                       pair_seconds / 2);
          continue;
        }
        entrants[name] = {r, who.name, what.whose, 0, 0};
        if (chosen.check) continue;
        const std::size_t batch = batch_size(pair_seconds);
        const std::shared_ptr<const pair_texts> shared = texts;
        benchmark::RegisterBenchmark(name.c_str(),
                                     [what, shared, batch](benchmark::State& state) {
                                       time_job(state, what, *shared, batch);
                                     })
            ->UseManualTime()
            ->Repetitions(9)
            ->MinTime(chosen.quick ? 0.02 : 0.03);
      }
    }
  }
  return well;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Keeps median and least over the repetitions; prints nothing.
class collector : public benchmark::BenchmarkReporter {
 public:
  explicit collector(std::map<std::string, entrant>& entrants) : entrants_(entrants) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<double> times;
    std::string name;
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
      name = run.run_name.function_name;
      times.push_back(run.real_accumulated_time * 1e9 / static_cast<double>(run.iterations));
    }
    const auto found = entrants_.find(name);
    if (found == entrants_.end() || times.empty()) return;
    found->second.least_ns = *std::min_element(times.begin(), times.end());
    found->second.median_ns = median(std::move(times));
  }

 private:
  std::map<std::string, entrant>& entrants_;
};

// Sizes are shown in the columns of times.
const char* const size_road = "memory";

std::string readable_bytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f B", bytes);
  return text;
}

std::string readable(double ns) {
  if (ns <= 0) return "-";
  char text[32];
  if (ns < 1e3)
    std::snprintf(text, sizeof text, "%.0f ns", ns);
  else if (ns < 1e6)
    std::snprintf(text, sizeof text, "%.2f us", ns / 1e3);
  else
    std::snprintf(text, sizeof text, "%.2f ms", ns / 1e6);
  return text;
}

std::string number(const char* format, double value) {
  if (value <= 0) return "";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// A line of the table and of the CSV.
struct line {
  std::string road;
  std::string document;
  std::string changes;
  double ours_ns = 0;
  double document_ns = 0;  // ours_too, for reading only
  std::string yardstick;   // as it is asked for: "library", a contestant's name and so on
  std::string best_peer;
  double best_ns = 0;
  double must = 0;
  double aim = 0;
  std::string library;      // best library call, for reading only
  std::string handwritten;  // best hand-written code, for reading only

  double ratio() const { return ours_ns > 0 && best_ns > 0 ? ours_ns / best_ns : 0; }
  std::string met() const {
    return must <= 0 || ratio() <= 0 ? "" : ratio() <= must ? "yes" : "no";
  }
};

struct best {
  std::string peer;
  double ns = 0;
  void offer(const std::string& who, double time) {
    if (time > 0 && (ns <= 0 || time < ns)) {
      peer = who;
      ns = time;
    }
  }
  std::string shown() const { return ns > 0 ? readable(ns) + " " + peer : "-"; }
};

// What is asked on a row; a null pointer alone when that is nothing.
std::vector<const ask*> find_asks(const row& at) {
  std::vector<const ask*> found;
  const auto has = [](const std::vector<std::string_view>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const ask& asked : asks())
    if (asked.where == at.where && has(asked.documents, at.document) &&
        has(asked.changes, at.changes))
      found.push_back(&asked);
  if (found.empty()) found.push_back(nullptr);
  return found;
}

std::vector<line> make_lines(const std::vector<row>& rows,
                             const std::map<std::string, entrant>& entrants) {
  std::vector<line> lines;
  std::map<std::string, double> our_times;
  for (std::size_t r = 0; r != rows.size(); ++r) {
    const row& at = rows[r];
    for (const ask* const asked : find_asks(at)) {
      line made;
      made.road = name_of(at.where);
      made.document = at.document;
      made.changes = at.changes;
      best library;
      best hand;
      best packaged;
      best any;
      best named;
      bool timed = false;
      for (const auto& [name, who] : entrants) {
        if (who.row != r || who.median_ns <= 0) continue;
        timed = true;
        if (who.peer == ours) made.ours_ns = who.median_ns;
        if (who.peer == ours_too) made.document_ns = who.median_ns;
        if (asked != nullptr && who.peer == asked->yardstick) named.offer(who.peer, who.median_ns);
        if (is_ours(who.peer) || who.whose == made_by::yardstick) continue;
        (who.whose == made_by::library_call ? library : hand).offer(who.peer, who.median_ns);
        if (who.whose == made_by::handwritten && is_packaged(who.peer))
          packaged.offer(who.peer, who.median_ns);
        any.offer(who.peer, who.median_ns);
      }
      if (!timed) continue;
      our_times[made.road + "/" + at.document + "/" + at.changes] = made.ours_ns;
      const best& against = asked == nullptr || asked->yardstick == "any" ? any
                            : asked->yardstick == "library"               ? library
                            : asked->yardstick == "hand-written"          ? hand
                            : asked->yardstick == "packaged"              ? packaged
                                                                          : named;
      made.yardstick = asked == nullptr ? "any" : asked->yardstick;
      made.best_peer = against.peer;
      made.best_ns = against.ns;
      if (asked != nullptr) {
        made.must = asked->must;
        made.aim = asked->aim;
      }
      made.library = library.shown();
      made.handwritten = hand.shown();
      lines.push_back(made);
    }
  }
  for (const growth_ask& asked : growth_asks()) {
    for (const auto changes : asked.changes) {
      const auto time = [&](std::string_view document) {
        return our_times[std::string(name_of(asked.where)) + "/" + std::string(document) + "/" +
                         std::string(changes)];
      };
      line made;
      made.road = asked.name;
      made.document = asked.large;
      made.changes = changes;
      made.ours_ns = time(asked.large);
      made.yardstick = made.best_peer = asked.small;
      made.best_ns = time(asked.small);
      made.must = asked.must;
      made.aim = asked.aim;
      made.library = made.handwritten = "-";
      if (made.ours_ns > 0) lines.push_back(made);
    }
  }
  return lines;
}

// The bytes of a loaded twin beside the compact text of its sections.
void add_sizes(const std::string& only, std::vector<line>& lines) {
#ifdef DEVICETWIN_BENCH_HAS_DEVICETWIN
  const std::regex wanted(only);
  for (const size_ask& asked : size_asks()) {
    line made;
    made.road = size_road;
    made.document = asked.document;
    made.changes = asked.written;
    if (!std::regex_search(made.road + "/" + made.document + "/" + made.changes, wanted)) continue;
    made.ours_ns = static_cast<double>(
        devicetwin_twin_bytes(make_twin_texts(asked.document, "p0", asked.how)));
    made.yardstick = made.best_peer = "text";
    made.best_ns = static_cast<double>(twin_sections(asked.document).size());
    made.must = asked.must;
    made.library = made.handwritten = "-";
    lines.push_back(made);
  }
#endif
}

void print_table(const std::vector<line>& lines) {
  const char* const layout = "%-14s %-12s %-7s %10s %11s  %-28s  %-28s  %-30s  %4s %4s %3s\n";
  std::printf(layout, "road", "document", "change", "ours", "(document)", "best library call",
              "best hand-written", "ratio", "must", "aim", "met");
  for (const line& at : lines) {
    const std::string ratio = number("%.2f to ", at.ratio());
    std::printf(layout, at.road.c_str(), at.document.c_str(), at.changes.c_str(),
                (at.road == size_road ? readable_bytes : readable)(at.ours_ns).c_str(),
                readable(at.document_ns).c_str(), at.library.c_str(), at.handwritten.c_str(),
                ratio.empty() ? "" : (ratio + at.best_peer).c_str(),
                number("%.1f", at.must).c_str(), number("%.1f", at.aim).c_str(), at.met().c_str());
  }
  std::size_t asked = 0;
  std::size_t met = 0;
  for (const line& at : lines) {
    if (at.must > 0) ++asked;
    if (at.met() == "yes") ++met;
  }
  std::printf("\n%zu rows with something asked, %zu met\n", asked, met);
}

void write_csv(const std::string& file, const std::vector<line>& lines) {
  std::ofstream out(file);
  out << "road,document,changes,ours_ns,yardstick,best_peer,best_ns,ratio,must,aim,met\n";
  for (const line& at : lines) {
    out << at.road << ',' << at.document << ',' << at.changes << ',' << number("%.1f", at.ours_ns)
        << ',' << at.yardstick << ',' << at.best_peer << ',' << number("%.1f", at.best_ns) << ','
        << number("%.3f", at.ratio()) << ',' << number("%g", at.must) << ',' << number("%g", at.aim)
        << ',' << at.met() << '\n';
  }
  if (!out) std::fprintf(stderr, "cannot write %s\n", file.c_str());
}

void write_details(const std::string& file, const std::vector<row>& rows,
                   const std::map<std::string, entrant>& entrants) {
  std::ofstream out(file);
  out << "road,document,changes,peer,made_by,median_ns,least_ns\n";
  for (const auto& [name, who] : entrants) {
    const row& at = rows[who.row];
    out << name_of(at.where) << ',' << at.document << ',' << at.changes << ',' << who.peer << ','
        << name_of(who.whose) << ',' << number("%.1f", who.median_ns) << ','
        << number("%.1f", who.least_ns) << '\n';
  }
  if (!out) std::fprintf(stderr, "cannot write %s\n", file.c_str());
}

bool check_documents() {
  bool well = true;
  for (const document_facts& facts : all_document_facts()) {
    const bool holds = facts_hold(facts);
    if (!holds) well = false;
    std::printf("%-8s %7zu bytes (wanted %zu), %5zu leaves, depth %zu, %2.0f %% long names%s\n",
                facts.name.c_str(), facts.bytes, facts.wanted_bytes, facts.leaves, facts.depth,
                100 * facts.long_names, holds ? "" : "  NOT WITHIN 5 %");
  }
  if (fingerprint() != expected_fingerprint) {
    std::printf("The documents are not the ones they should be: %016llx\n",
                static_cast<unsigned long long>(fingerprint()));
    well = false;
  }
  return well;
}

// Takes our own options out of the argument list.
settings take_settings(int& argc, char** argv) {
  settings chosen;
  int kept = 1;
  for (int i = 1; i != argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--quick")
      chosen.quick = true;
    else if (option == "--check")
      chosen.check = true;
    else if (option == "--list")
      chosen.list = true;
    else if (option.substr(0, 7) == "--only=")
      chosen.only = option.substr(7);
    else if (option.substr(0, 6) == "--csv=")
      chosen.csv = option.substr(6);
    else if (option.substr(0, 10) == "--details=")
      chosen.details = option.substr(10);
    else
      argv[kept++] = argv[i];
  }
  argc = kept;
  return chosen;
}

int run(int argc, char** argv) {
  const settings chosen = take_settings(argc, argv);
  const std::vector<contestant> contestants = all_contestants();
  if (chosen.list) {
    for (const contestant& who : contestants)
      for (const operation& what : who.operations)
        std::printf("%-24s %-11s %s\n", who.name.c_str(), name_of(what.where), name_of(what.whose));
    return 0;
  }
  // Interleaving spreads the repetitions of a row over the whole run. An option given by hand wins.
  std::vector<std::string> own = {argv[0], "--benchmark_enable_random_interleaving=true"};
  own.insert(own.end(), argv + 1, argv + argc);
  std::vector<char*> arguments;
  for (std::string& one : own) arguments.push_back(&one[0]);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;

  bool well = check_documents();
  const std::vector<row> rows = all_rows(chosen.quick);
  std::map<std::string, entrant> entrants;
  well = enter_all(rows, contestants, chosen, entrants) && well;
  std::printf("%zu rows, %zu entries with right results\n\n", rows.size(), entrants.size());
  std::fflush(stdout);
  if (chosen.check) return well ? 0 : 1;

  collector reporter(entrants);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  std::vector<line> lines = make_lines(rows, entrants);
  add_sizes(chosen.only, lines);
  print_table(lines);
  if (!chosen.csv.empty()) write_csv(chosen.csv, lines);
  if (!chosen.details.empty()) write_details(chosen.details, rows, entrants);
  return well ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
}
