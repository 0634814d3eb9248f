// Operations of both parties on twins of all kinds, compared with the reference after each (tests/support/twin_driver.hpp).
// The first byte names the dialect; the others are the choices of the driver, and here and there a text up to a NUL.
#include <cstdio>
#include <cstdlib>

#include "../tests/support/twin_driver.hpp"

namespace twin_model {

void differ(const std::string& what, const std::string& is, const std::string& should_be) {
  std::fprintf(stderr, "%s\n  is        %s\n  should be %s\n", what.c_str(), is.c_str(), should_be.c_str());
  std::abort();
}

}  // namespace twin_model

namespace {

class bytes : public twin_model::choices {
 public:
  bytes(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  unsigned below(unsigned n) override {
    unsigned value = 0;
    for (unsigned most = 1; most < n && at_ != end_; most *= 256) value = value * 256 + *at_++;
    return value % n;
  }
  bool more() override { return at_ != end_ && steps_++ < 24; }
  std::optional<std::string> text() override {
    std::string text;
    while (at_ != end_ && *at_ != 0) text += static_cast<char>(*at_++);
    if (at_ != end_) ++at_;
    return text;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  unsigned steps_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes c(data, size);
  twin_model::model m(twin_model::dialect_of(c.below(twin_model::dialects)), c);
  while (c.more()) m.step();
  return 0;
}
