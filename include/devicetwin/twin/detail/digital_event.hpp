/// What a write changed in a digital twin, as the operations of a JSON Patch.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../base/text_buffer.hpp"
#include "../../json/equal.hpp"
#include "../../json/pointer.hpp"
#include "../../json/write.hpp"
#include "../../merge/change_builder.hpp"
#include "../outcome.hpp"
#include "digital_sender.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Makes a copy of a part's values as they were before the write of an outcome.
inline json::error values_before(const outcome& done, part where, const arena_value& values,
                                 json::document& before, const memory_source& working) {
  merge::options o;
  o.numbers = merge::number_equality::by_value_and_type;  // to the letter
  o.memory = working;
  merge::change_builder builder(o);
  for (const property_change& change : done) {
    if (change.where != where) continue;
    if (change.old_value == nullptr) {
      builder.remove(change.pointer);
    } else {
      builder.set(change.pointer, *change.old_value);
    }
  }
  merge::change undo(working);
  if (json::error e = builder.finish(undo)) return e;
  if (json::error e = before.assign(values)) return e;
  return merge::apply(before, undo, o);
}

/// Writes the operations that turn a digital twin as it was into what it is now. Writes nothing when
/// there is none.
class digital_event {
 public:
  /// `written`: the section that was written; `before`: its values as they were.
  digital_event(const section<stamped>& desired, const section<stamped>& reported, part written,
                const arena_value& before, json::text_writer& writer, const memory_source& memory)
      : sender_(desired, reported, writer, memory),
        writer_(writer),
        path_(memory),
        memory_(memory),
        written_(written),
        version_((written == part::desired ? desired : reported).version()),
        before_{&reported.values(), &desired.values()} {
    (written == part::desired ? before_.desired : before_.reported) = &before;
  }

  json::error write() {
    if (json::error e = each_in(
            false, before_, sender_.sections(),
            [this](std::string_view name, const digital_member& before,
                   const digital_member& after) { return compare_at_root(name, before, after); }))
      return e;
    return !begun_ || writer_.EndArray(0) ? json::error() : stopped();
  }

 private:
  /// A place in the digital twin.
  class path {
   public:
    /// A member of a component or, for a null pointer, of the digital twin itself.
    path(const std::string_view* component, std::string_view name) noexcept {
      if (component != nullptr) add(*component);
      add(name);
    }
    path inside(std::string_view name) const noexcept {
      path longer = *this;
      longer.add(name);
      return longer;
    }
    json::location location() const noexcept { return {steps_, depth_}; }

   private:
    void add(std::string_view name) noexcept { steps_[depth_++] = json::step::member(name); }
    json::step steps_[4];
    std::size_t depth_ = 0;
  };

  /// Calls `visit(name, before, after)` for each name in two objects that the write concerns.
  template <class Visit>
  json::error each_in(bool in_component, const digital_member& before, const digital_member& after,
                      Visit&& visit) {
    const arena_value* const objects[] = {after.reported, after.desired, before.reported,
                                          before.desired};
    return for_each_name(objects, sender_.indexes(),
                         [&](std::string_view name, const arena_value* const(&values)[4],
                             const size_type(&indexes)[4]) -> json::error {
                           if (in_component && name == component_mark) return {};
                           const digital_member is =
                               sender_.inside(after, values[0], indexes[0], values[1], indexes[1]);
                           const digital_member was{values[2], values[3]};
                           const bool concerns =
                               is_written(is) ||
                               (is.reported == nullptr) != (was.reported == nullptr) ||
                               (is.desired == nullptr) != (was.desired == nullptr);
                           return concerns ? visit(name, was, is) : json::error();
                         });
  }
  /// Whether the write has stamped what stands there now.
  bool is_written(const digital_member& m) const noexcept {
    return written_ == part::desired
               ? m.desired != nullptr && sender_.desired_stamp(m).version == version_
               : m.reported != nullptr && sender_.reported_stamp(m).version == version_;
  }

  json::error compare_at_root(std::string_view name, const digital_member& before,
                              const digital_member& after) {
    const digital_kind was = kind_of(before), is = kind_of(after);
    if (was == digital_kind::component && is == digital_kind::component) {
      return each_in(true, before, after,
                     [&](std::string_view property, const digital_member& property_before,
                         const digital_member& property_after) {
                       return compare(&name, property, property_before, property_after);
                     });
    }
    if (was == digital_kind::component) {
      if (json::error e = remove({nullptr, name})) return e;
    }
    const digital_member none;
    if (json::error e = compare(nullptr, name, was == digital_kind::property ? before : none,
                                is == digital_kind::property ? after : none))
      return e;
    if (is != digital_kind::component) return {};
    return add({nullptr, name}, [&] { return sender_.component(after); });
  }

  /// The operations for a property of a component or, for a null pointer, of the digital twin
  /// itself. What does not exist on one side is new, or has gone.
  json::error compare(const std::string_view* component, std::string_view name,
                      const digital_member& before, const digital_member& after) {
    const path entry = path(component, "$metadata").inside(name);
    if (!after.exists()) {
      if (!before.exists()) return {};
      if (json::error e = remove(entry)) return e;
    } else if (!before.exists() || loses(before, after)) {
      if (json::error e = add(entry, [&] { return sender_.entry(after); })) return e;
    } else {
      if (json::error e = written_ == part::desired ? compare_desired(entry, before, after)
                                                    : compare_reported(entry, before, after))
        return e;
    }
    return compare_values({component, name}, before.reported, after.reported);
  }
  /// Whether the metadata of a property has lost a member. Nobody knows which of the members that
  /// come from stamps were there, so all of the metadata is written then.
  static bool loses(const digital_member& before, const digital_member& after) noexcept {
    if (before.desired != nullptr && after.desired == nullptr) return true;
    if (before.reported == nullptr) return false;
    if (after.reported == nullptr) return true;
    const reported_answer was = read_reported(*before.reported);
    const reported_answer is = read_reported(*after.reported);
    return (was.acknowledged && !is.acknowledged) || (was.has_version && !is.has_version) ||
           (was.text != nullptr && is.text == nullptr);
  }
  json::error compare_desired(const path& entry, const digital_member& before,
                              const digital_member& after) {
    if (!is_written(after)) return {};
    if (json::error e =
            add_if_differs(entry.inside("desiredValue"), before.desired, *after.desired))
      return e;
    return add(entry.inside("desiredVersion"), [&] { return sender_.number(version_); });
  }
  json::error compare_reported(const path& entry, const digital_member& before,
                               const digital_member& after) {
    if (!is_written(after)) return {};
    reported_answer was{nullptr};
    if (before.reported != nullptr) was = read_reported(*before.reported);
    const reported_answer is = read_reported(*after.reported);
    if (is.acknowledged && (!was.acknowledged || was.code != is.code)) {
      if (json::error e = add(entry.inside("ackCode"), [&] { return sender_.number(is.code); }))
        return e;
    }
    if (is.text != nullptr) {
      if (json::error e = add_if_differs(entry.inside("ackDescription"), was.text, *is.text))
        return e;
    }
    if (is.has_version && (!was.has_version || was.version != is.version)) {
      if (json::error e =
              add(entry.inside("ackVersion"), [&] { return sender_.number(is.version); }))
        return e;
    }
    return add(entry.inside("lastUpdateTime"),
               [&] { return sender_.time(sender_.reported_stamp(after).time); });
  }
  json::error compare_values(const path& where, const arena_value* before,
                             const arena_value* after) {
    if (before == after) return {};
    if (after == nullptr) return remove(where);
    return add_if_differs(where, before == nullptr ? nullptr : read_reported(*before).value,
                          *read_reported(*after).value);
  }
  json::error add_if_differs(const path& where, const arena_value* before,
                             const arena_value& after) {
    if (before != nullptr) {
      json::equal_options exactly;
      exactly.numbers = merge::number_equality::by_value_and_type;
      exactly.memory = memory_;
      const json::comparison same = json::equal(*before, after, exactly);
      if (const json::errc e = json::core::failure_of(same); e != json::errc::ok) return e;
      if (same == json::comparison::equal) return {};
    }
    return add(where, [&] { return sender_.value(after); });
  }

  template <class Send>
  json::error add(const path& where, Send&& send) {
    if (json::error e = begin("add", where)) return e;
    if (!writer_.RawKey("\"value\":")) return stopped();
    if (json::error e = send()) return e;
    return writer_.EndObject(0) ? json::error() : stopped();
  }
  json::error remove(const path& where) {
    if (json::error e = begin("remove", where)) return e;
    return writer_.EndObject(0) ? json::error() : stopped();
  }
  json::error begin(std::string_view operation, const path& where) {
    path_.resize(0);
    bool good = true;
    where.location().render([&](char c) { good = good && path_.append(&c, 1); });
    if (!good) return json::errc::out_of_memory;
    if ((!begun_ && !writer_.StartArray()) || !writer_.StartObject() || !writer_.RawKey("\"op\":"))
      return stopped();
    begun_ = true;
    if (json::error e = sender_.text(operation)) return e;
    if (!writer_.RawKey("\"path\":")) return stopped();
    return sender_.text(path_.view());
  }
  json::error stopped() const noexcept { return writer_.failure(); }

  digital_sender<json::text_writer> sender_;
  json::text_writer& writer_;
  text_buffer path_;
  memory_source memory_;
  part written_;
  std::int64_t version_;  ///< of the section that was written, after the write
  digital_member before_;
  bool begun_ = false;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
