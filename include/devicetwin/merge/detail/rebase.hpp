/// Replaying a change on a document that is not the one it was made for: the one walk behind rebase
/// and merge3.
#pragma once

#include <cstddef>      // std::size_t
#include <new>          // placement new
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_reference_t

#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/value.hpp"
#include "../conflict.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "change_form.hpp"
#include "change_result.hpp"
#include "change_writer.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// What the change side does when a descend meets something else than an object.
enum class on_clash : unsigned char {
  replay,  ///< writes its members into a new object: nothing that was removed comes back
  whole    ///< puts the object as the change side has it
};

template <class Base, class Onto, class Handler, class Decide>
class rebase_walk : json::core::steps_may_fail {
 public:
  /// `decide(where, base, changed, onto, kind)` tells a conflict and gives true when the change is
  /// to win.
  rebase_walk(Handler& handler, on_clash clash, const options& o, Decide& decide) noexcept
      : options_(o),
        clash_(clash),
        decide_(decide),
        out_(handler, o.memory),
        scratch_(o.memory),
        frames_(o.memory),
        indexes_(o.memory),
        path_(o.memory) {}

  /// Sends the change that does to `onto` what `form` did to `base`. Sends nothing when that is
  /// nothing: sent().
  error run(const arena_value& form, const Base& base, const Onto& onto) {
    if (deed_of(form) == deed::keep) return {};
    if (!visit(form, &base, &onto, {}, false)) return first_failure();
    while (!frames_.empty()) {
      if (!step()) return first_failure();
    }
    return {};
  }
  bool sent() const noexcept { return out_.sent(); }

 private:
  struct frame {
    const arena_value* form;
    const Base* base;  ///< an object, or null
    const Onto* onto;  ///< an object
    size_type next;
    bool two_sided;  ///< the form is the difference to `onto`, and there is no base
    json::arena::mark scratch;
    std::size_t index_base;
    repeat_lookup<Base> in_base;
    repeat_lookup<Onto> in_onto;
  };

  bool step() {
    frame& top = frames_.back();
    if (top.next == top.form->MemberCount()) {
      indexes_.truncate(top.index_base);
      scratch_.rewind(top.scratch);
      frames_.pop();
      if (!frames_.empty()) path_.pop();
      return out_.close();
    }
    const auto& member = members_begin(*top.form)[top.next++];
    const std::string_view name = text_of(member.name);
    const Base* base = nullptr;
    const Onto* onto = nullptr;
    size_type index = no_index;
    if (top.base != nullptr) {
      if (!top.in_base.find_next(member.name, indexes_, index))
        return fail(errc::out_of_memory, path_);
      if (index != no_index) base = &members_begin(*top.base)[index].value;
    }
    if (!top.in_onto.find_next(member.name, indexes_, index))
      return fail(errc::out_of_memory, path_);
    if (index != no_index) onto = &members_begin(*top.onto)[index].value;
    if (!path_.push(name)) return fail(errc::out_of_memory, path_);
    const std::size_t depth = frames_.size();
    if (!visit(member.value, base, onto, name, top.two_sided)) return false;
    if (frames_.size() == depth) path_.pop();
    return true;
  }

  /// One place of the form.
  bool visit(const arena_value& form, const Base* base, const Onto* onto, std::string_view name,
             bool two_sided) {
    const deed what = deed_of(form);
    const bool object = onto != nullptr && onto->IsObject();
    if (what == deed::descend && object)
      return enter(form, base, *onto, name, two_sided, scratch_.position());

    bool same = two_sided && onto == nullptr;  // else two_sided means that they differ
    if (!two_sided && !good(compare(base, onto, options_, path_, same))) return false;
    if (same) return out_.value(name, form, options_.memory);
    if (onto == nullptr && what == deed::remove) return true;
    if (onto != nullptr && what == deed::set) {
      if (!two_sided && !good(compare(*onto, value_of(form), options_, path_, same))) return false;
      if (same) return true;
      if (object && value_of(form).IsObject()) return enter_set(value_of(form), base, *onto, name);
    }
    return collide(form, base, onto, name);
  }

  bool enter(const arena_value& form, const Base* base, const Onto& onto, std::string_view name,
             bool two_sided, const json::arena::mark& scratch) {
    if (base != nullptr && !base->IsObject()) base = nullptr;
    const bool needed = form.MemberCount() == 0;  // "make it an object" is all it says
    return out_.open(name, needed) &&
           (frames_.push({&form, base, &onto, 0, two_sided, scratch, indexes_.size(),
                          repeats_in(base), repeat_lookup<Onto>(onto)}) ||
            fail(errc::out_of_memory, path_));
  }

  /// Both sides have an object here, and the change has it as a whole: what it changed in the
  /// base's object, or what it has otherwise when the base has none.
  bool enter_set(const arena_value& value, const Base* base, const Onto& onto,
                 std::string_view name) {
    const auto mark = scratch_.position();
    const arena_value* form = nullptr;
    const bool with_base = base != nullptr && base->IsObject();
    if (!(with_base ? difference(*base, value, true, form) : difference(onto, value, false, form)))
      return false;
    if (form != nullptr)
      return enter(*form, with_base ? base : nullptr, onto, name, !with_base, mark);
    scratch_.rewind(mark);
    return true;
  }
  /// The difference of two objects as a form in scratch memory; null when there is none.
  template <class From>
  bool difference(const From& from, const arena_value& to, bool removals,
                  const arena_value*& form) {
    bool any = false;
    const bool built = build(form, [&](auto& handler) {
      sparse_writer<std::remove_reference_t<decltype(handler)>> out(handler, options_.memory);
      error e = send_difference(from, to, {}, out, options_, path_, removals);
      any = out.sent();
      if (!e && !any && !handler.Null()) e = handler.failure();
      return e;
    });
    if (!any) form = nullptr;
    return built;
  }

  bool collide(const arena_value& form, const Base* base, const Onto* onto, std::string_view name) {
    const auto mark = scratch_.position();
    const deed what = deed_of(form);
    const arena_value* changed = nullptr;  // what the change side has
    if (what == deed::set) changed = &value_of(form);
    if (what == deed::descend) {
      const bool built = build(changed, [&](auto& handler) {
        result_sender<Base, std::remove_reference_t<decltype(handler)>, path_view> sender(
            handler, any_depth, options_.memory, path_view{&path_});
        return sender.run(form, base);
      });
      if (!built) return false;
    }
    conflict_kind kind = conflict_kind::both_changed;
    if (changed == nullptr || onto == nullptr) {
      kind = conflict_kind::changed_and_removed;
    } else if (type_of(*changed) != type_of(*onto)) {
      kind = conflict_kind::type_clash;
    }
    bool well = true;
    if (decide_(path_.where(), base, changed, onto, kind)) {
      if (what == deed::descend && clash_ == on_clash::whole) {
        well = out_.set(name, *changed, options_.memory);
      } else {
        well = out_.value(name, form, options_.memory);
      }
    }
    scratch_.rewind(mark);
    return well;
  }

  /// JSON's types: numbers are one, true and false are one.
  template <class Value>
  static int type_of(const Value& v) noexcept {
    return v.IsBool() ? -1 : static_cast<int>(v.GetType());
  }

  /// Builds a value in scratch memory.
  template <class Generate>
  bool build(const arena_value*& value, Generate&& generate) {
    void* room = scratch_.Malloc(sizeof(arena_value));
    if (room == nullptr) return fail(errc::out_of_memory, path_);
    auto* made = new (room) arena_value();  // in an arena nothing needs destruction
    value = made;
    json::core::tree_builder<json::arena> builder(scratch_, options_.memory);
    return good(builder.build(*made, generate));
  }

  /// This walk's, or its writer's.
  error first_failure() const { return failure() ? failure() : out_.failure(); }

  options options_;
  on_clash clash_;
  Decide& decide_;
  sparse_writer<Handler> out_;
  json::arena scratch_;
  base::stack<frame, 4> frames_;
  index_memory indexes_;
  path path_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
