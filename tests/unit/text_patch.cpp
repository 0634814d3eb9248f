// The open containers of two texts and the patch about them.
#include <devicetwin/merge/text/text_patch.hpp>

#include <memory>
#include <string>

#include "../support/text.hpp"

namespace core = merge::core;

namespace {

struct fixture {
  explicit fixture(std::string_view text, const json::core::diff_rules& rules = {}) : to(text) {
    structure.reset(to);
    patch =
        std::make_unique<core::text_patch>(rules, &sink, structure, devicetwin::memory_source{});
    patch->reset(to.data(), to.data());
  }
  const char* at(std::string_view what) const { return to.data() + to.find(what); }
  std::string written() {
    REQUIRE(!sink.finish());
    return out;
  }
  std::string to;
  std::string out;
  core::text_sink sink{out};
  json::core::text_structure structure;
  std::unique_ptr<core::text_patch> patch;
};

}  // namespace

TEST_CASE("objects of the patch are opened when a member in them is written", "[text_patch]") {
  fixture f(R"({"a":{"b\"":{"c":1},"d":{}},"e":2,"gone":3})");
  core::text_patch& patch = *f.patch;
  REQUIRE(patch.push(f.at("{\"a"), f.at("{\"a")));
  patch.begin();
  REQUIRE(patch.push(f.at("{\"b"), f.at("{\"b")));
  REQUIRE(patch.push(f.at("{\"c"), f.at("{\"c")));
  CHECK(patch.set(f.at("\"c\""), f.at("\"c\"") + 3, f.at("1}"), f.at("1}") + 1));
  patch.close_innermost();
  patch.pop();
  REQUIRE(patch.push(f.at("{}"), f.at("{}")));  // nothing in it differs
  patch.close_innermost();
  patch.pop();
  patch.close_innermost();
  patch.pop();
  CHECK(patch.remove(f.at("\"gone\""), f.at("\"gone\"") + 6));
  patch.close_innermost();
  patch.pop();
  CHECK(patch.differ());
  CHECK(f.written() == R"({"a":{"b\"":{"c":1}},"gone":null})");
}

TEST_CASE("what a patch cannot say is an error with its place", "[text_patch]") {
  fixture f(R"({"a~":{"b":null,"c":{"d":[null],"e":null}}})");
  core::text_patch& patch = *f.patch;
  REQUIRE(patch.push(f.at("{\"a"), f.at("{\"a")));
  patch.begin();
  REQUIRE(patch.push(f.at("{\"b"), f.at("{\"b")));
  CHECK_FALSE(patch.set(f.at("\"b\""), f.at("\"b\"") + 3, f.at("null"), f.at("null") + 4));
  CHECK(patch.failure().code() == errc::null_member);
  CHECK(patch.failure().pointer() == "/a~0/b");

  fixture inner(f.to);
  REQUIRE(inner.patch->push(inner.at("{\"a"), inner.at("{\"a")));
  inner.patch->begin();
  REQUIRE(inner.patch->push(inner.at("{\"b"), inner.at("{\"b")));
  const char* const value = inner.at("{\"d");
  CHECK_FALSE(
      inner.patch->set(inner.at("\"c\""), inner.at("\"c\"") + 3, value, inner.at("}}}") + 1));
  CHECK(inner.patch->failure().code() == errc::null_member);

  json::core::diff_rules keeps;
  keeps.removes = false;
  fixture kept(R"({"a":1})", keeps);
  REQUIRE(kept.patch->push(kept.at("{"), kept.at("{")));
  kept.patch->begin();
  CHECK_FALSE(kept.patch->remove(kept.at("\"a\""), kept.at("\"a\"") + 3));
  CHECK(kept.patch->failure().code() == errc::kept_member);
}

TEST_CASE("containers are counted up to the limit, and the outermost array is known",
          "[text_patch]") {
  json::core::diff_rules shallow;
  shallow.max_depth = 3;
  fixture f(R"({"a":[[{}]]})", shallow);
  core::text_patch& patch = *f.patch;
  const char* p = f.to.data();
  REQUIRE(patch.push(p, p));
  CHECK(patch.inside_object());
  CHECK_FALSE(patch.inside_array());
  REQUIRE(patch.push(p + 5, p + 5));
  REQUIRE(patch.push(p + 6, p + 6));
  CHECK(patch.inside_array());
  CHECK(patch.outermost_array() == 1);
  CHECK_FALSE(patch.push(p + 7, p + 7));
  CHECK(patch.failure().code() == errc::depth_exceeded);
  CHECK(patch.failure().limit() == 3);
  patch.pop();
  CHECK(patch.inside_array());
  patch.pop();
  CHECK_FALSE(patch.inside_array());
}
