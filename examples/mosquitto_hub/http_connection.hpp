/// One connection of the HTTP server, with or without TLS.
#pragma once

#include <devicetwin/base/chrono.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "http_error.hpp"
#include "http_request.hpp"
#include "http_server.hpp"

namespace hub {

using tcp_socket = boost::asio::ip::tcp::socket;
using tls_socket = boost::asio::ssl::stream<tcp_socket>;

/// A connection, as the way back of an answer sees it.
class http_answered : public http_peer {
 public:
  /// The hub has answered the request. To be called on the server's thread.
  virtual void answered() = 0;
};

/// A request with where it came from.
struct http_request_in_hand : http_call {
  std::weak_ptr<http_answered> from;
};

/// What a connection needs of the server.
struct http_surroundings {
  http_peers& peers;
  http_queue& queue;
  std::function<void(std::shared_ptr<http_call>)> hand_over;
};

/// Reads a request, hands it over, writes the answer, and so on. What a client sends beyond the
/// request stays unread until the request is answered. All of it happens on the server's thread.
template <class Stream>
class http_connection final : public http_answered,
                              public std::enable_shared_from_this<http_connection<Stream>> {
 public:
  /// `stream` is connected. The connection lives as long as something is to come for it.
  http_connection(Stream stream, http_surroundings& around)
      : stream_(std::move(stream)), around_(around), timer_(stream_.get_executor()) {
    around_.peers.add(*this);
    listed_ = true;
    since = std::chrono::steady_clock::now();
  }
  ~http_connection() override { leave_list(); }

  void start();
  void answered() override;
  void drop() override { close(); }

 private:
  using error_code = boost::beast::error_code;
  using response = boost::beast::http::response<boost::beast::http::string_body>;

  static constexpr bool has_tls = std::is_same_v<Stream, tls_socket>;
  tcp_socket& socket() {
    if constexpr (has_tls)
      return stream_.next_layer();
    else
      return stream_;
  }
  void enter(phase next, std::chrono::steady_clock::duration may_take);
  void on_deadline();
  void begin_request();
  void read_more();
  void parse();
  void send_continue();
  void refuse(const http_refusal& refusal);
  void write_answer(std::chrono::steady_clock::duration may_take);
  void say_goodbye();
  void discard();
  void close() {
    const auto last = std::move(self_);  // may be what keeps this alive
    leave_list();
    error_code ignored;
    timer_.cancel();
    socket().close(ignored);
  }
  void leave_list() {
    if (std::exchange(listed_, false)) around_.peers.remove(*this);
  }

  Stream stream_;
  http_surroundings& around_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_{http_request::max_unused};
  std::shared_ptr<http_request_in_hand> call_;
  std::optional<http_request> request_;
  response response_;
  std::shared_ptr<http_connection>
      self_;  ///< keeps the connection while nothing else does: the hub has its request in hand
  std::size_t discarded_ = 0;
  bool listed_ = false;  ///< not closed yet
  bool close_after_answer_ = false;
  bool continue_sent_ = false;
  bool too_late_ = false;  ///< the time for the request is over
  bool taken_ = false;     ///< the broker has the request
};

// ---------------------------------------------------------------------------------------------

template <class Stream>
void http_connection<Stream>::enter(phase next, std::chrono::steady_clock::duration may_take) {
  now = next;
  timer_.expires_after(may_take);
  timer_.async_wait([self = this->weak_from_this()](const error_code& e) {
    const auto alive = self.lock();
    // A wait whose timer was set anew may have been over already.
    if (!e && alive && alive->timer_.expiry() <= std::chrono::steady_clock::now())
      alive->on_deadline();
  });
}

template <class Stream>
void http_connection<Stream>::on_deadline() {
  switch (now) {
    case phase::reading:
      too_late_ = true;
      socket().cancel();  // ends the read, which then answers
      break;
    case phase::waiting:
      if (taken_) return close();
      if (around_.queue.withdraw(call_.get()))
        return refuse({devicetwin::server_busy, "the hub is busy"});
      taken_ = true;
      enter(phase::waiting, commit_time);
      break;
    case phase::handshake:
    case phase::idle:
    case phase::writing:
    case phase::closing:
      close();
      break;
  }
}

template <class Stream>
void http_connection<Stream>::start() {
  if constexpr (has_tls) {
    enter(phase::handshake, handshake_time);
    stream_.async_handshake(boost::asio::ssl::stream_base::server,
                            [self = this->shared_from_this()](const error_code& e) {
                              if (e || !self->listed_) return self->close();
                              self->begin_request();
                            });
  } else {
    begin_request();
  }
}

template <class Stream>
void http_connection<Stream>::begin_request() {
  around_.peers.count_body(*this, 0);
  since = std::chrono::steady_clock::now();
  call_ = std::make_shared<http_request_in_hand>();
  call_->from = this->shared_from_this();
  request_.emplace(*call_);
  continue_sent_ = taken_ = false;
  if (buffer_.size() == 0) {
    enter(phase::idle, authenticated ? idle_time : request_time);
    return read_more();
  }
  enter(phase::reading, request_time);
  parse();
}

template <class Stream>
void http_connection<Stream>::read_more() {
  const std::size_t room =
      buffer_.max_size() - buffer_.size();  // never 0: the parser refuses sooner
  stream_.async_read_some(
      buffer_.prepare(std::min<std::size_t>(room, 8192)),
      [self = this->shared_from_this()](const error_code& e, std::size_t size) {
        if (!self->listed_ || (e && !self->too_late_)) return self->close();
        if (self->too_late_)
          return self->refuse({{408, 408000}, "the request did not come in time"});
        self->buffer_.commit(size);
        if (self->now == phase::idle) self->enter(phase::reading, request_time);
        self->parse();
      });
}

template <class Stream>
void http_connection<Stream>::parse() {
  const auto unused = buffer_.data();
  buffer_.consume(request_->read(static_cast<const char*>(unused.data()), unused.size()));
  if (request_->refusal() != nullptr) return refuse(*request_->refusal());
  if (!around_.peers.count_body(*this, call_->body.size())) {
    return refuse({devicetwin::server_busy, "the hub has too many requests with a body in hand"});
  }
  if (request_->is_done()) {
    close_after_answer_ = !request_->may_continue();
    enter(phase::waiting, answer_time);
    self_ = this->shared_from_this();
    return around_.hand_over(call_);
  }
  if (request_->is_header_done() && request_->expects_continue() && !continue_sent_ &&
      call_->body.empty())
    return send_continue();
  read_more();
}

template <class Stream>
void http_connection<Stream>::send_continue() {
  static constexpr char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  continue_sent_ = true;
  boost::asio::async_write(stream_, boost::asio::buffer(go_on, sizeof go_on - 1),
                           [self = this->shared_from_this()](const error_code& e, std::size_t) {
                             if (e || !self->listed_) return self->close();
                             self->read_more();
                           });
}

template <class Stream>
void http_connection<Stream>::answered() {
  const auto last = std::move(self_);
  if (!listed_) return;  // the connection was dropped
  authenticated = call_->status != 401;
  // Strangers do not hold a connection.
  if (!authenticated) close_after_answer_ = true;
  write_answer(write_time);
}

template <class Stream>
void http_connection<Stream>::refuse(const http_refusal& refusal) {
  self_.reset();  // who calls this keeps the connection
  write_http_error(*call_, refusal.as, refusal.why, devicetwin::timestamp_now());
  close_after_answer_ = true;  // where the next request begins is not known
  write_answer(close_time);
}

template <class Stream>
void http_connection<Stream>::write_answer(std::chrono::steady_clock::duration may_take) {
  using boost::beast::http::field;
  enter(phase::writing, may_take);
  response_ = response(static_cast<boost::beast::http::status>(call_->status), 11);
  char date[64];
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) != nullptr &&
      std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts) != 0) {
    response_.set(field::date, date);  // RFC 9110 section 6.6.1
  }
  if (!call_->etag.empty()) response_.set(field::etag, "\"" + call_->etag + "\"");
  if (!call_->error_code.empty()) response_.set("iothub-errorcode", call_->error_code);
  if (!call_->allow.empty()) response_.set(field::allow, call_->allow);
  if (!call_->reply.empty()) response_.set(field::content_type, "application/json; charset=utf-8");
  response_.keep_alive(!close_after_answer_);
  response_.body() = std::move(call_->reply);
  response_.prepare_payload();
  if (call_->status == 204) response_.erase(field::content_length);  // RFC 9110 section 8.6
  if (request_->head_only()) response_.body().clear();
  boost::beast::http::async_write(
      stream_, response_, [self = this->shared_from_this()](const error_code& e, std::size_t) {
        if (e || !self->listed_) return self->close();
        if (self->close_after_answer_) return self->say_goodbye();
        self->begin_request();
      });
}

template <class Stream>
void http_connection<Stream>::say_goodbye() {
  enter(phase::closing, close_time);
  if constexpr (has_tls) {
    stream_.async_shutdown([self = this->shared_from_this()](const error_code&) {
      if (!self->listed_) return self->close();
      self->discard();
    });
  } else {
    discard();
  }
}

/// Reads what is still to come of a refused request, for a while: closing before would destroy the
/// answer on its way (RFC 9112 section 9.6).
template <class Stream>
void http_connection<Stream>::discard() {
  error_code ignored;
  if (discarded_ == 0) socket().shutdown(tcp_socket::shutdown_send, ignored);
  buffer_.clear();
  socket().async_read_some(buffer_.prepare(8192), [self = this->shared_from_this()](
                                                      const error_code& e, std::size_t size) {
    self->discarded_ += size;
    if (e || !self->listed_ || self->discarded_ > 1024 * 1024) return self->close();
    self->discard();
  });
}

}  // namespace hub
