/// Carries out the operations of a JSON Patch (RFC 6902) on a text.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/find_text.hpp"
#include "../../json/pointer.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/failure.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "difference_model.hpp"
#include "difference_walk.hpp"
#include "json_patch_operation.hpp"
#include "text_pieces.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// How many arrays and objects are inside each other in a value's text, which is taken on trust.
inline std::size_t depth_of_text(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  std::size_t depth = 0, deepest = 0;
  while (p != end) {
    const char c = *p++;
    if (c == '"') {
      if ((p = json::core::skip_string(p, end)) == nullptr) break;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest) deepest = depth;
    } else if ((c == '}' || c == ']') && depth != 0) {
      --depth;
    }
  }
  return deepest;
}

/// One patch on one text. After run(), pieces() is the result.
class json_patch_text_run : public json::core::steps_may_fail {
 public:
  json_patch_text_run(std::string_view document, std::string_view patch, const text_options& o,
                      std::size_t most_copied) noexcept
      : options_(o),
        most_copied_(most_copied),
        model_(patch, patch, o),
        patch_(patch),
        pieces_(document, o.memory),
        path_(o.memory),
        name_(o.memory) {}

  /// Carries out the operations one after the other, up to the first that fails.
  [[nodiscard]] bool run() {
    if (patch_.front() != '[') return fail(errc::not_a_json_patch);
    base::stack<difference_item<std::string_view>, 16> operations(options_.memory);
    if (!model_.collect(patch_, true, operations)) return exhausted();
    for (at_ = 0; at_ < operations.size(); ++at_) {
      operation o;
      if (!read(operations[at_].value, o) || !carry_out(o)) return false;
    }
    return true;
  }
  const text_pieces& pieces() const noexcept { return pieces_; }
  /// Whether a text was found to be no JSON.
  bool broken() const noexcept { return pieces_.broken() || model_.broken(); }

 private:
  struct operation {
    patch_verb verb = patch_verb::test;
    std::string_view path, from, value;
  };
  /// A place in the document, there or not.
  struct place {
    std::string_view pointer;
    text_container* parent;  ///< null at the root
    text_piece* value;       ///< null when there is none, and where an element is to be inserted
    size_type index;         ///< in the parent
    std::string_view name;   ///< of a new member
  };

  bool read(std::string_view text, operation& o) {
    if (text.front() != '{') return good(bad_operation(at_, {}));
    base::stack<difference_item<std::string_view>, 8> members(options_.memory);
    if (!model_.collect(text, true, members)) return exhausted();
    std::string_view verb, path, from;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto& m = members[i];
      const auto take = [&m](std::string_view name, std::string_view& to) noexcept {
        if (m.name == name && to.empty()) to = m.value;
      };
      take("op", verb);
      take("path", path);
      take("from", from);
      take("value", o.value);
    }
    std::string_view name;
    if (!resolve_string(verb, name)) return false;
    if (verb.empty() || verb.front() != '"' || !read_verb(name, o.verb))
      return good(bad_operation(at_, "op"));
    if (path.empty() || path.front() != '"') return good(bad_operation(at_, "path"));
    if (needs_from(o.verb) && (from.empty() || from.front() != '"'))
      return good(bad_operation(at_, "from"));
    if (needs_value(o.verb) && o.value.empty()) return good(bad_operation(at_, "value"));
    return resolve_string(path, o.path) && resolve_string(from, o.from);
  }
  /// The string that a text means; nothing for any other text.
  bool resolve_string(std::string_view text, std::string_view& string) {
    string = {};
    if (text.size() < 2 || text.front() != '"') return true;
    string = text.substr(1, text.size() - 2);
    return !json::core::has_escapes(string) || pieces_.resolve(string) || exhausted();
  }

  bool carry_out(const operation& o) {
    place to;
    bool same = false;
    switch (o.verb) {
      case patch_verb::add:
      case patch_verb::replace:
        if (!resolve(o.path, o.verb == patch_verb::add, to)) return false;
        if (to.value != nullptr && !compare(*to.value, o.value, same)) return false;
        return same || (fits(o.value, o.path) && put(to, o.value, nullptr));
      case patch_verb::remove:
        if (o.path.empty()) return refuse(errc::root_removed, o.path);
        if (!resolve(o.path, false, to)) return false;
        changed();
        pieces_.remove(*to.parent, to.index);
        return true;
      case patch_verb::move:
        return move(o.from, o.path);
      case patch_verb::copy:
        return copy(o.from, o.path);
      case patch_verb::test:
        return resolve(o.path, false, to) && compare(*to.value, o.value, same) &&
               (same || refuse(errc::test_failed, o.path));
    }
    return false;
  }
  bool copy(std::string_view from, std::string_view path) {
    place source, to;
    std::string_view text;
    if (!resolve(from, false, source)) return false;
    if (!pieces_.current(*source.value, text)) return exhausted();
    return charge(text.size(), path) && resolve(path, true, to) && fits(text, path) &&
           put(to, text, nullptr);
  }
  bool move(std::string_view from, std::string_view path) {
    place source, to;
    if (!resolve(from, false, source)) return false;
    if (from == path) return true;
    if (is_within(path, from)) return refuse(errc::moved_into_itself, path);
    if (!json::core::pointer_tokens::valid(path)) return refuse(errc::invalid_pointer, path);
    const std::string_view text = source.value->value;
    text_container* const opened = source.value->opened;
    if (steps_of(path) > steps_of(from) && text_model::kind(text) != node_kind::scalar) {
      std::string_view now;
      if (!pieces_.current(*source.value, now)) return exhausted();
      if (!charge(now.size(), path) || !fits(now, path)) return false;
    }
    changed();
    pieces_.remove(*source.parent, source.index);
    return resolve(path, true, to) && put(to, text, opened);
  }

  /// Finds a place, and takes apart what is on the way.
  bool resolve(std::string_view pointer, bool may_be_new, place& out) {
    if (!json::core::pointer_tokens::valid(pointer)) return refuse(errc::invalid_pointer, pointer);
    path_.truncate(0);
    out = {pointer, nullptr, &pieces_.root(), 0, {}};
    json::core::pointer_tokens tokens(pointer);
    std::string_view token;
    while (tokens.next(token)) {
      const bool last = tokens.remaining() == 0;
      const std::string_view so_far = pointer.substr(0, pointer.size() - tokens.remaining());
      if (text_model::kind(out.value->value) == node_kind::scalar)
        return refuse(errc::not_found, so_far);
      if (!pieces_.open(*out.value)) return exhausted();
      text_container& container = *out.value->opened;
      out.parent = &container;
      if (!path_.push(&container)) return exhausted();
      const auto count = static_cast<size_type>(container.items.size());
      bool there = true;
      if (container.object) {
        if (!name_.resolve(token, out.name) || !pieces_.find(container, out.name, out.index))
          return exhausted();
        there = out.index != no_index;
        if (!there && (!last || !may_be_new)) return refuse(errc::not_found, so_far);
        if (!there) out.index = count;
      } else {
        const bool insert = last && may_be_new;
        there = !insert;
        if (insert && token == "-") {
          out.index = count;
        } else if (!json::core::token_index(token, count + (insert ? 1 : 0), out.index)) {
          return refuse(no_element(token), so_far);
        }
      }
      out.value = there ? container.items[out.index] : nullptr;
    }
    return true;
  }

  bool put(const place& to, std::string_view text, text_container* opened) {
    changed();
    if (to.value == nullptr)
      return pieces_.insert(*to.parent, to.index, to.name, text, opened) || exhausted();
    to.value->value = text;
    to.value->opened = opened;
    return true;
  }
  /// The containers on the way to the place that was found last are written anew.
  void changed() noexcept {
    for (std::size_t i = 0; i < path_.size(); ++i) path_[i]->changed = true;
  }

  /// Whether the value at a place is equal to one of the patch.
  bool compare(const text_piece& piece, std::string_view value, bool& same) {
    std::string_view now;
    same = false;
    if (text_model::kind(piece.value) != text_model::kind(value)) return true;
    return (pieces_.current(piece, now) && model_.equal(now, value, same)) || exhausted();
  }
  bool fits(std::string_view text, std::string_view path) {
    return steps_of(path) + depth_of_text(text) <= options_.max_depth ||
           refuse(errc::depth_exceeded, path);
  }
  bool charge(std::size_t bytes, std::string_view pointer) {
    if (bytes <= most_copied_ - copied_) {
      copied_ += bytes;
      return true;
    }
    return good_here(
        error(errc::too_large).limited_to(most_copied_).at(json::core::pointer_text{pointer}));
  }

  bool exhausted() {
    return good_here(error(broken() ? errc::unexpected_character : errc::out_of_memory));
  }
  bool refuse(errc code, std::string_view pointer) {
    return good_here(error(code)
                         .limited_to(code == errc::depth_exceeded ? options_.max_depth : 0)
                         .at(json::core::pointer_text{pointer}));
  }
  bool good_here(const error& e) { return good(error(e).in_operation(at_)); }

  text_options options_;
  std::size_t most_copied_;
  std::size_t copied_ = 0;
  std::size_t at_ = 0;  ///< the operation
  text_model model_;
  std::string_view patch_;
  text_pieces pieces_;
  base::stack<text_container*, 16> path_;
  step_name name_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
