#include "devicetwin/version.hpp"

#include <string>

#include "../catch.hpp"

namespace {

#define TEXT_OF(macro) TEXT(macro)
#define TEXT(tokens) #tokens

}  // namespace

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
struct probe;
}
}  // namespace devicetwin

TEST_CASE("the inline namespace carries the major version") {
  const std::string abi = TEXT_OF(DEVICETWIN_ABI);
  CHECK_THAT(abi, matchers::StartsWith("v" TEXT_OF(DEVICETWIN_VERSION_MAJOR)));
  STATIC_REQUIRE(static_cast<devicetwin::probe*>(nullptr) ==
                 static_cast<devicetwin::DEVICETWIN_ABI::probe*>(nullptr));
}
