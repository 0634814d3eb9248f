// What is promised to several threads. Const access at once, wherever a class says that it is safe:
// each thread asks for everything and must get what one thread alone got. Writes at once through
// synchronized_store: none is lost. Built with -fsanitize=thread, it also shows writes that nobody
// sees.
#include <devicetwin/devicetwin.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
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

/// A table in memory, for one thread at a time.
struct table {
  struct row {
    std::string bytes;
    std::uint64_t revision;
  };
  std::map<std::string, row> rows;
  std::uint64_t last_revision = 0;

  json::error load(const devicetwin::twin_id& id, devicetwin::text_buffer& bytes,
                   std::uint64_t& revision) {
    const auto found = rows.find(std::string(id.device));
    if (found == rows.end()) return json::errc::not_found;
    revision = found->second.revision;
    const std::string& stored = found->second.bytes;
    return bytes.append(stored.data(), stored.size()) ? json::errc::ok : json::errc::out_of_memory;
  }
  json::error store(const devicetwin::twin_id& id, std::string_view bytes, std::uint64_t expected,
                    std::uint64_t& revision) {
    const auto found = rows.find(std::string(id.device));
    if ((found == rows.end() ? 0 : found->second.revision) != expected)
      return json::errc::precondition_failed;
    revision = ++last_revision;
    rows[std::string(id.device)] = {std::string(bytes), revision};
    return {};
  }
  json::error remove(const devicetwin::twin_id& id, std::uint64_t expected) {
    const auto found = rows.find(std::string(id.device));
    if (found == rows.end()) return json::errc::not_found;
    if (found->second.revision != expected) return json::errc::precondition_failed;
    rows.erase(found);
    return {};
  }
};

template <class Act>
void in_threads(int count, Act&& act) {
  std::atomic<int> waiting{count};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      --waiting;
      while (waiting != 0) std::this_thread::yield();
      act(i);
    });
  }
  for (std::thread& t : threads) t.join();
}

/// Reads a number from the twin and stores the next one, until no other thread was faster.
template <class Store>
void count_one(Store& store, const devicetwin::twin_id& id, devicetwin::outcome& done) {
  for (;;) {
    const auto found = store.find(id);
    must(static_cast<bool>(found), "find");
    const auto last = json::get<std::int64_t>((*found)->reported(), "/n");
    const std::int64_t n = last ? *last : 0;
    must(!(*found)->device_patch("{\"n\":" + std::to_string(n + 1) + "}", at(n), done),
         "device_patch");
    const json::error e = store.commit(id);
    if (!e) return;
    must(e.code() == json::errc::precondition_failed, "commit");
  }
}

template <class Store>
void stores(Store& store) {
  constexpr int threads = 4, rounds = 25;
  using shared = devicetwin::synchronized_store<Store, std::mutex>;
  std::mutex mutex;
  std::atomic<int> made{0}, removed{0};
  in_threads(threads, [&](int) {
    shared mine(store, mutex);
    devicetwin::outcome done;
    for (const char* id : {"a", "b", "c"}) {
      const json::error e = mine.create({id}, at(0), done);
      made += e ? 0 : 1;
      must(!e || e.code() == json::errc::already_exists, "create");
    }
  });
  must(made == 3, "each twin is made by one thread");
  in_threads(threads, [&](int i) {
    shared mine(store, mutex);
    devicetwin::outcome done;
    for (int round = 0; round < rounds; ++round) {
      count_one(mine, {"a"}, done);
      count_one(mine, {"b"}, done);
    }
    // The same through hubs, of which each thread has its own.
    devicetwin::hub_options options;
    options.write_attempts = 1'000'000;
    devicetwin::hub_session<shared> hub(mine, options);
    for (int round = 1; round <= rounds; ++round) {
      const std::string patch = "{\"t" + std::to_string(i) + "\":" + std::to_string(round) + "}";
      must(!hub.message({"a"}, "$iothub/twin/PATCH/properties/reported/?$rid=1", patch, at(round)),
           "message");
      must(hub.service_get({"b"}).status == 200, "service_get");
    }
    removed += mine.remove({"c"}) ? 0 : 1;
  });
  must(removed == 1, "a twin is removed by one thread");
  const auto a = store.find({"a"});
  must(static_cast<bool>(a), "find");
  must((*a)->reported_version() == 1 + 2 * threads * rounds, "no write of a is lost");
  must(*json::get<std::int64_t>((*a)->reported(), "/n") == threads * rounds,
       "none was overwritten");
  for (int i = 0; i < threads; ++i) {
    const auto last = json::get<std::int64_t>((*a)->reported(), "/t" + std::to_string(i));
    must(last && *last == rounds, "the last message of each hub is stored");
  }
  const auto b = store.find({"b"});
  must(static_cast<bool>(b), "find");
  must(*json::get<std::int64_t>((*b)->reported(), "/n") == threads * rounds,
       "no write of b is lost");
  must(!store.find({"c"}), "c is gone");
}

}  // namespace

int main() {
  the_level_is_chosen();
  texts();
  documents();
  changes();
  for (const devicetwin::dialect* rules : {&devicetwin::azure, &devicetwin::rfc7396}) twins(*rules);
  devicetwin::memory_store in_memory;
  stores(in_memory);
  // With room for one twin, so that each is loaded again and again.
  table rows;
  devicetwin::twin_cache<table> over_table(rows, devicetwin::azure, {}, 1);
  stores(over_table);
  return 0;
}
