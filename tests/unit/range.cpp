// What hands out several things is a range: for loops, standard algorithms and containers take it.
#include "../support/twin.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "../support/text.hpp"

using devicetwin::part;

namespace {

/// Walks forwards, from a copy of the iterator and by index, and finds the same elements each time.
template <class Range, class Text>
std::vector<std::string> all_of_range(const Range& range, Text&& text) {
  std::vector<std::string> all;
  for (const auto& element : range) all.push_back(text(element));
  CHECK(all.size() == range.size());
  CHECK(static_cast<std::size_t>(std::distance(range.begin(), range.end())) == range.size());
  std::vector<std::string> again;
  std::transform(range.begin(), range.end(), std::back_inserter(again), text);
  CHECK(again == all);
  again.clear();
  for (auto i = range.begin(); i != range.end();) again.push_back(text(*i++));
  CHECK(again == all);
  return all;
}

template <class Range, class Text>
void check_indexed(const Range& range, Text&& text) {
  const auto all = all_of_range(range, text);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto n = static_cast<std::ptrdiff_t>(i);
    CHECK(text(range[i]) == all[i]);
    CHECK(text(*(range.begin() + n)) == all[i]);
    CHECK(text(range.begin()[n]) == all[i]);
    CHECK(range.end() - (range.begin() + n) == static_cast<std::ptrdiff_t>(all.size() - i));
  }
  std::vector<std::string> backwards;
  for (auto i = range.end(); i != range.begin();) backwards.push_back(text(*--i));
  CHECK(std::vector<std::string>(backwards.rbegin(), backwards.rend()) == all);
}

}  // namespace

TEST_CASE("the changes of an outcome, matches and deltas are ranges", "[range]") {
  test_twin x;
  REQUIRE(!x.t.service_patch(R"({"tags":{"a":1},"properties":{"desired":{"b":{"c":2},"d":3}}})",
                             noon(), x.done));
  const auto pointer = [](const auto& element) { return std::string(element.pointer); };
  check_indexed(x.done, pointer);
  const std::vector<devicetwin::property_change> kept(x.done.begin(), x.done.end());
  CHECK(kept.size() == 3);
  CHECK(std::count_if(x.done.begin(), x.done.end(),
                      [](const auto& c) { return c.where == part::desired; }) == 2);
  CHECK(x.done.begin()->pointer == "/a");

  devicetwin::matches found;
  REQUIRE(
      !devicetwin::find_matches({part::desired, "/b", devicetwin::reach::subtree}, x.done, found));
  check_indexed(found, pointer);
  devicetwin::delta_list delta;
  REQUIRE(!devicetwin::list_delta(x.t, delta));
  check_indexed(delta, pointer);
  CHECK(delta.size() == 2);
  const devicetwin::outcome nothing;
  CHECK(nothing.begin() == nothing.end());
}

TEST_CASE("violations are a range", "[range]") {
  devicetwin::validation report;
  REQUIRE(!devicetwin::validate(R"({"a.b":1,"c":[null]})", part::desired, devicetwin::shape::patch,
                                devicetwin::azure, report));
  const auto all = all_of_range(
      report, [](const devicetwin::violation& v) { return std::string(v.what.pointer()); });
  CHECK(all == std::vector<std::string>{"/a.b", "/c/0"});
}

TEST_CASE("the actions of a session and the changes that they tell are ranges", "[range]") {
  devicetwin::device_session session;
  REQUIRE(!session.connected(ms(1)));
  const auto topic = [](const auto& action) { return std::string(action.topic); };
  const auto all = all_of_range(session.actions(), topic);
  CHECK(all.size() == 3);
  const auto first = session.actions().begin();  // outlives the range, as the session does
  CHECK(topic(*first) == all[0]);
  CHECK(std::next(first, 3) == session.actions().end());
  const auto get =
      std::find_if(session.actions().begin(), session.actions().end(),
                   [](const auto& a) { return a.kind == devicetwin::device_action::publish; });
  REQUIRE(get != session.actions().end());
  const std::string id = topic(*get).substr(topic(*get).find('=') + 1);
  REQUIRE(!session.message("$iothub/twin/res/200/?$rid=" + id,
                           R"({"desired":{"a":1,"b":2,"$version":3},"reported":{"$version":1}})",
                           ms(2)));
  CHECK(all_of_range(session.changes(), [](const auto& c) { return std::string(c.pointer); }) ==
        std::vector<std::string>{"/a", "/b"});
  const std::vector<devicetwin::text_change> kept(session.changes().begin(),
                                                  session.changes().end());
  CHECK(kept.back().new_text == "2");
}

#if defined(__cpp_lib_ranges)
#include <ranges>
static_assert(std::ranges::random_access_range<const devicetwin::outcome>);
static_assert(std::ranges::random_access_range<const devicetwin::matches>);
static_assert(std::ranges::random_access_range<const devicetwin::delta_list>);
static_assert(std::ranges::contiguous_range<const devicetwin::validation>);
static_assert(std::ranges::forward_range<const devicetwin::device_actions>);
static_assert(std::ranges::forward_range<const devicetwin::text_changes>);
#endif
