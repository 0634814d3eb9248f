// The contract of stores (devicetwin/testing/store_contract.hpp) as checks of Catch2.
#pragma once

#include <devicetwin/testing/store_contract.hpp>

#include "../catch.hpp"

template <class Place>
void check_store_contract(Place& place) {
  const std::size_t broken = devicetwin::testing::store_contract(
      place, [](const devicetwin::testing::broken_promise& b) { FAIL_CHECK(b.message()); });
  CHECK(broken == 0);
}
