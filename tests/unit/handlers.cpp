#include <devicetwin/json/tree/handlers.hpp>

#include <devicetwin/json/read.hpp>
#include <devicetwin/json/tree/events.hpp>

#include <string>

#include "../support/json.hpp"

namespace core = json::core;

namespace {

/// Counts scalars, and stops at the one after so many.
struct scalar_counter : core::scalar_events<scalar_counter> {
  int scalars = 0, names = 0, most = 1000;
  bool scalar() { return ++scalars <= most; }
  bool Key(const char*, json::size_type, bool) { return ++names != 0; }
  bool StartObject() { return true; }
  bool EndObject(json::size_type) { return true; }
  bool StartArray() { return true; }
  bool EndArray(json::size_type) { return true; }
};

/// Sees the names alone.
struct name_reader : core::ignore_events {
  std::string seen;
  bool Key(const char* text, json::size_type length, bool) {
    seen.append(text, length).append(" ");
    return true;
  }
};

const char* const everything =
    R"({"null":null,"no":false,"yes":true,"int":-1,"uint":4000000000,"int64":-5000000000,)"
    R"("uint64":18446744073709551615,"double":0.5,"text":"x","list":[1,[2,{"in":"y"}]]})";

}  // namespace

TEST_CASE("ignore_events accepts every event", "[handlers]") {
  core::ignore_events nobody;
  CHECK(core::is_handler<core::ignore_events>);
  CHECK(!json::read_events(everything, nobody));
  CHECK(!parsed(everything).Accept(nobody) == false);
  CHECK((nobody.NumberText("1") && nobody.Double(1) && nobody.Uint64(1)));
}

TEST_CASE("a handler that derives from ignore_events sees what it defines", "[handlers]") {
  name_reader names;
  REQUIRE(!json::read_events(everything, names));
  CHECK(names.seen == "null no yes int uint int64 uint64 double text list in ");
}

TEST_CASE("scalar_events hands every kind of scalar to scalar()", "[handlers]") {
  scalar_counter by_text, by_tree;
  REQUIRE(!json::read_events(everything, by_text));
  CHECK(by_text.scalars == 12);
  CHECK(by_text.names == 11);
  REQUIRE(parsed(everything).Accept(by_tree));
  CHECK(by_tree.scalars == 12);
  CHECK(by_tree.names == 11);
  scalar_counter one;
  const bool accepted[] = {one.Null(),    one.Bool(true),      one.Int(1),
                           one.Uint(1),   one.Int64(1),        one.Uint64(1),
                           one.Double(1), one.NumberText("1"), one.String("", 0, true)};
  for (const bool yes : accepted) CHECK(yes);
  CHECK(one.scalars == 9);
}

TEST_CASE("scalar() can stop the events", "[handlers]") {
  scalar_counter few;
  few.most = 3;
  CHECK(json::read_events(everything, few).code() == errc::handler_stopped);
  CHECK(few.scalars == 4);
}
