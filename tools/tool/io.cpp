#include "io.hpp"

#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/read.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace json = devicetwin::json;

namespace tool {
namespace {

/// Where the value at an error's pointer starts in a text that was read before: an error about a value can
/// then be shown at its place in the file. Of places whose shortened pointers are the same the first.
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

std::string place_of(const input& in, const json::error& e) {
  return in.name + ":" + std::to_string(e.line()) + ":" + std::to_string(e.column());
}

bool read_all(std::FILE* file, std::string& text) {
  char block[65536];
  for (std::size_t n; (n = std::fread(block, 1, sizeof block, file)) != 0;) text.append(block, n);
  return std::ferror(file) == 0;
}

bool write_and_close(std::FILE* file, std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int reason = errno;
  const bool closed = std::fclose(file) == 0;
  if (!written) errno = reason;
  return written && closed;
}

}  // namespace

int complain(std::string_view what) {
  std::fprintf(stderr, "devicetwin: %.*s\n", static_cast<int>(what.size()), what.data());
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
  if (name == "-") return read_all(stdin, in.text) ? 0 : complain_of_file(in.name, "cannot be read");
  std::FILE* file = std::fopen(name.c_str(), "rb");
  if (file == nullptr) return complain_of_file(name, "cannot be opened");
  const bool ok = read_all(file, in.text);
  const int reason = errno;
  std::fclose(file);
  errno = reason;
  return ok ? 0 : complain_of_file(name, "cannot be read");
}

int load(const std::string& name, input& in, json::document& document) {
  if (const int status = load(name, in)) return status;
  if (const auto e = json::read(in.text, document)) return complain(in, e);
  return 0;
}

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

int print(std::string_view text) {
  return write_and_close(stdout, text) ? 0 : complain_of_file("standard output", "cannot be written");
}

}  // namespace tool
