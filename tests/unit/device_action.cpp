#include <devicetwin/device/action.hpp>

#include <string>
#include <vector>

#include "../catch.hpp"

using devicetwin::device_action;
using devicetwin::text_change;
using devicetwin::text_changes;

namespace {

/// Takes at most `most` bytes.
struct records {
  std::string bytes;
  std::size_t most = static_cast<std::size_t>(-1);
  bool append(const char* text, std::size_t length) {
    if (length > most - bytes.size()) return false;
    bytes.append(text, length);
    return true;
  }
};

std::string shown(const text_changes& changes) {
  std::string text;
  for (const text_change& c : changes) {
    text += std::string(c.pointer) + ":" + std::string(c.old_text) + ">" + std::string(c.new_text) +
            " ";
  }
  return text;
}

}  // namespace

TEST_CASE("an action of which nothing is said subscribes, without a status", "[action]") {
  const device_action action;
  CHECK(action.kind == device_action::subscribe);
  CHECK(action.status == 0);
  CHECK(action.code == 0);
  CHECK((action.topic.empty() && action.payload.empty() && action.message.empty()));
}

TEST_CASE("changes are read back as they were written", "[action]") {
  const std::string old_text = R"({"a":1,"gone":[2],"long":")" + std::string(20000, 'x') + "\"}";
  const std::string new_text = R"({"a":5,"new":{}})";
  const std::string_view was(old_text), is(new_text);
  records out;
  const std::string longest = "/" + std::string(300, 'n');
  const std::vector<text_change> changes{
      {"/a", was.substr(5, 1), is.substr(5, 1)},  // both within their texts
      {"/gone", was.substr(14, 3), ""},           // removed
      {"/new", "", is.substr(13, 2)},             // added
      {"/other", was.substr(5, 1), "3.25"},       // not a piece of the text: copied
      {"", was, is},                              // the whole, at the beginning of the text
      {longest, was.substr(19000, 900), std::string_view()}};
  for (const text_change& c : changes) REQUIRE(text_changes::append(out, c, was, is));
  const text_changes read(out.bytes, was, is);
  CHECK(read.size() == changes.size());
  CHECK(!read.empty());
  std::size_t i = 0;
  for (const text_change& c : read) {
    INFO(i);
    REQUIRE(i < changes.size());
    CHECK(c.pointer == changes[i].pointer);
    CHECK(c.old_text == changes[i].old_text);
    CHECK(c.new_text == changes[i].new_text);
    ++i;
  }
  CHECK(i == changes.size());
  // What is a piece of a text is not copied.
  CHECK(out.bytes.size() < 400);
  CHECK((*read.begin()).old_text.data() == was.data() + 5);
}

TEST_CASE("no changes are an empty range", "[action]") {
  const text_changes none;
  CHECK(none.empty());
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
  CHECK(shown(none).empty());
}

TEST_CASE("iterators over changes are compared by their place", "[action]") {
  records out;
  REQUIRE(text_changes::append(out, {"/a", "", "1"}, "", ""));
  REQUIRE(text_changes::append(out, {"/b", "", "2"}, "", ""));
  const text_changes changes(out.bytes, "", "");
  auto i = changes.begin();
  const auto first = i++;
  CHECK(first == changes.begin());
  CHECK(i != first);
  CHECK((*first).pointer == "/a");
  CHECK((*i).pointer == "/b");
  CHECK(++i == changes.end());
  CHECK(shown(changes) == "/a:>1 /b:>2 ");
}

TEST_CASE("a change that does not fit is not taken", "[action]") {
  records enough;
  REQUIRE(text_changes::append(enough, {"/name", "", "true"}, "", ""));
  for (std::size_t room = 0; room < enough.bytes.size(); ++room) {
    records out;
    out.most = room;
    INFO(room);
    CHECK_FALSE(text_changes::append(out, {"/name", "", "true"}, "", ""));
  }
}
