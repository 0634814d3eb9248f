// devicetwin apply, diff: merge patches and their making.
#include <devicetwin/merge/diff.hpp>
#include <devicetwin/merge/text.hpp>

#include "commands.hpp"
#include "spelled.hpp"

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace tool {
namespace {

const option exit_code_option{"--exit-code", nullptr, nullptr,
                              "exit 1 when there is a difference, 0 when there is none"};

int apply(const arguments& given) {
  input first;
  json::document tree;
  if (const int status = load_spelled(given.operands[0], first, tree)) return status;
  // On texts: what no patch touches keeps its spelling. All of them were read before, to complain
  // about them one by one.
  merge::text_options trusted;
  trusted.trust = merge::text_trust::trusted;
  std::string document = first.text;
  for (std::size_t i = 1; i < given.operands.size(); ++i) {
    input next;
    if (const int status = load_spelled(given.operands[i], next, tree)) return status;
    std::string result;
    if (const auto e = merge::apply_merge_patch_text(document, next.text, result, trusted))
      return complain_at_pointer(next, e);
    document = std::move(result);
  }
  return deliver_json(given, document, first);
}

int diff(const arguments& given) {
  input first, second;
  json::document from, to, patch;
  if (const int status = load_spelled(given.operands[0], first, from)) return status;
  if (const int status = load_spelled(given.operands[1], second, to)) return status;
  const bool same = same_value(from.root(), to.root());
  if (const auto e = respell(to, from)) return complain(second, e);
  if (const auto e = merge::diff(from, to, patch)) return complain_at_pointer(second, e);
  if (const int status = deliver_spelled(given, patch, first)) return status;
  return given.has(exit_code_option) && !same ? exit_different : 0;
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
