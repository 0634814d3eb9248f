// The members of a patch's objects, found by name: few, some and many, spelled in any way.
#include <devicetwin/merge/text/patch_members.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "../support/failing_heap.hpp"

namespace core = merge::core;
using core::patch_members;
using core::text_member;

namespace {

using names = std::vector<std::string>;  // as they are spelled, without quotes

std::string object_with(const names& all) {
  std::string text = "{";
  for (std::size_t i = 0; i < all.size(); ++i)
    text += (i == 0 ? "\"" : ",\"") + all[i] + "\":" + std::to_string(i);
  return text + "}";
}

/// The value of the member of this name, as it is spelled with quotes; "none" when there is none.
std::string take(patch_members& members, patch_members::object& object, const std::string& name) {
  const std::string quoted = '"' + name + '"';
  const text_member* found =
      members.take_expected(object, quoted.data(), quoted.data() + quoted.size());
  if (found == nullptr) {
    const bool escaped = json::core::has_escapes(name);
    REQUIRE(members.take_by_name(object, name, escaped, found));
  }
  return found == nullptr ? "none" : std::string(members.value_of(*found));
}

/// Asks for all names in this order, each spelled as `respelled` has it.
void find_all(const names& all, const std::vector<std::size_t>& order, const names& respelled) {
  const std::string text = object_with(all);
  patch_members members{devicetwin::memory_source()};
  members.start(text);
  patch_members::object object;
  REQUIRE(members.open(text.data(), object) == errc::ok);
  CHECK(object.left() == all.size());
  CHECK(members.left() == all.size());
  CHECK(take(members, object, "not there") == "none");
  CHECK(take(members, object, "n\\u006ft there") == "none");
  std::size_t left = all.size();
  for (const std::size_t i : order) {
    if (!object.has_escapes()) {
      CHECK(object.may_begin(('"' + all[i] + '"').data()));
      CHECK(object.may_be(all[i]));
    }
    CHECK(take(members, object, respelled[i]) == std::to_string(i));
    CHECK(take(members, object, respelled[i]) == "none");
    CHECK(object.left() == --left);
  }
  members.close(object);
  CHECK(members.left() == 0);
}

std::vector<std::size_t> shuffled(std::size_t count, unsigned seed) {
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  std::mt19937 random(seed);
  std::shuffle(order.begin(), order.end(), random);
  return order;
}

names made(std::size_t count, const std::string& before, const std::string& behind) {
  names all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(before + std::to_string(i) + behind);
  return all;
}

}  // namespace

TEST_CASE("a member is found once by its name, in any order, among any number", "[patch_members]") {
  for (const std::size_t count : {1u, 2u, 7u, 8u, 9u, 15u, 16u, 17u, 63u, 64u, 65u, 300u}) {
    INFO(count);
    const names plain = made(count, "member", ""), alike = made(count, std::string(40, 'a'), "bcd");
    const names escaped = made(count, "\\u006dember", "");
    std::vector<std::size_t> kept = shuffled(count, 1), reversed;
    std::sort(kept.begin(), kept.end());
    reversed.assign(kept.rbegin(), kept.rend());
    for (const auto& order : {kept, reversed, shuffled(count, 2)}) {
      find_all(plain, order, plain);
      find_all(alike, order, alike);
      find_all(escaped, order, escaped);
      find_all(plain, order, escaped);  // one meaning, two spellings
      find_all(escaped, order, plain);
    }
  }
}

TEST_CASE("one name with escapes among plain ones is found, and so are they", "[patch_members]") {
  for (const std::size_t count : {3u, 20u, 200u}) {
    names all = made(count, "x", ""), respelled = all;
    all[count / 2] = "\\n";
    respelled[count / 2] = "\\u000a";
    find_all(all, shuffled(count, 3), respelled);
  }
  find_all({""}, {0}, {""});
  find_all({"", "a", "\\\"", "b"}, {2, 1, 0, 3}, {"", "a", "\\u0022", "b"});
}

TEST_CASE("names with the same byte of their hash are told apart", "[patch_members]") {
  names alike;
  for (unsigned i = 0; alike.size() < 64; ++i) {
    const std::string name = "n" + std::to_string(i);
    if (json::core::quick_name_hash(name) >> 56 == 0) alike.push_back(name);
  }
  for (const std::size_t count : {9u, 12u, 64u}) {
    alike.resize(std::min(alike.size(), std::size_t{64}));
    const names some(alike.begin(), alike.begin() + static_cast<std::ptrdiff_t>(count));
    find_all(some, shuffled(count, 4), some);
  }
}

TEST_CASE("what the document has not asked for comes in the order of the patch",
          "[patch_members]") {
  const names all = made(20, "m", "");
  const std::string text = object_with(all);
  patch_members members{devicetwin::memory_source()};
  members.start(text);
  patch_members::object object;
  REQUIRE(members.open(text.data(), object) == errc::ok);
  for (const std::size_t i : {19u, 0u, 7u, 8u}) CHECK(take(members, object, all[i]) != "none");
  std::string rest;
  std::size_t from = 0;
  while (const text_member* const member = members.take_left(object, from))
    rest += std::string(members.name_of(*member)) + ' ';
  CHECK(rest == "m1 m2 m3 m4 m5 m6 m9 m10 m11 m12 m13 m14 m15 m16 m17 m18 ");
  CHECK(object.left() == 0);
  CHECK(take(members, object, "m1") == "none");
}

TEST_CASE("objects inside each other are asked one after the other", "[patch_members]") {
  std::string text = "0";
  const names all = made(30, "m", "");
  for (int depth = 0; depth < 200; ++depth) {  // deep: the ends of the objects are written down
    const std::string own = object_with(all);
    text = own.substr(0, own.size() - 1) + ",\"down\":" + text + "}";
  }
  patch_members members{devicetwin::memory_source()};
  members.start(text);
  std::vector<patch_members::object> open(200);
  const char* brace = text.data();
  for (auto& object : open) {
    REQUIRE(members.open(brace, object) == errc::ok);
    REQUIRE(object.left() == 31);
    CHECK(take(members, object, "m29") == "29");
    const text_member* down = nullptr;
    REQUIRE(members.take_by_name(object, "down", false, down));
    REQUIRE(down != nullptr);
    const std::string_view value = members.value_of(*down);
    const auto place = static_cast<std::size_t>(value.data() - text.data());
    const auto closed_behind = static_cast<std::size_t>(&object - open.data()) + 1;
    CHECK(place + value.size() + closed_behind == text.size());
    brace = value.data();
  }
  CHECK(members.left() == 200 * 29);
  for (std::size_t i = open.size(); i-- > 0;) {
    CHECK(take(members, open[i], "m3") == "3");
    members.close(open[i]);
  }
  CHECK(members.left() == 0);
}

TEST_CASE("an object of a patch that is not JSON is refused", "[patch_members]") {
  for (const std::string_view text :
       {"{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{1", "{\"a\":{", "{\"a\":[1}",
        "{\"a\":\"b", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":}", "{,}"}) {
    patch_members members{devicetwin::memory_source()};
    members.start(text);
    patch_members::object object;
    INFO(text);
    CHECK(members.open(text.data(), object) == errc::unexpected_character);
  }
}

TEST_CASE("looking for members survives every failing allocation", "[patch_members][failure]") {
  for (const bool escaped : {false, true}) {
    for (const std::size_t count : {5u, 40u, 300u}) {
      const names all = made(count, escaped ? "\\n" : "n", std::string(30, 'x'));
      const std::string text = object_with(all);
      refuse_each_request(
          [&](const devicetwin::memory_source& memory) -> json::error {
            patch_members members(memory);
            members.start(text);
            patch_members::object object;
            const errc code = members.open(text.data(), object);
            if (code != errc::ok) return code;
            for (std::size_t i = count; i-- > 0;) {
              const text_member* found = nullptr;
              if (!members.take_by_name(object, all[i], escaped, found)) return errc::out_of_memory;
              CHECK(found != nullptr);
            }
            return {};
          },
          [](const json::error& e, bool refused) { CHECK(e.failed() == refused); });
    }
  }
}
