// Documents wherever the library takes a value or fills a document: RapidJSON's own, with two kinds
// of memory, and the library's.
#include <devicetwin/devicetwin.hpp>

#include "../catch.hpp"
#include "../support/time.hpp"

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace {

using pooled = rapidjson::Document;
using on_the_heap = rapidjson::GenericDocument<rapidjson::UTF8<>, rapidjson::CrtAllocator>;

template <class Document>
Document parsed(const char* text) {
  Document d;
  REQUIRE(!json::read(text, d));
  return d;
}

template <class Value>
std::string written(const Value& v) {
  std::string text;
  REQUIRE(!json::write(v, text));
  return text;
}

struct counter {
  template <class Value>
  void operator()(const json::location&, const Value*, const Value*) {
    ++count;
  }
  int count = 0;
};

}  // namespace

TEMPLATE_TEST_CASE("a RapidJSON document is read, written, compared and searched", "[contract]",
                   pooled, on_the_heap) {
  TestType d = parsed<TestType>(R"({"a":{"b":[1,"two"]}})");
  CHECK(written(d) == R"({"a":{"b":[1,"two"]}})");
  const auto same = json::equal(d, parsed<pooled>(R"({"a":{"b":[1.0,"two"]}})"));
  CHECK(same == json::comparison::equal);
  CHECK(*json::get<std::string_view>(d, "/a/b/1") == "two");
  CHECK(json::find(d, "/a/b"));
  json::document copy;
  REQUIRE(!copy.assign(d));
  CHECK(written(copy) == written(d));
}

TEMPLATE_TEST_CASE("a merge patch is applied to a RapidJSON document", "[contract]", pooled,
                   on_the_heap) {
  TestType target = parsed<TestType>(R"({"a":1,"b":{"c":2}})");
  const TestType patch =
      parsed<TestType>(R"({"a":null,"b":{"d":"a text that is longer than a value"}})");
  CHECK(!merge::apply_merge_patch(target, patch));
  CHECK(written(target) == R"({"b":{"c":2,"d":"a text that is longer than a value"}})");
  CHECK(!merge::apply_merge_patch(target, parsed<pooled>(R"({"x":1})"), target.GetAllocator()));
  CHECK(!merge::apply_merge_patch(target, parsed<on_the_heap>(R"({"y":1})"), merge::options()));
  counter told;
  CHECK(!merge::apply_merge_patch(target, parsed<pooled>(R"({"x":null,"y":2,"b":{"c":2}})"), {},
                                  told));
  CHECK(told.count == 2);
  CHECK(written(target) == R"({"b":{"c":2,"d":"a text that is longer than a value"},"y":2})");
  merge::options shallow;
  shallow.max_depth = 1;
  CHECK(merge::apply_merge_patch(target, parsed<pooled>(R"({"y":{"z":1}})"), shallow).code() ==
        json::errc::depth_exceeded);
  json::document compact;
  REQUIRE(!compact.assign(target));
  CHECK(!merge::apply_merge_patch(target, compact));
  CHECK(!merge::apply_merge_patch(compact, patch));
  CHECK(written(compact) == written(target));
  rapidjson::GenericValue<rapidjson::UTF8<>, typename TestType::AllocatorType> plain(
      rapidjson::kObjectType);
  CHECK(!merge::apply_merge_patch(plain, patch, target.GetAllocator()));
  CHECK(written(plain) == R"({"b":{"d":"a text that is longer than a value"}})");
}

TEMPLATE_TEST_CASE("a patch is made of RapidJSON documents, into one", "[contract]", pooled,
                   on_the_heap) {
  const TestType from = parsed<TestType>(R"({"a":1,"b":{"c":2}})"),
                 to = parsed<TestType>(R"({"b":{"c":3}})");
  TestType patch;
  CHECK(!merge::diff(from, to, patch));
  CHECK(written(patch) == R"({"b":{"c":3},"a":null})");
}

TEMPLATE_TEST_CASE("changes are made of RapidJSON documents, and applied to one", "[contract]",
                   pooled, on_the_heap) {
  const TestType from = parsed<TestType>(R"({"a":1,"b":{"c":2}})"),
                 to = parsed<TestType>(R"({"b":{"c":3}})");
  merge::change made, other, undo;
  REQUIRE(!merge::difference(from, to, made));
  REQUIRE(!merge::from_merge_patch(parsed<TestType>(R"({"b":{"c":3},"a":null})"), other));
  CHECK(written(made.form()) == written(other.form()));
  REQUIRE(!merge::read_change(parsed<TestType>(written(made.form()).c_str()), other));
  REQUIRE(!merge::invert(made, from, undo));
  REQUIRE(!merge::minimise(made, from, other));
  REQUIRE(!merge::rebase(made, from, parsed<pooled>(R"({"a":1,"b":{"c":2},"new":1})"), other));

  TestType target = parsed<TestType>(R"({"a":1,"b":{"c":2}})"), patch;
  REQUIRE(!merge::to_merge_patch(made, from, patch));
  CHECK(written(patch) == R"({"b":{"c":3},"a":null})");
  REQUIRE(!merge::apply(target, made));
  CHECK(written(target) == R"({"b":{"c":3}})");
  counter told;
  REQUIRE(!merge::apply(target, undo, {}, told));
  CHECK(told.count == 2);
  CHECK(written(target) == R"({"b":{"c":2},"a":1})");
  REQUIRE(!merge::apply(target, made, target.GetAllocator()));

  merge::change built;
  REQUIRE(!merge::change_builder().set("/whole", from).finish(built));
  REQUIRE(!merge::apply(target, built));
  CHECK(written(target) == R"({"b":{"c":3},"whole":{"a":1,"b":{"c":2}}})");
}

TEMPLATE_TEST_CASE("three RapidJSON documents are merged into a fourth, or into ours", "[contract]",
                   pooled, on_the_heap) {
  const TestType base = parsed<TestType>(R"({"a":1,"b":1})");
  TestType ours = parsed<TestType>(R"({"a":2,"b":1})"),
           theirs = parsed<TestType>(R"({"a":1,"b":3})"), merged;
  REQUIRE(!merge::merge3(base, ours, theirs, merged));
  CHECK(written(merged) == R"({"a":2,"b":3})");
  CHECK(written(ours) == R"({"a":2,"b":1})");
  CHECK(merge::merge3(base, ours, parsed<pooled>(R"({"a":9})"), merged).code() ==
        json::errc::conflict);
  CHECK(written(merged) == R"({"a":2,"b":3})");
  REQUIRE(!merge::merge3(base, ours, parsed<pooled>(R"({"a":9,"b":1})"), merged,
                         merge::policy::theirs));
  CHECK(written(merged) == R"({"a":9,"b":1})");
  REQUIRE(!merge::merge3(base, ours, theirs, ours));
  CHECK(written(ours) == R"({"a":2,"b":3})");
  REQUIRE(!merge::merge3(base, parsed<pooled>(R"({"a":2,"b":1})"), theirs, theirs));
  CHECK(written(theirs) == R"({"a":2,"b":3})");

  merge::outbox box;
  REQUIRE(!box.reconnect(ours));
  CHECK(written(box.acknowledged()) == written(ours));
}

TEMPLATE_TEST_CASE("a twin takes RapidJSON documents", "[contract]", pooled, on_the_heap) {
  devicetwin::twin t;
  devicetwin::outcome done;
  REQUIRE(!t.load(
      parsed<TestType>(R"({"deviceId":"d","properties":{"desired":{"a":1},"reported":{}}})")));
  CHECK(!t.service_patch(parsed<TestType>(R"({"properties":{"desired":{"b":2}}})"), at(0), done));
  CHECK(!t.device_patch(parsed<TestType>(R"({"r":1})"), at(0), done));
  CHECK(!t.service_replace(parsed<TestType>(R"({"tags":{"x":1}})"), at(0), done));
  devicetwin::validation report;
  CHECK(!devicetwin::validate(parsed<TestType>(R"({"a":1})"), devicetwin::part::desired,
                              devicetwin::shape::patch, devicetwin::azure, report));
  std::string view;
  REQUIRE(!devicetwin::write_service_view(t, view));
  TestType read_back;
  CHECK(!json::read(view, read_back));
  CHECK(*json::get<std::int64_t>(read_back, "/properties/desired/b") == 2);
}

namespace {

json::document compact(const char* text) {
  json::document d;
  REQUIRE(!json::read(text, d));
  return d;
}

}  // namespace

TEST_CASE("a json::document stands for its value in json", "[contract]") {
  const json::document d = compact(R"({"a":{"b":[1,"two"]}})");
  CHECK(written(d) == R"({"a":{"b":[1,"two"]}})");
  CHECK(json::equal(d, parsed<pooled>(R"({"a":{"b":[1.0,"two"]}})")) == json::comparison::equal);
  CHECK(json::equal(d.root()["a"], d) == json::comparison::different);
  CHECK(*json::get<std::string_view>(d, "/a/b/1") == "two");
  CHECK(*json::find(d, "") == &d.root());
  json::document copy;
  REQUIRE(!copy.assign(d));
  CHECK(written(copy) == written(d));
}

TEST_CASE("a json::document stands for its value in merge", "[contract]") {
  const json::document from = compact(R"({"a":1,"b":{"c":2}})"), to = compact(R"({"b":{"c":3}})");
  json::document patch, target, result;
  REQUIRE(!merge::diff(from, to, patch));
  CHECK(written(patch) == R"({"b":{"c":3},"a":null})");
  pooled of_rapidjson;
  REQUIRE(!merge::diff(from, to, of_rapidjson));
  CHECK(written(of_rapidjson) == written(patch));
  REQUIRE(!merge::diff(from, to, of_rapidjson, of_rapidjson.GetAllocator()));
  std::string text;
  json::text_writer writer(text);
  REQUIRE(!merge::diff(from, to, writer));
  CHECK(text == written(patch));

  REQUIRE(!target.assign(from));
  REQUIRE(!merge::apply_merge_patch(target, patch));
  CHECK(written(target) == written(to));
  pooled pool_target = parsed<pooled>(R"({"a":1,"b":{"c":2}})");
  REQUIRE(!merge::apply_merge_patch(pool_target, patch));
  REQUIRE(!merge::apply_merge_patch(pool_target, patch, pool_target.GetAllocator()));
  CHECK(written(pool_target) == written(to));

  merge::change made, other;
  REQUIRE(!merge::difference(from, to, made));
  REQUIRE(!merge::from_merge_patch(patch, other));
  CHECK(written(made.form()) == written(other.form()));
  REQUIRE(!merge::read_change(compact(written(made.form()).c_str()), other));
  REQUIRE(!merge::invert(made, from, other));
  REQUIRE(!merge::minimise(made, from, other));
  CHECK(written(other.form()) == written(made.form()));
  REQUIRE(!merge::rebase(made, from, from, other));
  REQUIRE(!merge::to_merge_patch(made, from, patch));
  REQUIRE(!merge::to_merge_patch(made, from, of_rapidjson));
  REQUIRE(!merge::to_merge_patch(made, from, of_rapidjson, of_rapidjson.GetAllocator()));
  CHECK(written(of_rapidjson) == written(patch));
  REQUIRE(!merge::change_builder().set("/whole", from).finish(other));
  REQUIRE(!merge::apply(target, other));
  CHECK(written(target) == R"({"b":{"c":3},"whole":{"a":1,"b":{"c":2}}})");

  REQUIRE(!merge::merge3(from, from, to, result));
  CHECK(written(result) == written(to));
  REQUIRE(!merge::merge3(from, to, from, other));
  CHECK(other.keeps());
  json::document ours;
  REQUIRE(!ours.assign(from));
  REQUIRE(!merge::merge3(from, ours, to, ours));
  CHECK(written(ours) == written(to));
  pooled merged;
  REQUIRE(!merge::merge3(from, to, from, merged));
  CHECK(written(merged) == written(to));
  merge::outbox box;
  REQUIRE(!box.reconnect(from));
  CHECK(written(box.acknowledged()) == written(from));
}

TEST_CASE("a json::document stands for its value in a twin", "[contract]") {
  devicetwin::twin t;
  REQUIRE(!t.load(compact(R"({"deviceId":"d","properties":{"desired":{"a":1},"reported":{}}})")));
  CHECK(t.service_patch(compact(R"({"properties":{"desired":{"b":2}}})"), at(0)));
  CHECK(t.device_patch(compact(R"({"r":1})"), at(0)));
  CHECK(t.service_replace(compact(R"({"tags":{"x":1}})"), at(0)));
  devicetwin::twin device;
  REQUIRE(!device.load(compact(R"({"desired":{"$version":1},"reported":{"$version":1}})")));
  CHECK(device.apply_notification(compact(R"({"b":2,"$version":2})"), at(0)));
  devicetwin::validation report;
  CHECK(!devicetwin::validate(compact(R"({"a":[null]})"), devicetwin::part::desired,
                              devicetwin::shape::patch, devicetwin::azure, report));
  CHECK(report.size() == 1);
}
