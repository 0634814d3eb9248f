/// How a twin comes to be: made anew, or taken from JSON.
#pragma once

#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../base/text_buffer.hpp"
#include "../../json/arena.hpp"
#include "../../json/get.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/write.hpp"
#include "../identity.hpp"
#include "../outcome.hpp"
#include "emit_section.hpp"
#include "section.hpp"
#include "sync_count.hpp"
#include "twin_state.hpp"
#include "write_input.hpp"
#include "write_output.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Takes what emit_history() wrote for a section that is loaded otherwise. What does not fit the
/// section, or each other, is not believed: then the section is doubted. Returns ok; not_a_twin for
/// a member of the wrong type; out_of_memory.
inline json::errc load_history(const json::arena_value& given, section<stamped>& s,
                               const memory_source& working) {
  if (!given.IsObject()) return json::errc::not_a_twin;
  const std::int64_t version = s.version();
  section_history& history = s.tracking().history();
  const bool doubted = s.tracking().is_doubted();  // as loaded, without a history
  s.tracking().doubt(version);
  const auto integer = [](const json::arena_value& object, std::string_view name) -> std::int64_t {
    const json::arena_value* found = find_member(object, name);
    const auto number = found == nullptr ? json::result<std::int64_t>(json::errc::not_found)
                                         : json::get<std::int64_t>(*found);
    return number ? *number : -1;
  };
  const std::int64_t since = integer(given, "knownSince");
  const json::arena_value* removed = find_member(given, "removed");
  if (removed != nullptr && !removed->IsArray()) return json::errc::not_a_twin;
  for (json::size_type i = 0; removed != nullptr && i < removed->Size(); ++i) {
    const json::arena_value& record = *(removed->Begin() + i);
    const json::arena_value* names = record.IsObject() ? find_member(record, "names") : nullptr;
    if (names == nullptr || !names->IsObject()) return json::errc::not_a_twin;
  }
  const json::arena_value* checksum = find_member(given, "checksum");
  if (doubted || removed == nullptr || checksum == nullptr || !checksum->IsString() || since < 0 ||
      since > version)
    return json::errc::ok;
  const std::size_t budget = history.budget();
  history.set_budget(static_cast<std::size_t>(-1));  // the checksum is of all records
  history.start(since);
  std::int64_t before = since;
  const auto not_believed = [&] {
    s.tracking().doubt(version);
    history.set_budget(budget);
    return json::errc::ok;
  };
  for (json::size_type i = 0; i < removed->Size(); ++i) {
    const json::arena_value& record = *(removed->Begin() + i);
    const json::arena_value* names = find_member(record, "names");
    const std::int64_t at = integer(record, "version");
    if (at <= before || at > version) return not_believed();
    before = at;
    text_buffer text(working);
    json::write_options options;
    options.memory = working;
    if (json::write(*names, text, options) || !history.prepare(text.view()))
      return json::errc::out_of_memory;
    history.restore(at, text.view());
  }
  char sum[checksum_chars];
  if (write_history_checksum(s.values(), s.tracking().shadow(), version, history, working, sum))
    return json::errc::out_of_memory;
  if (json::core::text_of(*checksum) != std::string_view(sum, checksum_chars))
    return not_believed();
  if (!s.tracking().shadow().in_order_after(since)) return not_believed();
  s.tracking().set_doubted(false);
  history.set_budget(budget);
  return json::errc::ok;
}

/// Sends the identity of a new twin, as the service has it, and counts its members.
template <class Writer>
json::error send_new_identity(const new_identity& who, std::string_view etag, Writer& out) {
  const auto text = [&out](std::string_view name, std::string_view value) {
    return out.Key(name.data(), static_cast<json::size_type>(name.size()), true) &&
           out.String(value.empty() ? "" : value.data(), static_cast<json::size_type>(value.size()),
                      true);
  };
  constexpr std::string_view never = "0001-01-01T00:00:00Z";
  const bool module = !who.module_id.empty();
  const bool sent =
      out.StartObject() && text("deviceId", who.device_id) &&
      (!module || text("moduleId", who.module_id)) && text("etag", etag) &&
      text("deviceEtag", "MQ==") && text("status", "enabled") && text("statusUpdateTime", never) &&
      text("connectionState", "Disconnected") && text("lastActivityTime", never) &&
      out.Key("cloudToDeviceMessageCount", 25, true) && out.Int(0) &&
      text("authenticationType", who.authentication_type) && out.Key("x509Thumbprint", 14, true) &&
      out.StartObject() && out.Key("primaryThumbprint", 17, true) && out.Null() &&
      out.Key("secondaryThumbprint", 19, true) && out.Null() && out.EndObject(2) &&
      text("modelId", who.model_id) && out.Key("version", 7, true) && out.Int64(2) &&
      out.Key("capabilities", 12, true) && out.StartObject() && out.Key("iotEdge", 7, true) &&
      out.Bool(who.iot_edge) && out.EndObject(1) && out.EndObject(module ? 14 : 13);
  return sent ? json::error() : json::error(json::core::failure_of(out, 0));
}

/// Makes `fresh`, which is empty, the twin of a new device or module, and writes its lifecycle
/// event.
template <class State>
json::error make_twin(State& fresh, const new_identity& who, timestamp now, outcome& done) {
  if (check_id(who.device_id) != json::errc::ok)
    return error_at_member(json::errc::invalid_identity, "deviceId");
  if (!who.module_id.empty() && check_id(who.module_id) != json::errc::ok) {
    return error_at_member(json::errc::invalid_identity, "moduleId");
  }
  char etag[etag_chars];
  write_etag(1, etag);
  if (json::error e = json::core::document_access::rebuild(fresh.identity, 0, [&](auto& out) {
        return send_new_identity(who, {etag, etag_chars}, out);
      })) {
    return e;
  }
  fresh.layout.properties =
      fresh.identity.root().MemberCount() - 1;  // as the service has it, before capabilities
  fresh.version = 2;
  json::arena_value empty;
  empty.SetObject();
  const stamp made{now, 0};
  loaded_section content{empty};
  if (json::error e = fresh.tags.load(content, fresh.rules->size, fresh.working())) return e;
  content.version = 1;
  content.everything = &made;
  if (json::error e = fresh.reported.load(content, fresh.rules->size, fresh.working())) return e;
  content.with_versions = true;
  if (json::error e = fresh.desired.load(content, fresh.rules->size, fresh.working())) return e;

  json::text_writer writer(outcome_access::event(done));
  if (json::error e = write_event_body(
          writer, fresh, fresh.etag(), fresh.version, [] { return json::error(); },
          [&] { return emit_section(fresh.desired, true, true, writer, fresh.working()); },
          [&] { return emit_section(fresh.reported, true, false, writer, fresh.working()); })) {
    return e;
  }
  if (!outcome_access::set_etag(done, fresh.etag())) return json::errc::out_of_memory;
  outcome_access::note_versions(done, 1, 1, fresh.version);
  return {};
}

/// Takes a twin apart that is JSON: the service's view, a device's, or an event's body.
template <class State>
class twin_loader {
 public:
  /// `fresh`, which is empty, becomes the twin; it is not to be used after an error.
  explicit twin_loader(State& fresh) noexcept : fresh_(fresh), working_(fresh.working()) {
    empty_.SetObject();
  }

  json::error load(json::arena_value& value) {
    if (!value.IsObject()) return json::errc::not_a_twin;
    if (json::error e = find_parts(value)) return e;
    if (json::error e = load_identity(value)) return e;
    if (json::error e = load_tags()) return e;
    for (const part where : {part::desired, part::reported}) {
      if (json::error e = load_properties(where)) return e;
    }
    if (json::error e = load_version()) return e;
    sync_counter counter(*fresh_.rules, working_);
    return counter.count(fresh_.desired.values(), &fresh_.reported.values(),
                         sync_counter::from_patch::neither, fresh_.pending, true);
  }

 private:
  json::arena_value*& given(part where) noexcept {
    return where == part::desired ? desired_ : reported_;
  }

  json::error find_parts(json::arena_value& value) {
    auto* members = json::core::members_begin(value);
    for (json::size_type i = 0; i < value.MemberCount(); ++i) {
      const std::string_view name = json::core::text_of(members[i].name);
      json::arena_value& member = members[i].value;
      if (name == "tags") tags_ = &member;
      if (name == "properties") properties_ = &member;
      if (name == history_member) history_ = &member;
      if (name == "desired") desired_ = &member;
      if (name == "reported") reported_ = &member;
    }
    if (properties_ == nullptr) return {};
    for (const part where : {part::desired, part::reported}) {  // which of the two would it be?
      if (given(where) != nullptr)
        return error_at_member(json::errc::misplaced_section, name_of(where));
    }
    return {};
  }
  /// Everything else at the root, in its order.
  json::error load_identity(const json::arena_value& value) {
    const auto keep = [&](auto& out) -> json::error {
      json::core::own_walk_memory<json::arena_value> memory(working_);
      const auto stopped = [&out] { return json::error(json::core::failure_of(out, 0)); };
      const auto* members = json::core::members_begin(value);
      json::size_type kept = 0;
      if (!out.StartObject()) return stopped();
      for (json::size_type i = 0; i < value.MemberCount(); ++i) {
        const std::string_view name = json::core::text_of(members[i].name);
        if (name == "tags") fresh_.layout.tags = kept;
        if (name == "properties") fresh_.layout.properties = kept;
        if (name == "tags" || name == "properties" || name == history_member || name == "desired" ||
            name == "reported")
          continue;
        if (!send_name(members[i], out)) return stopped();
        constexpr std::size_t any_depth = static_cast<std::size_t>(-1);
        if (json::error e =
                json::core::emit(members[i].value, out, json::core::nulls::emit, any_depth, memory))
          return e;
        ++kept;
      }
      return out.EndObject(kept) ? json::error() : stopped();
    };
    json::document loose(working_);
    if (json::error e = json::core::document_access::rebuild(loose, 0, keep)) return e;
    if (json::error e = fresh_.identity.assign(loose.root())) return e;  // at its exact size
    fresh_.layout.shows_history = history_ != nullptr;
    return {};
  }
  json::error load_version() {
    const json::arena_value* version = find_member(fresh_.identity.root(), "version");
    if (version == nullptr) return {};
    const auto number = json::get<std::int64_t>(*version);
    if (!number || *number < 0) return error_at_member(json::errc::not_a_twin, "version");
    fresh_.version = *number;
    return {};
  }
  json::error load_tags() {
    fresh_.layout.shows_empty_tags = tags_ != nullptr;
    if (tags_ != nullptr && !tags_->IsObject())
      return error_at_member(json::errc::not_a_twin, "tags");
    return fresh_.tags.load({tags_ == nullptr ? empty_ : *tags_}, fresh_.rules->size, working_);
  }
  json::error load_properties(part where) {
    if (json::error e = find_properties(where)) return e;
    json::arena_value& values = given(where) == nullptr ? empty_ : *given(where);
    if (!values.IsObject()) return invalid(where);
    // The values are what is left without the service's own two.
    loaded_section content{values};
    json::arena_value metadata, version;
    content.with_versions = where == part::desired;
    if (take_member(values, "$metadata", metadata)) content.metadata = &metadata;
    if (content.metadata != nullptr && !metadata.IsObject()) return invalid(where, "$metadata");
    if (take_member(values, "$version", version)) {
      const auto number = json::get<std::int64_t>(version);
      if (!number || *number < 0) return invalid(where, "$version");
      content.version = *number;
    }
    const json::arena_value* past = history_ != nullptr && history_->IsObject()
                                        ? find_member(*history_, name_of(where))
                                        : nullptr;
    if (past != nullptr && past->IsObject()) content.versions = find_member(*past, "versions");
    if (content.versions != nullptr && !content.versions->IsObject()) content.versions = nullptr;
    if (json::error e = fresh_.properties(where).load(content, fresh_.rules->size, working_)) {
      return e.code() == json::errc::not_a_twin ? invalid(where) : e;
    }
    return load_past(where, past, content);
  }
  /// Where the section is: inside `properties`, or beside it.
  json::error find_properties(part where) {
    json::arena_value*& found = given(where);
    if (properties_ != nullptr) {
      if (!properties_->IsObject()) return error_at_member(json::errc::not_a_twin, "properties");
      auto* members = json::core::members_begin(*properties_);
      for (json::size_type i = 0; i < properties_->MemberCount(); ++i) {
        if (json::core::text_of(members[i].name) == name_of(where)) found = &members[i].value;
      }
    }
    (where == part::desired ? fresh_.layout.has_desired : fresh_.layout.has_reported) =
        found != nullptr;
    return {};
  }
  json::error load_past(part where, const json::arena_value* past, const loaded_section& content) {
    auto& section = fresh_.properties(where);
    if (history_ != nullptr && past == nullptr) section.tracking().doubt(section.version());
    if (past != nullptr) {
      const json::errc code = load_history(*past, section, working_);
      if (code == json::errc::not_a_twin) {
        const json::step steps[] = {json::step::member(history_member),
                                    json::step::member(name_of(where))};
        return json::error(code).at(json::location(steps, 2));
      }
      if (code != json::errc::ok) return code;
    }
    if (content.metadata == nullptr || !section.tracking().is_doubted()) return {};
    return section.tracking().forget_versions(section.values(), *content.metadata,
                                              content.with_versions, working_);
  }
  json::error invalid(part where, const char* inside = nullptr) const noexcept {
    json::step steps[3];
    std::size_t depth = 0;
    if (properties_ != nullptr) steps[depth++] = json::step::member("properties");
    steps[depth++] = json::step::member(name_of(where));
    if (inside != nullptr) steps[depth++] = json::step::member(inside);
    return json::error(json::errc::not_a_twin).at(json::location(steps, depth));
  }

  State& fresh_;
  memory_source working_;
  json::arena_value empty_;
  json::arena_value* tags_ = nullptr;
  json::arena_value* properties_ = nullptr;
  json::arena_value* history_ = nullptr;
  json::arena_value* desired_ = nullptr;
  json::arena_value* reported_ = nullptr;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
