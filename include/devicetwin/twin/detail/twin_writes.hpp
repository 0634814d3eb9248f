/// How a twin is written: the bodies of basic_twin's members.
#pragma once

#include <new>  // placement new

#include "../basic_twin.hpp"
#include "emit_section.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Takes what emit_history() wrote for a section that is loaded otherwise. What does not fit the section, or each other,
/// is not believed: then the section is doubted. Returns ok; not_a_twin for a member of the wrong type; out_of_memory.
inline json::errc load_history(const json::arena_value& given, section<stamped>& s, const json::memory_source& working) {
  if (!given.IsObject()) return json::errc::not_a_twin;
  const std::int64_t version = s.version();
  section_history& history = s.tracking().history();
  const bool doubted = s.tracking().is_doubted();  // as loaded, without a history
  s.tracking().doubt(version);
  const auto integer = [](const json::arena_value& object, std::string_view name) -> std::int64_t {
    const json::arena_value* found = find_member(object, name);
    const auto number = found == nullptr ? json::result<std::int64_t>(json::errc::not_found) : json::get<std::int64_t>(*found);
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
  if (doubted || removed == nullptr || checksum == nullptr || !checksum->IsString() || since < 0 || since > version) return json::errc::ok;
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
    json::text_buffer text(working);
    json::write_options options;
    options.memory = working;
    if (json::write(*names, text, options) || !history.prepare(text.view())) return json::errc::out_of_memory;
    history.restore(at, text.view());
  }
  char sum[checksum_chars];
  if (write_history_checksum(s.values(), s.tracking().shadow(), version, history, working, sum)) return json::errc::out_of_memory;
  if (json::detail::text_of(*checksum) != std::string_view(sum, checksum_chars)) return not_believed();
  if (!s.tracking().shadow().in_order_after(since)) return not_believed();
  s.tracking().set_doubted(false);
  history.set_budget(budget);
  return json::errc::ok;
}

/// The counters at the root, etag and version: written in place where they are, which cannot fail, and added
/// where a loaded twin lacked them.
class counters_write {
 public:
  /// `version_hint`: where the version was found last.
  counters_write(json::document& identity, json::size_type& version_hint, const json::memory_source& working) noexcept
      : identity_(identity), version_hint_(version_hint), working_(working) {}
  ~counters_write() {
    if (addition_ != nullptr) addition_->~merge_type();
  }
  counters_write(const counters_write&) = delete;
  counters_write& operator=(const counters_write&) = delete;

  /// An empty etag leaves it as it is.
  json::error prepare(std::string_view etag, std::int64_t version, json::arena& scratch) {
    etag_ = etag;
    version_ = version;
    auto* members = json::detail::members_begin(json::document_access::root(identity_));
    const auto find = [&](std::string_view name, json::size_type hint) {
      const json::size_type count = identity_.root().MemberCount();
      if (hint < count && json::detail::text_of(members[hint].name) == name) return hint;
      for (json::size_type i = 0; i < count; ++i) {
        if (json::detail::text_of(members[i].name) == name) return i;
      }
      return json::detail::no_index;
    };
    const json::size_type etag_index = etag.empty() ? json::detail::no_index : find("etag", 0);
    version_hint_ = find("version", version_hint_);
    if (etag_index != json::detail::no_index) etag_at_ = &members[etag_index].value;
    if (version_hint_ != json::detail::no_index) version_at_ = &members[version_hint_].value;
    if (version_at_ != nullptr && (etag.empty() || etag_at_ != nullptr)) return {};
    if (!scratch.reserve(2048)) return json::errc::out_of_memory;
    patch_.SetObject();
    if (!etag.empty()) {
      json::arena_value text(etag.data(), static_cast<json::size_type>(etag.size()), scratch);
      patch_.AddMember("etag", text, scratch);
    }
    json::arena_value number(version);
    patch_.AddMember("version", number, scratch);
    addition_ = new (storage_) merge_type(identity_, merge_options(rfc7396, working_));
    if (json::error e = addition_->plan(patch_)) return e;
    return addition_->prepare();
  }
  void commit() {
    if (addition_ != nullptr) {
      merge::no_journal nobody;
      addition_->commit(nobody);
      return;
    }
    version_at_->SetInt64(version_);
    if (etag_.empty()) return;
    static_assert(etag_chars <= sizeof(json::arena_value) - 3, "an etag fits inside a value: no memory is asked for");
    etag_at_->SetString(etag_.data(), static_cast<json::size_type>(etag_.size()), json::document_access::memory(identity_));
  }

 private:
  using merge_type = merge::detail::document_merge<json::arena_value>;

  json::document& identity_;
  json::size_type& version_hint_;
  json::memory_source working_;
  json::arena_value patch_;
  std::string_view etag_;
  std::int64_t version_ = 0;
  json::arena_value* etag_at_ = nullptr;
  json::arena_value* version_at_ = nullptr;
  merge_type* addition_ = nullptr;  ///< in storage_, where one is missing
  alignas(merge_type) unsigned char storage_[sizeof(merge_type)];
};

/// Whether the service itself keeps a member of this name in a section: the metadata and the version of any, and the etag
/// that tags once had.
constexpr bool is_services_own(std::string_view name, part where) noexcept {
  return name == "$metadata" || name == "$version" || (where == part::tags && name == "$etag");
}

template <std::size_t N>
json::location place_of(part p, json::step (&steps)[N]) noexcept {
  if (p == part::tags) {
    steps[0] = json::step::member("tags");
    return json::location(steps, 1);
  }
  steps[0] = json::step::member("properties");
  steps[1] = json::step::member(name_of(p));
  return json::location(steps, 2);
}

/// Moves the member of this name out of an object; false when there is none.
inline bool take_member(json::arena_value& object, std::string_view name, json::arena_value& value) {
  auto* members = json::detail::members_begin(object);
  for (json::size_type i = 0; i < object.MemberCount(); ++i) {
    if (json::detail::text_of(members[i].name) != name) continue;
    value.Swap(members[i].value);
    object.EraseMember(object.MemberBegin() + static_cast<std::ptrdiff_t>(i));
    return true;
  }
  return false;
}

/// Takes a version out of an object: false when it is none.
inline bool take_version(json::arena_value& object, std::string_view name, std::int64_t& version) {
  json::arena_value given;
  if (!take_member(object, name, given)) return false;
  const auto number = json::get<std::int64_t>(given);
  if (!number || *number < 0) return false;
  version = *number;
  return true;
}

inline json::error error_at_member(json::errc code, std::string_view name) noexcept {
  const json::step s = json::step::member(name);
  return json::error(code).at(json::location(&s, 1));
}

/// Why a walk that writes came to a stop: the writer's reason, or else its own memory ran out.
template <class Writer>
json::error why_stopped(const Writer& out) noexcept {
  const json::errc code = json::detail::failure_of(out, 0);
  return code == json::errc::ok ? json::errc::out_of_memory : code;
}

/// Of an object's compact text that ends with `"$version"`: the brace and the members before it, without the comma.
inline std::string_view members_before_version(std::string_view object) noexcept {
  object.remove_suffix(object.size() - object.rfind('"'));  // up to the name's last quote: the number has none
  object.remove_suffix(std::string_view("\"$version").size());
  if (object.back() == ',') object.remove_suffix(1);
  return object;
}

/// The body of an event that has the whole twin: lifecycle and replaceTwin. `tags` writes the tags with their name, or
/// nothing; the others write a section.
template <class Writer, class Twin, class Tags, class Desired, class Reported>
json::error write_event_body(Writer& out, const Twin& t, std::string_view etag, std::int64_t version, Tags&& tags,
                             Desired&& desired, Reported&& reported) {
  const auto stopped = [&out] { return json::error(json::detail::failure_of(out, 0)); };
  const auto name = [&out](std::string_view n) { return out.Key(n.data(), static_cast<json::size_type>(n.size()), true); };
  const auto text = [&](std::string_view n, std::string_view value) {
    return value.empty() || (name(n) && out.String(value.data(), static_cast<json::size_type>(value.size()), true));
  };
  if (!out.StartObject() || !text("deviceId", t.device_id()) || !text("moduleId", t.module_id()) || !text("etag", etag) ||
      !name("version") || !out.Int64(version)) {
    return stopped();
  }
  if (json::error e = tags()) return e;
  if (!name("properties") || !out.StartObject() || !name("desired")) return stopped();
  if (json::error e = desired()) return e;
  if (!name("reported")) return stopped();
  if (json::error e = reported()) return e;
  return out.EndObject(2) && out.EndObject(0) ? json::error() : stopped();
}

/// A section as it will be when `content` has replaced it: no nulls, and one stamp everywhere.
template <class Writer>
json::error write_replaced(const json::arena_value& content, const stamp* s, bool with_version, std::int64_t version, Writer& out,
                           const json::memory_source& working) {
  json::detail::walk_memory<json::arena_value> memory(working);
  const auto stopped = [&out] { return json::error(json::detail::failure_of(out, 0)); };
  constexpr auto rule = json::detail::nulls::drop_outside_arrays;
  if (!out.StartObject()) return stopped();
  const auto* members = json::detail::members_begin(content);
  for (json::size_type i = 0; i < content.MemberCount(); ++i) {
    if (members[i].value.IsNull()) continue;
    if (!send_name(members[i], out)) return stopped();
    if (json::error e = json::detail::emit(members[i].value, out, rule, static_cast<std::size_t>(-1), memory)) return e;
  }
  if (s != nullptr) {
    const stamp_text text(*s, with_version);
    metadata_mirror<Writer> mirror{out, text};
    if (!out.Key("$metadata", 9, true)) return stopped();
    if (json::error e = json::detail::emit(content, mirror, rule, static_cast<std::size_t>(-1), memory)) return e;
  }
  if (version != 0 && (!out.Key("$version", 8, true) || !out.Int64(version))) return stopped();
  return out.EndObject(0) ? json::error() : stopped();
}

}  // namespace detail

template <class Memory, class Tracking>
void basic_twin<Memory, Tracking>::swap(basic_twin& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(rules_, other.rules_);
  identity_.swap(other.identity_);
  tags_.swap(other.tags_);
  desired_.swap(other.desired_);
  reported_.swap(other.reported_);
  std::swap(version_, other.version_);
  std::swap(pending_, other.pending_);
  std::swap(layout_, other.layout_);
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::assign(const basic_twin& other) {
  basic_twin copy(*other.rules_, memory_);
  if (json::error e = copy.identity_.assign(other.identity_.root())) return e;
  if (json::error e = copy.tags_.assign(other.tags_)) return e;
  if (json::error e = copy.desired_.assign(other.desired_)) return e;
  if (json::error e = copy.reported_.assign(other.reported_)) return e;
  copy.version_ = other.version_;
  copy.pending_ = other.pending_;
  copy.layout_ = other.layout_;
  swap(copy);
  return {};
}

template <class Memory, class Tracking>
json::result<stamp> basic_twin<Memory, Tracking>::stamp_of(part where, std::string_view pointer) const noexcept {
  if (where == part::tags) return json::errc::not_found;
  const auto found = json::find(section_of(where).values(), pointer);
  if (!found) return found.error();
  if constexpr (Tracking::keeps_stamps) {
    const auto& shadow = section_of(where).tracking().shadow();
    const json::arena_value* at = &section_of(where).values();
    auto word = shadow.root();
    json::detail::pointer_tokens tokens(pointer);
    std::string_view token;
    while (at->IsObject() && tokens.next(token)) {  // elements carry their array's stamp
      const auto* members = json::detail::members_begin(*at);
      json::size_type i = 0;
      while (!json::detail::token_is(token, json::detail::text_of(members[i].name))) ++i;
      word = shadow.child(word, i);
      at = &members[i].value;
    }
    if (shadow.known(word)) return shadow.at(word);
  }
  return json::error(json::errc::not_found).at(json::detail::pointer_text{pointer});
}

template <class Memory, class Tracking>
std::uint64_t basic_twin<Memory, Tracking>::etag_counter() const noexcept {
  std::uint64_t counter = 0;
  if (detail::highest_counter(etag(), counter)) return counter;
  // The law that holds wherever it could be seen: version = etag counter + reported version (docs/azure.md).
  return version_ > reported_.version() ? static_cast<std::uint64_t>(version_ - reported_.version()) : 1;
}

template <class Memory, class Tracking>
json::result<std::int64_t> basic_twin<Memory, Tracking>::next_version() const noexcept {
  constexpr auto most = static_cast<std::uint64_t>(INT64_MAX);
  const std::uint64_t counter = version_ != 0 ? 0 : etag_counter();
  const auto others = static_cast<std::uint64_t>(version_ != 0 ? version_ : reported_.version());
  if (counter >= most || others >= most - counter) return detail::error_at_member(json::errc::number_out_of_range, "version");
  return static_cast<std::int64_t>(counter + others) + 1;
}

template <class Memory, class Tracking>
template <class SectionWrite>
json::error basic_twin<Memory, Tracking>::last_version_at(const SectionWrite& w) {
  json::step steps[3];
  const std::size_t depth = detail::place_of(w.where(), steps).depth();
  steps[depth] = json::step::member("$version");
  return json::error(json::errc::number_out_of_range).at(json::location(steps, depth + 1));
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::create(const new_identity& who, timestamp now, outcome& done) {
  done.clear();
  if (check_id(who.device_id) != json::errc::ok) return detail::error_at_member(json::errc::invalid_identity, "deviceId");
  if (!who.module_id.empty() && check_id(who.module_id) != json::errc::ok) {
    return detail::error_at_member(json::errc::invalid_identity, "moduleId");
  }
  basic_twin fresh = successor();
  char etag[etag_chars];
  write_etag(1, etag);
  const auto text = [](auto& out, std::string_view name, std::string_view value) {
    return out.Key(name.data(), static_cast<json::size_type>(name.size()), true) &&
           out.String(value.empty() ? "" : value.data(), static_cast<json::size_type>(value.size()), true);
  };
  constexpr std::string_view never = "0001-01-01T00:00:00Z";
  json::size_type members = 0;
  const auto build = [&](auto& out) -> json::error {
    const bool module = !who.module_id.empty();
    members = module ? 15 : 14;
    const bool sent =
        out.StartObject() && text(out, "deviceId", who.device_id) && (!module || text(out, "moduleId", who.module_id)) &&
        text(out, "etag", {etag, etag_chars}) && text(out, "deviceEtag", "MQ==") && text(out, "status", "enabled") &&
        text(out, "statusUpdateTime", never) && text(out, "connectionState", "Disconnected") &&
        text(out, "lastActivityTime", never) && out.Key("cloudToDeviceMessageCount", 25, true) && out.Int(0) &&
        text(out, "authenticationType", who.authentication_type) && out.Key("x509Thumbprint", 14, true) && out.StartObject() &&
        out.Key("primaryThumbprint", 17, true) && out.Null() && out.Key("secondaryThumbprint", 19, true) && out.Null() &&
        out.EndObject(2) && text(out, "modelId", who.model_id) && out.Key("version", 7, true) && out.Int64(2) &&
        out.Key("capabilities", 12, true) && out.StartObject() && out.Key("iotEdge", 7, true) && out.Bool(who.iot_edge) &&
        out.EndObject(1) && out.EndObject(members - 1);
    return sent ? json::error() : json::error(json::detail::failure_of(out, 0));
  };
  if (json::error e = json::document_access::rebuild(fresh.identity_, 0, build)) return e;
  fresh.layout_.properties = fresh.identity_.root().MemberCount() - 1;  // as the service has it, before capabilities
  json::arena_value empty;
  empty.SetObject();
  const stamp made{now, 0};
  const json::memory_source working = memory_.source();
  if (json::error e = fresh.tags_.load(empty, 0, nullptr, nullptr, nullptr, false, rules_->size, working)) return e;
  if (json::error e = fresh.desired_.load(empty, 1, nullptr, nullptr, &made, true, rules_->size, working)) return e;
  if (json::error e = fresh.reported_.load(empty, 1, nullptr, nullptr, &made, false, rules_->size, working)) return e;
  fresh.version_ = 2;
  json::text_writer<json::text_buffer> writer(done.event_);
  const auto none = [] { return json::error(); };
  if (json::error e = detail::write_event_body(
          writer, fresh, fresh.etag(), 2, none,
          [&] { return detail::emit_section(fresh.desired_, true, true, writer, working); },
          [&] { return detail::emit_section(fresh.reported_, true, false, writer, working); })) {
    return emptied(done, e);
  }
  if (!done.set_etag(fresh.etag())) return emptied(done, json::errc::out_of_memory);
  done.note_versions(1, 1, 2);
  swap(fresh);
  return {};
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::load(std::string_view text) {
  json::read_options options;
  options.max_depth = detail::whole_twin_depth;
  options.big_integers = rules_->big_integers;
  options.memory = memory_.source();
  json::arena memory(memory_.source());
  static_cast<void>(memory.reserve(3 * text.size()));  // it is rarely more; without room for that it grows in steps
  json::arena_value whole;
  if (json::error e = json::read(text, whole, memory, options)) return e;
  return load_value(whole);
}

template <class Memory, class Tracking>
template <class Allocator>
json::error basic_twin<Memory, Tracking>::load(const json::basic_value<Allocator>& value) {
  json::arena memory(memory_.source());
  json::arena_value copy;
  if (json::error e = copy_checked(value, copy, memory, detail::whole_twin_depth)) return e;
  return load_value(copy);
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::load_value(json::arena_value& value) {
  using detail::error_at_member;
  if (!value.IsObject()) return json::errc::not_a_twin;
  const json::memory_source working = memory_.source();
  basic_twin fresh = successor();
  json::arena_value empty;
  empty.SetObject();
  const json::arena_value* tags = nullptr;
  json::arena_value* properties = nullptr;
  const json::arena_value* history = nullptr;
  json::arena_value* sections[2] = {nullptr, nullptr};  // desired, reported
  auto* members = json::detail::members_begin(value);
  const bool is_device_view = detail::find_member(value, "properties") == nullptr;
  for (const part where : {part::desired, part::reported}) {
    if (is_device_view || detail::find_member(value, name_of(where)) == nullptr) continue;
    return error_at_member(json::errc::misplaced_section, name_of(where));  // which of the two would it be?
  }

  // The root: identity keeps its members and their order.
  const auto keep_identity = [&](auto& out) -> json::error {
    json::detail::walk_memory<json::arena_value> memory(working);
    const auto stopped = [&out] { return json::error(json::detail::failure_of(out, 0)); };
    json::size_type kept = 0;
    if (!out.StartObject()) return stopped();
    for (json::size_type i = 0; i < value.MemberCount(); ++i) {
      const std::string_view name = json::detail::text_of(members[i].name);
      if (name == "tags") {
        tags = &members[i].value;
        fresh.layout_.tags = kept;
      } else if (name == "properties") {
        properties = &members[i].value;
        fresh.layout_.properties = kept;
      } else if (name == history_member) {
        history = &members[i].value;
      } else if (is_device_view && (name == "desired" || name == "reported")) {
        sections[name == "desired" ? 0 : 1] = &members[i].value;
      } else {
        if (!detail::send_name(members[i], out)) return stopped();
        if (json::error e = json::detail::emit(members[i].value, out, json::detail::nulls::emit, static_cast<std::size_t>(-1), memory)) {
          return e;
        }
        ++kept;
      }
    }
    return out.EndObject(kept) ? json::error() : stopped();
  };
  if (json::error e = json::document_access::rebuild(fresh.identity_, 0, keep_identity)) return e;
  {  // at its exact size
    json::document exact(working);
    if (json::error e = exact.assign(fresh.identity_.root())) return e;
    fresh.identity_.swap(exact);
  }

  fresh.layout_.shows_empty_tags = tags != nullptr;
  if (tags != nullptr && !tags->IsObject()) return error_at_member(json::errc::not_a_twin, "tags");
  if (json::error e = fresh.tags_.load(tags == nullptr ? empty : *tags, 0, nullptr, nullptr, nullptr, false, rules_->size, working)) return e;

  if (properties != nullptr) {
    if (!properties->IsObject()) return error_at_member(json::errc::not_a_twin, "properties");
    auto* inner = json::detail::members_begin(*properties);
    for (json::size_type i = 0; i < properties->MemberCount(); ++i) {
      const std::string_view name = json::detail::text_of(inner[i].name);
      if (name == "desired") sections[0] = &inner[i].value;
      if (name == "reported") sections[1] = &inner[i].value;
    }
  }
  fresh.layout_.has_desired = sections[0] != nullptr;
  fresh.layout_.has_reported = sections[1] != nullptr;
  for (const part where : {part::desired, part::reported}) {
    json::arena_value* given = sections[where == part::desired ? 0 : 1];
    const auto failed = [&](const json::error& e, const char* inside = nullptr) {
      json::step steps[3];
      std::size_t depth = 0;
      if (properties != nullptr) steps[depth++] = json::step::member("properties");
      steps[depth++] = json::step::member(name_of(where));
      if (inside != nullptr) steps[depth++] = json::step::member(inside);
      return e.code() == json::errc::not_a_twin ? json::error(e.code()).at(json::location(steps, depth)) : e;
    };
    if (given == nullptr) given = &empty;
    if (!given->IsObject()) return failed(json::errc::not_a_twin);
    // The values are what is left without the service's own two.
    json::arena_value metadata, version_given;
    const bool has_metadata = detail::take_member(*given, "$metadata", metadata);
    if (has_metadata && !metadata.IsObject()) return failed(json::errc::not_a_twin, "$metadata");
    std::int64_t version = 0;
    if (detail::take_member(*given, "$version", version_given)) {
      const auto number = json::get<std::int64_t>(version_given);
      if (!number || *number < 0) return failed(json::errc::not_a_twin, "$version");
      version = *number;
    }
    const json::arena_value* past = history != nullptr && history->IsObject() ? detail::find_member(*history, name_of(where)) : nullptr;
    const json::arena_value* versions = past != nullptr && past->IsObject() ? detail::find_member(*past, "versions") : nullptr;
    if (versions != nullptr && !versions->IsObject()) versions = nullptr;
    if (json::error e = fresh.writable(where).load(*given, version, has_metadata ? &metadata : nullptr, versions, nullptr,
                                                   where == part::desired, rules_->size, working)) {
      return failed(e);
    }
    if constexpr (Tracking::keeps_stamps) {
      if (history != nullptr && past == nullptr) fresh.writable(where).tracking().doubt(version);
      if (past != nullptr) {
        const json::errc code = detail::load_history(*past, fresh.writable(where), working);
        if (code == json::errc::not_a_twin) {
          const json::step steps[] = {json::step::member(history_member), json::step::member(name_of(where))};
          return json::error(code).at(json::location(steps, 2));
        }
        if (code != json::errc::ok) return code;
      }
      Tracking& kept = fresh.writable(where).tracking();
      if (has_metadata && kept.is_doubted()) {
        const json::arena_value& values = fresh.section_of(where).values();
        if (json::error e = kept.forget_versions(values, metadata, where == part::desired, working)) return e;
      }
    }
  }
  fresh.layout_.shows_history = history != nullptr;

  const json::arena_value* version = detail::find_member(fresh.identity(), "version");
  if (version != nullptr) {
    const auto number = json::get<std::int64_t>(*version);
    if (!number || *number < 0) return error_at_member(json::errc::not_a_twin, "version");
    fresh.version_ = *number;
  }
  detail::sync_counter counter(*rules_, working);
  if (json::error e = counter.count(fresh.desired(), &fresh.reported(), detail::sync_counter::from_patch::neither, fresh.pending_,
                                    true)) {
    return e;
  }
  swap(fresh);
  return {};
}

/// Takes out what the service itself keeps in a section.
template <class Memory, class Tracking>
void basic_twin<Memory, Tracking>::take_out_own(json::arena_value& given, part where) {
  if (!given.IsObject()) return;
  for (json::size_type i = given.MemberCount(); i-- > 0;) {
    if (detail::is_services_own(json::detail::text_of(json::detail::members_begin(given)[i].name), where)) {
      given.EraseMember(given.MemberBegin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

/// What the service kept in the tags of a loaded twin, such as their `$etag`, is about those tags. A patch that does
/// something to them drops it, as a replacement does: it gets a null for each.
template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::drop_own_of_tags(json::arena_value& patch, json::arena& memory) {
  const json::size_type count = tags().MemberCount();
  const auto* members = json::detail::members_begin(tags());
  const auto own = [&](json::size_type i) { return detail::is_services_own(json::detail::text_of(members[i].name), part::tags); };
  json::size_type found = 0;
  for (json::size_type i = 0; i < count; ++i) found += own(i) ? 1u : 0u;
  if (found == 0 || !patch.IsObject()) return {};
  section_write<unstamped> trial(tags_, part::tags, *rules_, memory_.source());
  if (json::error e = trial.plan(patch, {}, nullptr)) return e.code() == json::errc::out_of_memory ? e : json::error();
  if (!trial.effective()) return {};
  if (!memory.reserve(merge::detail::growth_bytes(patch, found))) return json::errc::out_of_memory;
  for (json::size_type i = 0; i < count; ++i) {
    if (!own(i)) continue;
    const std::string_view text = json::detail::text_of(members[i].name);
    if (!memory.reserve(text.size() + 8 + merge::detail::growth_bytes(patch, 1))) return json::errc::out_of_memory;
    json::arena_value name(text.data(), static_cast<json::size_type>(text.size()), memory);
    json::arena_value null;
    patch.AddMember(name, null, memory);
  }
  return {};
}

/// Finds the sections in a service's write or an event, and refuses what does not belong there.
template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::take_apart(json::arena_value& input, bool with_reported, service_input& parts) const {
  if (!input.IsObject()) return json::errc::not_a_twin;
  auto* members = json::detail::members_begin(input);
  for (json::size_type i = 0; i < input.MemberCount(); ++i) {
    const std::string_view name = json::detail::text_of(members[i].name);
    if (name == "tags") {
      parts.tags = &members[i].value;
      continue;
    }
    if (name != "properties") {
      // What the service itself keeps at the root comes back from those who send a whole twin.
      const bool echo = name == history_member || is_identity_member(name) || (identity().IsObject() && detail::find_member(identity(), name) != nullptr);
      if (echo && rules_->ignores_echo) continue;
      return detail::error_at_member(json::errc::not_writable, name);
    }
    json::arena_value& properties = members[i].value;
    if (!properties.IsObject()) return detail::error_at_member(json::errc::not_a_twin, name);
    auto* inner = json::detail::members_begin(properties);
    for (json::size_type j = 0; j < properties.MemberCount(); ++j) {
      const std::string_view section = json::detail::text_of(inner[j].name);
      if (section == "desired") {
        parts.desired = &inner[j].value;
      } else if (section == "reported" && with_reported) {
        parts.reported = &inner[j].value;
      } else {
        const json::step steps[] = {json::step::member(name), json::step::member(section)};
        return json::error(json::errc::not_writable).at(json::location(steps, 2));
      }
    }
  }
  return {};
}

/// Adds a null to `replacement` for each member that only `old` has, at every level where both are objects: as a merge
/// patch it then makes the one out of the other.
template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::null_for_missing(const json::arena_value& old, json::arena_value& replacement,
                                                           json::arena& memory, const json::memory_source& working) {
  struct pair {
    const json::arena_value* old;
    json::arena_value* made;
    json::size_type next;
    json::size_type given;  ///< members of the replacement itself
    std::size_t index_base;
    detail::ordered_lookup lookup;
  };
  json::detail::stack<pair, 8> pairs(working);
  json::detail::index_memory indexes(working);
  if (!pairs.push({&old, &replacement, 0, replacement.MemberCount(), 0, detail::ordered_lookup(old)})) return json::errc::out_of_memory;
  // First down the common objects, then the nulls: adding a member may move those that are there.
  while (!pairs.empty()) {
    pair& p = pairs.back();
    if (p.next != p.given) {
      auto& member = json::detail::members_begin(*p.made)[p.next++];
      json::size_type index = json::detail::no_index;
      if (!member.value.IsObject()) continue;
      if (!p.lookup.find(json::detail::text_of(member.name), indexes, index)) return json::errc::out_of_memory;
      if (index == json::detail::no_index) continue;
      const json::arena_value& before = json::detail::members_begin(*p.old)[index].value;
      if (!before.IsObject()) continue;
      if (!pairs.push({&before, &member.value, 0, member.value.MemberCount(), indexes.size(), detail::ordered_lookup(before)})) {
        return json::errc::out_of_memory;
      }
      continue;
    }
    detail::ordered_lookup there(*p.made);
    json::detail::stack<json::size_type, 16> missing(working);
    for (json::size_type i = 0; i < p.old->MemberCount(); ++i) {
      json::size_type index = json::detail::no_index;
      if (!there.find(json::detail::text_of(json::detail::members_begin(*p.old)[i].name), indexes, index)) return json::errc::out_of_memory;
      if (index == json::detail::no_index && !missing.push(i)) return json::errc::out_of_memory;
    }
    if (!memory.reserve(merge::detail::growth_bytes(*p.made, static_cast<json::size_type>(missing.size())))) {
      return json::errc::out_of_memory;
    }
    for (std::size_t i = 0; i < missing.size(); ++i) {
      // A copy: the old tree may move before the patch is carried out.
      const std::string_view text = json::detail::text_of(json::detail::members_begin(*p.old)[missing[i]].name);
      if (!memory.reserve(text.size() + 8 + merge::detail::growth_bytes(*p.made, 1))) return json::errc::out_of_memory;
      json::arena_value name(text.data(), static_cast<json::size_type>(text.size()), memory);
      json::arena_value null;
      p.made->AddMember(name, null, memory);
    }
    indexes.truncate(p.index_base);
    pairs.pop();
  }
  return {};
}

/// A written section as notifications and events have it: what was written, its stamps, the version.
template <class Memory, class Tracking>
template <class SectionWrite, class Writer>
json::error basic_twin<Memory, Tracking>::render_section(SectionWrite& w, bool with_stamps, timestamp now, Writer& out) const {
  json::detail::walk_memory<json::arena_value> memory(memory_.source());
  detail::member_renderer<Writer> members{out, w.planned().copy_rule(), memory, 0};
  if (!out.StartObject() || !detail::walk_plan(w.planned(), w.values_before(), members)) return detail::why_stopped(out);
  return render_end(w, with_stamps, now, out, memory);
}

/// What follows the members.
template <class Memory, class Tracking>
template <class SectionWrite, class Writer>
json::error basic_twin<Memory, Tracking>::render_end(SectionWrite& w, bool with_stamps, timestamp now, Writer& out,
                                                     json::detail::walk_memory<json::arena_value>& memory) const {
  const auto stopped = [&out] { return detail::why_stopped(out); };
  if (with_stamps) {
    const detail::stamp_text text({now, w.next_version()}, w.where() == part::desired);
    detail::metadata_renderer<Writer> metadata{out, text, w.planned().copy_rule(), memory, 0};
    if (!out.RawKey("\"$metadata\":") || !detail::walk_plan(w.planned(), w.values_before(), metadata)) return stopped();
  }
  if (w.where() != part::tags && (!out.RawKey("\"$version\":") || !out.Int64(w.next_version()))) return stopped();
  return out.EndObject(0) ? json::error() : stopped();
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::write_as_service(json::arena_value& input, bool replace, timestamp now, outcome& done,
                                                           std::string_view if_match, validation* report) {
  if (identity().IsNull()) return json::errc::not_a_twin;
  if (!etag_matches(if_match, etag())) return json::errc::precondition_failed;
  service_input parts;
  if (json::error e = take_apart(input, rules_->ignores_echo, parts)) return e;

  const json::memory_source working = memory_.source();
  section_write<unstamped> tags(tags_, part::tags, *rules_, working);
  section_write<Tracking> desired(desired_, part::desired, *rules_, working);
  const auto plan = [&](auto& write, json::arena_value* given, const json::arena_value& old) -> json::error {
    if (given == nullptr) return {};
    json::step steps[2];
    const json::location base = detail::place_of(write.where(), steps);
    if (rules_->ignores_echo) take_out_own(*given, write.where());  // otherwise the rules refuse it
    const bool clear = given->IsNull();
    if (clear && replace && !rules_->nulls_in_replacement) {
      if (report == nullptr) return json::error(json::errc::null_in_replacement).at(base);
      return report->add(write.where(), json::errc::null_in_replacement) ? json::errc::ok : json::errc::out_of_memory;
    }
    if (clear) given->SetObject();
    if (json::error e = write.check(*given, replace ? shape::section : shape::patch, base, report)) return e;
    if (replace || clear) {
      if (json::error e = null_for_missing(old, *given, done.arena_, working)) return e;
    } else if (write.where() == part::tags) {
      if (json::error e = drop_own_of_tags(*given, done.arena_)) return e;
    }
    return write.plan(*given, base, report);
  };
  if (json::error e = plan(tags, parts.tags, this->tags())) return e;
  if (json::error e = plan(desired, parts.desired, this->desired())) return e;
  const std::size_t tags_size = parts.tags != nullptr ? tags.size_after() : tags_.size();
  const std::size_t desired_size = parts.desired != nullptr ? desired.size_after() : desired_.size();
  if (json::error e = check_total(tags_size + desired_size + reported_.size(), report)) return e;
  if (report != nullptr) return {};

  const bool writes_tags = parts.tags != nullptr && tags.effective();
  const bool writes_desired = parts.desired != nullptr && desired.effective();
  if (!writes_tags && !writes_desired) return note_unchanged(done);
  if (writes_desired && !desired.counts_on()) return last_version_at(desired);
  if (etag_counter() == UINT64_MAX) return detail::error_at_member(json::errc::number_out_of_range, "etag");
  const auto counted = next_version();
  if (!counted) return counted.error();
  const std::int64_t next_version = *counted;

  // What follows from the write, while it can still be called off.
  std::int64_t pending = 0;
  std::string_view told_members;
  if (writes_tags) {
    if (json::error e = follow(tags, done)) return e;
  }
  if (writes_desired) {
    json::detail::walk_memory<json::arena_value> memory(working);
    json::text_writer<json::text_buffer> writer(done.notification_);
    detail::sync_counter counter(*rules_, working);
    detail::sync_counter::desired_write sync(counter, reported());
    detail::member_renderer<json::text_writer<json::text_buffer>> members{writer, desired.planned().copy_rule(), memory, 0};
    if (!writer.StartObject()) return writer.failure();
    if (json::error e = follow(desired, done, sync, members)) return e;
    if (json::error e = render_end(desired, false, now, writer, memory)) return e;
    told_members = detail::members_before_version(done.notification());
    pending = sync.change;
  }
  char etag_text[etag_chars];
  write_etag(etag_counter() + 1, etag_text);
  if (!done.set_etag({etag_text, etag_chars})) return json::errc::out_of_memory;
  done.note_versions(writes_desired ? desired.next_version() : desired_version(), reported_version(), next_version);

  json::text_writer<json::text_buffer> writer(done.event_);
  const auto stopped = [&writer] { return json::error(writer.failure()); };
  if (!replace) {
    if (!writer.RawKey("{\"version\":", 1) || !writer.Int64(next_version)) return stopped();
    if (writes_tags) {
      if (!writer.Key("tags", 4, true)) return stopped();
      if (json::error e = render_section(tags, false, now, writer)) return e;
    }
    if (writes_desired) {
      // The members are those of the notification, which is text already.
      if (!writer.RawKey("\"properties\":{\"desired\":", 1) || !writer.RawStart(told_members)) return stopped();
      json::detail::walk_memory<json::arena_value> memory(working);
      if (json::error e = render_end(desired, Tracking::keeps_stamps, now, writer, memory)) return e;
      if (!writer.EndObject(1)) return stopped();
    }
    if (!writer.EndObject(0)) return stopped();
  } else {
    const stamp written{now, desired.next_version()};
    const auto write_tags = [&]() -> json::error {
      const bool replaced = writes_tags;
      if (!replaced && this->tags().MemberCount() == 0) return {};
      if (!writer.Key("tags", 4, true)) return stopped();
      return replaced ? detail::write_replaced(*parts.tags, nullptr, false, 0, writer, working)
                      : detail::emit_section(tags_, false, false, writer, working);
    };
    const auto write_desired = [&]() -> json::error {
      if (!writes_desired) return detail::emit_section(desired_, true, true, writer, working);
      return detail::write_replaced(*parts.desired, Tracking::keeps_stamps ? &written : nullptr, true, desired.next_version(),
                                    writer, working);
    };
    const auto write_reported = [&]() -> json::error { return detail::emit_section(reported_, true, false, writer, working); };
    if (json::error e = detail::write_event_body(writer, *this, done.etag(), next_version, write_tags, write_desired, write_reported)) {
      return e;
    }
  }

  detail::counters_write counters(identity_, version_hint_, working);
  if (json::error e = counters.prepare(done.etag(), next_version, done.arena_)) return e;
  if (writes_tags) {
    if (json::error e = tags.prepare()) return e;
  }
  if (writes_desired) {
    if (json::error e = desired.prepare()) return e;
  }
  // From here on nothing can fail.
  if (writes_tags) {
    tags.commit(now, false);
    layout_.shows_empty_tags = false;
  }
  if (writes_desired) {
    desired.commit(now, replace);
    layout_.has_desired = true;
  }
  counters.commit();
  version_ = next_version;
  pending_ += pending;
  return {};
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::write_as_device(const json::arena_value& patch, timestamp now, outcome& done,
                                                          std::int64_t expected_version, validation* report) {
  if (identity().IsNull()) return json::errc::not_a_twin;
  if (expected_version != any_version && expected_version != reported_version()) return json::errc::precondition_failed;
  const json::memory_source working = memory_.source();
  section_write<Tracking> write(reported_, part::reported, *rules_, working);
  if (json::error e = write.check(patch, shape::patch, {}, report)) return e;
  if (json::error e = write.plan(patch, {}, report)) return e;
  if (json::error e = check_total(tags_.size() + desired_.size() + write.size_after(), report)) return e;
  if (report != nullptr) return {};
  if (!write.effective()) return note_unchanged(done);
  if (!write.counts_on()) return last_version_at(write);
  const auto counted = next_version();
  if (!counted) return counted.error();
  const std::int64_t next_version = *counted;

  if (!done.set_etag(etag())) return json::errc::out_of_memory;
  done.note_versions(desired_version(), write.next_version(), next_version);

  json::detail::walk_memory<json::arena_value> memory(working);
  json::text_writer<json::text_buffer> writer(done.event_);
  const auto stopped = [&writer] { return json::error(writer.failure()); };
  if (!writer.RawKey("{\"version\":", 1) || !writer.Int64(next_version) ||
      !writer.RawKey("\"properties\":{\"reported\":", 1) || !writer.StartObject()) {
    return stopped();
  }
  detail::sync_counter counter(*rules_, working);
  detail::sync_counter::reported_write sync(counter, desired());
  detail::member_renderer<json::text_writer<json::text_buffer>> members{writer, write.planned().copy_rule(), memory, 0};
  if (json::error e = follow(write, done, sync, members)) return e;
  if (json::error e = render_end(write, Tracking::keeps_stamps, now, writer, memory)) return e;
  if (!writer.EndObject(1) || !writer.EndObject(2)) return stopped();

  detail::counters_write counters(identity_, version_hint_, working);
  if (json::error e = counters.prepare({}, next_version, done.arena_)) return e;
  if (json::error e = write.prepare()) return e;
  // From here on nothing can fail.
  write.commit(now, false);
  layout_.has_reported = true;
  counters.commit();
  version_ = next_version;
  pending_ += sync.change;
  return {};
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::write_as_notified(json::arena_value& input, timestamp now, outcome& done) {
  std::int64_t version = 0;
  if (identity().IsNull() || !input.IsObject()) return json::errc::not_a_twin;
  if (!detail::take_version(input, "$version", version)) return detail::error_at_member(json::errc::not_a_twin, "$version");
  if (version == 0 || version - 1 != desired_version()) return json::errc::precondition_failed;
  const json::memory_source working = memory_.source();
  section_write<Tracking> write(desired_, part::desired, *rules_, working);
  if (json::error e = write.check(input, shape::patch, {}, nullptr)) return e;
  if (json::error e = write.plan(input, {}, nullptr)) return e;
  detail::sync_counter counter(*rules_, working);
  detail::sync_counter::desired_write sync(counter, reported());
  if (json::error e = follow(write, done, sync)) return e;
  if (!done.set_etag(etag())) return json::errc::out_of_memory;
  done.note_versions(version, reported_version(), version_);
  if (json::error e = write.prepare()) return e;
  write.commit(now, false);
  layout_.has_desired = true;
  pending_ += sync.change;
  return {};
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::write_as_event(json::arena_value& input, outcome& done) {
  using detail::error_at_member;
  if (identity().IsNull() || !input.IsObject()) return json::errc::not_a_twin;
  std::int64_t version = 0;
  if (!detail::take_version(input, "version", version)) return error_at_member(json::errc::not_a_twin, "version");
  const auto counted = next_version();
  if (!counted || version != *counted) return json::errc::precondition_failed;
  const json::memory_source working = memory_.source();
  service_input parts;
  if (json::error e = take_apart(input, true, parts)) return e;

  section_write<unstamped> tags(tags_, part::tags, *rules_, working);
  section_write<Tracking> desired(desired_, part::desired, *rules_, working);
  section_write<Tracking> reported(reported_, part::reported, *rules_, working);
  timestamp times[part_count] = {};
  const auto plan = [&](auto& write, json::arena_value* given) -> json::error {
    if (given == nullptr) return {};
    json::step steps[2];
    const json::location base = detail::place_of(write.where(), steps);
    if (!given->IsObject()) return json::error(json::errc::not_a_twin).at(base);
    if (write.where() != part::tags) {
      std::int64_t next = 0;
      const json::arena_value* metadata = detail::find_member(*given, "$metadata");
      const json::arena_value* updated =
          metadata != nullptr && metadata->IsObject() ? detail::find_member(*metadata, "$lastUpdated") : nullptr;
      const auto time = updated != nullptr && updated->IsString() ? parse_timestamp(json::detail::text_of(*updated))
                                                                  : json::result<timestamp>(json::errc::not_a_twin);
      if (!time || !detail::take_version(*given, "$version", next)) return json::error(json::errc::not_a_twin).at(base);
      if (next <= section_of(write.where()).version()) return json::errc::precondition_failed;
      times[static_cast<std::size_t>(write.where())] = *time;
      write.set_next_version(next);
      json::arena_value used;
      static_cast<void>(detail::take_member(*given, "$metadata", used));
    } else {
      take_out_own(*given, part::tags);
    }
    if (json::error e = write.check(*given, shape::patch, base, nullptr)) return e;
    if (write.where() == part::tags) {
      if (json::error e = drop_own_of_tags(*given, done.arena_)) return e;
    }
    return write.plan(*given, base, nullptr);
  };
  if (json::error e = plan(tags, parts.tags)) return e;
  if (json::error e = plan(desired, parts.desired)) return e;
  if (json::error e = plan(reported, parts.reported)) return e;

  // Desired and reported are compared as they are after both writes, so the second counts when the first is done;
  // an event has one of them only.
  if (parts.desired != nullptr && parts.reported != nullptr) return error_at_member(json::errc::not_a_twin, "properties");
  detail::sync_counter counter(*rules_, working);
  std::int64_t pending = 0;
  const bool by_service = parts.tags != nullptr || parts.desired != nullptr;
  if (parts.tags != nullptr) {
    if (json::error e = follow(tags, done)) return e;
  }
  if (parts.desired != nullptr) {
    detail::sync_counter::desired_write sync(counter, this->reported());
    if (json::error e = follow(desired, done, sync)) return e;
    pending = sync.change;
  }
  if (parts.reported != nullptr) {
    detail::sync_counter::reported_write sync(counter, this->desired());
    if (json::error e = follow(reported, done, sync)) return e;
    pending = sync.change;
  }
  if (by_service && etag_counter() == UINT64_MAX) return error_at_member(json::errc::number_out_of_range, "etag");
  char etag_text[etag_chars];
  write_etag(by_service ? etag_counter() + 1 : 0, etag_text);
  if (!done.set_etag(by_service ? std::string_view(etag_text, etag_chars) : etag())) return json::errc::out_of_memory;
  done.note_versions(parts.desired != nullptr ? desired.next_version() : desired_version(),
                     parts.reported != nullptr ? reported.next_version() : reported_version(), version);

  detail::counters_write counters(identity_, version_hint_, working);
  if (json::error e = counters.prepare(by_service ? done.etag() : std::string_view(), version, done.arena_)) return e;
  if (parts.tags != nullptr) {
    if (json::error e = tags.prepare()) return e;
  }
  if (parts.desired != nullptr) {
    if (json::error e = desired.prepare()) return e;
  }
  if (parts.reported != nullptr) {
    if (json::error e = reported.prepare()) return e;
  }
  // From here on nothing can fail.
  if (parts.tags != nullptr) tags.commit(0, false);
  if (parts.desired != nullptr) desired.commit(times[static_cast<std::size_t>(part::desired)], false);
  if (parts.reported != nullptr) reported.commit(times[static_cast<std::size_t>(part::reported)], false);
  layout_.has_desired = layout_.has_desired || parts.desired != nullptr;
  layout_.has_reported = layout_.has_reported || parts.reported != nullptr;
  if (parts.tags != nullptr) layout_.shows_empty_tags = false;
  counters.commit();
  version_ = version;
  pending_ += pending;
  return {};
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::check_total(std::size_t size, validation* report) const {
  const std::size_t before = tags_.size() + desired_.size() + reported_.size();
  if (size <= rules_->max_total || size <= before) return {};
  const json::error e = json::error(json::errc::section_too_large).limited_to(rules_->max_total, size);
  if (report == nullptr) return e;
  return report->add(part::reported, e) ? json::errc::ok : json::errc::out_of_memory;
}

template <class Memory, class Tracking>
json::error basic_twin<Memory, Tracking>::note_unchanged(outcome& done) const {
  done.note_versions(desired_version(), reported_version(), version_);
  return done.set_etag(etag()) ? json::errc::ok : json::errc::out_of_memory;
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
