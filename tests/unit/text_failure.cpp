// How the classes that work on two texts report failure.
#include <devicetwin/merge/text/text_failure.hpp>

#include <string_view>

#include "../catch.hpp"

using devicetwin::json::errc;
namespace core = devicetwin::merge::core;

namespace {

/// Its steps are those of the base, one by one.
class walker : public core::text_steps {
 public:
  bool meet_garbage() { return not_json(); }
  bool run_out() { return fail(errc::out_of_memory); }
  bool take(std::size_t first, std::size_t second) {
    static const char text[] = "never read";
    return short_enough({text, first}, {text, second});
  }
  void again() { forget_failure(); }
};

}  // namespace

TEST_CASE("only a text that is not JSON makes a walk over texts malformed", "[text_failure]") {
  walker w;
  CHECK_FALSE(w.malformed());
  CHECK_FALSE(w.failure());
  CHECK_FALSE(w.run_out());
  CHECK_FALSE(w.malformed());
  CHECK(w.failure().code() == errc::out_of_memory);
  CHECK_FALSE(w.meet_garbage());
  CHECK(w.malformed());
  CHECK(w.failure().code() == errc::unexpected_character);
  CHECK(core::needs_reader(w.failure()));
  w.again();
  CHECK_FALSE(w.malformed());
  CHECK_FALSE(w.failure());
}

TEST_CASE("an error that knows its place needs no reader", "[text_failure]") {
  using devicetwin::json::error;
  CHECK(core::needs_reader(error(errc::unexpected_character)));
  CHECK_FALSE(core::needs_reader(error(errc::unexpected_character).in_text("[}", 1)));
  CHECK_FALSE(core::needs_reader(error(errc::depth_exceeded)));
  CHECK_FALSE(core::needs_reader(error()));
}

TEST_CASE("a text too long for its places is refused with its size and the limit",
          "[text_failure]") {
  walker w;
  CHECK(w.take(core::longest_text, core::longest_text));
  CHECK_FALSE(w.failure());
  if constexpr (sizeof(std::size_t) > 4) {
    CHECK_FALSE(w.take(core::longest_text + 1, 2));
    CHECK(w.failure().code() == errc::too_large);
    CHECK(w.failure().limit() == core::longest_text);
    CHECK_FALSE(w.malformed());
    w.again();
    CHECK_FALSE(w.take(2, core::longest_text + 1));
    CHECK(w.failure().code() == errc::too_large);
  }
}
