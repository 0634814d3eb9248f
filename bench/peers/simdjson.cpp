// simdjson only reads: its DOM with a parser that is kept, from padded text. For the roads from
// text to text, the parse of one text, the document, is shown as a yardstick.
#include <simdjson.h>

#include <sstream>
#include <stdexcept>

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

}  // namespace

std::vector<contestant> simdjson_contestants() {
  return {{"simdjson", {entry<dom_job>(road::read, made_by::library_call)}},
          {"simdjson-one-parse",
           {entry<dom_job>(road::text_diff, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_diff_checked, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_apply, made_by::yardstick, yields::nothing),
            entry<dom_job>(road::text_apply_checked, made_by::yardstick, yields::nothing)}}};
}

}  // namespace bench
