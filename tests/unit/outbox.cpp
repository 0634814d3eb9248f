#include "../support/text.hpp"

#include <string>
#include <vector>

#include "../support/change_text.hpp"
#include "../support/failing_heap.hpp"
#include "../support/outbox_simulation.hpp"

namespace {

std::string pending_of(const merge::outbox& box) {
  merge::change all;
  const json::error e = box.pending(all);
  return e ? e.message() : form_of(all);
}

/// An outbox that has been connected once, to this document.
merge::outbox connected(std::string_view document, const merge::options& options = {}) {
  merge::outbox box(options);
  REQUIRE(!box.reconnect(parsed(document)));
  return box;
}

std::string next_of(merge::outbox& box, std::size_t max_bytes = static_cast<std::size_t>(-1)) {
  json::document patch;
  const auto handed = box.next(patch, max_bytes);
  if (!handed) return problem(handed.error());
  return handed->empty() ? "nothing" : written(patch);
}

std::string view_of(const merge::outbox& box) {
  json::document d;
  REQUIRE(!box.view(d));
  return written(d);
}

/// reconnect(), and each conflict as POINTER:BASE/OURS/THEIRS.
std::string reconnected(merge::outbox& box, std::string_view document,
                        merge::policy prefer = merge::policy::ours) {
  std::string conflicts;
  const auto show = [](const auto* value) {
    return value == nullptr ? std::string("-") : written(*value);
  };
  const auto e = box.reconnect(parsed(document), prefer, [&](const auto& c) {
    conflicts +=
        " " + pointer_of(c.where) + ":" + show(c.base) + "/" + show(c.ours) + "/" + show(c.theirs);
  });
  return problem(e) + conflicts;
}

}  // namespace

TEST_CASE("an outbox composes while offline and sends the smallest patch", "[outbox]") {
  merge::outbox box = connected(R"({"rpm":0,"mode":"eco"})");
  CHECK(next_of(box) == "nothing");
  REQUIRE(!box.add(patch_of(R"({"rpm":900,"mode":"eco"})")));
  REQUIRE(!box.add(patch_of(R"({"rpm":950,"note":"x"})")));
  REQUIRE(!box.add(patch_of(R"({"note":null})")));
  CHECK(view_of(box) == R"({"rpm":950,"mode":"eco"})");
  CHECK(next_of(box) == R"({"rpm":950})");
  CHECK(box.waiting());
  CHECK(next_of(box) == "nothing");  // one is in flight
  REQUIRE(!box.add(patch_of(R"({"rpm":960})")));
  CHECK(written(box.acknowledged()) == R"({"rpm":0,"mode":"eco"})");
  REQUIRE(!box.acknowledge());
  CHECK(written(box.acknowledged()) == R"({"rpm":950,"mode":"eco"})");
  REQUIRE(!box.acknowledge());  // a second one says nothing new
  CHECK(next_of(box) == R"({"rpm":960})");
  REQUIRE(!box.acknowledge());
  CHECK(next_of(box) == "nothing");
  CHECK(view_of(box) == R"({"rpm":960,"mode":"eco"})");
}

TEST_CASE("a subtree removed and made anew while offline does not bring its old members back",
          "[outbox][published]") {
  merge::outbox box = connected(R"({"a":{"b":1,"c":0},"z":true})");
  REQUIRE(!box.add(patch_of(R"({"a":null})")));
  REQUIRE(!box.add(patch_of(R"({"a":{"c":1}})")));
  CHECK(next_of(box) == R"({"a":{"c":1,"b":null}})");
  // The same when the first is in flight already.
  box = connected(R"({"a":{"b":1,"c":0},"z":true})");
  REQUIRE(!box.add(patch_of(R"({"a":null})")));
  CHECK(next_of(box) == R"({"a":null})");
  REQUIRE(!box.add(patch_of(R"({"a":{"c":1}})")));
  CHECK(view_of(box) == R"({"a":{"c":1},"z":true})");
  REQUIRE(!box.acknowledge());
  CHECK(next_of(box) == R"({"a":{"c":1}})");
}

TEST_CASE("a write that is taken back before it is sent is none", "[outbox]") {
  merge::outbox box = connected(R"({"a":1})");
  REQUIRE(!box.add(patch_of(R"({"a":2})")));
  REQUIRE(!box.add(patch_of(R"({"a":1})")));
  CHECK(reconnected(box, R"({"a":5})") == "");
  CHECK(view_of(box) == R"({"a":5})");
}

TEST_CASE("a refused patch is dropped, and the rest is replayed without it", "[outbox]") {
  merge::outbox box = connected(R"({"a":1,"b":1})");
  REQUIRE(!box.add(patch_of(R"({"a":2,"c":{"x":1}})")));
  CHECK(next_of(box) == R"({"a":2,"c":{"x":1}})");
  REQUIRE(!box.add(patch_of(R"({"b":2,"c":{"y":1}})")));
  std::vector<std::string> places;
  REQUIRE(!box.refuse(merge::policy::ours,
                      [&](const auto& c) { places.push_back(pointer_of(c.where)); }));
  CHECK(places == std::vector<std::string>{"/c"});
  CHECK(view_of(box) == R"({"a":1,"b":2,"c":{"y":1}})");
  CHECK(next_of(box) == R"({"b":2,"c":{"y":1}})");
  CHECK(box.refuse(merge::policy::fail).code() == errc::ok);
  CHECK(view_of(box) == R"({"a":1,"b":1})");
  CHECK(box.refuse().code() == errc::ok);  // nothing is in flight
  // policy::fail leaves everything as it was.
  REQUIRE(!box.add(patch_of(R"({"c":{"x":1}})")));
  CHECK(next_of(box) == R"({"c":{"x":1}})");
  REQUIRE(!box.add(patch_of(R"({"c":{"y":1}})")));
  CHECK(problem(box.refuse(merge::policy::fail)) ==
        std::string(describe(errc::conflict)) + " at /c");
  CHECK(box.waiting());
  CHECK(view_of(box) == R"({"a":1,"b":1,"c":{"x":1,"y":1}})");
}

TEST_CASE("a patch that did not arrive goes back to the queue", "[outbox]") {
  merge::outbox box = connected(R"({"a":1})");
  REQUIRE(!box.add(patch_of(R"({"a":2,"b":1})")));
  CHECK(next_of(box) == R"({"a":2,"b":1})");
  REQUIRE(!box.add(patch_of(R"({"b":null,"c":1})")));
  REQUIRE(!box.recall());
  CHECK(!box.waiting());
  CHECK(next_of(box) == R"({"a":2,"c":1})");
}

TEST_CASE("reconnect sends what is not there yet, whether the patch in flight arrived or not",
          "[outbox]") {
  for (const bool arrived : {true, false}) {
    merge::outbox box = connected(R"({"a":1,"b":1})");
    REQUIRE(!box.add(patch_of(R"({"a":2,"n":{"x":1}})")));
    CHECK(next_of(box) == R"({"a":2,"n":{"x":1}})");
    REQUIRE(!box.add(patch_of(R"({"a":3,"n":{"y":2}})")));
    CHECK(reconnected(box, arrived ? R"({"a":2,"b":7,"n":{"x":1}})" : R"({"a":1,"b":7})") == "");
    CHECK(!box.waiting());
    CHECK(are_equal(parsed(view_of(box)), parsed(R"({"a":3,"b":7,"n":{"x":1,"y":2}})")));
    CHECK(next_of(box) == (arrived ? R"({"a":3,"n":{"y":2}})" : R"({"a":3,"n":{"x":1,"y":2}})"));
  }
}

TEST_CASE("reconnect reports what others wrote to the same places", "[outbox]") {
  for (const auto prefer : {merge::policy::ours, merge::policy::theirs}) {
    merge::outbox box = connected(R"({"a":1,"b":{"c":1,"d":1}})");
    REQUIRE(!box.add(patch_of(R"({"a":2,"b":{"c":2}})")));
    CHECK(reconnected(box, R"({"a":3,"z":1})", prefer) ==
          R"( /a:1/2/3 /b:{"c":1,"d":1}/{"c":2,"d":1}/-)");
    CHECK(next_of(box) == (prefer == merge::policy::ours ? R"({"a":2,"b":{"c":2}})" : "nothing"));
    CHECK(view_of(box) ==
          (prefer == merge::policy::ours ? R"({"a":2,"z":1,"b":{"c":2}})" : R"({"a":3,"z":1})"));
  }
  merge::outbox box = connected(R"({"a":1})");
  REQUIRE(!box.add(patch_of(R"({"a":2})")));
  CHECK(next_of(box) == R"({"a":2})");
  REQUIRE(!box.add(patch_of(R"({"b":2})")));
  CHECK(reconnected(box, R"({"a":3,"b":3})", merge::policy::fail) ==
        std::string(describe(errc::conflict)) + " at /a /a:1/2/3 /b:-/2/3");
  CHECK(box.waiting());
  CHECK(written(box.acknowledged()) == R"({"a":1})");
  CHECK(view_of(box) == R"({"a":2,"b":2})");
}

TEST_CASE("who knows that a patch arrived says so, and what others undid stays undone",
          "[outbox]") {
  merge::outbox box = connected("{}");
  REQUIRE(!box.add(patch_of(R"({"a":{"x":1}})")));
  CHECK(next_of(box) == R"({"a":{"x":1}})");
  REQUIRE(!box.acknowledge());
  CHECK(reconnected(box, R"({"b":1})") == "");
  CHECK(next_of(box) == "nothing");
  CHECK(view_of(box) == R"({"b":1})");
}

TEST_CASE("a long patch is handed out in parts that fit", "[outbox]") {
  merge::outbox box = connected(R"({"old":{"x":1,"y":2},"s":1})");
  REQUIRE(!box.add(
      change_of(R"({"old":[{"z":{"q":3,"r":[1,2]}}],"s":{"t":[1],"u":[{}]},"v":[true]})")));
  CHECK(next_of(box, 36) == R"({"old":{"x":null,"y":null}})");
  REQUIRE(!box.add(patch_of(R"({"w":1})")));
  REQUIRE(!box.acknowledge());
  CHECK(next_of(box, 36) == R"({"old":{"z":{"q":3,"r":[1,2]}}})");
  REQUIRE(!box.acknowledge());
  CHECK(next_of(box, 36) == R"({"s":{"t":1,"u":{}},"v":true,"w":1})");
  REQUIRE(!box.acknowledge());
  CHECK(next_of(box, 36) == "nothing");
  CHECK(written(box.acknowledged()) ==
        R"({"old":{"z":{"q":3,"r":[1,2]}},"s":{"t":1,"u":{}},"v":true,"w":1})");
}

TEST_CASE("each limit is kept to the byte", "[outbox]") {
  const std::string whole =
      R"({"a":{"b":1,"c":{"d":[1,2,3],"e\n":"\u00e9"}},"f":{"g":{"h":{}},"i":true},"j":12345})";
  const std::size_t size_of_whole = written(parsed(whole)).size();
  for (std::size_t limit = 20; limit < size_of_whole + 3; ++limit) {
    merge::outbox box = connected("{}");
    REQUIRE(!box.add(patch_of(whole)));
    std::size_t parts = 0, longest = 0;
    for (;; ++parts) {
      json::document patch;
      const auto handed = box.next(patch, limit);
      if (!handed) {
        CHECK(handed.error().code() == errc::patch_too_long);
        CHECK(handed.error().limit() == limit);
        break;
      }
      if (handed->empty()) break;
      const std::size_t size = written(patch).size();
      CHECK(size <= limit);
      longest = std::max(longest, size);
      REQUIRE(!box.acknowledge());
    }
    if (limit >= 25) CHECK(view_of(box) == written(box.acknowledged()));
    INFO(limit);
    CHECK((limit < 25 || parts >= (size_of_whole + limit - 1) / limit));
    CHECK((limit >= size_of_whole) == (parts == 1));
  }
}

TEST_CASE("what does not fit or cannot be said stays pending and is named", "[outbox]") {
  merge::outbox box = connected(R"({"a":1})");
  REQUIRE(!box.add(patch_of(R"({"b":{"c":"a long text that does not fit"},"d":1})")));
  CHECK(next_of(box, 30) == std::string(describe(errc::patch_too_long)) + " at /b/c");
  CHECK(!box.waiting());
  REQUIRE(!box.add(patch_of(R"({"b":{"c":"short"}})")));
  CHECK(next_of(box, 30) == R"({"b":{"c":"short"},"d":1})");
  REQUIRE(!box.acknowledge());
  REQUIRE(!box.add(change_of(R"({"a":[null]})")));
  CHECK(next_of(box) == std::string(describe(errc::null_member)) + " at /a");
  REQUIRE(!box.add(change_of(R"({"a":null})")));
  CHECK(next_of(box) == R"({"a":null})");
  // A document that is no object cannot be sent in parts.
  REQUIRE(!box.acknowledge());
  REQUIRE(!box.add(change_of("[[1,2,3,4,5,6,7,8,9]]")));
  CHECK(next_of(box, 10) == std::string(describe(errc::patch_too_long)) + " at ");
}

TEST_CASE("a check decides what may be sent", "[outbox]") {
  merge::outbox box = connected("{}");
  REQUIRE(!box.add(patch_of(R"({"a":1,"b":2})")));
  const auto no_b = [](const json::arena_value& patch) -> json::error {
    if (!json::find(patch, "/b")) return {};
    const json::step step = json::step::member("b");
    return json::error(errc::number_out_of_range).at(json::location(&step, 1));
  };
  json::document patch;
  const auto refused = box.next(patch, 100, no_b);
  CHECK(problem(refused.error()) == std::string(describe(errc::number_out_of_range)) + " at /b");
  CHECK(patch.root().IsNull());
  CHECK(!box.waiting());
  REQUIRE(!box.add(patch_of(R"({"b":null})")));
  const auto handed = box.next(patch, 100, no_b);
  REQUIRE(handed);
  CHECK_FALSE(handed->empty());
  CHECK(written(patch) == R"({"a":1})");
}

TEST_CASE("an outbox starts with null, and any document may follow", "[outbox]") {
  merge::outbox box;
  CHECK(view_of(box) == "null");
  REQUIRE(!box.add(patch_of(R"({"a":1})")));  // before the first connection
  CHECK(view_of(box) == R"({"a":1})");
  CHECK(reconnected(box, R"({"b":2})") == "");
  CHECK(next_of(box) == R"({"a":1})");
  CHECK(view_of(box) == R"({"b":2,"a":1})");
}

TEST_CASE("an outbox ends with the reference, whatever happens on the way", "[outbox][property]") {
  random_json random(7);
  for (int i = 0; i < 800; ++i) {
    const std::string wrong = laws::outbox(random);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("an outbox survives every failing allocation", "[failure]") {
  std::string document = "{", edit = "{", later = "{", newer = "{";
  for (int i = 0; i < 30; ++i) {
    const std::string name = "\"a name that is not inline " + std::to_string(i) + "\":";
    document += name + nest(i % 10, "\"a text that is longer than a value has room for\"") + ",";
    edit += name + (i % 3 == 0 ? "null" : nest(i % 12, std::to_string(i))) + ",";
    later += name + nest(i % 7, "\"another text that is rather long\"") + ",";
    newer += name + nest(i % 9, "[" + std::to_string(i % 4) + "]") + ",";
  }
  document.back() = edit.back() = later.back() = newer.back() = '}';
  const auto first = parsed(document), other = parsed(newer);
  const merge::change changed_first = patch_of(edit), changed_later = patch_of(later);

  enum class call { view, add, next, acknowledge, refuse, recall, reconnect };
  for (const call tried : {call::view, call::add, call::next, call::acknowledge, call::refuse,
                           call::recall, call::reconnect}) {
    for (std::size_t n = 1;; ++n) {
      REQUIRE(n < 10000);
      failing_heap heap;
      bool done = false;
      {
        merge::options o;
        o.memory = heap.source();
        merge::outbox box(o);
        json::document patch;
        REQUIRE(!box.reconnect(first));
        REQUIRE(!box.add(changed_first));
        if (tried != call::next) {
          REQUIRE(box.next(patch, 400));
          REQUIRE(!box.add(changed_later));
        }
        const std::string view = view_of(box), known = written(box.acknowledged());
        const std::string in_flight = form_of(box.in_flight()), pending = pending_of(box);
        json::document out;
        heap.refused_request = heap.requests + n;
        json::error e;
        switch (tried) {
          case call::view:
            e = box.view(out);
            break;
          case call::add:
            e = box.add(changed_later);
            break;
          case call::next:
            e = box.next(out, 400).error();
            break;
          case call::acknowledge:
            e = box.acknowledge();
            break;
          case call::refuse:
            e = box.refuse();
            break;
          case call::recall:
            e = box.recall();
            break;
          case call::reconnect:
            e = box.reconnect(other);
            break;
        }
        done = heap.requests < heap.refused_request;
        heap.refused_request = 0;
        if (e) {
          CHECK(e.code() == errc::out_of_memory);
          CHECK(out.root().IsNull());
          CHECK(view_of(box) == view);
          CHECK(written(box.acknowledged()) == known);
          CHECK(form_of(box.in_flight()) == in_flight);
          CHECK(pending_of(box) == pending);
        }
        if (done) CHECK(!e);
      }
      CHECK(heap.out == 0);
      if (done) break;
    }
  }
}
