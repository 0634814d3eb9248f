// Where a twin's memory goes: every allocation failing in turn, long lives, small buffers.
#include "../support/twin.hpp"

#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>

using devicetwin::heap_memory;
using devicetwin::outcome;
using devicetwin::twin;

namespace {

/// A heap that refuses one request when it is asked to, and counts what is out.
struct counting_heap {
  std::size_t requests = 0;
  std::size_t refused_request = 0;  // 0: none
  std::size_t blocks = 0;
  std::size_t bytes = 0;

  devicetwin::memory_source source() {
    return {[](void* context, std::size_t size) -> void* {
              auto& heap = *static_cast<counting_heap*>(context);
              if (++heap.requests == heap.refused_request) return nullptr;
              auto* block = static_cast<std::size_t*>(std::malloc(size + 16));
              *block = size;
              ++heap.blocks;
              heap.bytes += size;
              return block + 2;
            },
            [](void* context, void* given) {
              auto& heap = *static_cast<counting_heap*>(context);
              auto* block = static_cast<std::size_t*>(given) - 2;
              --heap.blocks;
              heap.bytes -= *block;
              std::free(block);
            },
            this};
  }
};

/// A twin with some of everything, metadata that is strange included.
std::string large_twin() {
  std::string text =
      R"({"deviceId":"device-1","etag":"AAAAAAAAAAU=","version":9,"x":{"y":[1,2,"a text longer than a value has room for"]},"tags":{)";
  const auto members = [&text](const std::string& name, int count) {
    for (int i = 0; i < count; ++i) {
      text += (i == 0 ? "\"" : ",\"") + name + std::to_string(i) + "\":{\"deep\":{\"er\":[[" +
              std::to_string(i) +
              ",\"a text that is longer than a value has room for\"]],\"n\":" + std::to_string(i) +
              "}}";
    }
  };
  members("tag_with_a_long_name_", 3);
  text += R"(},"properties":{"desired":{)";
  members("desired_with_a_long_name_", 24);
  text +=
      R"(,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedBy":"x","$lastUpdatedVersion":3,"desired_with_a_long_name_1":null,"gone":{"x":[1,2]},)"
      R"("desired_with_a_long_name_2":{"$lastUpdated":"2020-01-01T00:00:00Z","deep":{"$lastUpdated":"2020-01-01T00:00:00.1Z","er":{"$lastUpdated":"never"}}}},"$version":4},"reported":{)";
  members("desired_with_a_long_name_", 20);
  text += R"(,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z"},"$version":4}}})";
  return text;
}
/// A patch that touches it everywhere, deeply, and in many places.
std::string large_patch(int seed) {
  std::string text = "{";
  for (int i = 0; i < 30; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::string("desired_with_a_long_name_") + std::to_string(i) +
            "\":";
    switch ((i + seed) % 5) {
      case 0:
        text += "null";
        break;
      case 1:
        text += "{\"deep\":{\"er\":null,\"n\":" + std::to_string(seed) +
                ",\"new\":{\"a\":{\"b\":{\"c\":{}}}}}}";
        break;
      case 2:
        text += "\"a text that is longer than a value has room for\"";
        break;
      case 3:
        text += "{\"value\":1,\"ac\":200,\"av\":1}";
        break;
      default:
        text += "{\"deep\":{\"er\":[[" + std::to_string(i) +
                ",\"a text that is longer than a value has room for\"]]}}";
    }
  }
  return text + "}";
}

/// Everything a twin shows.
template <class Twin>
std::string everything(const Twin& t) {
  if (t.identity().IsNull()) return "nothing";
  std::string text =
      service_text(t) + device_text(t) + std::to_string(t.version()) +
      (t.in_sync() ? " in sync " : " not in sync ") + std::to_string(t.size(part::tags)) + " " +
      std::to_string(t.size(part::desired)) + " " + std::to_string(t.size(part::reported));
  for (const char* pointer :
       {"", "/desired_with_a_long_name_2", "/desired_with_a_long_name_3/deep/er",
        "/desired_with_a_long_name_4/deep/n"}) {
    for (const part p : {part::desired, part::reported}) {
      const auto s = t.stamp_of(p, pointer);
      text += s ? " " + std::to_string(s->time.ticks) + "@" + std::to_string(s->version) : " -";
    }
  }
  return text;
}

/// Does `act(twin, outcome)` with the 1st, 2nd, ... request of the twin's heap or the outcome's
/// refused until it succeeds, each time on a twin made by `make(twin)`.
void with_every_failure(const std::function<void(twin&)>& make,
                        const std::function<json::error(twin&, outcome&)>& act,
                        bool keeps_outcome = true) {
  std::string expected;
  {
    twin t;
    outcome done;
    make(t);
    REQUIRE(!act(t, done));
    expected = everything(t);
  }
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 3000);
    counting_heap heap;
    {
      twin t(devicetwin::azure, heap_memory(heap.source()));
      outcome done(heap.source());
      make(t);
      const std::string before = everything(t);
      const std::size_t held = t.memory_in_bytes();
      const std::size_t requests = heap.requests;
      heap.refused_request = requests + n;
      const json::error e = act(t, done);
      const bool refused = heap.requests >= heap.refused_request;
      heap.refused_request = 0;
      if (e) {
        CHECK(e.code() == errc::out_of_memory);
        CHECK(refused);
        if (everything(t) != before) CHECK(everything(t) == before);
        if (keeps_outcome) {
          CHECK(!done.effective());
          CHECK(done.size() == 0);
          CHECK(done.version == 0);
          CHECK(done.etag().empty());
          CHECK(done.notification().empty());
          CHECK(done.event().empty());
        }
        // Room that was made for the write may stay, but not for ever.
        if (t.memory_in_bytes() > 3 * held + 8192) CHECK(t.memory_in_bytes() <= 3 * held + 8192);
        // And it still works.
        REQUIRE(!act(t, done));
      }
      if (everything(t) != expected)
        CHECK(everything(t) == expected);  // also when what was refused could be done without
      if (!e && !refused) {
        const std::size_t in_use = heap.bytes;
        {
          outcome empty(heap.source());
          done = static_cast<outcome&&>(empty);
        }
        CHECK(heap.bytes <= in_use);
        // What the twin says it holds is what it holds, but for the blocks' headers.
        CHECK(heap.bytes >= t.memory_in_bytes());
        CHECK(heap.bytes <= t.memory_in_bytes() + 32 * heap.blocks);
      }
      if (!e && !refused) n = 100000;
    }
    CHECK(heap.blocks == 0);
    CHECK(heap.bytes == 0);
    if (n >= 100000) return;
  }
}

const auto nothing = [](auto&) {};
const auto a_large_one = [](auto& t) { REQUIRE(!t.load(large_twin())); };
/// One that was written before, so that there is spare room, and tombstones.
const auto a_used_one = [](auto& t) {
  outcome done;
  REQUIRE(!t.load(large_twin()));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(!t.device_patch(large_patch(i), noon(i), done));
    REQUIRE(!t.service_patch(of_desired(large_patch(i + 1)), noon(i), done));
  }
};

unsigned patches_asked_for(unsigned ordinary) {
  const char* asked = std::getenv("DEVICETWIN_PATCHES");
  return asked == nullptr ? ordinary : static_cast<unsigned>(std::strtoul(asked, nullptr, 10));
}

/// A section of some hundred leaves: small, typical, large.
std::string section_of(int groups) {
  std::string text = "{";
  for (int i = 0; i < groups; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::string("group") + std::to_string(i) +
            "\":{\"name\":\"a text longer than fifteen bytes\",\"on\":true,\"level\":" +
            std::to_string(i) + ",\"list\":[1,2,3]}";
  }
  return text + "}";
}
std::string random_patch(std::mt19937& random, int groups) {
  std::string text = "{";
  for (auto n = random() % 3 + 1; n != 0; --n) {
    const std::string group = "group" + std::to_string(random() % static_cast<unsigned>(groups));
    if (text.find("\"" + group + "\"") != std::string::npos) continue;
    if (text.size() > 1) text += ",";
    text += "\"" + group + "\":";
    switch (random() % 8) {
      case 0:
        text += "null";
        break;
      case 1:
        text += "{\"name\":\"" + std::string(random() % 60, 'y') + "\"}";
        break;
      case 2:
        text += "{\"more\":{\"a\":" + std::to_string(random() % 9) + ",\"b\":[\"" +
                std::string(random() % 30, 'z') + "\"]}}";
        break;
      case 3:
        text += "{\"more\":null,\"list\":[]}";
        break;
      case 4:
        text += std::to_string(random() % 100);
        break;
      default:
        text += "{\"level\":" + std::to_string(random() % 1000) + "}";
    }
  }
  return text + "}";
}

}  // namespace

TEST_CASE("create() survives every failing allocation", "[twin][failure]") {
  const auto act = [](auto& t, outcome& done) {
    return t.create({"device-1", "a-module-with-a-long-name"}, noon(), done);
  };
  with_every_failure(nothing, act);
  with_every_failure(a_large_one, act);
}
TEST_CASE("load() survives every failing allocation", "[twin][failure]") {
  const std::string text = large_twin();
  const auto value = parsed(text);
  with_every_failure(
      nothing, [&](auto& t, outcome&) { return t.load(text); }, false);
  with_every_failure(
      a_used_one, [&](auto& t, outcome&) { return t.load(value); }, false);
}
TEST_CASE("a service's patch survives every failing allocation", "[twin][failure]") {
  const std::string text =
      R"({"tags":{"tag_with_a_long_name_1":null,"another_tag_with_a_long_name":{"a":{"b":1}}},"properties":{"desired":)" +
      large_patch(1) + "}}";
  const auto value = parsed(text);
  with_every_failure(a_large_one,
                     [&](auto& t, outcome& done) { return t.service_patch(text, noon(), done); });
  with_every_failure(a_used_one,
                     [&](auto& t, outcome& done) { return t.service_patch(value, noon(), done); });
  with_every_failure(a_used_one,
                     [&](auto& t, outcome& done) { return t.service_patch(text, noon(), done); });
  with_every_failure([](auto& t) { REQUIRE(!t.load(R"({"desired":{"a":1}})")); },
                     [&](auto& t, outcome& done) {
                       return t.service_patch(R"({"properties":{"desired":null},"tags":{"a":1}})",
                                              noon(), done);
                     });
}
TEST_CASE("writes that return their outcome survive every failing allocation", "[twin][failure]") {
  const std::string patch = of_desired(large_patch(1)), report = large_patch(2);
  const std::string replacement =
      of_desired(R"({"a":{"b":"a text that is longer than a value has room for"},"c":[1,[2]]})");
  const auto patched = [](const json::result<outcome>& done) {
    CHECK(done->effective() == done.has_value());
    CHECK((done->size() != 0) == done.has_value());
    return done.error();
  };
  with_every_failure(nothing, [](auto& t, outcome&) {
    return t.create({"device-1", "a-module-with-a-long-name"}, noon()).error();
  });
  with_every_failure(a_used_one,
                     [&](auto& t, outcome&) { return patched(t.service_patch(patch, noon())); });
  with_every_failure(a_large_one, [&](auto& t, outcome&) {
    return patched(t.service_replace(replacement, noon()));
  });
  with_every_failure(a_large_one,
                     [&](auto& t, outcome&) { return patched(t.device_patch(report, noon())); });
}
TEST_CASE("a service's replacement survives every failing allocation", "[twin][failure]") {
  std::string desired = large_twin();
  desired = desired.substr(desired.find("\"desired\":") + 10);
  desired = desired.substr(0, desired.find(",\"$metadata\"")) + "}";
  const std::string text =
      R"({"tags":{"one_tag_with_a_long_name":{"a":{"b":1}}},"properties":{"desired":)" + desired +
      "}}";
  const auto value = parsed(text);
  with_every_failure(a_large_one,
                     [&](auto& t, outcome& done) { return t.service_replace(text, noon(), done); });
  with_every_failure(
      a_used_one, [&](auto& t, outcome& done) { return t.service_replace(value, noon(), done); });
}
TEST_CASE("a device's patch survives every failing allocation", "[twin][failure]") {
  const std::string text = large_patch(2);
  const auto value = parsed(text);
  with_every_failure(a_large_one,
                     [&](auto& t, outcome& done) { return t.device_patch(text, noon(), done); });
  with_every_failure(a_used_one,
                     [&](auto& t, outcome& done) { return t.device_patch(value, noon(), done); });
}
TEST_CASE("a notification survives every failing allocation", "[twin][failure]") {
  const auto act = [](auto& t, outcome& done) {
    const std::string text = large_patch(3);
    return t.apply_notification(
        "{\"$version\":" + std::to_string(t.desired_version() + 1) + "," + text.substr(1), noon(),
        done);
  };
  with_every_failure(a_large_one, act);
  with_every_failure(a_used_one, act);
}
TEST_CASE("assign() survives every failing allocation", "[twin][failure]") {
  twin source;
  a_used_one(source);
  with_every_failure(
      nothing, [&](auto& t, outcome&) { return t.assign(source); }, false);
  with_every_failure(
      a_large_one, [&](auto& t, outcome&) { return t.assign(source); }, false);
}
TEST_CASE("asking first survives every failing allocation", "[twin][failure]") {
  std::string device = "{";
  for (int i = 0; i < 30; ++i)
    device += (i == 0 ? "\"" : ",\"") + std::string("bad name ") + std::to_string(i) +
              "\":[{\"a\":{\"b\":1}}]";
  device += "}";
  const std::string service = of_desired(device);
  with_every_failure(
      a_large_one,
      [&](auto& t, outcome&) {
        devicetwin::validation report(t.memory());
        const json::error e = t.check_device_patch(device, report);
        CHECK((e || report.size() == 30u));
        return e;
      },
      false);
  with_every_failure(
      a_large_one,
      [&](auto& t, outcome&) {
        devicetwin::validation report(t.memory());
        if (json::error e = t.check_service_patch(service, report)) return e;
        return t.check_service_replace(service, report);
      },
      false);
}
TEST_CASE("views survive every failing allocation", "[twin][failure]") {
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 3000);
    counting_heap heap;
    bool done = false;
    {
      twin t(devicetwin::azure, heap_memory(heap.source()));
      a_used_one(t);
      std::string whole = "kept";
      REQUIRE(!devicetwin::write_service_view(t, whole));
      std::string text = "kept";
      const std::size_t out = heap.bytes;
      heap.refused_request = heap.requests + n;
      const json::error e = devicetwin::write_service_view(t, text);
      done = heap.requests < heap.refused_request;
      CHECK(!e == (text == whole));
      CHECK((!e || text == "kept"));
      CHECK((!e || e.code() == errc::out_of_memory));
      CHECK(heap.bytes == out);
    }
    CHECK(heap.blocks == 0);
    if (done) break;
  }
}

TEST_CASE("a twin patched for long stays within twice a fresh load and its tombstones",
          "[twin][memory]") {
  // DEVICETWIN_PATCHES asks for more.
  const unsigned patches = patches_asked_for(200000);
  for (const int groups : {4, 30, 100}) {
    counting_heap heap;
    twin t(devicetwin::rfc7396, heap_memory(heap.source()));
    REQUIRE(
        !t.load(R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":2,"properties":{"desired":)" +
                section_of(groups) + R"(,"reported":)" + section_of(groups) + "}}"));
    outcome done;
    std::mt19937 random(static_cast<unsigned>(groups));
    const unsigned mine = patches / (groups == 30 ? 2 : 4);
    for (unsigned i = 0; i < mine; ++i) {
      const std::string patch = random_patch(random, groups);
      const auto now = at(noon().ticks + static_cast<std::int64_t>(i) * 12345);
      const json::error e = random() % 4 == 0 ? t.service_patch(of_desired(patch), now, done)
                                              : t.device_patch(patch, now, done);
      if (e) FAIL(e.message() << " for " << patch);
      if (i % 500 != 0) continue;
      twin fresh(devicetwin::rfc7396);
      REQUIRE(!fresh.load(service_text(t)));
      const std::size_t held = t.memory_in_bytes();
      CHECK(heap.bytes >= held);
      CHECK(heap.bytes <= held + 32 * heap.blocks);
      std::size_t tombstones = 0;
      for (const part p : {part::desired, part::reported}) {
        const std::size_t mine_alone = tracked_section(t, p).tracking().history().memory_in_bytes();
        tombstones += mine_alone;
        if (mine_alone > 4096)
          FAIL("after " << i << " patches the tombstones of one section take " << mine_alone
                        << " bytes");
      }
      // Three documents may each hold a kilobyte beyond twice what they need, which a small twin
      // notices.
      if (held - tombstones > 2 * fresh.memory_in_bytes() + (groups < 100 ? 3072u : 0u)) {
        FAIL("after " << i << " patches of " << groups << " groups: " << held << " bytes, "
                      << tombstones << " of them tombstones; a fresh load takes "
                      << fresh.memory_in_bytes());
      }
    }
  }
}

TEST_CASE("tombstones keep within their budget, which stays with the twin", "[twin][memory]") {
  twin t = fresh_twin();
  outcome done;
  const auto history = [&](part p) -> const auto& {
    return tracked_section(t, p).tracking().history();
  };
  CHECK(history(part::reported).budget() == 1024);
  for (const std::size_t budget : {300u, 5000u, 0u}) {
    t.set_history_budget(budget);
    for (int i = 0; i < 400; ++i) {
      const std::string name = "\"name" + std::to_string(i % 150) + "\":";
      REQUIRE(!t.device_patch("{" + name + "{\"a\":{\"b\":1}}}", noon(), done));
      REQUIRE(!t.device_patch("{" + name + "null}", noon(), done));
      std::size_t used = 0;
      for (std::size_t k = 0; k < history(part::reported).size(); ++k)
        used += history(part::reported)[k].names.size() + 16;
      CHECK(used <= budget);
    }
    CHECK((history(part::reported).size() == 0) == (budget == 0));
    CHECK(history(part::reported).known_since() <= t.reported_version());
    if (history(part::reported).size() != 0)
      CHECK(history(part::reported)[history(part::reported).size() - 1].version ==
            t.reported_version());
  }
  t.set_history_budget(77);
  REQUIRE(!t.load(service_text(t)));
  CHECK(history(part::desired).budget() == 77);
  REQUIRE(!t.create({"d"}, noon(), done));
  CHECK(history(part::reported).budget() == 77);
  t.set_history_budget(2000);
  REQUIRE(!t.device_patch(R"({"a":1,"b":{"c":1}})", noon(), done));
  REQUIRE(!t.device_patch(R"({"b":null})", noon(), done));
  CHECK(history(part::reported).known_since() == 1);
  t.forget_before(part::reported, 3);
  CHECK(history(part::reported).size() == 0);
  CHECK(history(part::reported).known_since() == 3);
}

TEST_CASE("a twin in a buffer of six times its text and 2 KB takes patches for ever",
          "[twin][memory]") {
  using small_twin = devicetwin::basic_twin<devicetwin::buffer_memory>;
  for (const int groups : {2, 20, 60}) {
    twin source = fresh_twin();
    outcome done;
    for (int i = 0; i < groups; ++i) {  // every group with a stamp of its own
      const std::string group = "{\"group" + std::to_string(i) + section_of(1).substr(7);
      REQUIRE(!source.device_patch(group, noon(i), done));
      REQUIRE(!source.service_patch(of_desired(group), noon(i), done));
    }
    const std::string text = service_text(source);
    const std::size_t bytes = 6 * text.size() + 2048;
    const std::unique_ptr<unsigned char[]> buffer(new unsigned char[bytes]);
    small_twin t(devicetwin::rfc7396, devicetwin::buffer_memory(buffer.get(), bytes));
    REQUIRE(!t.load(text));
    const unsigned patches = patches_asked_for(100000) / 3;
    for (unsigned i = 0; i < patches; ++i) {
      const std::string patch = "{\"group" + std::to_string(i * 7 % static_cast<unsigned>(groups)) +
                                "\":{\"level\":" + std::to_string(i % 1000) + ",\"name\":\"" +
                                std::string(20 + i % 12, 'n') + "\"}}";
      const auto now = at(noon().ticks + static_cast<std::int64_t>(i));
      const json::error e = i % 5 == 0 ? t.service_patch(of_desired(patch), now, done)
                                       : t.device_patch(patch, now, done);
      if (e) FAIL(e.message() << " at patch " << i << " of " << groups << " groups");
    }
    // What cannot be afforded is refused, as often as it is tried, and changes nothing.
    const std::string before = service_text(t);
    const std::string large = "{\"x\":[\"" + std::string(bytes, 'x') + "\"]}";
    unsigned refused = 0;
    for (int i = 0; i < 20; ++i) {
      const json::error e = t.device_patch(large, noon(), done);
      if (e.code() == errc::out_of_memory) ++refused;
      CHECK(done.event().empty());
      if (service_text(t) != before) CHECK(service_text(t) == before);
    }
    CHECK(refused == 20);
    REQUIRE(!t.device_patch(R"({"group1":{"level":5}})", noon(), done));
  }
}
