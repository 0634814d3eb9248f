// The arena, the document that stays compact, and every allocation failing in turn.
#include "../support/text.hpp"

#include <cstring>
#include <random>
#include <string>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

namespace {

std::string wide(int members, const char* name, int add) {
  std::string text = "{";
  for (int i = 0; i < members; ++i) {
    text += "\"" + std::string(name) + std::to_string(i) + "\":{\"deep\":[[[" +
            std::to_string(i + add) + ",\"a text that is longer than a value has room for\"]]]},";
  }
  text.back() = '}';
  return text;
}

}  // namespace

TEST_CASE("an arena hands out, grows and rewinds", "[arena]") {
  json::arena a;
  CHECK(a.capacity() == 0);
  auto* first = static_cast<char*>(a.Malloc(10));
  REQUIRE(first != nullptr);
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 8 == 0);
  CHECK(a.size() == 16);
  CHECK(a.Realloc(first, 10, 100) == first);  // at the end: in place
  const auto mark = a.position();
  CHECK(a.Malloc(100000) != nullptr);
  CHECK(a.Realloc(first, 100, 200) != first);
  a.rewind(mark);
  CHECK(a.size() == 104);
  json::arena b = static_cast<json::arena&&>(a);
  CHECK(a.size() == 0);
  CHECK(b.size() == 104);
  b.clear();
  CHECK(b.capacity() == 0);
}

TEST_CASE("an arena on a buffer never leaves it", "[arena]") {
  alignas(8) char buffer[100];
  json::arena a(buffer + 1, 99);
  CHECK(a.capacity() == 88);
  CHECK(a.reserve(88));
  CHECK(!a.reserve(89));
  CHECK(a.Malloc(80) != nullptr);
  CHECK(a.Malloc(16) == nullptr);
  CHECK(a.Malloc(8) != nullptr);
  a.clear();
  CHECK(a.reserve(88));
  json::arena none(nullptr, 0);
  CHECK(!none.reserve(1));
}

TEST_CASE("a document has value semantics as far as memory allows", "[document]") {
  json::document a;
  CHECK(a.root().IsNull());
  REQUIRE(!json::read(R"({"a":["some text that needs memory of its own"]})", a));
  json::document b = static_cast<json::document&&>(a);
  CHECK(a.root().IsNull());
  CHECK(written(b) == R"({"a":["some text that needs memory of its own"]})");
  REQUIRE(!a.assign(b));
  CHECK(are_equal(a, b));
  a = static_cast<json::document&&>(b);
  CHECK(written(a) == R"({"a":["some text that needs memory of its own"]})");
}

TEST_CASE("a document patched for long stays within twice a fresh copy", "[document]") {
  std::string text = "{";
  for (int i = 0; i < 60; ++i) {
    text += "\"group" + std::to_string(i) +
            "\":{\"value\":1,\"text\":\"a text longer than fifteen bytes\"},";
  }
  text.back() = '}';
  json::document d;
  REQUIRE(!json::read(text, d));
  std::mt19937 random(3);
  for (int i = 0; i < 30000; ++i) {
    const std::string group = "group" + std::to_string(random() % 70);
    std::string patch;
    switch (random() % 4) {
      case 0:
        patch = "{\"" + group + "\":null}";
        break;
      case 1:
        patch = "{\"" + group + "\":{\"value\":" + std::to_string(random()) + "}}";
        break;
      case 2:
        patch = "{\"" + group + "\":{\"text\":\"" + std::string(random() % 60, 'y') + "\"}}";
        break;
      default:
        patch = "{\"" + group + "\":{\"k" + std::to_string(random() % 5) + "\":[1,2,{\"x\":\"" +
                std::string(40, 'z') + "\"}]}}";
    }
    REQUIRE(!merge::apply_merge_patch(d, parsed(patch)));
    CHECK(d.capacity_in_bytes() <= 2 * d.size_in_bytes() + 1024);
    if (i % 1000 == 0) {
      json::document fresh;
      REQUIRE(!fresh.assign(d));
      CHECK(fresh.size_in_bytes() == d.size_in_bytes());
    }
  }
  REQUIRE(!json::read("{}", d));
  CHECK(d.capacity_in_bytes() <= 2 * d.size_in_bytes() + 1024);
}

TEST_CASE("a document in a caller's buffer uses it over and over and refuses what does not fit",
          "[document]") {
  alignas(8) char buffer[4096];
  json::document d(buffer, sizeof buffer, devicetwin::memory_source::none());
  REQUIRE(!json::read(R"({"a":1,"b":{"c":"a text longer than fifteen bytes"}})", d));
  for (int i = 0; i < 5000; ++i) {
    REQUIRE(!merge::apply_merge_patch(
        d, parsed("{\"b\":{\"c\":\"another text of some length " + std::to_string(i) + "\"}}"),
        {}));
  }
  const std::string before = written(d);
  const auto large = parsed("{\"x\":\"" + std::string(3000, 'x') + "\"}");
  CHECK(merge::apply_merge_patch(d, large).code() == errc::out_of_memory);
  CHECK(written(d) == before);
  const std::string text = "[\"" + std::string(3000, 'x') + "\"]";
  CHECK(json::read(text, d).code() == errc::out_of_memory);
  CHECK(d.assign(large).code() == errc::out_of_memory);
  CHECK(written(d) == before);
}

TEST_CASE("a patch may refer to the document's own strings, also when the document moves",
          "[document]") {
  alignas(8) char buffer[4096];
  const bool fixed = GENERATE(false, true);
  json::document d = fixed ? json::document(buffer, sizeof buffer) : json::document();
  REQUIRE(!json::read(R"({"old":"a text longer than fifteen bytes, the first"})", d));
  std::string expected = "a text longer than fifteen bytes, the first";
  for (int i = 0; i < 300; ++i) {
    const auto* member = json::core::members_begin(d.root());
    rapidjson::Document patch(rapidjson::kObjectType);
    rapidjson::Value name(
        rapidjson::StringRef(member->name.GetString(), member->name.GetStringLength()));
    rapidjson::Value removed;
    const auto text = json::core::text_of(member->value);
    rapidjson::Value value(
        rapidjson::StringRef(text.data(), static_cast<json::size_type>(text.size())));
    patch.AddMember(name, removed, patch.GetAllocator());
    const std::string next = "a name longer than fifteen bytes " + std::to_string(i);
    patch.AddMember(rapidjson::Value(next.c_str(), patch.GetAllocator()), value,
                    patch.GetAllocator());
    REQUIRE(!merge::apply_merge_patch(d, patch));
    REQUIRE(d.root().MemberCount() == 1);
    REQUIRE(json::core::text_of(json::core::members_begin(d.root())->value) == expected);
  }
}

TEST_CASE("reading survives every failing allocation", "[failure]") {
  const std::string text = wide(40, "a name longer than fifteen bytes \\u00e9 ", 0);
  json::document kept;
  REQUIRE(!json::read("[1]", kept));
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        json::document d(source);
        json::read_options options;
        options.memory = source;
        json::error e = json::read(text, d, options);
        if (e) CHECK(d.root().IsNull());
        return e;
      },
      [] {});
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        rapidjson::Document d;
        json::read_options options;
        options.memory = source;
        d.SetInt(1);
        json::error e = json::read(text, d, options);
        if (e) CHECK(d.IsInt());
        return e;
      },
      [] {});
}

TEST_CASE("writing survives every failing allocation", "[failure]") {
  const auto d = parsed(wide(40, "n", 0));
  const std::string whole = written(d);
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        devicetwin::text_buffer out(source);
        json::write_options options;
        options.memory = source;
        json::error e = json::write(d, out, options);
        CHECK(out.view() == (e ? std::string_view() : std::string_view(whole)));
        return e;
      },
      [] {});
}

TEST_CASE("a document that has something survives every failing allocation of a write",
          "[failure]") {
  const std::string before = wide(40, "n", 0);
  const std::string text = wide(60, "a name with an escape, longer than fifteen bytes \\u00e9 ", 1);
  const auto patch = parsed(wide(60, "n", 1));
  const auto other = parsed(text);
  std::size_t told = 0;
  SECTION("read") {
    document_survives(before, [&](json::document& d, const devicetwin::memory_source& source) {
      json::read_options options;
      options.memory = source;
      const json::error e = json::read(text, d, options);
      if (!e) CHECK(are_equal(d, other));
      return e;
    });
  }
  SECTION("assign") {
    document_survives(before, [&](json::document& d, const devicetwin::memory_source&) {
      const json::error e = d.assign(other);
      if (!e) CHECK(are_equal(d, other));
      return e;
    });
  }
  SECTION("apply") {
    document_survives(before, [&](json::document& d, const devicetwin::memory_source& source) {
      merge::options options;
      options.memory = source;
      told = 0;
      const json::error e = merge::apply_merge_patch(
          d, patch, options, [&](const auto&, const auto*, const auto*) { ++told; });
      CHECK(told == (e ? 0 : 60));
      if (!e) CHECK(are_equal(d, patch));
      return e;
    });
  }
  SECTION("apply a patch that replaces the whole") {
    document_survives(before, [&](json::document& d, const devicetwin::memory_source& source) {
      merge::options options;
      options.memory = source;
      const json::error e = merge::apply_merge_patch(d, parsed("[" + text + "]"), options);
      if (!e) CHECK(are_equal(d.root()[0], other));
      return e;
    });
  }
  SECTION("apply a patch that removes") {
    std::string removal = before;
    for (std::size_t at = 0; (at = removal.find(":{", at)) != std::string::npos;) {
      removal.replace(at, removal.find("}", at) + 1 - at, ":null");
    }
    const auto all = parsed(removal);
    document_survives(before, [&](json::document& d, const devicetwin::memory_source& source) {
      merge::options options;
      options.memory = source;
      const json::error e = merge::apply_merge_patch(d, all, options);
      if (!e) CHECK(d.root().ObjectEmpty());
      return e;
    });
  }
  SECTION("diff") {
    const auto from = parsed(before);
    document_survives(before, [&](json::document& d, const devicetwin::memory_source& source) {
      merge::options options;
      options.memory = source;
      const json::error e = merge::diff(from, other, d, options);
      if (!e) CHECK(d.root().MemberCount() == 100);
      return e;
    });
  }
}

TEST_CASE("apply_merge_patch in an arena survives every failing allocation", "[failure]") {
  const std::string before = wide(40, "n", 0);
  const std::string whole = wide(60, "n", 1);
  const auto patch = parsed(whole);
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 10000);
    failing_heap heap;
    bool done = false;
    {
      json::arena memory(heap.source());
      json::arena_value target;
      REQUIRE(!json::read(before, target, memory));
      const std::size_t held = memory.size();
      merge::options options;
      options.memory = heap.source();
      heap.refused_request = heap.requests + n;
      const json::error e = merge::apply_merge_patch(target, patch, memory, options);
      done = heap.requests < heap.refused_request;
      heap.refused_request = 0;
      CHECK(static_cast<bool>(e) == !done);
      CHECK(written(target) == (done ? whole : before));
      if (e) CHECK(memory.size() == held);
    }
    CHECK(heap.out == 0);
    if (done) break;
  }
}

TEST_CASE("a document in a caller's buffer of any size is written or left", "[failure]") {
  const std::string text =
      R"({"a":[1,"a text longer than fifteen bytes"],"b":{"c":null,"d":"short"},"e":2.5})";
  const auto patch = parsed(
      R"({"a":{"x":"another text longer than fifteen bytes"},"b":{"c":1,"d":null},"f":[{}]})");
  const std::string expected =
      R"({"a":{"x":"another text longer than fifteen bytes"},"b":{"c":1},"e":2.5,"f":[{}]})";
  alignas(8) char buffer[8192];
  int applied = 0;
  for (std::size_t bytes = 0; bytes <= sizeof buffer; bytes += 16) {
    std::memset(buffer, 0x5A, sizeof buffer);
    json::document d(buffer, bytes, devicetwin::memory_source::none());
    json::read_options reading;
    reading.memory = devicetwin::memory_source::none();
    if (const json::error e = json::read(text, d, reading)) {
      CHECK(e.code() == errc::out_of_memory);
      CHECK(d.root().IsNull());
    } else {
      merge::options options;
      options.memory = devicetwin::memory_source::none();
      const json::error refused = merge::apply_merge_patch(d, patch, options);
      CHECK((!refused || refused.code() == errc::out_of_memory));
      CHECK(written(d) == (refused ? text : expected));
      if (!refused) ++applied;
    }
    for (std::size_t i = bytes; i < sizeof buffer; ++i) {
      if (buffer[i] != 0x5A) FAIL("written beyond the buffer");
    }
  }
  CHECK(applied > 100);
}

TEST_CASE("apply_merge_patch with RapidJSON's allocators survives every failing allocation",
          "[failure]") {
  using crt_document = rapidjson::GenericDocument<rapidjson::UTF8<>, rapidjson::CrtAllocator>;
  const std::string text = wide(20, "n", 0);
  const auto patch = parsed(wide(30, "n", 1));
  crt_document d;
  REQUIRE(!json::read(text, d));
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        merge::options options;
        options.memory = source;
        return merge::apply_merge_patch(d, patch, d.GetAllocator(), options);
      },
      [&] { CHECK(are_equal(d, parsed(text))); });
  CHECK(are_equal(d, patch));
}

TEST_CASE("diff and equal survive every failing allocation", "[failure]") {
  const auto from = parsed(wide(40, "n", 0));
  const auto to = parsed(wide(60, "m", 1));
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        json::document patch(source);
        merge::options options;
        options.memory = source;
        json::error e = merge::diff(from, to, patch, options);
        if (e) CHECK(patch.root().IsNull());
        return e;
      },
      [] {});
  std::string deep(40, '[');
  deep += std::string(40, ']');
  const auto nested = parsed(deep);
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        json::equal_options options;
        options.memory = source;
        const json::comparison same = json::equal(nested, nested, options);
        CHECK((same == json::comparison::equal || same == json::comparison::out_of_memory));
        return json::error(same == json::comparison::equal ? errc::ok : errc::out_of_memory);
      },
      [] {});
}
