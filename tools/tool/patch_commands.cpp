// devicetwin apply, diff: merge patches and their making.
#include <devicetwin/json/equal.hpp>
#include <devicetwin/merge/diff.hpp>
#include <devicetwin/merge/merge_patch.hpp>

#include "commands.hpp"

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace tool {
namespace {

const option exit_code_option{"--exit-code", nullptr, nullptr,
                              "exit 1 when there is a difference, 0 when there is none"};

int apply(const arguments& given) {
  input first;
  json::document document;
  if (const int status = load(given.operands[0], first, document)) return status;
  for (std::size_t i = 1; i < given.operands.size(); ++i) {
    input next;
    json::document patch;
    if (const int status = load(given.operands[i], next, patch)) return status;
    if (const auto e = merge::apply_merge_patch(document, patch.root())) return complain_at_pointer(next, e);
  }
  return deliver(given, document.root(), first);
}

int diff(const arguments& given) {
  input first, second;
  json::document from, to, patch;
  if (const int status = load(given.operands[0], first, from)) return status;
  if (const int status = load(given.operands[1], second, to)) return status;
  if (const auto e = merge::diff(from.root(), to.root(), patch)) return complain_at_pointer(second, e);
  const auto same = json::equal(from.root(), to.root());
  if (!same) return complain(second, same.error());
  if (const int status = deliver(given, patch.root(), first)) return status;
  return given.has(exit_code_option) && !*same ? exit_different : 0;
}

}  // namespace

std::vector<command> patch_commands() {
  return {{"apply",
           "DOC PATCH...",
           "Apply the patches to DOC, in order",
           "",
           "devicetwin apply before.json change.json --pretty\n"
           "devicetwin apply twin.json change.json -o twin.json",
           {&output_option, &pretty_option},
           apply},
          {"diff",
           "FROM TO",
           "Print the patch that turns FROM into TO",
           "",
           "devicetwin diff before.json after.json > change.json\n"
           "curl -s https://example.com/twin | devicetwin diff twin.json -\n"
           "devicetwin diff a.json b.json --exit-code > /dev/null && echo equal",
           {&output_option, &pretty_option, &exit_code_option},
           diff}};
}

}  // namespace tool
