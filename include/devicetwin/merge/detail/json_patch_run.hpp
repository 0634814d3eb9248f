/// Carries out the operations of a JSON Patch (RFC 6902) on a tree, so that all of it can be taken
/// back.
#pragma once

#include <cstddef>      // std::size_t
#include <new>          // placement new
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/equal.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "copies.hpp"
#include "json_patch_operation.hpp"
#include "memory_use.hpp"
#include "tree_edits.hpp"
#include "wide_objects.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// By how much an exact copy of the document grows and shrinks. Counted only for targets whose
/// allocator can promise room.
struct size_change {
  std::size_t added = 0, freed = 0;
};

/// One patch on one document. After run(), edits() has what was done.
template <class Value, class Patch>
class json_patch_run : public json::core::steps_may_fail {
 public:
  using allocator_type = typename Value::AllocatorType;

  json_patch_run(Value& root, allocator_type& allocator, const options& o, std::size_t most_copied)
      : root_(root),
        allocator_(allocator),
        options_(o),
        most_copied_(most_copied),
        edits_(root, allocator, o.memory),
        wide_(o.memory),
        path_(o.memory),
        name_(o.memory) {}

  /// Carries out the operations one after the other, up to the first that fails.
  [[nodiscard]] bool run(const Patch& patch) {
    if (!patch.IsArray()) return fail(errc::not_a_json_patch);
    const auto* const operations = json::core::inside<Patch>::elements(patch);
    const size_type count = json::core::inside<Patch>::element_count(patch);
    for (at_ = 0; at_ < count; ++at_) {
      patch_operation<Patch> operation;
      if (!good(operation.read(operations[at_], at_)) || !carry_out(operation)) return false;
    }
    return sweep({});
  }
  tree_edits<Value>& edits() noexcept { return edits_; }
  const size_change& size() const noexcept { return size_; }

 private:
  using parts = json::core::inside<Value>;
  using member = member_of<Value>;
  using wide = wide_object<Value>;

  /// A place in the document, there or not.
  struct place {
    std::string_view pointer;
    Value* parent;          ///< null at the root
    Value* value;           ///< null when there is none, and where an element is to be inserted
    size_type index;        ///< in the parent
    std::string_view name;  ///< of a new member
  };

  bool carry_out(const patch_operation<Patch>& operation) {
    switch (operation.verb) {
      case patch_verb::add:
        return add(operation.path, *operation.value);
      case patch_verb::remove:
        return remove(operation.path);
      case patch_verb::replace:
        return replace(operation.path, *operation.value);
      case patch_verb::move:
        return move(operation.from, operation.path);
      case patch_verb::copy:
        return copy(operation.from, operation.path);
      case patch_verb::test:
        return test(operation.path, *operation.value);
    }
    return false;
  }

  bool add(std::string_view path, const Patch& value) {
    place to;
    if (!resolve(path, true, to)) return false;
    if (to.value != nullptr) return overwrite(to, value);
    Value fresh;
    return make(fresh, value, to) && put(to, fresh, {});
  }
  bool replace(std::string_view path, const Patch& value) {
    place to;
    return resolve(path, false, to) && overwrite(to, value);
  }
  bool overwrite(const place& to, const Patch& value) {
    bool same = false;
    if (!compare(to, value, same)) return false;
    if (same) {
      return options_.changes == change_rule::by_value || edits_.keep(*to.value, path_) ||
             exhausted();
    }
    Value fresh;
    return make(fresh, value, to) && put(to, fresh, {});
  }
  bool remove(std::string_view path) {
    if (path.empty()) return refuse(errc::root_removed, path);
    place from;
    return resolve(path, false, from) && sweep(from.pointer) && count_freed(*from.value) &&
           take_out(from, {});
  }
  bool test(std::string_view path, const Patch& value) {
    place at;
    bool same = false;
    if (!resolve(path, false, at) || !compare(at, value, same)) return false;
    return same || refuse(errc::test_failed, path);
  }
  bool copy(std::string_view from, std::string_view path) {
    place source;
    if (!resolve(from, false, source)) return false;
    if (!json::core::pointer_tokens::valid(path)) return refuse(errc::invalid_pointer, path);
    Value fresh;
    place to{path, nullptr, nullptr, 0, {}};
    json::core::footprint_counter<Value> bytes;
    if (!sweep(from) || !measure(*source.value, path, bytes) ||
        !charge(bytes.bytes() + sizeof(Value), path) || !make(fresh, *source.value, to)) {
      return false;
    }
    return resolve(path, true, to) && put(to, fresh, {});
  }
  bool move(std::string_view from, std::string_view path) {
    place source;
    if (!resolve(from, false, source)) return false;
    if (from == path) return true;
    if (is_within(path, from)) return refuse(errc::moved_into_itself, path);
    if (!json::core::pointer_tokens::valid(path)) return refuse(errc::invalid_pointer, path);
    if (!sweep(from)) return false;
    if (json::core::is_container(*source.value) && steps_of(path) > steps_of(from)) {
      json::core::footprint_counter<Value> bytes;
      if (!measure(*source.value, path, bytes) || !charge(bytes.bytes(), path)) return false;
    }
    // In the tree and in the edits, the value is in one place at a time; this is a copy of its
    // outermost bytes.
    value_bytes<Value> moved;
    moved.take(*source.value);
    place to;
    return take_out(source, {true, true}) && resolve(path, true, to) &&
           put(to, moved.value(), {true, true});
  }

  /// Finds a place. `may_be_new` lets the last step lead to a member that is not there, or to where
  /// an element can be inserted. path_ leads there then.
  bool resolve(std::string_view pointer, bool may_be_new, place& out) {
    if (!json::core::pointer_tokens::valid(pointer)) return refuse(errc::invalid_pointer, pointer);
    path_.truncate(0);
    out = {pointer, nullptr, &root_, 0, {}};
    json::core::pointer_tokens tokens(pointer);
    std::string_view token;
    while (tokens.next(token)) {
      const bool last = tokens.remaining() == 0;
      const std::string_view so_far = pointer.substr(0, pointer.size() - tokens.remaining());
      Value& container = *out.value;
      out.parent = &container;
      if (container.IsObject()) {
        if (!name_.resolve(token, out.name)) return exhausted();
        if (!find(container, out.name, out.index)) return false;
        if (out.index == no_index) {
          if (!last || !may_be_new) return refuse(errc::not_found, so_far);
          out.value = nullptr;
          out.index = parts::member_count(container);
        } else {
          out.value = &parts::members(container)[out.index].value;
        }
      } else if (container.IsArray()) {
        const size_type count = parts::element_count(container);
        const bool insert = last && may_be_new;
        if (insert && token == "-") {
          out.index = count;
        } else if (!json::core::token_index(token, count + (insert ? 1 : 0), out.index)) {
          return refuse(no_element(token), so_far);
        }
        out.value = insert ? nullptr : parts::elements(container) + out.index;
      } else {
        return refuse(errc::not_found, so_far);
      }
      if (!path_.push(out.index)) return exhausted();
    }
    return true;
  }

  /// Sets `index` to that of the first member of this name that is not buried, or to no_index.
  bool find(Value& object, std::string_view name, size_type& index) {
    const member* const members = parts::members(object);
    const size_type count = parts::member_count(object);
    if (!wide_objects<Value>::is_wide(object)) {
      index = json::core::member_index<Value>(members, count, name);
      return true;
    }
    wide* const known = wide_.visit(object);
    if (known == nullptr) return exhausted();
    if (!known->indexed) {
      index = json::core::member_index<Value>(members, count, name);
      known->looks += index == no_index ? count : index;
      return known->looks <= json::core::tuning::looks_per_member * std::size_t{count} ||
             make_index(*known, members, count);
    }
    const size_type* const found = known->names.find(names_of(members), name);
    index = found == nullptr || edits_.is_buried(members[*found].value) ? no_index : *found;
    return true;
  }
  static json::core::object_names<Value> names_of(const member* members) noexcept {
    return {members};
  }
  bool make_index(wide& object, const member* members, size_type count) {
    for (size_type i = 0; i < count; ++i) {
      bool added = false;
      if (!object.names.add(names_of(members), i, added)) return exhausted();
      object.repeats = object.repeats || !added;
    }
    return object.indexed = true;
  }

  /// Puts a value at a place; `fresh` is given up then.
  bool put(const place& to, Value& fresh, edit_kind kind) {
    if (to.value != nullptr) {
      if (!sweep(to.pointer) || !count_freed(*to.value)) return false;
      if (!edits_.replace(*to.value, fresh, path_, kind)) return exhausted();
    } else if (to.parent->IsArray()) {
      if (!sweep(parent_of(to.pointer))) return false;
      if (!edits_.insert(*to.parent, to.index, fresh, path_, kind)) return exhausted();
      size_.added += sizeof(Value);
    } else if (!append(to, fresh, kind)) {
      return false;
    }
    new (static_cast<void*>(&fresh)) Value();  // what it held is in the tree now
    return true;
  }
  bool append(const place& to, const Value& fresh, edit_kind kind) {
    // Not what is buried in this object itself: the place of a new member is behind that.
    if (!sweep_below(parent_of(to.pointer))) return false;
    Value name;
    if (!make_name(name, to.name)) return exhausted();
    Value& object = *to.parent;
    const void* const block = parts::members(object);
    wide* const known = wide_objects<Value>::is_wide(object) ? wide_.visit(object) : nullptr;
    if (!edits_.append(object, name, fresh, path_, kind)) return exhausted();
    size_.added += sizeof(member) + outside_bytes<Value>(name);
    new (static_cast<void*>(&name)) Value();
    if (known == nullptr) return true;
    const member* const members = parts::members(object);
    if (members != block && !wide_.moved(*known, block)) return exhausted();
    if (!known->indexed) return true;
    if (size_type* const buried = known->names.find(names_of(members), to.name)) {
      *buried = to.index;
      return true;
    }
    bool added = false;
    return known->names.add(names_of(members), to.index, added) || exhausted();
  }
  bool make_name(Value& to, std::string_view name) {
    if (name.size() <= parts::longest_inline) {
      parts::make_short_text(&to, name.data(), static_cast<size_type>(name.size()));
      return true;
    }
    char* const text = static_cast<char*>(allocator_.Malloc(name.size() + 1));
    if (text == nullptr) return false;
    base::copy_bytes(text, name.data(), name.size());
    text[name.size()] = '\0';
    parts::make_text(&to, text, static_cast<size_type>(name.size()));
    return true;
  }

  /// Takes a value out. All members that repeat its name go with it.
  bool take_out(const place& from, edit_kind kind) {
    Value& container = *from.parent;
    if (container.IsArray()) {
      if (!sweep(parent_of(from.pointer))) return false;
      size_.freed += sizeof(Value);
      return edits_.erase(container, from.index, path_, kind) || exhausted();
    }
    const bool is_wide = wide_objects<Value>::is_wide(container);
    wide* const known = is_wide ? wide_.visit(container) : nullptr;
    bool bury = known != nullptr && known->indexed;
    if (bury && known->gaps == 0 && !note_gaps(*known, parent_of(from.pointer), bury)) return false;
    if (!bury && !sweep_below(parent_of(from.pointer))) return false;
    for (size_type at = from.index; at != no_index; kind.told = false) {
      const member& gone = parts::members(container)[at];
      size_.freed += sizeof(member) + outside_bytes<Value>(gone.name);
      if (at != from.index) {
        kind.moved = false;
        if (!count_freed(gone.value)) return false;
      }
      // Whether there are repeated members is known where there is an index.
      size_type next = bury && !known->repeats ? no_index : repeat_of(container, at);
      path_.back() = at;
      if (bury) {
        ++known->gaps;
        if (!edits_.bury(container, at, path_, kind)) return exhausted();
      } else {
        if (!edits_.remove(container, at, path_, kind)) return exhausted();
        if (next != no_index) --next;
      }
      at = next;
    }
    if (is_wide && !bury) known->looks += parts::member_count(container);
    return true;
  }
  /// The next member with the name of that at `index`.
  size_type repeat_of(const Value& object, size_type index) const noexcept {
    const member* const members = parts::members(object);
    const size_type count = parts::member_count(object);
    for (size_type i = index + 1; i < count; ++i) {
      if (!edits_.is_buried(members[i].value) &&
          json::core::same_text(members[i].name, members[index].name)) {
        return i;
      }
    }
    return no_index;
  }

  // Objects with members that are buried. The place of each is given by a pointer of the patch:
  // whatever would change its meaning closes the gaps first.

  static constexpr std::size_t most_gaps = 8;
  struct gap {
    wide* object;
    std::string_view pointer;
  };
  /// Notes that an object is about to have gaps. When too many have some, one of them is closed;
  /// where all of those are around this object, `bury` becomes false and the object gets none.
  bool note_gaps(wide& object, std::string_view pointer, bool& bury) {
    if (gaps_count_ == most_gaps) {
      std::size_t deepest = most_gaps;
      for (std::size_t i = 0; i < most_gaps; ++i) {
        if (is_within(pointer, gaps_[i].pointer)) continue;
        if (deepest == most_gaps || gaps_[i].pointer.size() > gaps_[deepest].pointer.size())
          deepest = i;
      }
      if (deepest == most_gaps) {
        bury = false;
        forget(object);
        return true;
      }
      if (!close(deepest)) return false;
    }
    gaps_[gaps_count_++] = {&object, pointer};
    return true;
  }
  /// What is known of an object is no longer so.
  static void forget(wide& object) noexcept {
    object.gaps = 0;
    object.indexed = object.repeats = false;
    object.looks = 0;
    object.names.clear();
  }
  bool close(std::size_t which) {
    wide& object = *gaps_[which].object;
    gaps_[which] = gaps_[--gaps_count_];
    forget(object);
    return edits_.sweep(*object.object) || exhausted();
  }
  /// Closes all gaps in the value at this place and in what it holds, the innermost first. To be
  /// called before the value is read or moved.
  bool sweep(std::string_view pointer) { return sweep_if(pointer, true); }
  /// The same for what the value holds, without itself.
  bool sweep_below(std::string_view pointer) { return sweep_if(pointer, false); }
  bool sweep_if(std::string_view pointer, bool itself) {
    while (gaps_count_ != 0) {
      std::size_t deepest = gaps_count_;
      for (std::size_t i = 0; i < gaps_count_; ++i) {
        const std::string_view at = gaps_[i].pointer;
        if (!is_within(at, pointer) || (!itself && at.size() == pointer.size())) continue;
        if (deepest == gaps_count_ || at.size() > gaps_[deepest].pointer.size()) deepest = i;
      }
      if (deepest == gaps_count_) return true;
      if (!close(deepest)) return false;
    }
    return true;
  }

  /// Whether the value at a place is equal to one of the patch.
  bool compare(const place& at, const Patch& value, bool& same) {
    if (!json::core::is_container(*at.value) || !json::core::is_container(value)) {
      same = json::core::same_scalar(*at.value, value, options_.numbers);
      return true;
    }
    if (!sweep(at.pointer)) return false;
    json::equal_options how;
    how.numbers = options_.numbers;
    how.max_depth = any_depth;
    how.memory = options_.memory;
    const json::comparison found = json::equal(*at.value, value, how);
    same = found == json::comparison::equal;
    return found != json::comparison::out_of_memory || exhausted();
  }

  /// Makes a copy of a value in the target's memory, for this place. Errors: depth_exceeded,
  /// not_finite, out_of_memory.
  template <class Source>
  bool make(Value& fresh, const Source& from, const place& to) {
    if (is_plain(from)) {
      if (json::core::is_not_finite(from)) return refuse(errc::not_finite, to.pointer);
      copy_plain_value(fresh, from);
      return true;
    }
    if (from.IsString()) {
      size_.added += outside_bytes<Value>(from);
      return copy_text(fresh, from, allocator_) || exhausted();
    }
    json::core::tree_builder<allocator_type> builder(allocator_, options_.memory);
    json::core::walk_memory<Source> memory(options_.memory);
    json::core::footprint_counter<Value> bytes;
    const json::core::pointer_text where{to.pointer};
    const std::size_t depth = steps_of(to.pointer);
    const auto send = [&](auto& handler) {
      return json::core::emit(from, handler, json::core::nulls::emit, options_.max_depth, memory,
                              depth, where);
    };
    if constexpr (measured) {
      if (!good_here(send(bytes))) return false;
      size_.added += bytes.bytes();
    }
    return good_here(builder.build(fresh, send));
  }
  /// Goes over a value of the target that gets to another place.
  bool measure(const Value& value, std::string_view pointer,
               json::core::footprint_counter<Value>& bytes) {
    json::core::walk_memory<Value> memory(options_.memory);
    const json::core::pointer_text where{pointer};
    return good_here(json::core::emit(value, bytes, json::core::nulls::emit, options_.max_depth,
                                      memory, steps_of(pointer), where));
  }
  bool charge(std::size_t bytes, std::string_view pointer) {
    if (bytes <= most_copied_ - copied_) {
      copied_ += bytes;
      return true;
    }
    return good_here(
        error(errc::too_large).limited_to(most_copied_).at(json::core::pointer_text{pointer}));
  }
  /// Counts what a value takes that goes.
  bool count_freed(const Value& value) {
    if constexpr (measured) {
      if (value.IsString()) size_.freed += outside_bytes<Value>(value);
      if (!json::core::is_container(value)) return true;
      json::core::footprint_counter<Value> bytes;
      json::core::walk_memory<Value> memory(options_.memory);
      const error e = json::core::emit(value, bytes, json::core::nulls::emit, any_depth, memory);
      size_.freed += bytes.bytes();
      return e.code() != errc::out_of_memory || exhausted();
    }
    return true;
  }

  bool exhausted() { return good_here(error(errc::out_of_memory)); }
  bool refuse(errc code, std::string_view pointer) {
    return good_here(error(code)
                         .limited_to(code == errc::depth_exceeded ? options_.max_depth : 0)
                         .at(json::core::pointer_text{pointer}));
  }
  bool good_here(const error& e) { return !e || good(error(e).in_operation(at_)); }

  static constexpr bool measured = can_promise<allocator_type>;

  Value& root_;
  allocator_type& allocator_;
  options options_;
  std::size_t most_copied_;
  std::size_t copied_ = 0;
  std::size_t at_ = 0;  ///< the operation
  tree_edits<Value> edits_;
  wide_objects<Value> wide_;
  path_indexes path_;
  step_name name_;
  gap gaps_[most_gaps];
  std::size_t gaps_count_ = 0;
  size_change size_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
