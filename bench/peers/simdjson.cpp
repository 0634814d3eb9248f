// simdjson reads into its DOM, with parsers that are kept, from padded text. It offers no more than
// that: the diff of two texts is a hand-written walk over two of its documents. For the roads from
// text to text, the parse of one text, the document, is shown as a yardstick.
#include <simdjson.h>

#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "../lookups.hpp"
#include "peers.hpp"

namespace bench {
namespace {

class dom_job : public job {
 public:
  explicit dom_job(const pair_texts& texts) : text_(texts.from) {}
  void run() override {
    if (parser_.parse(text_).get(root_) != simdjson::SUCCESS)
      throw std::runtime_error("simdjson: parse error");
  }
  std::string output() override {
    std::ostringstream out;
    out << simdjson::minify(root_);
    return out.str();
  }

 private:
  simdjson::padded_string text_;
  simdjson::dom::parser parser_;
  simdjson::dom::element root_;
};

// Values by pointer, on demand: each from the start of the text, which is indexed once. Neither does
// this validate more than what it passes over.
class lookup_job : public job {
 public:
  explicit lookup_job(const pair_texts& texts)
      : text_(texts.from), pointers_(wanted_pointers(texts)), found_(pointers_.size()) {}
  void run() override {
    simdjson::ondemand::document document;
    if (parser_.iterate(text_).get(document) != simdjson::SUCCESS)
      throw std::runtime_error("simdjson: parse error");
    for (std::size_t i = 0; i != pointers_.size(); ++i) {
      simdjson::ondemand::value value;
      found_[i] = {};
      if (document.at_pointer(pointers_[i]).get(value) != simdjson::SUCCESS) continue;
      if (simdjson::to_json_string(value).get(found_[i]) != simdjson::SUCCESS)
        throw std::runtime_error("simdjson: no text of a value");
    }
  }
  std::string output() override { return found_array(found_); }

 private:
  simdjson::padded_string text_;
  simdjson::ondemand::parser parser_;
  std::vector<std::string> pointers_;
  std::vector<std::string_view> found_;
};

// Looks members of an object up by name. The next one is expected behind the last one found.
class members {
 public:
  explicit members(simdjson::dom::object of)
      : begin_(of.begin()), end_(of.end()), next_(of.begin()) {}

  bool find(std::string_view name, simdjson::dom::element& value) {
    const auto start = next_;
    for (; next_ != end_; ++next_)
      if (next_.key() == name) return take(value);
    for (next_ = begin_; next_ != start; ++next_)
      if (next_.key() == name) return take(value);
    return false;
  }

 private:
  bool take(simdjson::dom::element& value) {
    value = next_.value();
    ++next_;
    return true;
  }

  simdjson::dom::object::iterator begin_, end_, next_;
};

// Two texts to the text of a patch. Nothing is built between the documents and the text.
class walk_job : public job {
 public:
  explicit walk_job(const pair_texts& texts) : from_text_(texts.from), to_text_(texts.to) {}
  void run() override {
    simdjson::dom::object from;
    simdjson::dom::object to;
    if (from_parser_.parse(from_text_).get(from) != simdjson::SUCCESS ||
        to_parser_.parse(to_text_).get(to) != simdjson::SUCCESS)
      throw std::runtime_error("simdjson: parse error");
    out_.clear();
    if (!compare(from, to)) out_ = "{}";
  }
  std::string output() override { return out_; }

 private:
  using element = simdjson::dom::element;
  using type = simdjson::dom::element_type;

  // Appends the patch from `from` to `to`. Returns false, and appends nothing, if nothing differs.
  bool compare(simdjson::dom::object from, simdjson::dom::object to) {
    const std::size_t start = out_.size();
    const auto add = [&](std::string_view name) {
      out_ += out_.size() == start ? '{' : ',';
      append(name);
      out_ += ':';
    };
    std::size_t common_members = 0;
    members before(from);
    for (const auto [name, value] : to) {
      element old;
      const bool known = before.find(name, old);
      if (known) ++common_members;
      if (known && old.is_object() && value.is_object()) {
        const std::size_t here = out_.size();
        add(name);
        if (!compare(old, value)) out_.resize(here);
      } else if (!known || !same(old, value)) {
        add(name);
        out_ += simdjson::to_string(value);
      }
    }
    if (common_members != from.size()) {
      members now(to);
      for (const auto [name, value] : from) {
        element unused;
        if (now.find(name, unused)) continue;
        add(name);
        out_ += "null";
      }
    }
    if (out_.size() == start) return false;
    out_ += '}';
    return true;
  }

  static bool same(element a, element b) {
    if (a.type() != b.type()) {
      double x = 0;
      double y = 0;
      return a.is_number() && b.is_number() && !a.get(x) && !b.get(y) && x == y;
    }
    switch (a.type()) {
      case type::STRING:
        return std::string_view(a) == std::string_view(b);
      case type::INT64:
        return std::int64_t(a) == std::int64_t(b);
      case type::UINT64:
        return std::uint64_t(a) == std::uint64_t(b);
      case type::DOUBLE:
        return double(a) == double(b);
      case type::BOOL:
        return bool(a) == bool(b);
      case type::ARRAY:
        return same_arrays(a, b);
      case type::OBJECT:
        return same_objects(a, b);
      default:
        return true;
    }
  }
  static bool same_arrays(simdjson::dom::array a, simdjson::dom::array b) {
    if (a.size() != b.size()) return false;
    auto other = b.begin();
    for (const element one : a) {
      if (!same(one, *other)) return false;
      ++other;
    }
    return true;
  }
  static bool same_objects(simdjson::dom::object a, simdjson::dom::object b) {
    if (a.size() != b.size()) return false;
    members others(b);
    for (const auto [name, value] : a) {
      element other;
      if (!others.find(name, other) || !same(value, other)) return false;
    }
    return true;
  }

  void append(std::string_view name) {
    out_ += '"';
    for (const char c : name) {
      if (static_cast<unsigned char>(c) < 0x20) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
        out_ += escape;
        continue;
      }
      if (c == '"' || c == '\\') out_ += '\\';
      out_ += c;
    }
    out_ += '"';
  }

  simdjson::padded_string from_text_;
  simdjson::padded_string to_text_;
  simdjson::dom::parser from_parser_;
  simdjson::dom::parser to_parser_;
  std::string out_;
};

}  // namespace

std::vector<contestant> simdjson_contestants() {
  return {{"simdjson", {entry<dom_job>(road::read, made_by::library_call)}},
          {"simdjson-on-demand", {entry<lookup_job>(road::lookup, made_by::library_call)}},
          {"simdjson-walk",
           {entry<walk_job>(road::text_diff, made_by::handwritten),
            entry<walk_job>(road::text_diff_checked, made_by::handwritten)}},
          {"simdjson-one-parse",
           {entry<dom_job>(road::text_diff, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_diff_checked, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_apply, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_apply_checked, made_by::yardstick, yields::nothing)}}};
}

}  // namespace bench
