#include <devicetwin/device/detail/requests.hpp>

#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <string>

using devicetwin::milliseconds;
using devicetwin::never;
using devicetwin::detail::later;
using devicetwin::detail::request_id;
using devicetwin::detail::request_kind;
using devicetwin::detail::request_timing;
using devicetwin::detail::requests;

namespace {

constexpr request_kind get = request_kind::get_twin;
constexpr request_kind patch = request_kind::patch_reported;
constexpr request_timing usual{{30'000}, {1'000}, {300'000}};

milliseconds at(std::int64_t count) { return milliseconds{count}; }

/// The delay that the next back-off of a request takes.
std::int64_t next_delay(requests& r, request_kind kind, const request_timing& timing) {
  r.back_off(kind, at(0), timing);
  REQUIRE(!r.idle(kind));
  REQUIRE(!r.waiting(kind));
  return r.next_due().count;
}

}  // namespace

TEST_CASE("a request id has eight digits of the session and the number", "[requests]") {
  for (const std::uint32_t number : {0u, 1u, 9u, 10u, 99u, 100u, 4'294'967'295u}) {
    const std::string id(request_id(7, number).view());
    CHECK(id.size() == 9 + std::to_string(number).size());
    CHECK(id.substr(8) == "-" + std::to_string(number));
    CHECK(id.find_first_not_of("0123456789abcdef") == 8);
  }
}

TEST_CASE("request ids of different seeds differ", "[requests]") {
  std::set<std::string> ids;
  for (std::uint64_t seed = 0; seed < 1000; ++seed)
    ids.insert(std::string(request_id(seed, 1).view()));
  CHECK(ids.size() == 1000);
}

TEST_CASE("only the id of the request under way is an answer", "[requests]") {
  requests r(7);
  CHECK(!r.is_answer_to(get, 7, request_id(7, 0).view()));  // nothing was sent
  r.send(get, at(0), usual);
  r.send(patch, at(0), usual);
  CHECK(r.number(get) == 1);
  CHECK(r.number(patch) == 2);
  CHECK(r.is_answer_to(get, 7, request_id(7, 1).view()));
  CHECK(!r.is_answer_to(get, 7, request_id(7, 2).view()));
  CHECK(!r.is_answer_to(get, 7, request_id(8, 1).view()));
  CHECK(!r.is_answer_to(get, 7, ""));
  CHECK(r.is_answer_to(patch, 7, request_id(7, 2).view()));
  r.back_off(get, at(0), usual);  // an answer that comes late is one all the same
  CHECK(r.is_answer_to(get, 7, request_id(7, 1).view()));
  r.send(get, at(0), usual);  // but not one to an older request
  CHECK(!r.is_answer_to(get, 7, request_id(7, 1).view()));
  CHECK(r.is_answer_to(get, 7, request_id(7, 3).view()));
  r.finish(get);
  CHECK(!r.is_answer_to(get, 7, request_id(7, 3).view()));
}

TEST_CASE("a request that is not answered backs off, and then is sent again", "[requests]") {
  requests r(1);
  request_kind kind{};
  CHECK(r.next_due() == never);
  CHECK(!r.expire(at(INT64_MAX), usual, kind));

  r.send(get, at(100), usual);
  CHECK(r.waiting(get));
  CHECK(r.next_due() == at(30'100));
  CHECK(!r.expire(at(30'099), usual, kind));
  CHECK(r.waiting(get));
  CHECK(!r.expire(at(30'100), usual, kind));
  CHECK(!r.waiting(get));
  CHECK(!r.idle(get));
  const milliseconds again = r.next_due();
  CHECK(again >= at(30'600));
  CHECK(again <= at(31'100));
  CHECK(!r.expire(at(again.count - 1), usual, kind));
  CHECK(r.expire(again, usual, kind));
  CHECK(kind == get);
  CHECK(r.expire(again, usual, kind));  // until it is sent
  r.send(kind, again, usual);
  CHECK(r.next_due() == at(again.count + 30'000));
}

TEST_CASE("a patch waits as long as the twin is asked for", "[requests]") {
  requests r(1);
  request_kind kind{};
  r.send(patch, at(0), usual);
  r.send(get, at(20'000), usual);
  CHECK(r.next_due() == at(50'000));
  CHECK(!r.expire(at(40'000), usual, kind));
  CHECK(r.waiting(patch));
  r.finish(get);
  CHECK(r.next_due() == at(30'000));
  CHECK(!r.expire(at(40'000), usual, kind));
  CHECK(kind == patch);
  CHECK(!r.waiting(patch));
  r.send(get, at(40'000), usual);
  r.finish_all();
  CHECK(r.idle(get));
  CHECK(r.idle(patch));
  CHECK(r.next_due() == never);
}

TEST_CASE("delays double up to the longest, and half to all of one is waited", "[requests]") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    requests r(seed);
    r.send(get, at(0), usual);
    for (std::int64_t full = 1'000;; full *= 2) {
      const std::int64_t delay = next_delay(r, get, usual);
      const std::int64_t limit = full < 300'000 ? full : 300'000;
      CHECK(delay >= limit / 2);
      CHECK(delay <= limit);
      if (full > 100 * 300'000) break;
    }
    r.finish(get);  // answered: the next one starts with the first delay
    r.send(get, at(0), usual);
    CHECK(next_delay(r, get, usual) <= 1'000);
  }
}

TEST_CASE("both ends of a delay occur", "[requests]") {
  const request_timing short_one{{0}, {3}, {3}};
  std::set<std::int64_t> seen;
  requests r(5);
  r.send(get, at(0), short_one);
  for (int i = 0; i < 200; ++i) seen.insert(next_delay(r, get, short_one));
  CHECK(seen == std::set<std::int64_t>{1, 2, 3});
}

TEST_CASE("delays depend on the seed alone", "[requests]") {
  requests one(3), same(3), other(4);
  bool differs = false;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t delay = next_delay(one, get, usual);
    CHECK(delay == next_delay(same, get, usual));
    differs = differs || delay != next_delay(other, get, usual);
  }
  CHECK(differs);
}

TEST_CASE("a copy of the requests is a point to come back to", "[requests]") {
  requests r(3);
  r.send(get, at(0), usual);
  const requests before = r;
  r.back_off(get, at(0), usual);
  const milliseconds due = r.next_due();
  r.send(patch, at(0), usual);
  r = before;
  CHECK(r.waiting(get));
  CHECK(r.idle(patch));
  r.back_off(get, at(0), usual);
  CHECK(r.next_due() == due);
}

TEST_CASE("delays that make no sense are at least 1 ms and at most what can be counted",
          "[requests]") {
  for (const std::int64_t first : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    for (const std::int64_t longest : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
      const request_timing odd{{0}, {first}, {longest}};
      requests r(2);
      r.send(get, at(0), odd);
      for (int i = 0; i < 100; ++i) {
        const std::int64_t delay = next_delay(r, get, odd);
        CHECK(delay >= 0);
        if (longest < 1) CHECK(delay <= 1);
      }
    }
  }
}

TEST_CASE("what would be due after the last millisecond of the clock never is", "[requests]") {
  CHECK(later(at(5), at(7)) == at(12));
  CHECK(later(at(5), at(0)) == at(5));
  CHECK(later(at(5), at(-7)) == at(5));
  CHECK(later(at(INT64_MAX - 7), at(7)) == never);
  CHECK(later(at(INT64_MAX - 7), at(8)) == never);
  CHECK(later(at(INT64_MIN), at(INT64_MAX)) == at(-1));

  requests r(1);
  request_kind kind{};
  r.send(get, at(INT64_MAX - 1), usual);
  CHECK(r.next_due() == never);
  CHECK(!r.expire(at(INT64_MAX - 1), usual, kind));
  CHECK(r.waiting(get));
}
