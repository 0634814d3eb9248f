/// Walks over two documents side by side and tells what differs, arrays element by element.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/tuning.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "array_script.hpp"
#include "difference_model.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Where a member or an element is, in both documents. The index of an element that goes is, in
/// `to`, that of the element before which it stood.
struct difference_step {
  std::string_view name;
  size_type from, to;  ///< of an element
  bool element;
};

/// The walk. The sink is told of
///     bool enter(const difference_step&)     what follows is inside of this pair
///     bool leave(from, to, bool array)       ... up to here
///     bool differ(const difference_step*, const from_node*, const to_node*)
///         a value that is new, gone, or another one; no step for the whole documents
///     json::errc failure()                   why one of them returned false
/// With Sink::by_position arrays are compared element by element, and one that has another length
/// differs as a whole; otherwise by an edit script. Objects: members of `from` in their order, then
/// those that are new in that of `to`.
///
/// Cost: members in the same order are compared in one pass, in another order their names are
/// hashed; elements of arrays between the first and last that differ are hashed. A part that
/// differs inside is gone over once for each array around it: depth times size at worst.
template <class Model, class Sink>
class difference_walk : public json::core::steps_may_fail {
 public:
  using from_node = typename Model::from_node;
  using to_node = typename Model::to_node;

  difference_walk(Model& model, Sink& sink, const options& o) noexcept
      : model_(model),
        sink_(sink),
        options_(o),
        frames_(o.memory),
        from_items_(o.memory),
        to_items_(o.memory),
        partners_(o.memory),
        steps_(o.memory),
        indexes_(o.memory),
        path_(o.memory),
        numbers_(o.memory),
        script_(o.memory) {}

  /// Errors: depth_exceeded, out_of_memory, and what the sink says.
  [[nodiscard]] bool run(const from_node& from, const to_node& to) {
    if (!pair(nullptr, from, to)) return false;
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (!(top.object ? members_step(top) : elements_step(top))) return false;
    }
    return true;
  }

 private:
  using from_item = difference_item<from_node>;
  using to_item = difference_item<to_node>;

  struct frame {
    from_node from;
    to_node to;
    bool object;
    bool in_order;  ///< all members of both have the same names in the same order
    bool adding;    ///< the members of `from` are done
    std::size_t from_items, to_items;  ///< where its items begin
    size_type from_count, to_count;
    std::size_t partners;   ///< of an object: where its partners begin
    std::size_t script;     ///< of an array: the step at hand
    std::size_t steps;      ///< where its steps begin
    size_type i, j;         ///< the next items
    size_type left, fresh;  ///< elements that are left of the step at hand: removed, inserted
  };

  bool pair(const difference_step* step, const from_node& from, const to_node& to) {
    if (model_.same(from, to)) return true;
    const node_kind kind = model_.kind(from);
    if (kind == node_kind::scalar || kind != model_.kind(to)) return tell(step, &from, &to);
    if (frames_.size() >= options_.max_depth) return refuse_depth(step);
    if (step != nullptr) {
      if (!sink_.enter(*step)) return stopped(sink_);
      if (!path_.push(*step)) return exhausted();
    }
    return enter(from, to, kind == node_kind::object);
  }
  bool enter(const from_node& from, const to_node& to, bool object) {
    frame f{from,
            to,
            object,
            false,
            false,
            from_items_.size(),
            to_items_.size(),
            0,
            0,
            partners_.size(),
            steps_.size(),
            steps_.size(),
            0,
            0,
            0,
            0};
    if (!model_.collect(from, true, from_items_) || !model_.collect(to, false, to_items_))
      return exhausted();
    f.from_count = static_cast<size_type>(from_items_.size() - f.from_items);
    f.to_count = static_cast<size_type>(to_items_.size() - f.to_items);
    if (!(object ? match(f) : align(f))) return false;
    return frames_.push(f) || exhausted();
  }
  bool leave() {
    const frame f = frames_.back();
    frames_.pop();
    from_items_.truncate(f.from_items);
    to_items_.truncate(f.to_items);
    partners_.truncate(f.partners);
    steps_.truncate(f.steps);
    if (!frames_.empty()) path_.pop();
    return sink_.leave(f.from, f.to, !f.object) || stopped(sink_);
  }
  bool tell(const difference_step* step, const from_node* from, const to_node* to) {
    return sink_.differ(step, from, to) || stopped(sink_);
  }

  // Objects.

  /// The names of one document's members.
  template <class Item>
  struct item_names {
    const Item* items;
    std::string_view text(size_type i) const noexcept { return items[i].name; }
    std::uint64_t hash(size_type i) const noexcept { return json::core::hash_name(items[i].name); }
  };

  /// Finds the partner of each member. partners_ then has, for the members of `from` and behind
  /// them for those of `to`, the index of the partner or no_index.
  bool match(frame& f) {
    const from_item* const from = from_items_.data() + f.from_items;
    const to_item* const to = to_items_.data() + f.to_items;
    size_type same = 0;
    while (same != f.from_count && same != f.to_count && from[same].name == to[same].name) ++same;
    f.in_order = same == f.from_count && same == f.to_count;
    if (f.in_order) return true;
    if (!partners_.extend(std::size_t{f.from_count} + f.to_count)) return exhausted();
    std::uint32_t* const of_from = partners_.data() + f.partners;
    std::uint32_t* const of_to = of_from + f.from_count;
    for (size_type i = 0; i < f.from_count; ++i) of_from[i] = i < same ? i : no_index;
    for (size_type i = 0; i < f.to_count; ++i) of_to[i] = i < same ? i : no_index;
    const bool few = f.to_count - same <= json::core::tuning::matched_one_by_one;
    const item_names<to_item> names{to + same};
    json::core::name_index index;
    indexes_.truncate(0);
    if (!few && !index.build(f.to_count - same, names, indexes_, [](size_type) {}))
      return exhausted();
    size_type expected = same;
    for (size_type i = same; i < f.from_count; ++i) {
      size_type found = no_index;
      if (expected < f.to_count && to[expected].name == from[i].name) {
        found = expected;
      } else if (few) {
        for (size_type j = same; j < f.to_count && found == no_index; ++j) {
          if (to[j].name == from[i].name) found = j;
        }
      } else {
        found = index.find_text(from[i].name, names, indexes_);
        if (found != no_index) found += same;
      }
      if (found == no_index) continue;
      of_from[i] = found;
      of_to[found] = i;
      expected = found + 1;
    }
    return true;
  }
  bool members_step(frame& top) {
    const from_item* const from = from_items_.data() + top.from_items;
    const to_item* const to = to_items_.data() + top.to_items;
    const std::size_t depth = frames_.size();
    while (!top.adding) {
      if (top.i == top.from_count) {
        top.adding = true;
        break;
      }
      const size_type i = top.i++;
      const size_type j = top.in_order ? i : partners_[top.partners + i];
      const difference_step step{from[i].name, 0, 0, false};
      if (j == no_index) {
        if (!tell(&step, &from[i].value, nullptr)) return false;
      } else {
        if (!pair(&step, from[i].value, to[j].value)) return false;
        if (frames_.size() != depth) return true;  // what was pointed to may have moved
      }
    }
    while (!top.in_order && top.j != top.to_count) {
      const size_type j = top.j++;
      if (partners_[top.partners + top.from_count + j] != no_index) continue;
      const difference_step step{to[j].name, 0, 0, false};
      if (!tell(&step, nullptr, &to[j].value)) return false;
    }
    return leave();
  }

  // Arrays.

  /// Makes the edit script of an array.
  bool align(frame& f) {
    if (Sink::by_position) return add_step({0, f.from_count, f.to_count});
    const from_item* const from = from_items_.data() + f.from_items;
    const to_item* const to = to_items_.data() + f.to_items;
    size_type i = 0, from_end = f.from_count, to_end = f.to_count;
    for (bool same = true; i != from_end && i != to_end; ++i) {
      if (!equal(from[i].value, to[i].value, same)) return false;
      if (!same) break;
    }
    for (bool same = true; i != from_end && i != to_end; --from_end, --to_end) {
      if (!equal(from[from_end - 1].value, to[to_end - 1].value, same)) return false;
      if (!same) break;
    }
    if (i != 0 && !add_step({i, 0, 0})) return false;
    const size_type removed = from_end - i, inserted = to_end - i;
    if (removed == 0 || inserted == 0 || (removed == 1 && inserted == 1))
      return add_step({0, removed, inserted});
    const auto hash = [&](std::size_t at, std::uint64_t& to_set) {
      return at < removed ? model_.hash(from[i + at].value, to_set)
                          : model_.hash(to[i + (at - removed)].value, to_set);
    };
    const auto compare = [&](std::size_t a, std::size_t b, bool& same) {
      const to_node* const second = b < removed ? nullptr : &to[i + (b - removed)].value;
      if (a < removed) {
        const from_node& first = from[i + a].value;
        return second == nullptr ? model_.equal(first, from[i + b].value, same)
                                 : model_.equal(first, *second, same);
      }
      return model_.equal(to[i + (a - removed)].value, *second, same);
    };
    if (!numbers_.number(std::size_t{removed} + inserted, hash, compare)) return exhausted();
    return script_.make(numbers_.numbers(), removed, inserted, steps_) || exhausted();
  }
  bool equal(const from_node& from, const to_node& to, bool& same) {
    same = model_.same(from, to);
    if (same) return true;
    const node_kind kind = model_.kind(from);
    if (kind == node_kind::scalar || kind != model_.kind(to)) return true;
    return model_.equal(from, to, same) || exhausted();
  }
  bool add_step(const script_step& step) { return steps_.push(step) || exhausted(); }

  bool elements_step(frame& top) {
    const from_item* const from = from_items_.data() + top.from_items;
    const to_item* const to = to_items_.data() + top.to_items;
    const std::size_t depth = frames_.size();
    for (;;) {
      while (top.left != 0 || top.fresh != 0) {
        const difference_step step{{}, top.i, top.j, true};
        const from_node* const a = top.left != 0 ? &from[top.i].value : nullptr;
        const to_node* const b = top.fresh != 0 ? &to[top.j].value : nullptr;
        if (a != nullptr) {
          ++top.i;
          --top.left;
        }
        if (b != nullptr) {
          ++top.j;
          --top.fresh;
        }
        if (!(a != nullptr && b != nullptr ? pair(&step, *a, *b) : tell(&step, a, b))) return false;
        if (frames_.size() != depth) return true;
      }
      if (top.script == steps_.size()) return leave();
      const script_step& next = steps_[top.script++];
      top.i += next.kept;
      top.j += next.kept;
      top.left = next.removed;
      top.fresh = next.inserted;
    }
  }

  bool exhausted() {
    return fail(model_.broken() ? errc::unexpected_character : errc::out_of_memory);
  }
  /// The place that was reached, in `to`.
  struct place {
    const base::stack<difference_step, 16>& path;
    const difference_step* last;
    template <class Put>
    void render(Put&& put) const {
      for (std::size_t i = 0; i < path.size(); ++i) put_step(path[i], put);
      if (last != nullptr) put_step(*last, put);
    }
    template <class Put>
    static void put_step(const difference_step& s, Put& put) {
      json::core::render_step(s.element ? json::step::element(s.to) : json::step::member(s.name),
                              put);
    }
  };
  bool refuse_depth(const difference_step* step) {
    return fail(errc::depth_exceeded, place{path_, step}, options_.max_depth);
  }

  Model& model_;
  Sink& sink_;
  options options_;
  base::stack<frame, 8> frames_;
  base::stack<from_item, 16> from_items_;
  base::stack<to_item, 16> to_items_;
  base::stack<std::uint32_t, 16> partners_;
  script_steps steps_;
  index_memory indexes_;
  base::stack<difference_step, 16> path_;
  element_numbers numbers_;
  array_script script_;
};

/// Whether there is any difference: stops at the first.
struct first_difference {
  static constexpr bool by_position = true;
  bool found = false;

  errc failure() const noexcept { return errc::handler_stopped; }
  bool enter(const difference_step&) noexcept { return true; }
  template <class From, class To>
  bool leave(const From&, const To&, bool) noexcept {
    return true;
  }
  template <class From, class To>
  bool differ(const difference_step*, const From*, const To*) noexcept {
    found = true;
    return false;
  }
};

inline bool text_model::equal(std::string_view a, std::string_view b, bool& same) const {
  same = this->same(a, b);
  const node_kind what = kind(a);
  if (same || what == node_kind::scalar || what != kind(b)) return true;
  text_model model(a, b, options_);
  options o = options_;
  o.max_depth = any_depth;
  first_difference sink;
  difference_walk<text_model, first_difference> walk(model, sink, o);
  same = walk.run(a, b);
  broken_ = broken_ || model.broken();
  return same || sink.found;
}

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
