// HTTP requests as the hub reads them, with every limit that holds before authentication.
#include "../../examples/mosquitto_hub/http_request.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "../catch.hpp"

namespace {

struct outcome {
  hub::http_call call;
  unsigned status = 0;  ///< 0: read as a whole; 1: more is needed; else the refusal
  unsigned code = 0;
  std::string why;
  std::size_t left = 0;  ///< bytes behind the request
  bool may_continue = false, head_only = false, expects_continue = false;
};

/// Reads a text that comes in pieces of `step` bytes.
outcome read(std::string_view text, std::size_t step = std::string_view::npos) {
  outcome o;
  hub::http_request request(o.call);
  std::string buffer;
  while (!request.is_done()) {
    if (text.empty()) {
      o.status = 1;
      break;
    }
    buffer.append(text.substr(0, step));
    text.remove_prefix(std::min(step, text.size()));
    buffer.erase(0, request.read(buffer.data(), buffer.size()));
    if (const hub::http_refusal* refusal = request.refusal()) {
      o.status = refusal->as.status;
      o.code = refusal->as.code;
      o.why = refusal->why;
      return o;
    }
  }
  o.left = buffer.size() + text.size();
  o.expects_continue = request.expects_continue();
  o.head_only = request.head_only();
  if (request.is_done()) o.may_continue = request.may_continue();
  return o;
}

/// The same for pieces of all sizes; they all have to come to the same.
outcome read_any(std::string_view text) {
  const outcome whole = read(text);
  for (const std::size_t step : {1u, 2u, 3u, 7u, 100u}) {
    const outcome o = read(text, step);
    INFO("pieces of " << step);
    CHECK(o.status == whole.status);
    CHECK(o.why == whole.why);
    if (whole.status != 0) continue;
    CHECK(o.call.body == whole.call.body);
    CHECK(o.call.authorization == whole.call.authorization);
    CHECK(o.left == whole.left);
  }
  return whole;
}

unsigned status_with(const std::string& headers, const std::string& body = {}) {
  return read_any("PATCH /twins/d HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body).status;
}

}  // namespace

TEST_CASE("a request is read with what the hub needs of it", "[http_request]") {
  const outcome o = read_any(
      "PATCH /twins/d?api-version=1 HTTP/1.1\r\nHost: h\r\nAuthorization: SharedAccessSignature "
      "sr=h&sig=x\r\n"
      "If-Match: \"a\"\r\nX: y\r\nIf-Match: \"b\"\r\nContent-Length: 7\r\n\r\n{\"a\":1}GET /next");
  REQUIRE(o.status == 0);
  CHECK(o.call.method == "PATCH");
  CHECK(o.call.target == "/twins/d?api-version=1");
  CHECK(o.call.authorization == "SharedAccessSignature sr=h&sig=x");
  CHECK(o.call.if_match == "\"a\", \"b\"");
  CHECK(o.call.body == "{\"a\":1}");
  CHECK(o.left == 9);
  CHECK(o.may_continue);
}

TEST_CASE("an empty If-Match is a condition that no etag meets", "[http_request]") {
  const auto condition = [](const std::string& headers) {
    return read_any("DELETE /devices/d HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n").call.if_match;
  };
  CHECK(condition("").empty());
  CHECK(condition("If-Match:\r\n") == "\"\"");
  CHECK(condition("If-Match:  \t \r\n") == "\"\"");
  CHECK(condition("If-Match:\r\nIf-Match: \"a\"\r\n") == "\"\", \"a\"");
}

TEST_CASE("a chunked body is put together, without its extensions and trailers", "[http_request]") {
  const outcome o = read_any(
      "PUT /twins/d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;name=\"v\";x=y\r\n{\"a\r\n4\r\n\":1}\r\n0;last\r\nAuthorization: later\r\nIf-Match: "
      "later\r\n\r\nG");
  REQUIRE(o.status == 0);
  CHECK(o.call.body == "{\"a\":1}");
  CHECK(o.call.authorization.empty());
  CHECK(o.call.if_match.empty());
  CHECK(o.left == 1);
  CHECK(read_any("PUT /twins/d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n")
            .status == 0);
}

TEST_CASE("methods are told as they came, HEAD as GET", "[http_request]") {
  CHECK(read_any("BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n").call.method == "BREW");
  const outcome head = read_any("HEAD /twins/d HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(head.call.method == "GET");
  CHECK(head.head_only);
}

TEST_CASE("a target is a path or a URL", "[http_request]") {
  const auto target = [](const std::string& text) {
    return read_any("GET " + text + " HTTP/1.1\r\nHost: h\r\n\r\n");
  };
  CHECK(target("https://localhost:443/twins/d?x").call.target == "/twins/d?x");
  CHECK(target("HTTPS://LOCALHOST/twins/d?x").call.target == "/twins/d?x");
  CHECK(target("http://localhost").call.target == "/");
  CHECK(target("http://localhost?x=/y").call.target == "/?x=/y");
  for (const char* bad : {"twins/d", "*", "localhost:443", "ftp://h/x", "?x"})
    CHECK(target(bad).status == 400);
}

TEST_CASE("connections of HTTP/1.0, and those that say so, end with the answer", "[http_request]") {
  CHECK_FALSE(read_any("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").may_continue);
  CHECK_FALSE(read_any("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, close\r\n\r\n").may_continue);
  CHECK(read_any("GET / HTTP/1.1\r\nHost: h\r\n\r\n").may_continue);
}

TEST_CASE("a client that waits for 100 Continue is noticed before its body", "[http_request]") {
  const std::string head = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n";
  CHECK(read(head + "Expect: 100-Continue\r\n\r\n").expects_continue);
  CHECK_FALSE(read(head + "\r\n").expects_continue);
  CHECK_FALSE(
      read("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").expects_continue);
  CHECK(read(head + "Expect: miracle\r\n\r\n").status == 417);
  // A body that is too long is refused instead.
  CHECK(read("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
             "999999999999\r\n\r\n")
            .status == 413);
}

TEST_CASE("what a proxy could understand otherwise is refused", "[http_request]") {
  const std::string chunks = "0\r\n\r\n";
  CHECK(status_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunks) == 400);
  CHECK(status_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunks) == 400);
  CHECK(status_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks) == 400);
  CHECK(status_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunks) >=
        400);
  for (const char* coding : {"identity", "gzip", "gzip, chunked", "chunked, identity", "xchunked",
                             "chunked, chunked", "\"chunked\"", ""}) {
    CHECK(status_with(std::string("Transfer-Encoding: ") + coding + "\r\n", chunks) >= 400);
  }
  CHECK(status_with("Content-Length: 1\r\nContent-Length: 1\r\n", "x") == 400);
  CHECK(status_with("Content-Length: 1\r\nContent-Length: 2\r\n", "xx") == 400);
  for (const char* length : {"1, 1", "+1", "-1", "0x1", "1 1", "", "18446744073709551617", "1."}) {
    INFO(length);
    CHECK(status_with(std::string("Content-Length: ") + length + "\r\n", "x") >= 400);
  }
  CHECK(status_with("Content-Length : 1\r\n", "x") == 400);
  CHECK(read_any("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status == 400);
  for (const char* size : {"", "g", "-1", "0x1", "10000000000000000", "ffffffffffffffffff", " 1"}) {
    INFO(size);
    CHECK(status_with("Transfer-Encoding: chunked\r\n", std::string(size) + "\r\nx\r\n0\r\n\r\n") >=
          400);
  }
  CHECK(status_with("Transfer-Encoding: chunked\r\n", "1\r\nxy\r\n0\r\n\r\n") == 400);
}

TEST_CASE("headers that decide who asks come once", "[http_request]") {
  CHECK(status_with("Authorization: a\r\nAuthorization: b\r\n") == 400);
  CHECK(status_with("Host: other\r\n") == 400);
  CHECK(read_any("GET / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(read_any("GET / HTTP/1.0\r\n\r\n").status == 0);
}

TEST_CASE("what is no HTTP request is refused", "[http_request]") {
  for (const char* text :
       {"\x16\x03\x01\x02\x01\x01", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "G@T / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHo st: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\n: h\r\n\r\n"}) {
    INFO(text);
    CHECK(read_any(text).status == 400);
  }
  // Lines without CR are refused at once, or never end: then the time for a request does.
  CHECK(read("GET / HTTP/1.1\nHost: h\n\n").status == 400);
  CHECK(read("GET / HTTP/1.1\nHost: h\n\n", 1).status == 1);
}

TEST_CASE("nothing grows beyond its limit", "[http_request]") {
  // A line, a header, headers, a body, chunks, trailers without an end: each is refused, and not
  // much later than at its limit.
  const auto refused_after = [](std::string begin, const std::string& again, unsigned status) {
    const std::size_t limit = hub::max_http_body + 4 * hub::max_http_head;
    while (begin.size() < 3 * limit) begin += again;
    for (const std::size_t step : {std::size_t{1000}, std::size_t{8192}, begin.size()}) {
      INFO(again.substr(0, 30) << " in pieces of " << step);
      CHECK(read(begin, step).status == status);
      if (status != 0) CHECK(read(begin.substr(0, limit), step).status == status);
    }
  };
  const std::string head = "PUT /twins/d HTTP/1.1\r\nHost: h\r\n";
  refused_after("GET /", "x", 414);
  refused_after("G", "E", 414);
  refused_after(head + "X: ", "x", 431);
  refused_after(head, "X", 431);
  refused_after(head, "X: y\r\n", 431);
  refused_after(head, "X: " + std::string(500, 'y') + "\r\n", 431);
  refused_after(head + "X: y", "\r\n folded", 431);
  refused_after(head + "Content-Length: 262145\r\n\r\n", "x", 413);
  refused_after(head + "Transfer-Encoding: chunked\r\n\r\n",
                "4000\r\n" + std::string(0x4000, 'x') + "\r\n", 413);
  refused_after(head + "Transfer-Encoding: chunked\r\n\r\n40001\r\n", "x", 413);
  refused_after(head + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n", 431);
  // Little body in much framing.
  std::string framing = head + "Transfer-Encoding: chunked\r\n\r\n";
  while (framing.size() < 3 * hub::max_http_request)
    framing += "1;x=" + std::string(9000, 'y') + "\r\nz\r\n";
  CHECK(read(framing, 8192).status == 413);
  CHECK(read(framing.substr(0, hub::max_http_request + 20000), 8192).status == 413);
  std::string bytes = head + "Transfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < hub::max_http_body; ++i) bytes += "1\r\nx\r\n";
  CHECK(read(bytes + "0\r\n\r\n", 8192).call.body.size() == hub::max_http_body);
  CHECK(read(head + "X: " + std::string(17000, 'y') + "\r\n\r\n").status == 431);
  CHECK(read("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n").status == 414);
  CHECK(read("GET /" + std::string(8000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n").status == 0);
  // What fits is taken.
  CHECK(read(head + "Content-Length: 262144\r\n\r\n" + std::string(262144, 'x'), 8192)
            .call.body.size() == 262144);
}
