// devicetwin compose, invert, merge: the algebra of changes.
#include <devicetwin/json/write.hpp>
#include <devicetwin/merge/change.hpp>
#include <devicetwin/merge/merge3.hpp>

#include <cstdio>

#include "commands.hpp"
#include "reduced_merge.hpp"
#include "spelled.hpp"

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace tool {
namespace {

const option base_option{"--base", nullptr, "DOC", "the document that the patches are for",
                         option::input_file};
const option prefer_option{
    "--prefer", nullptr, "ours|theirs|fail",
    "whose value stands where both sides changed the same; fail, the default, takes ours\n"
    "and exits 1"};

/// Loads a patch of a document, if there is one: a number that the document has already is spelled
/// as there.
int load_patch(const std::string& name, const json::document* document, merge::change& c) {
  input in;
  json::document patch;
  if (const int status = load_spelled(name, in, patch)) return status;
  if (document != nullptr) {
    if (const auto e = respell(patch, *document)) return complain(in, e);
  }
  const auto e = merge::from_merge_patch(patch, c);
  return e ? complain_at_pointer(in, e) : 0;
}

int compose(const arguments& given) {
  const std::string* base_name = given.find(base_option);
  input in;
  json::document base;
  if (base_name != nullptr) {
    if (const int status = load_spelled(*base_name, in, base)) return status;
  }
  merge::change all;
  for (const std::string& name : given.operands) {
    merge::change next;
    if (const int status = load_patch(name, base_name != nullptr ? &base : nullptr, next))
      return status;
    if (const auto e = merge::compose(all, next, all)) return complain(e.message());
  }
  if (base_name != nullptr) {
    json::document patch;
    if (const auto e = merge::to_merge_patch(all, base, patch)) return complain_at_pointer(in, e);
    return deliver_spelled(given, patch, in);
  }
  merge::merge_patches patches;
  if (const auto e = merge::to_merge_patches(all, patches)) return complain(e.message());
  std::string text;
  for (std::size_t i = 0; i < patches.count; ++i) {
    if (const auto e = write_spelled(patches.patch[i].root(), text)) return complain(e.message());
    text += '\n';
  }
  return deliver(given, text);
}

int invert(const arguments& given) {
  input in;
  json::document document, undo;
  merge::change change, inverse;
  if (const int status = load_spelled(given.operands[0], in, document)) return status;
  if (const int status = load_patch(given.operands[1], &document, change)) return status;
  if (const auto e = merge::invert(change, document, inverse)) return complain_at_pointer(in, e);
  if (const auto e = merge::apply(document, change)) return complain_at_pointer(in, e);
  if (const auto e = merge::to_merge_patch(inverse, document, undo))
    return complain_at_pointer(in, e);
  return deliver_spelled(given, undo, in);
}

/// A conflict as one line of JSON.
template <class Conflict>
std::string line_of(const Conflict& c) {
  std::string line, pointer;
  bool whole = true;
  const auto add_name = [&](const char* name) {
    line += (line.empty() ? "{\"" : ",\"") + std::string(name) + "\":";
  };
  const auto add = [&](const char* name, const json::arena_value& value) {
    add_name(name);
    whole = !write_spelled(value, line) && whole;
  };
  const auto add_text = [&](const char* name, std::string_view text) {
    add_name(name);
    json::text_writer writer(line);
    whole = writer.String(text.data(), static_cast<json::size_type>(text.size()), true) && whole;
  };
  c.where.append_to(pointer);
  add_text("pointer", pointer);
  // To the merge, a number and a text are both strings.
  const bool clash = c.kind == merge::conflict_kind::both_changed && c.ours != nullptr &&
                     c.theirs != nullptr && !same_type(*c.ours, *c.theirs);
  add_text("conflict", merge::name_of(clash ? merge::conflict_kind::type_clash : c.kind));
  if (c.base != nullptr) add("base", *c.base);
  if (c.ours != nullptr) add("ours", *c.ours);
  if (c.theirs != nullptr) add("theirs", *c.theirs);
  add_text("chosen", merge::name_of(c.chosen));
  return visible(whole ? line + "}" : "a conflict that cannot be written, at " + pointer) + "\n";
}

int merge_documents(const arguments& given) {
  input base_text, ours_text, theirs_text;
  if (const int status = load(given.operands[0], base_text)) return status;
  // git has an empty file where both sides added one: there is nothing that they have in common.
  if (base_text.text.empty()) base_text.text = "{}";
  if (const int status = check(base_text)) return status;
  if (const int status = load_checked(given.operands[1], ours_text)) return status;
  if (const int status = load_checked(given.operands[2], theirs_text)) return status;

  json::document base, ours, theirs, merged;
  {
    reduced_documents reduced;
    if (const auto e = reduce(base_text.text, ours_text.text, theirs_text.text, reduced))
      return complain_at_pointer(theirs_text, e);
    if (const auto e = read_spelled(reduced.base, base)) return complain(base_text, e);
    if (const auto e = read_spelled(reduced.ours, ours)) return complain(ours_text, e);
    if (const auto e = read_spelled(reduced.theirs, theirs)) return complain(theirs_text, e);
  }
  // 1.0 instead of 1 is no change. Where numbers are equal, those of ours stay.
  if (const auto e = respell(base, ours)) return complain(base_text, e);
  if (const auto e = respell(theirs, base)) return complain(theirs_text, e);
  if (const auto e = respell(theirs, ours)) return complain(theirs_text, e);

  const std::string* prefer = given.find(prefer_option);
  const bool fail = prefer == nullptr || *prefer == "fail";
  bool conflicts = false;
  std::string lines;
  const auto e = merge::merge3(
      base, ours, theirs, merged,
      prefer != nullptr && *prefer == "theirs" ? merge::policy::theirs : merge::policy::ours,
      [&](const auto& found) {
        conflicts = true;
        lines += line_of(found);
      });
  if (e) return complain_at_pointer(theirs_text, e);
  std::fputs(lines.c_str(), stderr);
  const auto write = [&](json_stream& out) {
    return write_merged(ours_text.text, ours.root(), merged.root(), out);
  };
  if (const int status = deliver_json(given, write, ours_text)) return status;
  return conflicts && fail ? exit_different : 0;
}

}  // namespace

std::vector<command> merge_commands() {
  return {
      {"compose",
       "PATCH...",
       "Print what patches do one after the other",
       "With --base, one merge patch that does the same to DOC. Without, for every document: one "
       "merge patch,\n"
       "or two, each on a line of its own, because a patch cannot both remove what it does not "
       "know and put\n"
       "something in its place.",
       "devicetwin compose monday.json tuesday.json\n"
       "devicetwin compose monday.json tuesday.json --base twin.json > both.json",
       {&base_option, &output_option},
       compose},
      {"invert",
       "DOC PATCH",
       "Print the patch that undoes PATCH on DOC",
       "",
       "devicetwin invert twin.json change.json > undo.json\n"
       "devicetwin apply twin.json change.json undo.json",
       {&output_option, &pretty_option},
       invert},
      {"merge",
       "BASE OURS THEIRS",
       "Merge two documents that came from BASE",
       "Each conflict is a line of JSON on standard error: where, base, ours, theirs (left out "
       "where there is\n"
       "none) and the one chosen. The result is written in any case. An empty BASE counts as {}.\n"
       "As a merge driver for git:\n"
       "  git config merge.json.driver 'devicetwin merge %O %A %B --pretty -o %A'\n"
       "  echo '*.json merge=json' >> .gitattributes",
       "devicetwin merge base.json mine.json yours.json --prefer theirs\n"
       "devicetwin merge base.json mine.json yours.json -o mine.json || echo 'there are conflicts'",
       {&prefer_option, &output_option, &pretty_option},
       merge_documents}};
}

}  // namespace tool
