// Every contestant file offers one function; which files are compiled in is decided by CMake.
#pragma once

#include <vector>

#include "../contest.hpp"

namespace bench {

std::vector<contestant> devicetwin_contestants();
std::vector<contestant> rapidjson_contestants();
std::vector<contestant> nlohmann_contestants();
std::vector<contestant> boost_contestants();
std::vector<contestant> cjson_contestants();
std::vector<contestant> jansson_contestants();
std::vector<contestant> simdjson_contestants();
std::vector<contestant> yyjson_contestants();
std::vector<contestant> jsoncons_contestants();
std::vector<contestant> glaze_contestants();

// What the same contestants do with a twin.
std::vector<operation> devicetwin_twin_operations();
std::vector<operation> devicetwin_hub_operations();
std::vector<operation> nlohmann_twin_operations();
std::vector<operation> boost_twin_operations();

// The bytes that our twin takes when it was loaded from `texts.from`, all told.
std::size_t devicetwin_twin_bytes(const pair_texts& texts);

}  // namespace bench
