#include <devicetwin/device/detail/action_queue.hpp>

#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

using devicetwin::detail::action_queue;
using due = devicetwin::detail::due_action;

namespace {

std::vector<due> all(const action_queue& q) {
  std::vector<due> found;
  for (std::uint32_t p = q.first(); q.has(p); p = q.after(p)) found.push_back(q[p]);
  return found;
}
/// An event begins.
std::vector<due> drop(action_queue& q) {
  std::vector<due> dropped;
  for (due one{}; q.drop_read(one);) dropped.push_back(one);
  return dropped;
}

}  // namespace

TEST_CASE("an event drops the actions that were read, and those before them", "[action_queue]") {
  action_queue q;
  CHECK(all(q).empty());
  CHECK(drop(q).empty());
  q.add(due::arrived);
  q.add(due::changed);
  q.add(due::get_twin);
  CHECK(all(q) == std::vector<due>{due::arrived, due::changed, due::get_twin});
  CHECK(drop(q).empty());
  q.read(q.first() + 1);
  q.read(q.first());  // once more
  CHECK(q.size() == 3);
  CHECK(drop(q) == std::vector<due>{due::arrived, due::changed});
  CHECK(all(q) == std::vector<due>{due::get_twin});
  CHECK(drop(q).empty());
}

TEST_CASE("behind a position from before an event comes what was not read", "[action_queue]") {
  action_queue q;
  q.add(due::arrived);
  q.add(due::changed);
  const std::uint32_t position = q.first();
  q.read(position);
  CHECK(q.after(position) == position + 1);
  static_cast<void>(drop(q));
  q.add(due::patch_reported);
  CHECK(!q.has(position));
  CHECK(q[q.after(position)] == due::changed);
  q.read(q.after(position));  // by a loop inside the loop
  CHECK(q[q.after(position)] == due::patch_reported);
  q.read(q.after(position));
  CHECK(!q.has(q.after(position)));
}

TEST_CASE("an action that is added again moves to the end", "[action_queue]") {
  action_queue q;
  q.add(due::get_twin);
  q.add(due::changed);
  q.add(due::get_twin);
  CHECK(all(q) == std::vector<due>{due::changed, due::get_twin});
  q.remove(due::changed);
  q.remove(due::changed);
  CHECK(all(q) == std::vector<due>{due::get_twin});
  CHECK(q.contains(due::get_twin));
  CHECK(!q.contains(due::changed));
  q.clear();
  CHECK(all(q).empty());
}

TEST_CASE("refusals are there more than once, and beside them all other kinds fit",
          "[action_queue]") {
  action_queue q;
  for (unsigned i = 0; i < action_queue::most_refusals; ++i) {
    CHECK(q.refusals() == i);
    q.add(i % 2 == 0 ? due::refused : due::failed);
  }
  for (const due other : {due::subscribe_to_answers, due::subscribe_to_changes, due::get_twin,
                          due::patch_reported, due::arrived, due::changed})
    q.add(other);
  CHECK(q.size() == 6 + action_queue::most_refusals);
  CHECK(q.refusals() == action_queue::most_refusals);
  CHECK(q.refusals_before(q.first() + 3) == 3);
  CHECK(all(q).back() == due::changed);
}
