// Azure's twin topics and client ids.
#include <devicetwin/protocol/topic.hpp>

#include <string>
#include <vector>

#include "../support/failing_heap.hpp"

using devicetwin::twin_topic;
using devicetwin::twin_topic_kind;

namespace {

std::string text_of(const twin_topic& t) {
  std::string text;
  const json::error e = write_twin_topic(t, text);
  INFO(e.message());
  REQUIRE(!e);
  return text;
}

void check(std::string_view text, twin_topic_kind kind, unsigned status, std::string_view id,
           std::int64_t version) {
  const auto t = devicetwin::parse_twin_topic(text);
  INFO(text);
  INFO(t.error().message());
  REQUIRE(t);
  CHECK(t->kind == kind);
  CHECK(t->status == status);
  CHECK(t->request_id == id);
  CHECK(t->version == version);
}

/// What is refused, and where.
void check_bad(std::string_view text, std::size_t offset) {
  const auto t = devicetwin::parse_twin_topic(text);
  INFO(text);
  REQUIRE(!t);
  CHECK(t.error().code() == errc::invalid_topic);
  CHECK(t.error().offset() == offset);
}

const std::string reported = "$iothub/twin/PATCH/properties/reported/";
const std::string desired = "$iothub/twin/PATCH/properties/desired/";

/// What parse gives is written, and parsed to the same; what it refuses says where.
void round_trip(std::string_view text) {
  INFO(text);
  const auto t = devicetwin::parse_twin_topic(text);
  if (!t) {
    CHECK(t.error().code() == errc::invalid_topic);
    CHECK(t.error().offset() <= text.size());
  } else {
    const std::string again = text_of(*t);
    const auto u = devicetwin::parse_twin_topic(again);
    REQUIRE(u);
    CHECK(u->kind == t->kind);
    CHECK(u->status == t->status);
    CHECK(u->request_id == t->request_id);
    CHECK(u->version == t->version);
  }
}

}  // namespace

TEST_CASE("twin topics are taken apart and put together") {
  struct row {
    std::string text;
    twin_topic_kind kind;
    unsigned status;
    std::string id;
    std::int64_t version;
  };
  const row rows[] = {
      {"$iothub/twin/GET/?$rid=1", twin_topic_kind::get, 0, "1", devicetwin::no_version},
      {"$iothub/twin/GET/?$rid=5e8f0d6e-1c1c-4a63-8c1a-1e8e1a6e4b5f", twin_topic_kind::get, 0,
       "5e8f0d6e-1c1c-4a63-8c1a-1e8e1a6e4b5f", devicetwin::no_version},
      {reported + "?$rid=a", twin_topic_kind::reported_patch, 0, "a", devicetwin::no_version},
      {reported + "?$rid=a&$version=0", twin_topic_kind::reported_patch, 0, "a", 0},
      {reported + "?$rid=a&$version=9223372036854775807", twin_topic_kind::reported_patch, 0, "a",
       INT64_MAX},
      {"$iothub/twin/res/200/?$rid=x", twin_topic_kind::response, 200, "x", devicetwin::no_version},
      {"$iothub/twin/res/204/?$rid=x&$version=6", twin_topic_kind::response, 204, "x", 6},
      {"$iothub/twin/res/999/?$rid=x", twin_topic_kind::response, 999, "x", devicetwin::no_version},
      {desired, twin_topic_kind::desired_patch, 0, "", devicetwin::no_version},
      {desired + "?$version=3", twin_topic_kind::desired_patch, 0, "", 3},
  };
  for (const row& r : rows) {
    check(r.text, r.kind, r.status, r.id, r.version);
    CHECK(text_of(*devicetwin::parse_twin_topic(r.text)) == r.text);
  }
}

TEST_CASE("a topic's bag of properties may hold what the library does not know") {
  using kind = twin_topic_kind;
  const std::string get = "$iothub/twin/GET/";
  // Others are passed over, with a value or none, before and behind, and so is what is empty.
  check(get + "?$rid=1&$random", kind::get, 0, "1", -1);
  check(get + "?$random&$rid=1", kind::get, 0, "1", -1);
  check(get + "?$rid=1&", kind::get, 0, "1", -1);
  check(get + "?&&$rid=1&&", kind::get, 0, "1", -1);
  check(get + "?&=&$rid=1&=v&a=b=c", kind::get, 0, "1", -1);
  check(get + "?random=1&random=2&$rid=1", kind::get, 0, "1", -1);
  check(get + "?$RID=2&$rid=1", kind::get, 0, "1", -1);
  // Values are as they stand: nothing is decoded, an equals sign is part of it, UTF-8 as well.
  check(get + "?$rid=%20a", kind::get, 0, "%20a", -1);
  check(get + "?$rid=a=b", kind::get, 0, "a=b", -1);
  check(get + "?$rid==", kind::get, 0, "=", -1);
  check(get + "?$rid=a?b/c d", kind::get, 0, "a?b/c d", -1);
  check(get + "?$rid=\xE6\x97\xA5\xE6\x9C\xAC", kind::get, 0, "\xE6\x97\xA5\xE6\x9C\xAC", -1);
  // Zeros before a number, and a version where none is of use.
  check(reported + "?$version=007&$rid=1", kind::reported_patch, 0, "1", 7);
  check(get + "?$rid=1&$version=2", kind::get, 0, "1", 2);
  check(desired + "?$rid=1&$version=2", kind::desired_patch, 0, "", 2);
  check(desired + "?", kind::desired_patch, 0, "", -1);

  // What is known here must not stand twice, be empty, or have what a topic cannot.
  check_bad(get + "?$rid=1&$rid=1", get.size() + 8);
  check_bad(reported + "?$rid=1&$version=1&$version=1", reported.size() + 19);
  check_bad(get, get.size());
  check_bad(get + "?", get.size() + 1);
  check_bad(get + "?$rid", get.size() + 5);
  check_bad(get + "?$rid=", get.size() + 6);
  check_bad(get + "?$version=1", get.size() + 11);
  check_bad(get + "?$rid=a#", get.size() + 7);
  check_bad(get + "?$rid=a+b", get.size() + 7);
  check_bad(get + "?$rid=a\n", get.size() + 7);
  check_bad(get + "?$rid=a\x7F", get.size() + 7);
  check_bad(get + std::string("?$rid=a\0b", 9), get.size() + 7);
  check_bad(get + "$rid=1", get.size());
  check_bad(get + "/?$rid=1", get.size());
  for (const char* bad :
       {"", "-1", "+1", "1.0", "1e3", "0x1", "x", " 1", "1 ", "9223372036854775808",
        "18446744073709551617", "99999999999999999999999999999999999999"}) {
    check_bad(reported + "?$rid=1&$version=" + bad, reported.size() + 17);
    check_bad(desired + "?$version=" + bad, desired.size() + 10);
  }
  check_bad(reported + "?$rid=1&$version", reported.size() + 16);
}

TEST_CASE("what is no twin topic is refused with the place") {
  for (const char* bad :
       {"", "$", "$iothub", "$iothub/twin", "$iothub/twin/", "$iothub/twin/GET",
        "$iothub/twin/get/?$rid=1", "$iothub/twin/PATCH/properties/",
        "$iothub/twin/PATCH/properties/reported", "$iothub/twin/PATCH/?$rid=1",
        "iothub/twin/GET/?$rid=1", "/$iothub/twin/GET/?$rid=1", " $iothub/twin/GET/?$rid=1",
        "$IOTHUB/twin/GET/?$rid=1", "$iothub/methods/POST/x/?$rid=1", "devices/a/messages/events/",
        "$iothub/twin/res"}) {
    check_bad(bad, 0);
  }
  const std::string res = "$iothub/twin/res/";
  for (const char* bad :
       {"", "/", "?$rid=1", "20/?$rid=1", "2000/?$rid=1", "099/?$rid=1", "-20/?$rid=1",
        "2x0/?$rid=1", "200?$rid=1", "200", " 200/?$rid=1", "#", "+/?$rid=1"}) {
    check_bad(res + bad, res.size());
  }
  check_bad(res + "200/", res.size() + 4);
  check_bad(res + "200//?$rid=1", res.size() + 4);
}

TEST_CASE("a request id has a longest length") {
  const std::string longest(devicetwin::max_request_id, 'x');
  const std::string get = "$iothub/twin/GET/?$rid=";
  check(get + longest, twin_topic_kind::get, 0, longest, -1);
  check_bad(get + longest + "x", get.size() + devicetwin::max_request_id);
  check(get + longest + "&x", twin_topic_kind::get, 0, longest, -1);
}

TEST_CASE("the request id of a malformed request can be read") {
  using devicetwin::readable_request_id;
  const std::string get = "$iothub/twin/GET/";
  CHECK(readable_request_id(reported + "?$rid=a&$version=x") == "a");
  CHECK(readable_request_id(reported + "?$version=x&$rid=a") == "a");
  CHECK(readable_request_id(reported + "?$version=x&other&&$rid=a=b?c/d&") == "a=b?c/d");
  CHECK(readable_request_id(get + "?$rid=1&$rid=2") == "1");
  CHECK(readable_request_id(get + "foo?$rid=1") == "1");
  CHECK(readable_request_id(get + "/?$rid=1") == "1");
  const std::string longer(60'000, 'r');
  CHECK(readable_request_id(get + "?$rid=" + longer) == longer);
  for (const std::string& none :
       {get, get + "?", get + "?$rid", get + "?$rid=", get + "?$rid=&$rid=1", get + "$rid=1",
        get + "?rid=1", get + "?x$rid=1", get + "?$rid=a#", get + "?$rid=a+b", get + "?$rid=a\n",
        get + "?$rid=a\x7F", get + std::string("?$rid=a\0b", 9)}) {
    INFO(none);
    CHECK(readable_request_id(none).empty());
  }
  for (const char* other : {"", "?$rid=1", "$iothub/twin/?$rid=1", "$iothub/twin/GET?$rid=1",
                            "$iothub/twin/res/200/?$rid=1&$version=x",
                            "$iothub/twin/PATCH/properties/desired/?$rid=1&$version=x",
                            "devices/a/messages/events/?$rid=1"}) {
    INFO(other);
    CHECK(readable_request_id(other).empty());
  }
}

TEST_CASE("what cannot be parsed is not written, and nothing is written then") {
  const auto refused = [](const twin_topic& t) {
    std::string out = "x";
    CHECK(write_twin_topic(t, out).code() == errc::invalid_topic);
    CHECK(out == "x");
  };
  twin_topic good;
  good.request_id = "1";
  std::string out = "x";
  REQUIRE(!write_twin_topic(good, out));
  CHECK(out == "x$iothub/twin/GET/?$rid=1");
  for (const std::string& id :
       {std::string(), std::string("a&b"), std::string("a#"), std::string("+"),
        std::string("\0", 1), std::string(devicetwin::max_request_id + 1, 'x')}) {
    twin_topic t = good;
    t.request_id = id;
    refused(t);
  }
  twin_topic t = good;
  t.status = 200;
  refused(t);
  t.kind = twin_topic_kind::response;
  REQUIRE(!write_twin_topic(t, out));
  for (const unsigned status : {0u, 99u, 1000u}) {
    t.status = status;
    refused(t);
  }
  t = good;
  t.version = -2;
  refused(t);
  t = good;
  t.kind = twin_topic_kind::desired_patch;
  refused(t);
  t = {};
  t.kind = static_cast<twin_topic_kind>(7);
  refused(t);

  // Into a buffer: all or nothing.
  good.version = 12;
  const std::string whole = text_of(good);
  for (std::size_t capacity = 0; capacity <= whole.size(); ++capacity) {
    std::string room(capacity + 1, '.');
    devicetwin::text_buffer buffer(&room[0], capacity);
    const json::error e = write_twin_topic(good, buffer);
    CHECK(e.code() == (capacity < whole.size() ? errc::out_of_memory : errc::ok));
    CHECK(buffer.view() == (capacity < whole.size() ? std::string() : whole));
    CHECK(room.back() == '.');
  }
}

TEST_CASE("a client id names a device, or a module of one") {
  const auto device = devicetwin::parse_client_id("pump-7");
  REQUIRE(device);
  CHECK(device->device == "pump-7");
  CHECK(device->module.empty());
  const auto module = devicetwin::parse_client_id("pump-7/$edgeHub");
  REQUIRE(module);
  CHECK(module->device == "pump-7");
  CHECK(module->module == "$edgeHub");
  for (const std::string& bad :
       {std::string(), std::string("/"), std::string("/m"), std::string("d/"), std::string("d/m/x"),
        std::string("d//m"), std::string("a b"), std::string("a\0", 2), std::string("d/m\xC3\xA9"),
        std::string(129, 'x'), "d/" + std::string(129, 'x')}) {
    INFO(bad);
    CHECK(devicetwin::parse_client_id(bad).error().code() == errc::invalid_identity);
  }
}

TEST_CASE(
    "every beginning and every single-byte change of a topic is taken or refused, never more") {
  const std::vector<std::string> topics = {"$iothub/twin/GET/?$rid=12",
                                           reported + "?$rid=1a&$version=120",
                                           "$iothub/twin/res/204/?$rid=1&$version=6&x=",
                                           desired + "?$version=9223372036854775807",
                                           "$aws/things/t-1/shadow/update/delta",
                                           "$aws/things/t/shadow/name/s:1/delete/rejected"};
  for (const std::string& topic : topics) {
    for (std::size_t size = 0; size <= topic.size(); ++size) {
      const std::string exact = topic.substr(0, size);  // so that a sanitizer sees a byte too far
      round_trip(exact);
    }
    for (std::size_t i = 0; i < topic.size(); ++i) {
      std::string changed = topic;
      for (int byte = 0; byte < 256; ++byte) {
        changed[i] = static_cast<char>(byte);
        round_trip(changed);
      }
      changed = topic;
      round_trip(changed.erase(i, 1));
      for (const char c : {'&', '=', '?', '/', '$', '0', '9', '\0'})
        round_trip(std::string(topic).insert(i, 1, c));
    }
  }
}
