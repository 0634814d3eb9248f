// Any bytes as a topic, a client id and a subscription: what is parsed is written and parsed to the
// same, what is refused says where, and a subscription counts when, and only when, MQTT's rule of
// matching says so.
#include <devicetwin/hub/hub_session.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../tests/support/mqtt_match.hpp"

namespace {

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = input;

  const auto t = devicetwin::parse_twin_topic(text);
  if (t) {
    std::string again;
    must(!write_twin_topic(*t, again), "what was parsed can be written");
    const auto u = devicetwin::parse_twin_topic(again);
    must(u && u->kind == t->kind && u->status == t->status && u->request_id == t->request_id &&
             u->version == t->version,
         "what was written is parsed to the same");
  } else {
    must(t.error().code() == devicetwin::json::errc::invalid_topic && t.error().offset() <= size,
         "an error has its place");
  }

  const auto id = devicetwin::parse_client_id(text);
  if (id) {
    const std::string again =
        std::string(id->device) + (id->module.empty() ? "" : "/") + std::string(id->module);
    must(again == text, "a client id is its parts");
  }

  const std::uint64_t bit = devicetwin::detail::filter_bit(text);
  must((bit & (bit - 1)) == 0, "a filter is one bit");
  const bool matches =
      mqtt_match(text, "$iothub/twin/PATCH/properties/desired/?$version=1") &&
      mqtt_match(text, "$iothub/twin/PATCH/properties/desired/?$version=9223372036854775807");
  must(matches == (bit != 0), "a subscription counts when it matches");
  return 0;
}
