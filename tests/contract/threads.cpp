// Const access from several threads at once, wherever a class promises that it is safe. Each thread
// asks for everything and must get what one thread alone got. Built with -fsanitize=thread, it also
// shows writes that nobody sees.
#include <devicetwin/devicetwin.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "../support/time.hpp"

namespace {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;
using devicetwin::part;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

template <class Value>
std::string written(const Value& value) {
  std::string text;
  must(!json::write(value, text), "write");
  return text;
}

/// An object of more members than are searched one by one.
std::string wide_object(int changed) {
  std::string text = "{\"nested\":{\"deep\":[1,2.5,\"a text that is longer than a value\"]}";
  for (int i = 0; i < 100; ++i)
    text += ",\"member_" + std::to_string(i) + "\":" + std::to_string(i == changed ? -1 : i);
  return text + "}";
}

/// Asks a question in many threads that start together.
template <class Ask>
void ask_in_threads(const char* what, Ask&& ask) {
  constexpr int count = 4, rounds = 20;
  const std::string expected = ask();
  must(!expected.empty(), what);
  std::atomic<int> waiting{count};
  std::atomic<bool> same{true};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      --waiting;
      while (waiting != 0) std::this_thread::yield();
      for (int round = 0; round < rounds; ++round) {
        if (ask() != expected) same = false;
      }
    });
  }
  for (std::thread& t : threads) t.join();
  must(same, what);
}

/// The first use of all chooses the level of the instruction set, whoever it is.
void the_level_is_chosen() {
  const std::string from = wide_object(-1), to = wide_object(50);
  const auto ask = [&] {
    std::string patch;
    must(!merge::diff_text(from, to, patch), "diff_text");
    return patch;
  };
  for (int i = 0; i < 20; ++i) {
    json::core::force_level(nullptr);
    std::vector<std::thread> threads;
    for (int k = 0; k < 4; ++k)
      threads.emplace_back([&] { must(ask() == R"({"member_50":-1})", "the first use"); });
    for (std::thread& t : threads) t.join();
  }
}

void texts() {
  const std::string from = wide_object(-1), to = wide_object(50);
  ask_in_threads("texts", [&] {
    std::string patch, result;
    must(!merge::diff_text(from, to, patch), "diff_text");
    must(!merge::apply_merge_patch_text(from, patch, result), "apply_merge_patch_text");
    const auto found = json::find_text(to, "/nested/deep/2");
    must(static_cast<bool>(found), "find_text");
    return result + std::string(*found);
  });
}

void documents() {
  json::document a, b;
  must(!json::read(wide_object(-1), a) && !json::read(wide_object(50), b), "read");
  const json::document& from = a;
  const json::document& to = b;
  ask_in_threads("a document", [&] {
    json::document patch, copy;
    must(!merge::diff(from, to, patch), "diff");
    must(!copy.assign(from), "assign");
    must(!merge::apply_merge_patch(copy, patch), "apply_merge_patch");
    const auto same = json::equal(copy, to);
    must(same == json::comparison::equal, "equal");
    const auto text = json::get<std::string_view>(from, "/nested/deep/2");
    must(static_cast<bool>(text), "get");
    return written(patch) + written(from) + std::string(*text) +
           std::to_string(from.size_in_bytes()) + std::to_string(from.capacity_in_bytes());
  });
}

void changes() {
  json::document from, to;
  must(!json::read(wide_object(-1), from) && !json::read(wide_object(50), to), "read");
  merge::change made;
  must(!merge::difference(from, to, made), "difference");
  const merge::change& shared = made;
  ask_in_threads("a change", [&] {
    json::document target, patch;
    merge::change undo, nothing, smallest, replayed;
    must(!target.assign(from) && !merge::apply(target, shared), "apply");
    must(!merge::invert(shared, from, undo), "invert");
    must(!merge::compose(shared, undo, nothing), "compose");
    must(!merge::minimise(shared, from, smallest), "minimise");
    must(!merge::rebase(shared, from, to, replayed), "rebase");
    must(!merge::to_merge_patch(shared, from, patch), "to_merge_patch");
    must(!shared.keeps(), "keeps");
    return written(target) + written(undo.form()) + written(nothing.form()) +
           written(smallest.form()) + written(replayed.form()) + written(patch);
  });
}

void twins(const devicetwin::dialect& rules) {
  devicetwin::twin made(rules);
  devicetwin::outcome done;
  const std::string device = R"({"member_1":1,"member_2":{"value":2,"ac":200,"av":2}})";
  must(!made.create({"d"}, at(0), done), "create");
  must(!made.service_patch(R"({"tags":{"x":1},"properties":{"desired":)" + wide_object(-1) + "}}",
                           at(1), done),
       "service_patch");
  must(!made.service_patch(R"({"properties":{"desired":{"member_7":null}}})", at(2), done),
       "service_patch");
  must(!made.device_patch(device, at(3), done), "device_patch");
  const devicetwin::twin& t = made;
  ask_in_threads("a twin", [&] {
    std::string answer;
    must(!devicetwin::write_service_view(t, answer) && !devicetwin::write_device_view(t, answer) &&
             !devicetwin::write_lifecycle_event(t, answer),
         "views");
    must(!devicetwin::write_delta(t, answer) &&
             !devicetwin::write_changes_since(t, part::desired, 2, answer),
         "delta and since");
    must(!devicetwin::write_stored(t, answer), "write_stored");
    devicetwin::delta_list list;
    must(!devicetwin::list_delta(t, list), "list_delta");
    const auto stamp = t.stamp_of(part::desired, "/member_3");
    must(static_cast<bool>(stamp), "stamp_of");
    devicetwin::validation report;
    must(!t.check_service_patch(R"({"properties":{"desired":{"a.b":1}}})", report),
         "check_service_patch");
    answer += std::to_string(report.size());
    must(!t.check_service_replace(R"({"tags":{"a":1}})", report), "check_service_replace");
    must(!t.check_device_patch(R"({"$a":1})", report), "check_device_patch");
    answer += std::to_string(report.size()) + std::to_string(list.size()) +
              std::to_string(stamp->version);
    devicetwin::twin copy(rules);
    must(!copy.assign(t), "assign");
    const auto same = devicetwin::equal(copy, t);
    must(same == json::comparison::equal, "equal");
    return answer + std::to_string(t.in_sync()) + std::to_string(t.size(part::desired)) +
           std::to_string(t.memory_in_bytes()) + std::string(t.etag()) + written(t.desired()) +
           written(t.reported());
  });
}

}  // namespace

int main() {
  the_level_is_chosen();
  texts();
  documents();
  changes();
  for (const devicetwin::dialect* rules : {&devicetwin::azure, &devicetwin::rfc7396}) twins(*rules);
  return 0;
}
