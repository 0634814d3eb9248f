// glaze: both its merge patch and its diff are library calls. Needs a newer C++ than the rest.
#include <glaze/glaze.hpp>

#include <stdexcept>

#include "peers.hpp"

namespace bench {
namespace {

struct library {
  using tree = glz::generic;
  static void read(std::string_view text, tree& out) {
    if (glz::read_json(out, text)) throw std::runtime_error("glaze: parse error");
  }
  static void write(const tree& value, std::string& out) {
    if (glz::write_json(value, out)) throw std::runtime_error("glaze: write error");
  }
  static bool crowded(const tree&) { return false; }
  static void apply(tree& target, const tree& patch) {
    if (glz::merge_patch(target, patch)) throw std::runtime_error("glaze: patch error");
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    auto made = glz::merge_diff(from, to);
    if (!made) throw std::runtime_error("glaze: diff error");
    patch = std::move(*made);
  }
};

}  // namespace

std::vector<contestant> glaze_contestants() {
  return {{"glaze",
           {entry<read_job<library>>(road::read, made_by::library_call),
            entry<write_job<library>>(road::write, made_by::library_call),
            entry<diff_job<library>>(road::diff, made_by::library_call),
            entry<apply_job<library>>(road::apply, made_by::library_call),
            entry<text_diff_job<library>>(road::text_diff, made_by::library_call),
            entry<text_apply_job<library>>(road::text_apply, made_by::library_call)}}};
}

}  // namespace bench
