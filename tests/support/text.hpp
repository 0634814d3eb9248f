// Short ways to read and write in tests, and the whole library.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <string>
#include <string_view>

#include "json.hpp"
#include "time.hpp"

namespace merge = devicetwin::merge;
