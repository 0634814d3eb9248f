// devicetwin: apply and make JSON Merge Patches (RFC 7396) from the command line.
#include <devicetwin/devicetwin.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace {

constexpr int exit_different = 1;
constexpr int exit_trouble = 2;

constexpr const char help[] = R"(devicetwin: apply and make JSON Merge Patches (RFC 7396)

  devicetwin apply DOC PATCH [PATCH...]     apply the patches to DOC, in order
  devicetwin diff FROM TO [--exit-code]     print the patch that turns FROM into TO

DOC, PATCH, FROM and TO are files; - is standard input. The result is one JSON text and a newline
on standard output.

  -o, --output FILE   write to FILE instead; it may be one of the inputs and is replaced only on
                      success; - is standard output
      --pretty        one member a line, indented
      --exit-code     with diff: exit 1 when there is a difference, 0 when there is none
      --help, --version

Exit 2, a sentence on standard error, and nothing on standard output, when an input or the command
is wrong.

Examples
  devicetwin diff before.json after.json > change.json
  devicetwin apply before.json change.json --pretty
  devicetwin apply twin.json change.json -o twin.json
  curl -s https://example.com/twin | devicetwin diff twin.json -
  devicetwin diff a.json b.json --exit-code > /dev/null && echo equal
)";

/// One input: its name for messages, and its text.
struct input {
  std::string name;
  std::string text;
};

int complain(std::string_view what) {
  std::fprintf(stderr, "devicetwin: %.*s\n", static_cast<int>(what.size()), what.data());
  return exit_trouble;
}

int complain_of_file(const std::string& name, const char* doing) {
  return complain(name + ": " + doing + ": " + std::strerror(errno));
}

int complain(const input& in, const json::error& e) {
  std::string place = in.name;
  if (e.has_position()) {
    place += ":" + std::to_string(e.line()) + ":" + std::to_string(e.column());
  }
  return complain(place + ": " + e.message());
}

/// Where the value at an error's pointer starts in a text that was read before: an error about a value
/// can then be shown at its place in the file. Of places whose shortened pointers are the same the first.
class value_finder {
 public:
  explicit value_finder(const json::error& wanted) : wanted_(wanted) {}
  bool found = false;

  bool Null() { return value(); }
  bool Bool(bool) { return value(); }
  bool Int(int) { return value(); }
  bool Uint(unsigned) { return value(); }
  bool Int64(std::int64_t) { return value(); }
  bool Uint64(std::uint64_t) { return value(); }
  bool Double(double) { return value(); }
  bool String(const char*, json::size_type, bool) { return value(); }
  bool StartObject() { return start(); }
  bool StartArray() { return start(); }
  bool Key(const char* name, json::size_type length, bool) {
    levels_.back().name.assign(name, length);
    levels_.back().object = true;
    return true;
  }
  bool EndObject(json::size_type) { return end(); }
  bool EndArray(json::size_type) { return end(); }

 private:
  struct level {
    std::string name;
    json::size_type count = 0;
    bool object = false;
  };
  bool here() {
    std::vector<json::step> steps;
    for (const level& l : levels_) {
      steps.push_back(l.object ? json::step::member(l.name) : json::step::element(l.count));
    }
    const json::location where(steps.data(), steps.size());
    found = wanted_.pointer_is_whole()
                ? where == wanted_.pointer()
                : json::error(wanted_.code()).at(where).pointer() == wanted_.pointer();
    return !found;  // false stops the reader, whose error then has the place
  }
  void done() {
    if (!levels_.empty()) ++levels_.back().count;
  }
  bool value() {
    if (!here()) return false;
    done();
    return true;
  }
  bool start() {
    if (!here()) return false;
    levels_.emplace_back();
    return true;
  }
  bool end() {
    levels_.pop_back();
    done();
    return true;
  }

  const json::error& wanted_;
  std::vector<level> levels_;
};

/// The same error with the position of its pointer in the input, when it has a pointer and no position.
int complain_at_pointer(const input& in, const json::error& e) {
  value_finder finder(e);
  const json::error place = json::read_events(in.text, finder);
  if (!finder.found || !place.has_position()) return complain(in, e);
  return complain(in.name + ":" + std::to_string(place.line()) + ":" + std::to_string(place.column()) +
                  ": " + e.message());
}

bool read_all(std::FILE* file, std::string& text) {
  char block[65536];
  for (std::size_t n; (n = std::fread(block, 1, sizeof block, file)) != 0;) text.append(block, n);
  return std::ferror(file) == 0;
}

/// Loads a file or standard input; 0, or the exit status.
int load(const std::string& name, input& in) {
  in.name = name == "-" ? "standard input" : name;
  if (name == "-") return read_all(stdin, in.text) ? 0 : complain_of_file(in.name, "cannot be read");
  std::FILE* file = std::fopen(name.c_str(), "rb");
  if (file == nullptr) return complain_of_file(name, "cannot be opened");
  const bool ok = read_all(file, in.text);
  const int reason = errno;
  std::fclose(file);
  errno = reason;
  return ok ? 0 : complain_of_file(name, "cannot be read");
}

bool write_and_close(std::FILE* file, std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int reason = errno;
  const bool closed = std::fclose(file) == 0;
  if (!written) errno = reason;
  return written && closed;
}

/// Replaces a regular file by way of a new one beside it, so that it is always whole; anything else
/// (a device, a pipe) is written to directly.
int store(const std::string& name, std::string_view text) {
  std::string target = name;
  if (char* resolved = ::realpath(name.c_str(), nullptr)) {  // a link keeps pointing there
    target = resolved;
    std::free(resolved);
  }
  struct stat status;
  const bool exists = ::stat(target.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    std::FILE* file = std::fopen(target.c_str(), "wb");
    if (file == nullptr) return complain_of_file(name, "cannot be opened");
    return write_and_close(file, text) ? 0 : complain_of_file(name, "cannot be written");
  }
  std::string temporary = target + ".XXXXXX";
  const int descriptor = ::mkstemp(temporary.data());
  if (descriptor < 0) return complain_of_file(name, "cannot be written");
  mode_t mode;
  if (exists) {
    mode = status.st_mode & 07777;
  } else {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    mode = 0666 & ~mask;
  }
  std::FILE* file = ::fchmod(descriptor, mode) == 0 ? ::fdopen(descriptor, "wb") : nullptr;
  if (file == nullptr) ::close(descriptor);
  if (file == nullptr || !write_and_close(file, text) ||
      std::rename(temporary.c_str(), target.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    return complain_of_file(name, "cannot be written");
  }
  return 0;
}

struct command {
  std::string verb;
  std::vector<std::string> files;
  std::string output = "-";
  bool pretty = false;
  bool exit_code = false;
};

int usage(std::string_view what) {
  complain(what);
  std::fputs("usage: devicetwin apply DOC PATCH [PATCH...] | diff FROM TO [--exit-code]; devicetwin --help says more\n",
             stderr);
  return exit_trouble;
}

/// Takes the command line apart; 0 to go on, otherwise the exit status is in `status`.
bool parse(int count, char** words, command& c, int& status) {
  bool options = true;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (!options || word.size() < 2 || word[0] != '-') {
      if (c.verb.empty()) {
        c.verb = word;
      } else {
        c.files.push_back(word);
      }
    } else if (word == "--") {
      options = false;
    } else if (word == "--pretty") {
      c.pretty = true;
    } else if (word == "--exit-code") {
      c.exit_code = true;
    } else if (word == "-o" || word == "--output") {
      if (++i == count || *words[i] == '\0') return status = usage(word + " needs a file"), false;
      c.output = words[i];
    } else if (word == "--help" || word == "-h" || word == "--version") {
      std::string text = help;
      if (word == "--version") {
        text = "devicetwin " + std::to_string(DEVICETWIN_VERSION_MAJOR) + "." +
               std::to_string(DEVICETWIN_VERSION_MINOR) + "." + std::to_string(DEVICETWIN_VERSION_PATCH) + "\n";
      }
      status = write_and_close(stdout, text) ? 0 : complain_of_file("standard output", "cannot be written");
      return false;
    } else {
      return status = usage("unknown option " + word), false;
    }
  }
  if (c.verb.empty()) return status = usage("a command is missing"), false;
  if (c.verb != "apply" && c.verb != "diff") return status = usage("unknown command " + c.verb), false;
  if (c.verb == "apply" && c.files.size() < 2) return status = usage("apply needs DOC and at least one PATCH"), false;
  if (c.verb == "diff" && c.files.size() != 2) return status = usage("diff needs FROM and TO"), false;
  if (c.verb == "apply" && c.exit_code) return status = usage("--exit-code goes with diff"), false;
  int standard_inputs = 0;
  for (const std::string& file : c.files) standard_inputs += file == "-";
  if (standard_inputs > 1) return status = usage("standard input can be read only once"), false;
  return true;
}

int run(const command& c) {
  json::document document;
  json::document result;
  int status = 0;
  input first;
  if ((status = load(c.files[0], first)) != 0) return status;
  if (auto e = json::read(first.text, document)) return complain(first, e);
  bool different = false;
  for (std::size_t i = 1; i < c.files.size(); ++i) {
    input next;
    json::document value;
    if ((status = load(c.files[i], next)) != 0) return status;
    if (auto e = json::read(next.text, value)) return complain(next, e);
    if (c.verb == "apply") {
      if (auto e = merge::apply_merge_patch(document, value.root())) return complain_at_pointer(next, e);
      continue;
    }
    if (auto e = merge::diff(document.root(), value.root(), result)) return complain_at_pointer(next, e);
    const auto same = json::equal(document.root(), value.root());
    if (!same) return complain(next, same.error());
    different = !*same;
  }
  std::string text;
  json::write_options layout;
  layout.indent = c.pretty ? 2 : 0;
  const json::document& printed = c.verb == "apply" ? document : result;
  if (auto e = json::write(printed.root(), text, layout)) return complain(first, e);
  text += '\n';
  if (c.output != "-") {
    if ((status = store(c.output, text)) != 0) return status;
  } else if (!write_and_close(stdout, text)) {
    return complain_of_file("standard output", "cannot be written");
  }
  return c.exit_code && different ? exit_different : 0;
}

}  // namespace

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is then an error of fwrite
  command c;
  int status = 0;
  return parse(count, words, c, status) ? run(c) : status;
}
