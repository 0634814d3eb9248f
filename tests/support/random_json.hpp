// The random documents that users get, too.
#pragma once

#include <devicetwin/testing/random_document.hpp>

#include <set>
#include <string>

using random_json = devicetwin::testing::random_document;
