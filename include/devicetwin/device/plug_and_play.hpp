/// The conventions of IoT Plug and Play on the device's side: components, acknowledgements, and
/// what is not answered yet.
///
///     std::string patch;
///     devicetwin::property_writer<std::string> properties(patch);
///     properties.property("serial", "\"A1\"");
///     properties.component("thermostat");
///     properties.acknowledge("target", {"21.5", 200, session.version(part::desired), "set"});
///     if (auto e = properties.finish()) …
///     // {"serial":"A1","thermostat":{"__t":"c","target":{"value":…
///     if (auto e = session.report(patch, now)) …
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../base/memory.hpp"
#include "../base/text_buffer.hpp"
#include "../json/error.hpp"
#include "../json/find_text.hpp"
#include "../json/text/reader.hpp"
#include "../json/write.hpp"
#include "../merge/options.hpp"
#include "../merge/text.hpp"
#include "../twin/answer.hpp"
#include "detail/match_texts.hpp"
#include "detail/text_lookup.hpp"
#include "detail/written_names.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// The answer to a desired property.
struct acknowledgement {
  std::string_view value;  ///< the value in effect, as JSON text
  int code = 200;          ///< like HTTP's: 200 applied, 202 in progress, 203 an initial value, 400
                           ///< refused, 500 failed
  std::int64_t version = 0;    ///< of desired, that is answered
  std::string_view text = {};  ///< for people; when it is empty, an earlier one is removed
};

/// What a property has before anybody desired it: 203, about version 0.
constexpr acknowledgement initial_value(std::string_view value,
                                        std::string_view text = {}) noexcept {
  return {value, 203, 0, text};
}

/// Writes a patch for reported, property by property, to what json::write() takes. Names and texts
/// are escaped; values are JSON text and are checked. Properties before the first component() are
/// the device's own. Each property and each component may be written once. The patch is a merge
/// patch: an object is merged with one that was reported before. So pass what is reported now, and
/// what goes from it will be null in the patch.
///
/// Once something was wrong the rest is passed over, and finish() says what it was.
template <class Output>
class property_writer {
  static_assert(base::is_output<Output>,
                "property_writer: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");

 public:
  explicit property_writer(Output& out, const memory_source& memory = {})
      : out_(out),
        start_(out.size()),
        writer_(out),
        memory_(memory),
        own_names_(memory),
        component_names_(memory),
        indexes_(memory),
        name_(memory) {
    static_cast<void>(writer_.StartObject());
  }
  /// `reported` is what is reported now: an object in trusted text, such as
  /// device_session::text(part::reported). It must stay until finish(). Each property and each
  /// answer then replaces what is reported in its place.
  property_writer(Output& out, std::string_view reported, const memory_source& memory = {})
      : property_writer(out, memory) {
    reported_ = detail::text_lookup(reported);
    knows_reported_ = true;
  }
  property_writer(const property_writer&) = delete;
  property_writer& operator=(const property_writer&) = delete;

  /// What follows belongs to the component of this name.
  void component(std::string_view name) {
    close_component();
    begin(name);
    reported_inside_ = detail::text_lookup(reported_as(name));
    put(key(name) && writer_.StartObject());
    inside_ = true;
    component_names_.clear();
    begin("__t");
    put(key("__t") && string("c"));
  }
  /// A property that nobody but the device writes, with its value as JSON text; null removes it.
  void property(std::string_view name, std::string_view value) {
    begin(name);
    const std::string_view old = reported_as(name);
    put(key(name));
    if (is_object(old) && is_object(json::core::trimmed(value)) && check(value)) {
      replace(old, json::core::trimmed(value));
    } else {
      json_text(value);
    }
  }
  /// The answer to a property that was desired. The text of an earlier answer is removed where this
  /// one has none.
  void acknowledge(std::string_view name, const acknowledgement& said) {
    begin(name);
    const std::string_view old = reported_as(name);
    put(key(name));
    if (is_object(old) && check(said.value)) {
      text_buffer whole(memory_);
      json::text_writer writer(whole);
      if (send(said, writer)) return replace(old, whole.view());
      if (!failure_) failure_ = writer.failure();
    } else if (check(said.value)) {
      return put(send(said, writer_));
    }
    put(writer_.Null());
  }
  /// Ends the patch. Errors: those of json::read for a value; duplicate_name, with the pointer, for
  /// a property or component that was written twice (`__t` of a component is written by
  /// component()); invalid_utf8; out_of_memory. Then `out` is as it was.
  json::error finish() {
    close_component();
    put(writer_.EndObject(0));
    if (failure_) out_.resize(start_);
    return failure_;
  }

 private:
  static bool is_object(std::string_view text) noexcept {
    return !text.empty() && text.front() == '{';
  }
  /// What is reported as a property or component of this name, where the writer is; empty for
  /// nothing.
  std::string_view reported_as(std::string_view name) {
    std::string_view found;
    if (!knows_reported_ || failure_) return found;
    name_.resize(0);
    json::text_writer writer(name_);
    if (!writer.String(name.data(), static_cast<json::size_type>(name.size()), true)) {
      failure_ = writer.failure();
    } else if (!(inside_ ? reported_inside_ : reported_)
                    .find(name_.view().substr(1, name_.size() - 2), indexes_, found)) {
      failure_ = json::errc::out_of_memory;
    }
    return found;
  }
  /// Writes an object that, merged with `old`, replaces it: what `old` alone has is null in it.
  /// Both are trusted.
  void replace(std::string_view old, std::string_view fresh) {
    merge::text_options o;
    o.trust = merge::text_trust::trusted;
    o.memory = memory_;
    text_buffer wanted(memory_), difference(memory_), made(memory_);
    json::error e = merge::apply_merge_patch_text("{}", fresh, wanted, o);
    if (!e) e = merge::diff_text(old, wanted.view(), difference, o);
    o.nulls = merge::null_rule::keep;
    if (!e) e = merge::apply_merge_patch_text(wanted.view(), difference.view(), made, o);
    if (e && !failure_) failure_ = e;
    put(failure_ ? writer_.Null() : writer_.RawValue(made.view()));
  }
  template <class Writer>
  static bool send(const acknowledgement& said, Writer& writer) {
    const auto text = [&writer](std::string_view t) {
      return writer.String(t.data(), static_cast<json::size_type>(t.size()), true);
    };
    return writer.StartObject() && writer.Key("value", 5, true) &&
           writer.RawValue(json::core::trimmed(said.value)) && writer.Key("ac", 2, true) &&
           writer.Int(said.code) && writer.Key("av", 2, true) && writer.Int64(said.version) &&
           writer.Key("ad", 2, true) && (said.text.empty() ? writer.Null() : text(said.text)) &&
           writer.EndObject(0);
  }
  bool key(std::string_view name) {
    return writer_.Key(name.data(), static_cast<json::size_type>(name.size()), true);
  }
  /// Notes that a property or component of this name is written where the writer is.
  void begin(std::string_view name) {
    bool repeated = false;
    if (!(inside_ ? component_names_ : own_names_).add(name, repeated) && !failure_)
      failure_ = json::errc::out_of_memory;
    if (!repeated || failure_) return;
    const json::step steps[] = {json::step::member(inside_ ? own_names_.last() : name),
                                json::step::member(name)};
    failure_ = json::error(json::errc::duplicate_name).at(json::location(steps, inside_ ? 2 : 1));
  }
  bool string(std::string_view text) {
    return writer_.String(text.data(), static_cast<json::size_type>(text.size()), true);
  }
  void put(bool written) {
    if (!written && !failure_) failure_ = writer_.failure();
  }
  bool check(std::string_view value) {
    merge::options o;
    o.memory = memory_;
    const json::error e = merge::core::check_text(value, 0, o);
    if (e && !failure_) failure_ = e;
    return !failure_;
  }
  void json_text(std::string_view value) {
    put(check(value) ? writer_.RawValue(json::core::trimmed(value)) : writer_.Null());
  }
  void close_component() {
    if (inside_) put(writer_.EndObject(0));
    reported_inside_.close(indexes_);
    inside_ = false;
  }

  Output& out_;
  std::size_t start_;
  json::text_writer writer_;
  memory_source memory_;
  json::error failure_;
  detail::written_names own_names_, component_names_;
  detail::text_lookup reported_, reported_inside_;
  detail::lookup_memory indexes_;
  text_buffer name_;
  bool knows_reported_ = false;
  bool inside_ = false;
};

/// The names of a device's components. Its model has them; what is marked with `"__t":"c"` is one
/// besides.
struct component_names {
  const std::string_view* first = nullptr;
  std::size_t count = 0;
};

/// A desired property that waits for an answer.
struct unanswered_property {
  std::string_view pointer;   ///< in both sections
  std::string_view desired;   ///< its value, as JSON text
  std::string_view reported;  ///< what reported has there; empty when nothing
  answer said;                ///< none or pending; `ad` is not looked up
};

/// Calls `visit(const unanswered_property&)` for each desired property of the device and of its
/// components without an answer.
///
/// The rule is that of docs/azure.md, "Acknowledgements": what is desired needs no answer when the
/// value in effect is equal, in an acknowledgement of any version or as a plain value. Otherwise an
/// acknowledgement answers it when its `av` is at least the version of desired. A device does not
/// know at which version each property was written; so what it refused is asked for again once
/// anything else is desired. Shape: both sections as objects in trusted text, as
/// device_session::text() gives them; `version` of desired. Errors: out_of_memory. Cost: both
/// sections, and the names of the components; they are indexed where their order differs.
template <class Visit>
json::error find_unanswered(std::string_view desired, std::string_view reported,
                            std::int64_t version, component_names components, Visit&& visit,
                            const memory_source& memory = {});

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Whether an object says that it is a component.
inline bool is_marked_component(std::string_view object) noexcept {
  const std::string_view mark = json::core::text_at(object, "/__t");
  return mark.size() >= 2 && mark.front() == '"' &&
         json::core::same_string(mark.substr(1, mark.size() - 2), "c");
}

/// The value in effect of an acknowledgement in trusted text, with what else it says; empty for
/// anything else.
inline std::string_view acknowledged_text(std::string_view reported, answer& said) noexcept {
  said = {};
  if (reported.empty() || reported.front() != '{') return {};
  static constexpr std::string_view pointers[] = {"/value", "/ac", "/av"};
  std::string_view found[3];
  static_cast<void>(json::find_texts(reported, pointers, 3, found));
  if (!found[0].empty() && found[0] != "null" &&
      json::core::text_to(found[1], said.code) == json::errc::ok &&
      json::core::text_to(found[2], said.version) == json::errc::ok) {
    return found[0];
  }
  said = {};
  return {};
}

/// Whether reported has what is desired, as basic_twin::in_sync() has it: each member of an object
/// that is desired, with its value in effect. Trusted texts.
inline json::comparison compare_in_effect(std::string_view desired, std::string_view reported,
                                          const merge::text_options& o) {
  struct frame {
    json::core::text_items desired;
    text_lookup reported;
  };
  base::stack<frame, 2> frames(o.memory);
  lookup_memory indexes(o.memory);
  for (;;) {
    answer ignored;
    const std::string_view acknowledged = acknowledged_text(reported, ignored);
    if (!acknowledged.empty()) reported = acknowledged;
    if (reported.empty()) return json::comparison::different;
    if (desired.front() == '{' && reported.front() == '{') {
      if (!frames.push({json::core::text_items(desired), text_lookup(reported)}))
        return json::comparison::out_of_memory;
    } else {
      const json::comparison same = compare_texts(desired, reported, o);
      if (same != json::comparison::equal) return same;
    }
    while (!frames.empty() && !frames.back().desired.next()) {
      frames.back().reported.close(indexes);
      frames.pop();
    }
    if (frames.empty()) return json::comparison::equal;
    frame& f = frames.back();
    desired = f.desired.value();
    if (!f.reported.find(f.desired.name(), indexes, reported))
      return json::comparison::out_of_memory;
  }
}

/// What reported says to a desired value.
inline json::result<answer> answer_in_text(std::string_view desired, std::string_view reported,
                                           std::int64_t version, const merge::text_options& o) {
  if (version < 1) version = 1;  // an initial value, which is about version 0, answers nothing
  answer said;
  const bool acknowledged = !acknowledged_text(reported, said).empty();
  bool equal = false;
  if (!acknowledged || said.version < version) {
    const json::comparison same = compare_in_effect(desired, reported, o);
    if (const json::errc e = json::core::failure_of(same); e != json::errc::ok) return e;
    equal = same == json::comparison::equal;
  }
  if (acknowledged) {
    said.state = devicetwin::detail::state_of(said.code, said.version, version, equal);
  } else if (equal) {
    said.state = answer_state::accepted;
  }
  return said;
}

/// Whether a name is one of the components'.
class component_search {
 public:
  component_search(component_names components, const memory_source& memory) noexcept
      : components_(components), names_(memory), slots_(memory) {}
  /// `raw` is the name as it stands between its quotes. False when memory ran out.
  [[nodiscard]] bool find(std::string_view raw, bool& found) {
    const auto count = static_cast<json::size_type>(components_.count);
    const names all{components_.first};
    if (count > json::core::tuning::small_object && slots_.empty()) {
      json::core::first_repeat repeat;
      if (!index_.build(count, json::core::indexed(all), slots_, repeat)) return false;
    }
    names_.truncate(0);
    if (!merge::core::append_plain(raw, names_)) return false;
    const std::string_view plain(names_.data(), names_.size());
    found = false;
    if (!slots_.empty()) {
      found = index_.find_text(plain, all, slots_) != json::core::no_index;
    } else {
      for (json::size_type i = 0; i < count && !found; ++i) found = all.text(i) == plain;
    }
    return true;
  }

 private:
  struct names {
    const std::string_view* first;
    std::string_view text(json::size_type i) const noexcept { return first[i]; }
    std::uint64_t hash(json::size_type i) const noexcept { return json::core::hash_name(first[i]); }
  };
  component_names components_;
  merge::core::plain_names names_;
  json::core::index_memory slots_;
  json::core::name_index index_;
};

}  // namespace detail

template <class Visit>
json::error find_unanswered(std::string_view desired, std::string_view reported,
                            std::int64_t version, component_names components, Visit&& visit,
                            const memory_source& memory) {
  merge::text_options o;
  o.memory = memory;
  o.number_texts =
      json::text_numbers::as_stored;  // the hub may have rounded what the device answered
  text_buffer pointer(memory);
  detail::lookup_memory indexes(memory);
  detail::component_search listed(components, memory);
  // The device's own properties, and inside of each component its.
  json::core::text_items outer(desired);
  json::core::text_items inner{std::string_view()};
  detail::text_lookup outer_reported(reported);
  detail::text_lookup inner_reported;
  bool inside = false;
  std::size_t around = 0;
  for (;;) {
    json::core::text_items& items = inside ? inner : outer;
    pointer.resize(inside ? around : 0);
    if (!items.next()) {
      if (!inside) return {};
      inner_reported.close(indexes);
      inside = false;
      continue;
    }
    std::string_view found;
    if (!merge::core::append_name(items.name(), pointer) ||
        !(inside ? inner_reported : outer_reported).find(items.name(), indexes, found))
      return json::errc::out_of_memory;
    if (inside) {
      if (json::core::same_string(items.name(), "__t")) continue;
    } else if (!items.value().empty() && items.value().front() == '{') {
      bool component =
          detail::is_marked_component(items.value()) || detail::is_marked_component(found);
      if (!component && !listed.find(items.name(), component)) return json::errc::out_of_memory;
      if (component) {
        inner = json::core::text_items(items.value());
        inner_reported = detail::text_lookup(found);
        inside = true;
        around = pointer.size();
        continue;
      }
    }
    const auto said = detail::answer_in_text(items.value(), found, version, o);
    if (!said) return said.error();
    if (said->state != answer_state::none && said->state != answer_state::pending) continue;
    visit(unanswered_property{pointer.view(), items.value(), found, *said});
  }
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
