#include "io.hpp"

#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/read.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace json = devicetwin::json;

namespace tool {
namespace {

/// Where the value at an error's pointer starts in a text that was read before: an error about a
/// value can then be shown at its place in the file. Of places whose shortened pointers are the
/// same the first.
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
  bool NumberText(std::string_view) { return value(); }
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

std::string place_of(const input& in, const json::error& e) {
  return in.name + ":" + std::to_string(e.line()) + ":" + std::to_string(e.column());
}

/// What load_early() has read, by name.
std::map<std::string, std::string> read_early;

bool read_all(std::FILE* file, std::string& text) {
  char block[65536];
  for (std::size_t n; (n = std::fread(block, 1, sizeof block, file)) != 0;) text.append(block, n);
  return std::ferror(file) == 0;
}

}  // namespace

std::string visible(std::string_view text) {
  std::string result;
  json::put_visible(text, [&result](char c) { result += c; });
  return result;
}

int complain(std::string_view what) {
  std::fprintf(stderr, "devicetwin: %s\n", visible(what).c_str());
  return exit_trouble;
}

int complain_of_file(const std::string& name, const char* doing) {
  return complain(name + ": " + doing + ": " + std::strerror(errno));
}

int complain(const input& in, const json::error& e) {
  return complain((e.has_position() ? place_of(in, e) : in.name) + ": " + e.message());
}

int complain_at_pointer(const input& in, const json::error& e) {
  value_finder finder(e);
  const json::error place = json::read_events(in.text, finder);
  if (!finder.found || !place.has_position()) return complain(in, e);
  return complain(place_of(in, place) + ": " + e.message());
}

int load(const std::string& name, input& in) {
  in.name = name == "-" ? "standard input" : name;
  if (const auto early = read_early.find(name); early != read_early.end()) {
    in.text = std::move(early->second);
    read_early.erase(early);
    return 0;
  }
  std::FILE* file = name == "-" ? stdin : std::fopen(name.c_str(), "rbe");
  if (file == nullptr) return complain_of_file(name, "cannot be opened");
  const bool ok = read_all(file, in.text);
  const int reason = errno;
  if (file != stdin) std::fclose(file);
  errno = reason;
  return ok ? 0 : complain_of_file(in.name, "cannot be read");
}

int load_early(const std::string& name) {
  struct stat status {};
  const bool known =
      name == "-" ? ::fstat(STDIN_FILENO, &status) == 0 : ::stat(name.c_str(), &status) == 0;
  if (!known || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || read_early.count(name) != 0)
    return 0;
  input in;
  const int result = load(name, in);
  if (result == 0) read_early.emplace(name, std::move(in.text));
  return result;
}

int load(const std::string& name, input& in, json::document& document) {
  if (const int status = load(name, in)) return status;
  if (const auto e = json::read(in.text, document)) return complain(in, e);
  return 0;
}

}  // namespace tool
