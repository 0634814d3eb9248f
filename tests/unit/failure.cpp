// How a class that works in steps reports failure.
#include <devicetwin/json/tree/failure.hpp>

#include <string>

#include "../catch.hpp"

using devicetwin::json::errc;
using devicetwin::json::error;
namespace core = devicetwin::json::core;

namespace {

struct silent_handler {};
struct speaking_handler {
  errc failure() const { return errc::invalid_utf8; }
};
const core::pointer_text at_b{"/a/b"};

/// Its steps are those of the base, one by one.
class walker : public core::steps_may_fail {
 public:
  bool too_deep() { return fail(errc::depth_exceeded, at_b, 64); }
  bool too_large() { return exceeded(errc::too_large, 10, 12); }
  bool no_memory() { return fail(errc::out_of_memory); }
  template <class Handler>
  bool send_to(const Handler& handler) {
    return stopped(handler);
  }
  template <class Handler>
  bool send_from_b_to(const Handler& handler) {
    return stopped(handler, at_b);
  }
  bool call(const error& e) { return good(e); }
  void again() { forget_failure(); }
};

}  // namespace

TEST_CASE("a walker that has not failed has no failure", "[failure]") {
  CHECK_FALSE(walker().failure());
}

TEST_CASE("a step that failed is false, and says where and by which limit", "[failure]") {
  walker w;
  CHECK_FALSE(w.too_deep());
  CHECK(w.failure().code() == errc::depth_exceeded);
  CHECK(w.failure().pointer() == "/a/b");
  CHECK(w.failure().limit() == 64);
  CHECK_FALSE(w.too_large());
  CHECK(w.failure().code() == errc::too_large);
  CHECK(w.failure().pointer().empty());
  CHECK(w.failure().limit() == 10);
  CHECK(w.failure().actual() == 12);
  CHECK_FALSE(w.no_memory());
  CHECK(w.failure().code() == errc::out_of_memory);
  CHECK(w.failure().pointer().empty());
}

TEST_CASE("a handler that stopped says why, if it can", "[failure]") {
  walker w;
  CHECK_FALSE(w.send_to(silent_handler()));
  CHECK(w.failure().code() == errc::handler_stopped);
  CHECK_FALSE(w.send_from_b_to(speaking_handler()));
  CHECK(w.failure().code() == errc::invalid_utf8);
  CHECK(w.failure().pointer() == "/a/b");
}

TEST_CASE("what was called passes its failure on, and success leaves none", "[failure]") {
  walker w;
  CHECK(w.call(error()));
  CHECK_FALSE(w.failure());
  CHECK_FALSE(w.call(error(errc::conflict).at(at_b)));
  CHECK(w.failure().code() == errc::conflict);
  CHECK(w.failure().pointer() == "/a/b");
}

TEST_CASE("a failure can be forgotten before the work is done again", "[failure]") {
  walker w;
  CHECK_FALSE(w.no_memory());
  w.again();
  CHECK_FALSE(w.failure());
}
