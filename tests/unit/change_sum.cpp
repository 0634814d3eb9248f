#include <devicetwin/merge/detail/change_sum.hpp>

#include <string>
#include <utility>
#include <vector>

#include "../support/change_text.hpp"
#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

namespace {

using merge::detail::change_sum;
constexpr change_sum::order orders[] = {change_sum::order::after, change_sum::order::before};

merge::change copy_of(const merge::change& c) { return composed(c, {}); }

/// The first `count` changes composed one by one, in the order of the sum.
merge::change one_by_one(const std::vector<merge::change>& changes, std::size_t count,
                         change_sum::order where) {
  merge::change sum;
  for (std::size_t i = 0; i < count; ++i)
    sum = where == change_sum::order::after ? composed(sum, changes[i]) : composed(changes[i], sum);
  return sum;
}

/// Whether two changes are the same, in whatever order their members stand.
bool same(const merge::change& a, const merge::change& b) { return are_equal(a.form(), b.form()); }

merge::change total_of(const change_sum& sum) {
  merge::change all;
  REQUIRE(!sum.total(all, {}));
  return all;
}

}  // namespace

TEST_CASE("a sum of changes is what composing them one by one makes of them, in either order",
          "[change_sum][property]") {
  for (unsigned seed = 0; seed < 100; ++seed) {
    random_json random(seed);
    std::vector<merge::change> changes;
    for (unsigned n = random.below(20); n != 0; --n) changes.push_back(change_of(random.change()));
    for (const auto where : orders) {
      change_sum sum({}, where);
      for (std::size_t i = 0; i < changes.size(); ++i) {
        REQUIRE(!sum.add(copy_of(changes[i]), {}));
        REQUIRE(same(total_of(sum), one_by_one(changes, i + 1, where)));
      }
      const merge::change all = total_of(sum);
      const auto settled = sum.settle({});
      REQUIRE(settled);
      CHECK(same(**settled, all));
      CHECK(same(total_of(sum), all));
      sum.clear();
      CHECK(sum.empty());
    }
  }
}

TEST_CASE("an empty sum keeps everything", "[change_sum]") {
  change_sum sum{devicetwin::memory_source()};
  CHECK(sum.empty());
  merge::change all = patch_of(R"({"a":1})");
  REQUIRE(!sum.total(all, {}));
  CHECK(all.keeps());
  const auto settled = sum.settle({});
  REQUIRE(settled);
  CHECK((*settled)->keeps());
  REQUIRE(!sum.add(merge::change(), {}));
  CHECK(sum.empty());  // a change that keeps everything adds nothing
}

TEST_CASE("a sum of changes survives every failing allocation", "[change_sum][failure]") {
  std::vector<merge::change> changes;
  for (int i = 0; i < 24; ++i) {
    // Of different sizes, so that some are kept apart and some composed.
    changes.push_back(patch_of(
        "{\"a rather long name, number " + std::to_string(i % 7) + "\":" +
        nest(1 + i % 5, "\"" + std::string(static_cast<std::size_t>(20 + i * i % 90), 't') + "\"") +
        "}"));
  }
  // A change that was added stands, also where there was no memory to compose it with the others.
  for (const auto where : orders) {
    bool done = false;
    for (std::size_t n = 1; !done; ++n) {
      REQUIRE(n < 10000);
      failing_heap heap;
      heap.refused_request = n;
      merge::options o;
      o.memory = heap.source();
      {
        change_sum sum(o.memory, where);
        std::size_t added = 0;
        json::error e;
        while (!e && added < changes.size()) {
          merge::change made(o.memory);
          e = merge::compose(changes[added], {}, made, o);
          if (!e) e = sum.add(std::move(made), o);
          if (!e) ++added;
        }
        const merge::change expected = one_by_one(changes, added, where);
        merge::change total(o.memory);
        if (!e) {
          e = sum.total(total, o);
          const bool right = e ? total.keeps() : same(total, expected);
          CHECK(right);
        }
        if (!e) {
          const auto settled = sum.settle(o);
          if (!settled)
            e = settled.error();
          else
            CHECK(same(**settled, expected));
        }
        if (e) CHECK(e.code() == errc::out_of_memory);
        done = heap.requests < n;
        heap.refused_request = 0;
        CHECK(same(total_of(sum), expected));
      }
      CHECK(heap.out == 0);
    }
  }
}
