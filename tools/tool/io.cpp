#include "io.hpp"

#include <devicetwin/json/find_text.hpp>
#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/read.hpp>
#include <devicetwin/merge/text.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapped_file.hpp"
#include "temporary_file.hpp"

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
std::map<std::string, input> read_early;
/// What never_map() was told.
std::vector<struct stat> not_to_map;
/// The inputs that are mapped.
std::vector<std::weak_ptr<mapped_file>> mapped_files;

/// Reads the rest of an open file. Returns false, with errno, when that fails.
bool read_all(int file, std::string& text) {
  struct stat status {};
  if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
    text.reserve(static_cast<std::size_t>(status.st_size) + 1);
  char block[65536];
  for (;;) {
    const ssize_t count = ::read(file, block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    text.append(block, static_cast<std::size_t>(count));
  }
}

bool may_be_mapped(const struct stat& status) {
  if (!S_ISREG(status.st_mode) || status.st_size < map_from) return false;
  for (const struct stat& other : not_to_map) {
    if (status.st_dev == other.st_dev && status.st_ino == other.st_ino) return false;
  }
  return true;
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
  if (!e.has_position() && e.pointer_is_whole()) {  // the text is JSON
    // A member that is missing has no place: its object has.
    std::string_view pointer = e.pointer();
    auto found = json::find_text(in.text, pointer);
    while (!found && !pointer.empty()) {
      pointer = pointer.substr(0, pointer.rfind('/'));
      found = json::find_text(in.text, pointer);
    }
    if (!found) return complain(in, e);
    const auto offset = static_cast<std::size_t>(found->data() - in.text.data());
    return complain(place_of(in, json::error(e).in_text(in.text, offset)) + ": " + e.message());
  }
  value_finder finder(e);
  const json::error place = json::read_events(in.text, finder);
  if (!finder.found || !place.has_position()) return complain(in, e);
  return complain(place_of(in, place) + ": " + e.message());
}

int load(const std::string& name, input& in) {
  if (const auto early = read_early.find(name); early != read_early.end()) {
    in = std::move(early->second);
    read_early.erase(early);
    return 0;
  }
  const bool is_standard = name == "-";
  in.name = is_standard ? "standard input" : name;
  descriptor opened;
  if (!is_standard) {
    opened = descriptor(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) return complain_of_file(name, "cannot be opened");
    struct stat status {};
    if (::fstat(opened.get(), &status) == 0 && may_be_mapped(status)) {
      if (auto mapped = mapped_file::map(opened.get(), status, name); mapped != nullptr) {
        in.text = mapped->text();
        mapped_files.push_back(mapped);
        in.storage = std::move(mapped);
        return 0;
      }
    }
  }
  const auto text = std::make_shared<std::string>();
  if (!read_all(is_standard ? STDIN_FILENO : opened.get(), *text))
    return complain_of_file(in.name, "cannot be read");
  in.text = *text;
  in.storage = text;
  return 0;
}

int load_early(const std::string& name) {
  struct stat status {};
  const bool known =
      name == "-" ? ::fstat(STDIN_FILENO, &status) == 0 : ::stat(name.c_str(), &status) == 0;
  if (!known || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || read_early.count(name) != 0)
    return 0;
  input in;
  const int result = load(name, in);
  if (result == 0) read_early.emplace(name, std::move(in));
  return result;
}

int load(const std::string& name, input& in, json::document& document) {
  if (const int status = load(name, in)) return status;
  if (const auto e = json::read(in.text, document)) return complain(in, e);
  return 0;
}

int check(const input& in) {
  const auto e = devicetwin::merge::core::check_text(in.text, 0, {});
  return e ? complain(in, e) : 0;
}

int load_checked(const std::string& name, input& in) {
  if (const int status = load(name, in)) return status;
  return check(in);
}

void never_map(const struct stat& file) { not_to_map.push_back(file); }

int check_inputs_unchanged() {
  for (const auto& each : mapped_files) {
    const auto mapped = each.lock();
    if (mapped != nullptr && !mapped->is_unchanged())
      return complain(mapped->name() + ": another program has written to it meanwhile");
  }
  return 0;
}

}  // namespace tool
