/// A JSON Patch on a digital twin, turned into a merge patch of desired.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_reference_t

#include "../../base/stack.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/arena.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../merge/change_builder.hpp"
#include "../../merge/tree/patch_operation.hpp"
#include "../dialect.hpp"
#include "digital_members.hpp"
#include "rule_checker.hpp"
#include "write_input.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// The longest name, in characters.
inline constexpr std::size_t max_digital_name = 64;

/// The names that the Digital Twins Definition Language allows: letters, digits and underscores, a
/// letter first, no underscore last, at most 64 of them. Returns ok, reserved_member,
/// name_too_long or forbidden_name.
inline json::errc check_digital_name(std::string_view name) noexcept {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.empty()) return json::errc::forbidden_name;
  if (name.front() == '$') return json::errc::reserved_member;
  if (!is_letter(name.front()) || name.back() == '_') return json::errc::forbidden_name;
  for (const char c : name) {
    if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_') return json::errc::forbidden_name;
  }
  return name.size() > max_digital_name ? json::errc::name_too_long : json::errc::ok;
}

/// A handler of events that holds a value against the rules of digital twins and those of a
/// dialect.
class digital_value_checker {
 public:
  static constexpr std::size_t max_depth = 5;

  digital_value_checker(const dialect& rules, const memory_source& memory) noexcept
      : rules_(rules, part::desired, shape::patch, nullptr, memory) {}

  json::errc failure() const noexcept {
    return failure_ == json::errc::ok ? rules_.failure() : failure_;
  }
  std::uint64_t limit() const noexcept {
    return failure_ == json::errc::name_too_long ? max_digital_name : rules_.limit();
  }
  std::uint64_t actual() const noexcept { return actual_ == 0 ? rules_.actual() : actual_; }

  bool Null() noexcept { return fail(json::errc::null_forbidden); }
  bool Bool(bool b) { return rules_.Bool(b); }
  bool Int(int i) { return rules_.Int(i); }
  bool Uint(unsigned u) { return rules_.Uint(u); }
  bool Int64(std::int64_t i) { return rules_.Int64(i); }
  bool Uint64(std::uint64_t u) { return rules_.Uint64(u); }
  bool Double(double d) { return rules_.Double(d); }
  bool String(const char* text, size_type length, bool copy) {
    return rules_.String(text, length, copy);
  }
  bool Key(const char* text, size_type length, bool copy) {
    const json::errc code = check_digital_name({text, length});
    if (code == json::errc::name_too_long) actual_ = length;
    return code == json::errc::ok ? rules_.Key(text, length, copy) : fail(code);
  }
  bool StartObject() { return rules_.StartObject(); }
  bool EndObject(size_type members) { return rules_.EndObject(members); }
  bool StartArray() noexcept { return fail(json::errc::array_forbidden); }
  bool EndArray(size_type) noexcept { return true; }

 private:
  bool fail(json::errc code) noexcept {
    failure_ = code;
    return false;
  }
  rule_checker rules_;
  json::errc failure_ = json::errc::ok;
  std::uint64_t actual_ = 0;
};

/// An operation on a digital twin: on a property or component of it, or on a property of a
/// component.
struct digital_operation {
  enum kind_type : unsigned char { remove, set_property, set_component };
  kind_type kind = remove;
  std::string_view path;
  std::string_view name;               ///< the first step
  std::string_view property = {};      ///< the second; empty where there is none
  const arena_value* value = nullptr;  ///< that is set

  bool is_in_component() const noexcept { return !property.empty(); }
};

/// Reads the operations of a JSON Patch and checks each by itself.
class digital_operations : public json::core::steps_may_fail {
 public:
  digital_operations(const dialect& rules, const memory_source& memory) noexcept
      : rules_(rules), memory_(memory), walk_(memory), all_(memory) {}

  /// Reads all operations; on an error, those before the one that is wrong.
  bool read(const arena_value& patch) {
    if (!patch.IsArray()) return fail(json::errc::not_a_json_patch);
    for (std::size_t i = 0; i < patch.Size(); ++i) {
      if (!read_one(patch[static_cast<size_type>(i)], i)) return false;
    }
    return true;
  }
  std::size_t size() const noexcept { return all_.size(); }
  const digital_operation& operator[](std::size_t i) const noexcept { return all_[i]; }

 private:
  /// A member of the value that is written at a path.
  struct place {
    std::string_view path;
    const json::step* member = nullptr;
    template <class Put>
    void render(Put&& put) const {
      for (const char c : path) put(c);
      if (member != nullptr) json::core::render_step(*member, put);
    }
  };
  bool refuse(json::errc code, std::size_t index, const place& where, std::uint64_t limit = 0,
              std::uint64_t actual = 0) {
    return good(json::error(code).limited_to(limit, actual).in_operation(index).at(where));
  }

  bool read_one(const arena_value& given, std::size_t index) {
    merge::core::patch_operation<arena_value> raw;
    if (json::error e = raw.read(given, index)) return good(e);
    digital_operation op;
    op.path = raw.path;
    op.value = raw.value;
    using verb = merge::core::patch_verb;
    if (raw.verb != verb::add && raw.verb != verb::replace && raw.verb != verb::remove)
      return refuse(json::errc::unsupported_operation, index, {raw.path});
    if (!split(op, index)) return false;
    if (raw.verb != verb::remove && !check_value(op, index)) return false;
    return all_.push(op) || fail(json::errc::out_of_memory);
  }
  /// Takes the path apart.
  bool split(digital_operation& op, std::size_t index) {
    if (!json::core::pointer_tokens::valid(op.path))
      return refuse(json::errc::invalid_pointer, index, {op.path});
    json::core::pointer_tokens tokens(op.path);
    if (!tokens.next(op.name)) return refuse(json::errc::unsupported_operation, index, {op.path});
    if (!check_name(op.name, index, {read_of(op.path, tokens)})) return false;
    if (!tokens.next(op.property)) return true;
    if (!check_name(op.property, index, {read_of(op.path, tokens)})) return false;
    return tokens.remaining() == 0 || refuse(json::errc::unsupported_operation, index, {op.path});
  }
  /// The part of a pointer that was taken apart.
  static std::string_view read_of(std::string_view pointer,
                                  const json::core::pointer_tokens& tokens) noexcept {
    return pointer.substr(0, pointer.size() - tokens.remaining());
  }
  /// No name that is allowed has a character that a pointer escapes, so a step is checked as it is.
  bool check_name(std::string_view name, std::size_t index, const place& where) {
    const json::errc code = check_digital_name(name);
    if (code == json::errc::ok) return true;
    const bool is_long = code == json::errc::name_too_long;
    return refuse(code, index, where, is_long ? max_digital_name : 0, is_long ? name.size() : 0);
  }
  bool check_value(digital_operation& op, std::size_t index) {
    op.kind = digital_operation::set_property;
    const arena_value* marker = op.is_in_component() || !op.value->IsObject()
                                    ? nullptr
                                    : find_member(*op.value, "$metadata");
    if (marker == nullptr) return check(*op.value, index, {op.path});
    op.kind = digital_operation::set_component;
    const auto* members = json::core::members_begin(*op.value);
    for (size_type i = 0; i < op.value->MemberCount(); ++i) {
      const std::string_view name = json::core::text_of(members[i].name);
      const json::step step = json::step::member(name);
      const place where{op.path, &step};
      if (&members[i].value == marker) {
        if (!marker->IsObject() || marker->MemberCount() != 0)
          return refuse(json::errc::reserved_member, index, where);
        continue;
      }
      if (!check_name(name, index, where) || !check(members[i].value, index, where)) return false;
    }
    return true;
  }
  bool check(const arena_value& value, std::size_t index, const place& where) {
    digital_value_checker checker(rules_, memory_);
    json::error e = json::core::emit(value, checker, json::core::nulls::emit,
                                     digital_value_checker::max_depth, walk_, 0, where);
    if (!e) return true;
    if (e.code() == checker.failure())
      e = static_cast<json::error&&>(e).limited_to(checker.limit(), checker.actual());
    return good(static_cast<json::error&&>(e).in_operation(index));
  }

  const dialect& rules_;
  memory_source memory_;
  json::core::own_walk_memory<arena_value> walk_;
  base::stack<digital_operation, 8> all_;
};

/// Whether a name is that of a property or of a component, as operations are carried out.
class digital_conformance : public json::core::steps_may_fail {
 public:
  digital_conformance(const digital_operations& operations, const memory_source& memory) noexcept
      : operations_(operations), states_(memory), slots_(memory), indexes_(memory) {}

  /// Refuses the first operation that takes a component for a property, or a property for a
  /// component.
  bool check(const arena_value& desired, const arena_value& reported) {
    const auto count = static_cast<size_type>(operations_.size());
    const names all{operations_};
    json::core::name_index index;
    const auto none = [](size_type) {};
    if (!index.build(count, json::core::indexed(all), slots_, none) || !states_.extend(count))
      return fail(json::errc::out_of_memory);
    object_beside in_desired(&desired, indexes_), in_reported(&reported, indexes_);
    for (size_type i = 0; i < count; ++i) {
      const digital_operation& op = operations_[i];
      const size_type first = index.find_text(op.name, json::core::indexed(all), slots_);
      state& known = states_[first];
      if (first == i) {
        const arena_value* found[2];
        if (!in_desired.find(op.name, indexes_, found[0]) ||
            !in_reported.find(op.name, indexes_, found[1]))
          return fail(json::errc::out_of_memory);
        known = {kind_in(found[0]), kind_in(found[1])};
      }
      if (!conforms(op, known)) {
        return good(json::error(json::errc::not_conformant)
                        .in_operation(i)
                        .at(json::core::pointer_text{op.path}));
      }
    }
    return true;
  }

 private:
  struct names {
    const digital_operations& all;
    std::string_view text(size_type i) const noexcept { return all[i].name; }
    std::uint64_t hash(size_type i) const noexcept { return json::core::hash_name(text(i)); }
  };
  struct state {
    digital_kind desired, reported;
  };
  static digital_kind kind_in(const arena_value* value) noexcept {
    return value == nullptr      ? digital_kind::none
           : is_component(value) ? digital_kind::component
                                 : digital_kind::property;
  }
  /// Whether an operation may follow. Notes what is desired after it.
  static bool conforms(const digital_operation& op, state& known) noexcept {
    const bool component =
        known.desired == digital_kind::component || known.reported == digital_kind::component;
    const bool property = !component && (known.desired == digital_kind::property ||
                                         known.reported == digital_kind::property);
    if (op.is_in_component()) {
      if (op.kind != digital_operation::remove) known.desired = digital_kind::component;
      return !property;
    }
    switch (op.kind) {
      case digital_operation::remove:
        known.desired = digital_kind::none;
        return true;
      case digital_operation::set_property:
        known.desired = digital_kind::property;
        return !component;
      case digital_operation::set_component:
        break;
    }
    // A property that is only desired makes way for the component.
    if (!component && known.reported == digital_kind::property) return false;
    known.desired = digital_kind::component;
    return true;
  }

  const digital_operations& operations_;
  base::stack<state, 8> states_;  ///< of a name, at its first operation
  json::core::index_memory slots_;
  json::core::index_memory indexes_;
};

/// What all operations together do to desired.
inline json::error sum_of(const digital_operations& operations, merge::change& sum,
                          const memory_source& memory) {
  merge::options o;
  o.memory = memory;
  merge::change_builder builder(o);
  json::document marked(memory);  // a component without properties
  if (json::error e = json::core::document_access::rebuild(marked, 0, [](auto& handler) {
        const bool sent = handler.StartObject() && handler.Key("__t", 3, true) &&
                          handler.String("c", 1, true) && handler.EndObject(1);
        return json::error(sent ? json::errc::ok : json::errc::out_of_memory);
      }))
    return e;
  text_buffer inside(memory);
  const auto at = [&](const digital_operation& op, std::string_view name) -> json::errc {
    inside.resize(0);
    const bool good = inside.append("/", 1) && inside.append(op.name.data(), op.name.size()) &&
                      inside.append("/", 1) && inside.append(name.data(), name.size());
    return good ? json::errc::ok : json::errc::out_of_memory;
  };
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const digital_operation& op = operations[i];
    if (op.is_in_component()) {
      if (const json::errc e = at(op, component_mark); e != json::errc::ok) return e;
      builder.set(inside.view(), std::string_view("c"));
    }
    switch (op.kind) {
      case digital_operation::remove:
        builder.remove(op.path);
        break;
      case digital_operation::set_property:
        builder.set(op.path, *op.value);
        break;
      case digital_operation::set_component: {
        builder.set(op.path, marked);
        const auto* members = json::core::members_begin(*op.value);
        for (size_type m = 0; m < op.value->MemberCount(); ++m) {
          const std::string_view name = json::core::text_of(members[m].name);
          if (name == "$metadata") continue;
          if (const json::errc e = at(op, name); e != json::errc::ok) return e;
          builder.set(inside.view(), members[m].value);
        }
        break;
      }
    }
  }
  return builder.finish(sum);
}

/// Sends the merge patch of desired that does what a change made by sum_of() does. What is set
/// replaces what is there, and a component without properties goes.
template <class Handler>
class digital_patch_sender : public json::core::steps_may_fail {
 public:
  digital_patch_sender(Handler& handler, const memory_source& memory) noexcept
      : out_(handler), memory_(memory), made_(memory), walk_(memory), indexes_(memory) {}

  bool run(const merge::change& sum, const arena_value& desired) {
    if (!out_.StartObject()) return stopped(out_);
    const arena_value& form = sum.form();
    object_beside before(&desired, indexes_);
    size_type sent = 0;
    for (size_type i = 0; form.IsObject() && i < form.MemberCount(); ++i) {
      const value_member& place = json::core::members_begin(form)[i];
      const arena_value* old;
      if (!before.find(place.name, indexes_, old)) return fail(json::errc::out_of_memory);
      arena_value patch;
      bool concerns = true;
      if (!patch_of(place.value, old, patch, concerns)) return false;
      if (!concerns) continue;
      ++sent;
      if (!json::core::emit_name(place.name, out_)) return stopped(out_);
      if (!good(json::core::emit(patch, out_, json::core::nulls::emit, static_cast<std::size_t>(-1),
                                 walk_)))
        return false;
    }
    before.close(indexes_);
    return out_.EndObject(sent) || stopped(out_);
  }

 private:
  // The form of a change (merge/change.hpp): null removes, an array of one element sets it, an
  // object goes on with members.
  static const arena_value* set_by(const arena_value& place) noexcept {
    return place.IsArray() && place.Size() == 1 ? place.Begin() : nullptr;
  }

  /// Makes the merge patch of one member of desired; a null removes it. `concerns` becomes false
  /// where there is nothing to do.
  bool patch_of(const arena_value& place, const arena_value* old, arena_value& patch,
                bool& concerns) {
    const arena_value* value = set_by(place);
    if (value != nullptr && !(is_component(value) && !has_properties(value))) {
      if (!copy(*value, patch)) return false;
      return replaces(old, patch);
    }
    if (place.IsObject()) return patch_of_component(place, old, patch, concerns);
    concerns = old != nullptr;
    return true;
  }
  bool patch_of_component(const arena_value& place, const arena_value* old, arena_value& patch,
                          bool& concerns) {
    object_beside before(old, indexes_);
    size_type added = 0, removed = 0;
    const auto* members = json::core::members_begin(place);
    json::core::tree_builder<json::arena> builder(made_, memory_);
    const json::error e = builder.build(patch, [&](auto& handler) -> json::error {
      size_type sent = 1;
      bool good =
          handler.StartObject() && handler.Key("__t", 3, true) && handler.String("c", 1, true);
      for (size_type i = 0; good && i < place.MemberCount(); ++i) {
        const arena_value* there;
        if (!before.find(members[i].name, indexes_, there)) return json::errc::out_of_memory;
        if (json::core::text_of(members[i].name) == component_mark) continue;
        const arena_value* value = set_by(members[i].value);
        if (value == nullptr && there == nullptr) continue;
        ++sent;
        good = json::core::emit_name(members[i].name, handler);
        if (value == nullptr) {
          ++removed;
          good = good && handler.Null();
          continue;
        }
        added += there == nullptr ? 1 : 0;
        if (json::error failure = json::core::emit(*value, handler, json::core::nulls::emit,
                                                   static_cast<std::size_t>(-1), walk_))
          return failure;
      }
      return good && handler.EndObject(sent) ? json::errc::ok : json::errc::out_of_memory;
    });
    if (!good(e)) return false;
    before.close(indexes_);
    return finish_component(old, added, removed, patch, concerns);
  }
  /// `added` properties are new, `removed` are there and go.
  bool finish_component(const arena_value* old, size_type added, size_type removed,
                        arena_value& patch, bool& concerns) {
    if (patch.MemberCount() == 1) {  // the mark alone
      concerns = false;
      return true;
    }
    size_type had = 0;
    if (old != nullptr && old->IsObject())
      had = old->MemberCount() - (find_member(*old, component_mark) != nullptr ? 1 : 0);
    if (had + added == removed) {  // the component goes
      patch.SetNull();
      return true;
    }
    if (old == nullptr || !old->IsObject()) return true;
    // Each property replaces the one that is there.
    object_beside before(old, indexes_);
    auto* members = json::core::members_begin(patch);
    for (size_type i = 0; i < patch.MemberCount(); ++i) {
      const arena_value* there;
      if (!before.find(members[i].name, indexes_, there)) return fail(json::errc::out_of_memory);
      if (!replaces(there, members[i].value)) return false;
    }
    before.close(indexes_);
    return true;
  }
  /// Adds what makes a merge patch replace the value that is there.
  bool replaces(const arena_value* old, arena_value& patch) {
    if (old == nullptr || !old->IsObject() || !patch.IsObject()) return true;
    return good(null_for_missing(*old, patch, made_, memory_));
  }
  bool copy(const arena_value& value, arena_value& to) {
    json::core::tree_builder<json::arena> builder(made_, memory_);
    return good(builder.build(to, [&](auto& handler) {
      return json::core::emit(value, handler, json::core::nulls::emit, static_cast<std::size_t>(-1),
                              walk_);
    }));
  }

  Handler& out_;
  memory_source memory_;
  json::arena made_;
  json::core::own_walk_memory<arena_value> walk_;
  json::core::index_memory indexes_;
};

/// Turns a JSON Patch on the digital twin of these sections into what service_patch() takes.
inline json::error make_service_patch(const arena_value& patch, const dialect& rules,
                                      const arena_value& desired, const arena_value& reported,
                                      json::document& made, const memory_source& memory) {
  digital_operations operations(rules, memory);
  const bool all_read = operations.read(patch);
  digital_conformance conformance(operations, memory);
  if (!conformance.check(desired, reported)) return conformance.failure();
  if (!all_read) return operations.failure();
  merge::change sum(memory);
  if (json::error e = sum_of(operations, sum, memory)) return e;
  return json::core::document_access::rebuild(made, 0, [&](auto& handler) -> json::error {
    using handler_type = std::remove_reference_t<decltype(handler)>;
    digital_patch_sender<handler_type> sender(handler, memory);
    if (!handler.StartObject() || !handler.Key("properties", 10, true) || !handler.StartObject() ||
        !handler.Key("desired", 7, true))
      return json::errc::out_of_memory;
    if (!sender.run(sum, desired)) return sender.failure();
    return handler.EndObject(1) && handler.EndObject(1) ? json::errc::ok
                                                        : json::errc::out_of_memory;
  });
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
