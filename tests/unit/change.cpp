#include "../support/text.hpp"

#include <string>

#include "../support/change_laws.hpp"

TEST_CASE("the laws of changes hold for random changes and documents", "[change][property]") {
  random_json random(5);
  for (int i = 0; i < 3000; ++i) {
    const std::string wrong = laws::algebra(random);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("the laws of three-way merge hold for random documents", "[merge3][property]") {
  random_json random(6);
  for (int i = 0; i < 3000; ++i) {
    const std::string wrong = laws::merging(random);
    REQUIRE(wrong == "");
  }
}
