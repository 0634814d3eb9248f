// Operations of both parties on twins of all kinds, compared with the reference after each
// (tests/support/twin_driver.hpp). The first byte names the dialect; the others are the choices of
// the driver, and here and there a text up to a NUL. What takes longest, comparing all that can be
// seen, is done at the end, and after a few steps that the bytes choose; a quarter of the inputs
// drives twins of all kinds.
#include <cstdio>
#include <cstdlib>

#include "../tests/support/twin_driver.hpp"

namespace twin_model {

void differ(const std::string& what, const std::string& is, const std::string& should_be) {
  std::fprintf(stderr, "%s\n  is        %s\n  should be %s\n", what.c_str(), is.c_str(),
               should_be.c_str());
  std::abort();
}

}  // namespace twin_model

namespace {

class bytes : public twin_model::choices {
 public:
  bytes(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {
    for (std::size_t i = 0; i < size; ++i) sum_ = (sum_ ^ data[i]) * 0x01000193u;
  }
  unsigned below(unsigned n) override {
    unsigned value = 0;
    for (unsigned most = 1; most < n && at_ != end_; most *= 256) value = value * 256 + *at_++;
    return value % n;
  }
  bool more() override { return at_ != end_ && steps_++ < 12; }
  bool all_kinds() override { return (sum_ >> 8) % 4 == 0; }
  bool compares() override { return (sum_ >> 8) % 8 == steps_ % 8; }
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
  std::uint32_t sum_ = 0x811C9DC5u;  ///< FNV-1a of the input
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes c(data, size);
  twin_model::model m(twin_model::dialect_of(c.below(twin_model::dialects)), c);
  while (c.more()) m.step();
  m.compare_all();
  return 0;
}
