// simdjson only reads: its DOM with a parser that is kept, from padded text. For the roads from
// text to text, the parse of one text, the document, is shown as a yardstick.
#include <simdjson.h>

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

}  // namespace

std::vector<contestant> simdjson_contestants() {
  return {{"simdjson", {entry<dom_job>(road::read, made_by::library_call)}},
          {"simdjson-on-demand", {entry<lookup_job>(road::lookup, made_by::library_call)}},
          {"simdjson-one-parse",
           {entry<dom_job>(road::text_diff, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_diff_checked, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_apply, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_apply_checked, made_by::yardstick, yields::nothing)}}};
}

}  // namespace bench
