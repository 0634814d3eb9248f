// Property: for any bytes, json::read accepts exactly what the obvious reader accepts and gives the
// same value; what it accepts is written and read back to the same value; what it refuses has a
// place. The reader rounds integers beyond 64 bits here, as the obvious one does; else it refuses
// these too, and nothing more.
#include <devicetwin/devicetwin.hpp>

#include "../tests/support/reference.hpp"

#include <cstdlib>

namespace json = devicetwin::json;

#define REQUIRE_THAT(condition) \
  if (!(condition)) std::abort()

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expected = reference::parser::parse(text);
  json::document document;
  json::read_options rounding;
  rounding.big_integers = json::big_integer_rule::round;
  const json::error e = json::read(text, document, rounding);
  // Refusing big integers refuses nothing else.
  json::document strict;
  const json::error stricter = json::read(text, strict);
  REQUIRE_THAT(
      stricter ? (e ? stricter.code() == e.code() || stricter.code() == json::errc::integer_overflow
                    : stricter.code() == json::errc::integer_overflow)
               : !e);
  REQUIRE_THAT(!e == expected.has_value());
  if (e) {
    REQUIRE_THAT(e.has_position() && e.offset() <= size && e.column() >= 1);
    REQUIRE_THAT(!e.message().empty() && document.root().IsNull());
    return 0;
  }
  REQUIRE_THAT(identical(reference::from_value(document), *expected));
  for (const unsigned indent : {0u, 2u}) {
    std::string written;
    json::write_options options;
    options.indent = indent;
    REQUIRE_THAT(!json::write(document, written, options));
    rapidjson::Document again;
    REQUIRE_THAT(!json::read(written, again));
    REQUIRE_THAT(identical(reference::from_value(again), *expected));
    REQUIRE_THAT(json::equal(document, again) == json::comparison::equal);
  }
  return 0;
}
