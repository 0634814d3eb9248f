#include <devicetwin/json/tree/scalar.hpp>

#include "../support/json.hpp"

#include <limits>
#include <string>
#include <vector>

#include "../support/reference.hpp"

namespace core = json::core;

namespace {

const char* const texts[] = {"null",
                             "true",
                             "false",
                             "0",
                             "1",
                             "-1",
                             "1.0",
                             "0.0",
                             "-0.0",
                             "0.5",
                             "4294967295",
                             "4294967296",
                             "-2147483648",
                             "9007199254740993",
                             "9007199254740992.0",
                             "9223372036854775807",
                             "9223372036854775808",
                             "9223372036854775808.0",
                             "18446744073709551615",
                             "-9223372036854775808",
                             "\"\"",
                             "\"a\"",
                             "\"b\"",
                             "\"1\"",
                             "\"a text outside of its value\"",
                             "\"a text outside of its valuf\"",
                             "\"thirteen byte\"",
                             "\"fourteen bytes\"",
                             "[]",
                             "{}"};

}  // namespace

TEST_CASE("scalars are the same as the reference has it, and a glance never errs", "[scalar]") {
  for (const char* const x : texts) {
    for (const char* const y : texts) {
      const auto a = parsed(x), b = parsed(y);
      const json::value &va = a, &vb = b;
      INFO(x << " and " << y);
      if (core::is_container(va) && core::is_container(vb)) {
        CHECK_FALSE(core::same_scalars(va, vb));
        continue;
      }
      const bool same =
          reference::equal(*reference::parser::parse(x), *reference::parser::parse(y));
      CHECK(core::same_scalar(va, vb, json::number_equality::by_value) == same);
      if (core::same_scalars(va, vb)) {
        CHECK(same);
      } else if (core::different_scalars(va, vb, json::number_equality::by_value)) {
        CHECK_FALSE(same);
        CHECK((!va.IsNull() && !vb.IsNull()));
      }
      if (va.IsNumber() && vb.IsNumber() && va.IsDouble() != vb.IsDouble())
        CHECK_FALSE(core::same_scalar(va, vb, json::number_equality::by_value_and_type));
    }
  }
}

TEST_CASE("the most common scalars are settled at a glance", "[scalar]") {
  if constexpr (core::is_compact<json::value>) {
    for (const char* const x : {"true", "1", "-1", "\"a\"", "\"a text outside of its value\""}) {
      const auto a = parsed(x), b = parsed(x);
      INFO(x);
      CHECK(core::same_scalars(static_cast<const json::value&>(a),
                               static_cast<const json::value&>(b)));
    }
    const auto one = parsed("1"), two = parsed("2");
    CHECK(core::different_scalars(static_cast<const json::value&>(one),
                                  static_cast<const json::value&>(two),
                                  json::number_equality::by_value));
  }
}

TEST_CASE("a double that JSON cannot write is never the same at a glance", "[scalar]") {
  for (const double d :
       {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    const json::value v(d), w(d);
    CHECK(core::is_not_finite(v));
    CHECK_FALSE(core::same_scalars(v, v));
    CHECK_FALSE(core::same_scalars(v, w));
    const json::value other(1.0);
    CHECK_FALSE(core::different_scalars(v, other, json::number_equality::by_value));
    CHECK_FALSE(core::different_scalars(other, v, json::number_equality::by_value));
  }
  CHECK_FALSE(core::is_not_finite(json::value(1.0)));
  CHECK_FALSE(core::is_not_finite(json::value(1)));
}

TEST_CASE("a number is read out as it is stored", "[scalar]") {
  using kind = json::number::kind;
  CHECK(core::number_of(json::value(-5)).stored_as == kind::signed_integer);
  CHECK(core::number_of(json::value(-5)).i == -5);
  CHECK(core::number_of(json::value(UINT64_MAX)).stored_as == kind::unsigned_integer);
  CHECK(core::number_of(json::value(UINT64_MAX)).u == UINT64_MAX);
  CHECK(core::number_of(json::value(1.0)).stored_as == kind::real);
  CHECK(core::number_of(json::value(0.5)).d == 0.5);
}

TEST_CASE("names are the same by their text, however they are held", "[scalar]") {
  rapidjson::Document d;
  for (std::size_t x = 0; x < 30; ++x) {
    for (std::size_t y = 0; y < 30; ++y) {
      const std::string a(x, 'n'), b(y, 'n');
      const rapidjson::Value copy(a.data(), static_cast<json::size_type>(x), d.GetAllocator());
      const rapidjson::Value reference(rapidjson::StringRef(b.data(), y));
      CHECK(core::same_names(copy, reference) == (x == y));
      CHECK(core::same_names(reference, copy) == (x == y));
    }
  }
}
