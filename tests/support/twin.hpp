// Short ways to make and write twins in tests.
#pragma once

#include <string>
#include <string_view>

#include "text.hpp"

/// A twin and the outcome of its last write; writes must succeed unless they are asked for their error.
template <class Twin>
struct basic_test_twin {
  Twin t;
  devicetwin::outcome done;
  devicetwin::timestamp now = 0;

  explicit basic_test_twin(const devicetwin::dialect& rules = devicetwin::azure) : t(rules) {
    REQUIRE(!t.create({"devA"}, now, done));
  }
  json::error service(std::string_view patch) { return t.service_patch(patch, ++now, done); }
  json::error desire(const std::string& patch) { return service("{\"properties\":{\"desired\":" + patch + "}}"); }
  json::error replace(const std::string& values) {
    return t.service_replace("{\"properties\":{\"desired\":" + values + "}}", ++now, done);
  }
  json::error report(std::string_view patch) { return t.device_patch(patch, ++now, done); }

  std::string view(bool metadata = true) const {
    devicetwin::view_options options;
    options.metadata = metadata;
    std::string text;
    REQUIRE(!write_service_view(t, text, options));
    return text;
  }
  std::string since(devicetwin::part where, std::int64_t version) const {
    std::string text;
    const json::error e = write_changes_since(t, where, version, text);
    return e ? e.message() : text;
  }
};
using test_twin = basic_test_twin<devicetwin::twin>;
