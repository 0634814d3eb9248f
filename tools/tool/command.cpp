#include "command.hpp"

#include <devicetwin/json/read.hpp>
#include <devicetwin/json/write.hpp>
#include <devicetwin/version.hpp>

#include <algorithm>
#include <cstdio>

namespace tool {

const option output_option{
    "--output", "-o", "FILE",
    "write to FILE instead of standard output; it may be one of the inputs and is\n"
    "replaced only on success; - is standard output",
    option::output_file};
const option pretty_option{"--pretty", nullptr, nullptr,
                           "one member a line, indented; as the first input is, if it is"};

namespace {

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(at);
    if (end != 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

/// How many operands a command takes, and the sentence part that says so.
struct operand_count {
  explicit operand_count(const command& c) {
    for (std::string name : split(c.operands, ' ')) {
      ++most;
      if (name.front() == '[') continue;
      if (name.size() > 3 && name.compare(name.size() - 3, 3, "...") == 0) {
        most = static_cast<std::size_t>(-1);
        name = "at least one " + name.substr(0, name.size() - 3);
      }
      ++least;
      names.push_back(name);
    }
  }
  std::string needed() const {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
      text += i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
      text += names[i];
    }
    return text.empty() ? "nothing" : text;
  }
  std::size_t least = 0;
  std::size_t most = 0;
  std::vector<std::string> names;
};

/// Whether the option may have this argument.
bool allows(const option& o, const std::string& argument) {
  const std::vector<std::string> choices = split(o.argument, '|');
  if (choices.size() < 2) return true;
  for (const std::string& choice : choices) {
    if (choice == argument) return true;
  }
  return false;
}

bool takes(const command& c, const option& o) {
  for (const option* own : c.options) {
    if (own == &o) return true;
  }
  return false;
}

/// A word that is an option, taken apart: --output, --output=FILE, -o or -oFILE.
struct spelling {
  const option* of = nullptr;
  std::string name;
  bool has_argument = false;
  std::string argument;
};

/// The option of a word, of whichever command.
spelling find_option(const std::vector<command>& all, const std::string& word) {
  const bool is_long = word.compare(0, 2, "--") == 0;
  const std::size_t length = is_long ? word.find('=') : 2;
  spelling found;
  found.name = word.substr(0, length);
  found.has_argument = length < word.size();
  if (found.has_argument) found.argument = word.substr(is_long ? length + 1 : length);
  for (const command& c : all) {
    for (const option* o : c.options) {
      if (is_long ? found.name == o->name : o->letter != nullptr && found.name == o->letter)
        found.of = o;
    }
  }
  return found;
}

/// The names of the commands that take an option, or that start with a word.
std::string names_of(const std::vector<command>& all, const option* o,
                     const std::string& first_word) {
  std::string names;
  for (const command& c : all) {
    const std::string name = c.name;
    if (o != nullptr ? !takes(c, *o)
                     : name.compare(0, first_word.size() + 1, first_word + " ") != 0)
      continue;
    names +=
        (names.empty() ? "" : ", ") + (o != nullptr ? name : name.substr(first_word.size() + 1));
  }
  return names;
}

std::string usage_line(const command& c) {
  std::string text = std::string("devicetwin ") + c.name;
  if (*c.operands != '\0') text += std::string(" ") + c.operands;
  for (const option* o : c.options) {
    text += std::string(" [") + (o->letter != nullptr ? o->letter : o->name);
    text += o->argument != nullptr ? std::string(" ") + o->argument + "]" : "]";
  }
  return text;
}

std::string indented(std::string_view text, const std::string& margin) {
  std::string result;
  for (const std::string& line : split(text, '\n')) result += margin + line + "\n";
  return result;
}

std::string help_of(const command& c) {
  std::string text = usage_line(c) + "\n\n" + c.purpose + ".\n";
  if (*c.details != '\0') text += std::string("\n") + c.details + "\n";
  if (!c.options.empty()) text += "\n";
  for (const option* o : c.options) {
    std::string names = o->letter != nullptr ? std::string("  ") + o->letter + ", " : "      ";
    names += o->name;
    if (o->argument != nullptr) names += std::string(" ") + o->argument;
    const std::string meaning = indented(o->meaning, std::string(24, ' '));
    if (names.size() < 23) {
      text += names + meaning.substr(names.size());
    } else {
      text += names + "\n" + meaning;
    }
  }
  return text + "\nExamples\n" + indented(c.examples, "  ");
}

std::string help_of(const std::vector<command>& all) {
  std::string text =
      "devicetwin: device twins and JSON Merge Patch (RFC 7396) from the command line\n\n";
  std::string examples;
  for (const command& c : all) {
    std::string line = std::string("  devicetwin ") + c.name + " " + c.operands;
    line.resize(line.size() < 40 ? 40 : line.size() + 2, ' ');
    std::string purpose = c.purpose;
    purpose[0] = static_cast<char>(purpose[0] | 0x20);
    text += line + purpose + "\n";
    examples += indented(c.examples, "  ");
  }
  return text + R"(
Operands are files; - is standard input. The result is one JSON text and a newline on standard output.

  devicetwin COMMAND --help    says more about a command and its options
  devicetwin --version

Exit 2, a sentence on standard error, and nothing on standard output, when an input or the command
is wrong.

Examples
)" + examples;
}

int wrong_usage(std::string_view what) {
  complain(what);
  std::fputs("usage: devicetwin COMMAND FILE...; devicetwin --help lists the commands\n", stderr);
  return exit_trouble;
}

/// Finds and locks the outputs, and reads before that what somebody else may still be writing.
int prepare_outputs(const arguments& given, const std::vector<std::string>& inputs) {
  const std::string* main = given.find(output_option);
  if (const int status =
          given.outputs->add(output_option.name, main != nullptr ? *main : "-", false))
    return status;
  for (std::size_t i = 0; i < given.options.size(); ++i) {
    const auto& [o, name] = given.options[i];
    const bool is_last = given.find(*o) == &name;
    if (o->kind != option::output_file || o == &output_option || !is_last) continue;
    if (const int status = given.outputs->add(o->name, name, true)) return status;
  }
  if (const int status = given.outputs->check(inputs)) return status;
  if (!given.outputs->has_files()) return 0;
  for (const std::string& name : inputs) {
    if (const int status = load_early(name)) return status;
  }
  return given.outputs->lock();
}

}  // namespace

int wrong_usage(const command& c, std::string_view what) {
  complain(what);
  std::fprintf(stderr, "usage: %s\n", usage_line(c).c_str());
  return exit_trouble;
}

int run(const std::vector<command>& all, int count, char** words) {
  arguments given;
  bool options = true;
  bool help = false;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (!options || word.size() < 2 || word[0] != '-') {
      given.operands.push_back(word);
    } else if (word == "--") {
      options = false;
    } else if (word == "--help" || word == "-h") {
      help = true;
    } else if (word == "--version") {
      return print("devicetwin " + std::to_string(DEVICETWIN_VERSION_MAJOR) + "." +
                   std::to_string(DEVICETWIN_VERSION_MINOR) + "." +
                   std::to_string(DEVICETWIN_VERSION_PATCH) + "\n");
    } else if (spelling found = find_option(all, word); found.of != nullptr) {
      const option& o = *found.of;
      if (o.argument == nullptr) {
        if (found.has_argument) return wrong_usage(std::string(o.name) + " takes no argument");
      } else {
        if (!found.has_argument && i + 1 < count) found.argument = words[++i];
        if (found.argument.empty() || !allows(o, found.argument))
          return wrong_usage(found.name + " needs " + o.argument);
      }
      given.options.emplace_back(&o, found.argument);
    } else {
      return wrong_usage("unknown option " + word);
    }
  }

  const command* chosen = nullptr;
  std::size_t name_words = 0;
  for (const command& c : all) {
    const std::vector<std::string> name = split(c.name, ' ');
    bool matches = name.size() <= given.operands.size();
    for (std::size_t i = 0; matches && i < name.size(); ++i) matches = name[i] == given.operands[i];
    if (!matches) continue;
    chosen = &c;
    name_words = name.size();
  }
  if (chosen == nullptr) {
    if (help) return print(help_of(all));
    if (given.operands.empty()) return wrong_usage("a command is missing");
    const std::string& first = given.operands[0];
    const std::string group = names_of(all, nullptr, first);
    return wrong_usage(group.empty() ? "unknown command " + first
                                     : first + " needs one of: " + group);
  }
  if (help) return print(help_of(*chosen));
  given.operands.erase(given.operands.begin(),
                       given.operands.begin() + static_cast<std::ptrdiff_t>(name_words));

  const operand_count wanted(*chosen);
  if (given.operands.size() < wanted.least || given.operands.size() > wanted.most) {
    return wrong_usage(*chosen, std::string(chosen->name) + " needs " + wanted.needed());
  }
  std::vector<std::string> inputs = given.operands;
  for (const auto& [o, argument] : given.options) {
    if (!takes(*chosen, *o)) {
      return wrong_usage(*chosen, std::string(o->name) + " goes with " + names_of(all, o, ""));
    }
    if (o->kind == option::input_file) inputs.push_back(argument);
  }
  if (std::count(inputs.begin(), inputs.end(), "-") > 1)
    return wrong_usage(*chosen, "standard input can be read only once");
  output_set outputs;
  given.outputs = &outputs;
  if (const int status = prepare_outputs(given, inputs)) return status;
  return chosen->run(given);
}

int deliver(const arguments& given, std::string_view text,
            const std::vector<other_output>& others) {
  return deliver(
      given, [text](byte_stream& out) { return out.append(text); }, others);
}

int deliver(const arguments& given, content write, const std::vector<other_output>& others) {
  given.outputs->set_content(output_option.name, std::move(write));
  for (const auto& [o, body] : others) given.outputs->set_text(o->name, body);
  return given.outputs->deliver();
}

int deliver_json(const arguments& given, std::string_view json, const input& source,
                 const std::vector<other_output>& others) {
  return deliver_json(
      given, [json](json_stream& out) { return out.append(json); }, source, others);
}

int deliver_json(const arguments& given, const std::function<bool(json_stream&)>& write,
                 const input& source, const std::vector<other_output>& others) {
  const bool pretty = given.has(pretty_option);
  const text_layout layout = layout_of(source.text);
  const auto write_json = [&](byte_stream& out) {
    json_stream stream(out, pretty ? &layout : nullptr);
    return write(stream) && stream.finish();
  };
  return deliver(given, write_json, others);
}

}  // namespace tool
