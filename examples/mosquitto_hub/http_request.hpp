/// Reads one HTTP request into an http_call, within limits that hold before anybody is
/// authenticated.
#pragma once

#include <devicetwin/protocol/error_body.hpp>

// Boost 1.81 asserts that at least five bytes of a last chunk are there. "0\r\n\r", sent byte by
// byte, has four, and parses well without the assertion. A stranger must not end the broker with
// it.
#if !defined(BOOST_DISABLE_ASSERTS)
#error "The HTTP server is to be compiled with BOOST_DISABLE_ASSERTS"
#endif

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "http_call.hpp"

namespace hub {

/// What a request may have. A twin with its limits fits into a body eight times over.
inline constexpr std::size_t max_http_target = 8 * 1024;
inline constexpr std::size_t max_http_head =
    16 * 1024;  ///< bytes of the request line and all headers, or of all trailers
inline constexpr std::size_t max_http_headers = 100;  ///< headers and trailers together
inline constexpr std::size_t max_http_body = 256 * 1024;
/// Bytes of the whole request. The framing of chunks of one byte takes five bytes each.
inline constexpr std::size_t max_http_request = 8 * max_http_body;

/// Why a request is refused before the hub sees it.
struct http_refusal {
  devicetwin::refusal as;
  std::string why;  ///< one sentence
};

/// The parser of one request: Beast's, with this hub's rules.
///
/// Refused, because a proxy in front could understand it otherwise (RFC 9112 section 11.2):
/// Content-Length together with Transfer-Encoding, either of them twice, lists of lengths, codings
/// other than chunked, and Transfer-Encoding in HTTP/1.0. Refused as well: no Host or two in
/// HTTP/1.1 (RFC 9112 section 3.2), two Authorization headers, a target that is no path or URL.
/// Chunk extensions and trailers are read and ignored.
class http_request final : private boost::beast::http::basic_parser<true> {
 public:
  /// Bytes that the parser may leave for the next call: a head, or the trailers, that are not
  /// complete.
  static constexpr std::size_t max_unused = max_http_head + 1024;

  /// What is read goes into `call`. HEAD is told as GET; head_only() remembers it.
  explicit http_request(http_call& call) : call_(call) {
    eager(true);
    header_limit(max_http_head);
    body_limit(max_http_body);
  }

  /// Parses what has come so far and was not used yet, and returns how many bytes of it are used
  /// now. Not to be called again after is_done() or refusal().
  std::size_t read(const char* bytes, std::size_t size);

  using basic_parser::is_done;
  using basic_parser::is_header_done;
  /// Why the request is refused; null while it is not.
  const http_refusal* refusal() const noexcept {
    return refused_.as.status != 0 ? &refused_ : nullptr;
  }

  bool head_only() const noexcept { return head_only_; }
  /// Whether the client waits for "100 Continue" before it sends the body (RFC 9110
  /// section 10.1.1).
  bool expects_continue() const noexcept { return expects_continue_; }
  /// Whether the connection may be used again. Connections of HTTP/1.0 are not.
  bool may_continue() const { return version_ == 11 && keep_alive(); }

 private:
  using error_code = boost::beast::error_code;
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;
  // The type that this version of Beast hands to its callbacks.
  using text = boost::beast::string_view;

  /// Notes the reason, and makes Beast stop.
  void refuse(error_code& e, unsigned status, unsigned code, const char* why) {
    refused_ = {{status, code}, why};
    e = boost::beast::http::error::bad_field;
  }

  http_refusal refusal_for(const error_code& e, bool line_seen) const;

  void on_request_impl(verb, text method, text target, int version, error_code& e) override;
  void on_response_impl(int, text, int, error_code&) override {}
  void on_field_impl(field name, text name_text, text value, error_code& e) override;
  void on_header_impl(error_code& e) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(text body, error_code&) override { return append(body); }
  void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, text body, error_code&) override {
    return append(body);
  }
  void on_finish_impl(error_code&) override {}

  std::size_t append(text body) {
    call_.body.append(body.data(), body.size());
    return body.size();
  }

  http_call& call_;
  http_refusal refused_{{0, 0}, {}};
  std::size_t used_ = 0;
  std::size_t head_bytes_ = 0;
  std::size_t headers_ = 0;
  int version_ = 0;
  bool head_only_ = false;
  bool expects_continue_ = false;
  bool header_done_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool has_coding_ = false;
  bool has_authorization_ = false;
};

// ---------------------------------------------------------------------------------------------

inline std::size_t http_request::read(const char* bytes, std::size_t size) {
  error_code e;
  const std::size_t used = put({bytes, size}, e);
  if (e == boost::beast::http::error::need_more) e = {};
  used_ += used;
  if (!e && !is_done() && size - used >= max_unused) e = boost::beast::http::error::header_limit;
  if (!e && used_ > max_http_request)
    refuse(e, 413, 413001, "the request is longer than 2097152 bytes");
  if (e && refused_.as.status == 0) {
    const char* const end = bytes + size;
    refused_ = refusal_for(e, version_ != 0 || std::find(bytes + used, end, '\n') != end);
  }
  return used;
}

inline http_refusal http_request::refusal_for(const boost::beast::error_code& e,
                                              bool line_seen) const {
  using boost::beast::http::error;
  if (e == error::body_limit) {
    return {{413, 413001}, "the body is longer than " + std::to_string(max_http_body) + " bytes"};
  }
  if (e == error::header_limit && !line_seen)
    return {{414, 414000}, "the request line is too long"};
  if (e == error::header_limit) {
    return {{431, 431000},
            "the headers are longer than " + std::to_string(max_http_head) + " bytes"};
  }
  return {{400, 400000}, "the HTTP request is malformed: " + e.message()};
}

inline void http_request::on_request_impl(verb, text method, text target, int version,
                                          error_code& e) {
  version_ = version;
  head_bytes_ = method.size() + target.size();
  head_only_ = method == "HEAD";
  call_.method = head_only_ ? std::string("GET") : std::string(method.data(), method.size());
  std::string path(target.data(), target.size());
  // A client may send the whole URL (RFC 9112 section 3.2.2). The host in it is not looked at, as
  // Host is not.
  for (const char* scheme : {"http://", "https://"}) {
    const std::string begin = scheme;
    if (!boost::beast::iequals(target.substr(0, begin.size()), begin)) continue;
    const std::size_t slash = path.find_first_of("/?", begin.size());
    path = slash == std::string::npos ? std::string() : path.substr(slash);
    if (path.empty() || path.front() == '?') path.insert(0, "/");
    break;
  }
  if (target.size() > max_http_target)
    return refuse(e, 414, 414000, "the target is longer than 8192 bytes");
  if (path.empty() || path.front() != '/')
    return refuse(e, 400, 400000, "the target of the request is not a path");
  call_.target = std::move(path);
}

inline void http_request::on_field_impl(field name, text name_text, text value, error_code& e) {
  head_bytes_ += name_text.size() + value.size() + 4;
  if (++headers_ > max_http_headers)
    return refuse(e, 431, 431000, "there are more than 100 headers");
  if (head_bytes_ > max_http_head)
    return refuse(e, 431, 431000, "the headers are longer than 16384 bytes");
  if (header_done_) return;  // a trailer
  const auto twice = [&](bool& has, const char* why) {
    if (has) refuse(e, 400, 400000, why);
    has = true;
  };
  switch (name) {
    case field::host:
      return twice(has_host_, "there are two Host headers");
    case field::authorization:
      call_.authorization.assign(value.data(), value.size());
      return twice(has_authorization_, "there are two Authorization headers");
    case field::if_match:
      if (!call_.if_match.empty()) call_.if_match += ", ";
      // An empty list matches no etag. It does not mean that there is no condition.
      call_.if_match.append(value.empty() ? "\"\"" : std::string(value.data(), value.size()));
      return;
    case field::content_length:
      if (value.find(',') != text::npos)
        return refuse(e, 400, 400000, "Content-Length is not one number");
      return twice(has_length_, "there are two Content-Length headers");
    case field::transfer_encoding:
      if (!boost::beast::iequals(value, "chunked"))
        return refuse(e, 501, 501000, "the hub reads no transfer coding but chunked");
      return twice(has_coding_, "there are two Transfer-Encoding headers");
    case field::expect:
      if (!boost::beast::iequals(value, "100-continue"))
        return refuse(e, 417, 417000, "the hub meets no expectation but 100-continue");
      expects_continue_ = version_ == 11;
      return;
    default:
      return;
  }
}

inline void http_request::on_header_impl(error_code& e) {
  header_done_ = true;
  head_bytes_ = 0;  // counts the trailers from here on
  if (version_ == 11 && !has_host_) return refuse(e, 400, 400000, "there is no Host header");
  if (version_ == 10 && has_coding_)
    return refuse(e, 400, 400000, "HTTP/1.0 has no Transfer-Encoding");
  if (has_length_ && has_coding_)
    return refuse(e, 400, 400000, "Content-Length and Transfer-Encoding exclude each other");
}

}  // namespace hub
