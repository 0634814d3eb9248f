// Points in time of both clocks, for those that only need some.
#pragma once

#include <devicetwin/base/time.hpp>

#include <cstdint>

constexpr devicetwin::timestamp at(std::int64_t ticks) { return {ticks}; }
constexpr devicetwin::milliseconds ms(std::int64_t count) { return {count}; }
