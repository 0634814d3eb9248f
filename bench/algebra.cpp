// Times changes and three-way merge, and says what that is in diffs of the same documents.
//
//   devicetwin_bench_algebra [GOOGLE BENCHMARK OPTION...]
//
// Everything is on json::document. What is asked: merge3 with one change on each side takes at
// most 2.5 times as long as one diff of two of its documents; and with ten times as many members,
// half of them changed, nothing takes more than 1.5 times as many diffs as before (a diff is
// linear; comparing with it leaves the caches out of the question). Before it is timed, each result
// is compared with what it has to be.

#include <benchmark/benchmark.h>
#include <devicetwin/devicetwin.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "documents.hpp"

namespace bench {
namespace {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

void must(const json::error& failure) {
  if (failure) throw std::runtime_error(failure.message());
}
void must_be(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("wrong result: " + what);
}
bool same(const json::document& a, const json::document& b) {
  return json::equal(a, b) == json::comparison::equal;
}

// A document, what two sides made of it, and the changes they made.
struct material {
  json::document base, ours, theirs, merged;
  merge::change our_change, their_change, both;
};

// The pointer of the last number or text that `taken` leaves alone.
std::string last_leaf(const json::document& base, const merge::change& taken) {
  struct finder {
    const json::arena_value& form;
    std::vector<std::string> path;
    std::vector<bool> object;
    std::string last;
    std::string pointer() const {
      std::string text;
      for (const std::string& name : path) text += "/" + name;
      return text;
    }
    bool leaf() {
      const bool in_array = std::find(object.begin(), object.end(), false) != object.end();
      if (!in_array && !json::find(form, pointer())) last = pointer();
      return value();
    }
    bool value() {
      if (!object.empty() && object.back()) path.pop_back();
      return true;
    }
    bool Null() { return value(); }
    bool Bool(bool) { return value(); }
    bool Int(int) { return leaf(); }
    bool Uint(unsigned) { return leaf(); }
    bool Int64(std::int64_t) { return leaf(); }
    bool Uint64(std::uint64_t) { return leaf(); }
    bool Double(double) { return leaf(); }
    bool String(const char*, json::size_type, bool) { return leaf(); }
    bool Key(const char* name, json::size_type length, bool) {
      path.emplace_back(name, length);
      return true;
    }
    bool StartObject() { return object.push_back(true), true; }
    bool StartArray() { return object.push_back(false), true; }
    bool EndObject(json::size_type) { return object.pop_back(), value(); }
    bool EndArray(json::size_type) { return object.pop_back(), value(); }
  } leaves{taken.form(), {}, {}, {}};
  std::string text;
  must(json::write(base, text));
  must(json::read_events(text, leaves));
  must_be(!leaves.last.empty(), "there is a leaf for our change");
  return leaves.last;
}

// `changes` as documents.hpp has them for theirs; ours is one other leaf.
std::shared_ptr<material> make(const std::string& document, const std::string& changes) {
  auto made = std::make_shared<material>();
  const pair_texts texts = make_pair_texts(document, changes);
  json::document patch;
  must(json::read(texts.from, made->base));
  must(json::read(texts.to, made->theirs));
  must(json::read(texts.forward, patch));
  must(merge::from_merge_patch(patch, made->their_change));
  must(merge::change_builder()
           .set(last_leaf(made->base, made->their_change), "ours")
           .finish(made->our_change));
  must(made->ours.assign(made->base));
  must(merge::apply(made->ours, made->our_change));
  must(merge::compose(made->our_change, made->their_change, made->both));
  must(made->merged.assign(made->base));
  must(merge::apply(made->merged, made->both));
  return made;
}

using work = std::function<void()>;

struct operation {
  const char* name;
  // Gives the work to time, after having done it once and looked at the result.
  work (*prepare)(const std::shared_ptr<material>&);
};

const std::vector<operation>& operations() {
  static const std::vector<operation> all = {
      {"diff",
       [](const std::shared_ptr<material>& m) -> work {
         json::document patch, result;
         must(merge::diff(m->base, m->theirs, patch));
         must(result.assign(m->base));
         must(merge::apply_merge_patch(result, patch));
         must_be(same(result, m->theirs), "diff");
         return [m] {
           json::document out;
           must(merge::diff(m->base, m->theirs, out));
         };
       }},
      {"merge3",
       [](const std::shared_ptr<material>& m) -> work {
         merge::change change;
         json::document result;
         must(merge::merge3(m->base, m->ours, m->theirs, change));
         must(result.assign(m->ours));
         must(merge::apply(result, change));
         must_be(same(result, m->merged), "merge3");
         return [m] {
           merge::change out;
           must(merge::merge3(m->base, m->ours, m->theirs, out));
         };
       }},
      {"merge3-copy",
       [](const std::shared_ptr<material>& m) -> work {
         json::document result;
         must(merge::merge3(m->base, m->ours, m->theirs, result));
         must_be(same(result, m->merged), "merge3 to a document");
         return [m] {
           json::document out;
           must(merge::merge3(m->base, m->ours, m->theirs, out));
         };
       }},
      {"compose",
       [](const std::shared_ptr<material>& m) -> work {
         return [m] {
           merge::change out;
           must(merge::compose(m->their_change, m->both, out));
         };
       }},
      {"invert",
       [](const std::shared_ptr<material>& m) -> work {
         merge::change inverse;
         json::document result;
         must(merge::invert(m->their_change, m->base, inverse));
         must(result.assign(m->theirs));
         must(merge::apply(result, inverse));
         must_be(same(result, m->base), "invert");
         return [m] {
           merge::change out;
           must(merge::invert(m->their_change, m->base, out));
         };
       }},
      {"minimise",
       [](const std::shared_ptr<material>& m) -> work {
         return [m] {
           merge::change out;
           must(merge::minimise(m->their_change, m->base, out));
         };
       }},
      {"to_merge_patch",
       [](const std::shared_ptr<material>& m) -> work {
         return [m] {
           json::document out;
           must(merge::to_merge_patch(m->their_change, m->base, out));
         };
       }},
      {"apply", [](const std::shared_ptr<material>& m) -> work {
         auto target = std::make_shared<json::document>();
         auto inverse = std::make_shared<merge::change>();
         must(target->assign(m->base));
         must(merge::invert(m->their_change, m->base, *inverse));
         return [m, target, inverse, forward = std::make_shared<bool>(true)] {
           must(merge::apply(*target, *forward ? m->their_change : *inverse));
           *forward = !*forward;
         };
       }}};
  return all;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// Keeps the medians, prints nothing.
class collector : public benchmark::BenchmarkReporter {
 public:
  std::map<std::string, double> medians;
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<double> times;
    std::string name;
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
      name = run.run_name.function_name;
      times.push_back(run.cpu_accumulated_time * 1e9 / static_cast<double>(run.iterations));
    }
    medians[name] = median(times);
  }
};

int run(int argc, char** argv) {
  std::vector<std::string> own = {argv[0], "--benchmark_enable_random_interleaving=true"};
  own.insert(own.end(), argv + 1, argv + argc);
  std::vector<char*> arguments;
  for (std::string& one : own) arguments.push_back(&one[0]);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;

  const std::vector<std::pair<std::string, std::string>> rows = {
      {"typical", "p1"}, {"max", "p1"},     {"max", "p5"},
      {"max", "p50"},    {"w10000", "p50"}, {"w100000", "p50"}};
  for (const auto& [document, changes] : rows) {
    const auto m = make(document, changes);
    for (const operation& o : operations()) {
      const work timed = o.prepare(m);
      const std::string name = document + "/" + changes + "/" + o.name;
      benchmark::RegisterBenchmark(name.c_str(),
                                   [timed](benchmark::State& state) {
                                     for (auto _ : state) timed();
                                   })
          ->Repetitions(9)
          ->MinTime(0.02);
    }
  }
  collector reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);

  bool met = true;
  const auto time = [&](const std::string& name) { return reporter.medians[name]; };
  std::printf("%-9s %-4s %-15s %12s  %8s  %8s  %s\n", "document", "", "operation", "time",
              "in diffs", "growth", "met");
  for (const auto& [document, changes] : rows) {
    const std::string row = document + "/" + changes + "/";
    for (const operation& o : operations()) {
      const double ns = time(row + o.name);
      if (ns <= 0) continue;
      const double diffs = time(row + "diff") > 0 ? ns / time(row + "diff") : 0;
      const double before = document == "w100000" ? time("w10000/p50/" + std::string(o.name)) : 0;
      const double growth = before > 0 ? diffs / (before / time("w10000/p50/diff")) : 0;
      std::string verdict;
      if (std::string(o.name) == "merge3" && document == "max" && changes == "p1")
        verdict = diffs <= 2.5 ? "yes" : "no";
      if (growth > 0) verdict = growth <= 1.5 ? "yes" : "no";
      met = met && verdict != "no";
      std::printf("%-9s %-4s %-15s %9.2f us  %8.2f  ", document.c_str(), changes.c_str(), o.name,
                  ns / 1e3, diffs);
      if (growth > 0) {
        std::printf("%8.2f  %s\n", growth, verdict.c_str());
      } else {
        std::printf("%8s  %s\n", "", verdict.c_str());
      }
    }
  }
  return met ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 2;
  }
}
