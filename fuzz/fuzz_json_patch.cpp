// Properties, for a document and a patch or a second document (the input is split at its first NUL):
//   when the second is an array, applied as a JSON Patch (RFC 6902) to every kind of target it does
//   what a naive implementation does, or fails at the same operation and changes nothing; so does
//   the text of the document, which keeps the bytes that it was not told to change;
//   the JSON Patch from the first to the second leads there, as trees and as texts;
//   differences are told exactly when the two are not equal, and each is one.
// When there is no NUL, the bytes choose a random document and a random patch that mostly applies.
#include <devicetwin/devicetwin.hpp>
#include <devicetwin/testing/random_document.hpp>

#include "../tests/support/naive_json_patch.hpp"
#include "../tests/support/reference.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

#define REQUIRE_THAT(condition) \
  if (!(condition)) std::abort()

namespace {

template <class Value>
std::string text_of(const Value& value) {
  std::string text;
  REQUIRE_THAT(!json::write(value, text));
  return text;
}

merge::json_patch_options limits() {
  merge::json_patch_options o;
  o.max_depth = json::default_max_depth;
  o.max_copied_bytes = 1 << 16;
  return o;
}

template <class Target>
json::error apply_to(Target& target, const std::string& document, const json::document& patch,
                     std::string& result) {
  REQUIRE_THAT(!json::read(document, target));
  const json::error e = merge::apply_json_patch(target, patch, limits());
  result = text_of(target);
  return e;
}

void check_apply(const std::string& document, const std::string& patch) {
  json::document operations, kept;
  rapidjson::Document pooled, naive;
  rapidjson::GenericDocument<rapidjson::UTF8<>, rapidjson::CrtAllocator> counted;
  REQUIRE_THAT(!json::read(patch, operations));
  std::string a, b, c;
  const json::error e = apply_to(kept, document, operations, a);
  const json::error same = apply_to(pooled, document, operations, b);
  const json::error also = apply_to(counted, document, operations, c);
  REQUIRE_THAT(e.message() == same.message() && e.message() == also.message());
  REQUIRE_THAT(a == b && a == c);
  json::document fresh;
  REQUIRE_THAT(!fresh.assign(kept) && fresh.size_in_bytes() == kept.size_in_bytes());
  REQUIRE_THAT(kept.capacity_in_bytes() <= 2 * kept.size_in_bytes() + 1024);

  // With a journal all is done twice; the result is the same.
  json::document told;
  std::size_t announced = 0, changes = 0;
  struct journal {
    std::size_t& announced;
    std::size_t& changes;
    bool reserve(std::size_t count) {
      announced = count;
      return true;
    }
    void operator()(const json::location&, const json::arena_value* was,
                    const json::arena_value* is) {
      ++changes;
      REQUIRE_THAT(was != nullptr || is != nullptr);
      if (was != nullptr) text_of(*was);
      if (is != nullptr) text_of(*is);
    }
  } note{announced, changes};
  REQUIRE_THAT(!json::read(document, told));
  REQUIRE_THAT(merge::apply_json_patch(told, operations, limits(), note).code() == e.code());
  REQUIRE_THAT(text_of(told) == a && announced == changes);

  std::string text;
  const json::error of_text = merge::apply_json_patch_text(document, patch, text, limits());
  if (e.code() == json::errc::too_large || of_text.code() == json::errc::too_large) return;
  REQUIRE_THAT(!json::read(document, naive));
  if (operations.root().IsArray()) {
    rapidjson::Document copy;
    copy.CopyFrom(operations.root(), copy.GetAllocator());
    const std::size_t done = naive_json_patch::apply(naive, copy);
    if (e.code() != json::errc::depth_exceeded) {
      REQUIRE_THAT(!e == (done == copy.Size()));
      REQUIRE_THAT(!e || e.operation() == done);
    }
  }
  if (e) {
    REQUIRE_THAT(e.has_operation() == operations.root().IsArray());
    REQUIRE_THAT(a == text_of(fresh));
    json::document before;
    REQUIRE_THAT(!json::read(document, before) && a == text_of(before));
  } else {
    REQUIRE_THAT(a == text_of(naive));
  }
  if (operations.root().IsArray() && operations.root().Empty()) REQUIRE_THAT(text == document);
  if (!of_text && !e) {
    // Numbers of texts are not rounded; but for that, it is the same.
    json::document read;
    REQUIRE_THAT(!json::read(text, read));
  }
}

void check_diff(const std::string& from, const std::string& to) {
  json::document a, b, patch;
  REQUIRE_THAT(!json::read(from, a) && !json::read(to, b));
  const bool same = json::equal(a, b) == json::comparison::equal;
  merge::json_patch_options o;
  o.tests = from.size() % 2 == 0;
  REQUIRE_THAT(!merge::diff_json_patch(a, b, patch, o));
  REQUIRE_THAT(patch.root().Empty() == same);
  std::size_t told = 0;
  REQUIRE_THAT(!merge::for_each_difference(
      a, b, [&](const json::location& where, const auto* was, const auto* is) {
        ++told;
        std::string pointer;
        where.append_to(pointer);
        REQUIRE_THAT(is == nullptr || *json::find(b, pointer) == is);
        REQUIRE_THAT(is != nullptr || *json::find(a, pointer) == was);
      }));
  REQUIRE_THAT((told == 0) == same);
  REQUIRE_THAT(!merge::apply_json_patch(a, patch));
  REQUIRE_THAT(json::equal(a, b) == json::comparison::equal);

  std::string patch_text, result;
  REQUIRE_THAT(!merge::diff_json_patch_text(from, to, patch_text, o));
  REQUIRE_THAT(!merge::apply_json_patch_text(from, patch_text, result, o));
  std::string nothing;
  REQUIRE_THAT(!merge::diff_json_patch_text(result, to, nothing));
  REQUIRE_THAT(nothing == "[]");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) {
    devicetwin::testing::random_document random(data, size);
    const std::string document = random.value();
    rapidjson::Document state;
    REQUIRE_THAT(!json::read(document, state));
    check_apply(document, naive_json_patch::random_patch(random, state, random.below(20), 8));
    check_diff(document, text_of(state));
    return 0;
  }
  const std::string first(text.substr(0, middle)), second(text.substr(middle + 1));
  json::document a, b;
  if (json::read(first, a) || json::read(second, b)) {
    // Trusted texts that are not JSON do no harm.
    std::string out;
    merge::json_patch_options o;
    o.trust = merge::text_trust::trusted;
    static_cast<void>(merge::apply_json_patch_text(first, second, out, o).failed());
    static_cast<void>(merge::diff_json_patch_text(first, second, out, o).failed());
    return 0;
  }
  check_apply(first, second);
  check_diff(first, second);
  return 0;
}
