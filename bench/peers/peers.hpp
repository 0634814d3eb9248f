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

}  // namespace bench
