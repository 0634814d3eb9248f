// devicetwin twin ..., check: device twins as their service keeps them.
#include <devicetwin/json/find_text.hpp>
#include <devicetwin/json/get.hpp>
#include <devicetwin/merge/text.hpp>
#include <devicetwin/twin/delta.hpp>
#include <devicetwin/twin/since.hpp>
#include <devicetwin/twin/twin.hpp>
#include <devicetwin/twin/validate.hpp>
#include <devicetwin/twin/view.hpp>

#include <cstdio>
#include <ctime>

#include "commands.hpp"
#include "identity.hpp"
#include "spelled.hpp"

namespace dt = devicetwin;
namespace json = devicetwin::json;

namespace tool {
namespace {

const option id_option{"--id", nullptr, "ID", "the device's id"};
const option module_option{"--module", nullptr, "ID", "a module's id: its twin, not the device's"};
const option model_option{"--model", nullptr, "ID", "the model that the device announces"};
const option at_option{"--at", nullptr, "TIME",
                       "the time of the write, as 2026-01-31T12:00:00Z; without it the clock's"};
const option as_option{"--as", nullptr, "service|device",
                       "who patches: tags and desired, or reported"};
const option if_match_option{"--if-match", nullptr, "ETAG", "only if the twin still has this etag"};
const option if_version_option{"--if-version", nullptr, "N",
                               "as device: only if reported still has this version"};
const option notification_option{
    "--notification", nullptr, "FILE",
    "write what the device would be sent; no file when that is nothing, - is standard\n"
    "output, which then needs -o FILE for the twin",
    option::output_file};
const option event_option{
    "--event", nullptr, "FILE",
    "the same with the change event for the back end; no file when nothing changed",
    option::output_file};
const option history_option{
    "--with-history", nullptr, nullptr,
    "keep what `twin since` needs, as \"$history\"; it stays when it is there already"};
const option view_option{"--view", nullptr, "service|device",
                         "whose view of the twin; service if not said"};
const option no_metadata_option{"--no-metadata", nullptr, nullptr, "leave $metadata out"};
const option section_option{"--section", nullptr, "tags|desired|reported", "the section"};
const option dialect_option{"--dialect", nullptr, "azure|edge_hub|aws|ditto|rfc7396",
                            "whose rules; azure if not said"};

/// Whether an error is the service's no to a well-formed input, and not something wrong with the
/// input itself.
bool is_refusal(const json::error& e) {
  const json::error_group group = e.group();
  return group == json::error_group::rule || group == json::error_group::rights ||
         group == json::error_group::state;
}

bool is_number_size(json::errc code) {
  return code == json::errc::integer_overflow || code == json::errc::number_overflow;
}

/// Complains of a write that was not done; 1 when it was refused, 2 when it was none.
int refuse(const input& in, const json::error& e) {
  complain_at_pointer(in, e);
  const bool depth_limit = e.code() == json::errc::depth_exceeded && !e.has_position();
  return is_refusal(e) || depth_limit ? exit_different : exit_trouble;
}

/// The time of a write; 0, or the exit status.
int time_of(const arguments& given, dt::timestamp& now) {
  const std::string* text = given.find(at_option);
  if (text == nullptr) {
    std::timespec clock = {};
    if (std::timespec_get(&clock, TIME_UTC) == 0) return complain("the clock cannot be read");
    now = {clock.tv_sec * dt::ticks_per_second + clock.tv_nsec / 100};
    return 0;
  }
  const auto time = dt::parse_timestamp(*text);
  if (!time) return complain("--at " + *text + ": " + time.error().message());
  now = *time;
  return 0;
}

int load_twin(const std::string& name, input& in, dt::twin& t) {
  if (const int status = load(name, in)) return status;
  const json::error e = t.load(in.text);
  return e ? complain_at_pointer(in, e) : 0;
}

/// The twin itself as it is after a write, then what goes with it.
int deliver_twin(const arguments& given, const dt::twin& t, const dt::outcome& done,
                 const input& in) {
  std::string text;
  dt::view_options layout;
  layout.history = given.has(history_option);
  if (const auto e = dt::write_service_view(t, text, layout)) return complain(in, e);
  std::string notification(done.notification()), event(done.event());
  for (std::string* body : {&notification, &event}) {
    if (!body->empty()) *body += '\n';
  }
  return deliver_json(given, text, in,
                      {{&notification_option, notification}, {&event_option, event}});
}

int make(const arguments& given) {
  dt::new_identity who;
  const std::string* id = given.find(id_option);
  if (id == nullptr) return complain("twin new needs --id ID");
  who.device_id = *id;
  if (const std::string* module = given.find(module_option)) who.module_id = *module;
  if (const std::string* model = given.find(model_option)) who.model_id = *model;
  dt::timestamp now;
  if (const int status = time_of(given, now)) return status;
  dt::twin t;
  dt::outcome done;
  if (const auto e = t.create(who, now, done)) return complain(e.message());
  return deliver_twin(given, t, done, {"the new twin", ""});
}

int patch(const arguments& given) {
  const std::string* as = given.find(as_option);
  if (as == nullptr) return complain("twin patch needs --as service or --as device");
  const bool device = *as == "device";
  std::string etag;
  if (const std::string* e = given.find(if_match_option)) etag = *e;
  if (device && !etag.empty()) return complain("--if-match goes with --as service");
  std::int64_t version = dt::twin::any_version;
  if (const std::string* text = given.find(if_version_option)) {
    json::document number;
    const auto wanted = json::read(*text, number)
                            ? json::result<std::int64_t>(json::errc::wrong_type)
                            : json::get<std::int64_t>(number);
    if (!wanted || *wanted < 0) return complain("--if-version " + *text + ": not a version");
    if (!device) return complain("--if-version goes with --as device");
    version = *wanted;
  }
  dt::timestamp now;
  if (const int status = time_of(given, now)) return status;
  input whole, change;
  dt::twin t;
  dt::outcome done;
  if (const int status = load_twin(given.operands[0], whole, t)) return status;
  if (const int status = load(given.operands[1], change)) return status;
  const json::error e = device ? t.device_patch(change.text, now, done, version)
                               : t.service_patch(change.text, now, done, etag);
  if (e) return refuse(change, e);
  return deliver_twin(given, t, done, whole);
}

int replace(const arguments& given) {
  dt::timestamp now;
  if (const int status = time_of(given, now)) return status;
  input whole, document;
  dt::twin t;
  dt::outcome done;
  if (const int status = load_twin(given.operands[0], whole, t)) return status;
  if (const int status = load(given.operands[1], document)) return status;
  std::string etag;
  if (const std::string* e = given.find(if_match_option)) etag = *e;
  if (const auto e = t.service_replace(document.text, now, done, etag)) return refuse(document, e);
  return deliver_twin(given, t, done, whole);
}

int show(const arguments& given) {
  input in;
  dt::twin t;
  if (const int status = load_twin(given.operands[0], in, t)) return status;
  dt::view_options layout;
  layout.metadata = !given.has(no_metadata_option);
  const std::string* view = given.find(view_option);
  std::string text;
  const json::error e = view != nullptr && *view == "device"
                            ? dt::write_device_view(t, text, layout)
                            : dt::write_service_view(t, text, layout);
  if (e) return complain(in, e);
  return deliver_json(given, text, in);
}

int delta(const arguments& given) {
  input in;
  dt::twin t;
  if (const int status = load_twin(given.operands[0], in, t)) return status;
  std::string text;
  if (const auto e = dt::write_delta(t, text)) return complain(in, e);
  return deliver_json(given, text, in);
}

int since(const arguments& given) {
  const std::string* name = given.find(section_option);
  if (name == nullptr || *name == "tags")
    return complain("twin since needs --section desired or --section reported");
  json::document number;
  const auto version = json::read(given.operands[1], number)
                           ? json::result<std::int64_t>(json::errc::wrong_type)
                           : json::get<std::int64_t>(number);
  if (!version || *version < 0) return complain(given.operands[1] + ": not a version");
  input in;
  dt::twin t;
  if (const int status = load_twin(given.operands[0], in, t)) return status;
  const dt::part where = *name == "desired" ? dt::part::desired : dt::part::reported;
  std::string text;
  if (const auto e = dt::write_changes_since(t, where, *version, text)) return refuse(in, e);
  return deliver_json(given, text, in);
}

/// The dialect of this name, which is one of those that the option has.
const dt::dialect& dialect_named(const std::string& name) {
  for (const dt::dialect* d : {&dt::edge_hub, &dt::aws, &dt::ditto, &dt::rfc7396}) {
    if (d->name == name) return *d;
  }
  return dt::azure;
}

/// Holds sections against a dialect and collects the violations, a line each.
class section_checker {
 public:
  section_checker(const input& in, const dt::dialect& rules, bool may_be_patch)
      : in_(in), rules_(rules), may_be_patch_(may_be_patch) {}
  const std::string& lines() const { return lines_; }
  bool any() const { return !lines_.empty(); }

  void add(const json::error& e, const std::string& pointer) {
    lines_ += json::error(e.code())
                  .limited_to(e.limit(), e.actual())
                  .at(json::core::pointer_text{pointer})
                  .message() +
              '\n';
  }
  /// A section as a value or a text, which stands at a pointer of the input. Gives 0, or the exit
  /// status after a complaint.
  template <class Content>
  int hold(const Content& content, dt::part where, const std::string& prefix) {
    dt::validation found;
    if (const auto e = dt::validate(content, where, dt::shape::section, rules_, found)) {
      const std::string pointer = prefix + std::string(e.pointer());
      return complain_at_pointer(in_, json::error(e.code()).at(json::core::pointer_text{pointer}));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      const json::error& e = found[i].what;
      if (!may_be_patch_ || e.code() != json::errc::null_in_replacement)
        add(e, prefix + std::string(e.pointer()));
    }
    return 0;
  }
  /// The same for the JSON text of a section that may have the twin's own members besides.
  int hold_text(std::string_view content, dt::part where, const std::string& prefix) {
    if (where == dt::part::tags || content.find('{') != content.find_first_not_of(" \t\r\n"))
      return hold(content, where, prefix);
    dt::merge::text_options trusted;
    trusted.trust = dt::merge::text_trust::trusted;
    std::string own;
    const auto e = dt::merge::apply_merge_patch_text(
        content, R"({"$metadata":null,"$version":null})", own, trusted);
    return e ? complain(in_, e) : hold(std::string_view(own), where, prefix);
  }

 private:
  const input& in_;
  const dt::dialect& rules_;
  bool may_be_patch_;
  std::string lines_;
};

int check_twin(section_checker& checker, const input& in, const json::document& document,
               const dt::dialect& rules) {
  const bool wrapped = document.root().IsObject() && json::find(document, "/properties");
  const auto place_of = [&](dt::part p) {
    return (wrapped && p != dt::part::tags ? "/properties/" : "/") + std::string(name_of(p));
  };
  constexpr dt::part parts[] = {dt::part::tags, dt::part::desired, dt::part::reported};
  dt::twin t(rules);
  if (const auto e = t.load(in.text)) {
    if (!is_number_size(e.code())) return complain_at_pointer(in, e);
    for (const dt::part p :
         parts) {  // no twin can hold the number, but each section can be looked at
      const auto content = json::find_text(in.text, place_of(p));
      if (!content || content->front() != '{') continue;
      if (const int status = checker.hold_text(*content, p, place_of(p))) return status;
    }
    if (!checker.any()) checker.add(e, std::string(e.pointer()));
    return 0;
  }
  check_identity(t.identity(),
                 [&](const json::error& e) { checker.add(e, std::string(e.pointer())); });
  std::size_t total = 0;
  bool told = false;  // of a section that is too large for the whole already
  for (const dt::part p : parts) {
    const json::arena_value& content = p == dt::part::tags      ? t.tags()
                                       : p == dt::part::desired ? t.desired()
                                                                : t.reported();
    if (const int status = checker.hold(content, p, place_of(p))) return status;
    total += t.size(p);
    told = told || t.size(p) > rules.max_total;
  }
  if (total > rules.max_total && !told)
    checker.add(json::error(json::errc::section_too_large).limited_to(rules.max_total, total), "");
  return 0;
}

int check(const arguments& given) {
  const std::string* dialect = given.find(dialect_option);
  const dt::dialect& rules = dialect == nullptr ? dt::azure : dialect_named(*dialect);
  const std::string* section = given.find(section_option);
  input in;
  json::document document;  // with numbers of any size
  if (const int status = load_spelled(given.operands[0], in, document)) return status;
  section_checker checker(in, rules, section != nullptr);
  if (section == nullptr) {
    if (const int status = check_twin(checker, in, document, rules)) return status;
  } else {
    const dt::part where = *section == "tags"      ? dt::part::tags
                           : *section == "desired" ? dt::part::desired
                                                   : dt::part::reported;
    if (const int status = checker.hold_text(in.text, where, "")) return status;
  }
  if (const int status = deliver(given, checker.lines())) return status;
  return checker.any() ? exit_different : 0;
}

}  // namespace

std::vector<command> twin_commands() {
  constexpr const char* refused =
      "TWIN is the service's JSON. Exit 1 when the write is refused (rights, limits, etag), 2 when "
      "an input is wrong;\n"
      "then nothing is printed.";
  return {
      {"twin new",
       "",
       "Print a fresh twin",
       "",
       "devicetwin twin new --id greenhouse-07 > twin.json",
       {&id_option, &module_option, &model_option, &at_option, &history_option, &output_option,
        &pretty_option},
       make},
      {"twin patch",
       "TWIN PATCH",
       "Let the service or the device patch the twin, and print it",
       refused,
       "devicetwin twin patch twin.json patch.json --as service --notification to-device.json -o "
       "twin.json\n"
       "echo '{\"fan\":2}' | devicetwin twin patch twin.json - --as device -o twin.json",
       {&as_option, &if_match_option, &if_version_option, &at_option, &notification_option,
        &event_option, &history_option, &output_option, &pretty_option},
       patch},
      {"twin replace",
       "TWIN DOC",
       "Let the service replace the sections that DOC has, and print the twin",
       refused,
       "devicetwin twin replace twin.json wanted.json --notification to-device.json -o twin.json",
       {&if_match_option, &at_option, &notification_option, &event_option, &history_option,
        &output_option, &pretty_option},
       replace},
      {"twin show",
       "TWIN",
       "Print what the service or the device sees",
       "",
       "devicetwin twin show twin.json --view device --pretty",
       {&view_option, &no_metadata_option, &output_option, &pretty_option},
       show},
      {"twin delta",
       "TWIN",
       "Print desired minus reported: what the device has still to do",
       "",
       "devicetwin twin delta twin.json --pretty",
       {&output_option, &pretty_option},
       delta},
      {"twin since",
       "TWIN VERSION",
       "Print what changed in a section since a version, as a merge patch",
       "Exit 1 when that is no longer known: take the whole section then. Deletions are known from "
       "the\n"
       "version on at which --with-history was first given.",
       "devicetwin twin since twin.json 7 --section desired",
       {&section_option, &output_option, &pretty_option},
       since},
      {"check",
       "DOC",
       "Hold a twin, or with --section one of its sections, against a service's rules",
       "One violation a line; exit 1 if there is any. A number that a twin cannot hold is one: of "
       "a patch, `twin patch`\n"
       "then exits 1 as well; of the twin itself 2, because it cannot load it.",
       "devicetwin check twin.json\n"
       "devicetwin check reported.json --section reported --dialect aws",
       {&dialect_option, &section_option, &output_option},
       check}};
}

}  // namespace tool
