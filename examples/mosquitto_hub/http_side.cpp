// The HTTP server, over Boost.Asio and Boost.Beast.

#include "http_side.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http_connection.hpp"
#include "http_server.hpp"

namespace hub {

namespace {

using boost::asio::ip::tcp;
using error_code = boost::system::error_code;

/// Accepts connections on one address and starts them.
class listener {
 public:
  /// `tls` is null for connections without TLS.
  listener(boost::asio::io_context& io, http_surroundings& around, boost::asio::ssl::context* tls)
      : acceptor_(io), retry_(io), next_(io), around_(around), tls_(tls) {}

  /// Returns what went wrong, in one sentence.
  std::string listen(const std::string& address, int port) {
    error_code e;
    const auto ip = boost::asio::ip::make_address(address, e);
    if (e) return "\"" + address + "\" is not an IP address";
    const tcp::endpoint at(ip, static_cast<unsigned short>(port));
    acceptor_.open(at.protocol(), e);
    // On Linux this lets a hub start again at once; it does not let two listen on one port.
    if (!e) acceptor_.set_option(tcp::acceptor::reuse_address(true), e);
    if (!e) acceptor_.bind(at, e);
    if (!e) acceptor_.listen(boost::asio::socket_base::max_listen_connections, e);
    if (!e) return {};
    return "cannot listen on " + address + ":" + std::to_string(port) + " for " +
           (tls_ != nullptr ? "HTTPS" : "HTTP") + ": " + e.message();
  }

  void accept() {
    acceptor_.async_accept(next_, [this](const error_code& e) {
      if (e == boost::asio::error::operation_aborted) return;
      if (e)
        return again([this] { accept(); },
                     std::chrono::milliseconds(100));  // no file descriptor is free, for example
      admit();
    });
  }

 private:
  /// Starts the connection in next_ when there is room for it. There soon is.
  void admit() {
    if (!around_.peers.make_room()) return again([this] { admit(); }, std::chrono::milliseconds(5));
    try {
      start(std::exchange(next_, tcp::socket(acceptor_.get_executor())));
    } catch (const std::exception&) {
      // There is no memory for this connection, which is gone. The next one is to be accepted all
      // the same.
    }
    accept();
  }
  void start(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (tls_ != nullptr) {
      std::make_shared<http_connection<tls_socket>>(tls_socket(std::move(socket), *tls_), around_)
          ->start();
    } else {
      std::make_shared<http_connection<tcp_socket>>(std::move(socket), around_)->start();
    }
  }

  template <class Act>
  void again(const Act& act, std::chrono::milliseconds after) {
    retry_.expires_after(after);
    retry_.async_wait([act](const error_code& e) {
      if (!e) act();
    });
  }

  tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  tcp::socket next_;
  http_surroundings& around_;
  boost::asio::ssl::context* tls_;
};

}  // namespace

class http_side::implementation {
 public:
  ~implementation() { stop(); }

  std::string start(const http_options& options);
  void stop();
  std::vector<std::shared_ptr<http_call>> take() { return queue_.take(); }
  void answer(const std::vector<std::shared_ptr<http_call>>& calls);

 private:
  static constexpr std::chrono::milliseconds wake_again{2};

  std::string prepare_tls(const http_options& options);
  void run();
  void hand_over(std::shared_ptr<http_call> call);
  void wake();

  http_peers peers_;
  http_queue queue_;
  http_surroundings around_{
      peers_, queue_, [this](std::shared_ptr<http_call> call) { hand_over(std::move(call)); }};
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_server};
  boost::asio::io_context io_{1};
  boost::asio::steady_timer wake_timer_{io_};
  std::optional<listener> https_, http_;
  std::thread thread_;
  bool waking_ = false;
};

std::string http_side::implementation::prepare_tls(const http_options& options) {
  SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls_.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                                SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(tls_.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(tls_.native_handle(), SSL_SESS_CACHE_OFF);
  error_code e;
  tls_.use_certificate_chain_file(options.certificate, e);
  if (e) return options.certificate + ": the certificate cannot be used: " + e.message();
  tls_.use_private_key_file(options.key, boost::asio::ssl::context::pem, e);
  if (e) return options.key + ": the private key cannot be used: " + e.message();
  return {};
}

std::string http_side::implementation::start(const http_options& options) {
  queue_.start();
  if (options.https_port != 0) {
    if (std::string problem = prepare_tls(options); !problem.empty()) return problem;
    https_.emplace(io_, around_, &tls_);
    if (std::string problem = https_->listen(options.https_address, options.https_port);
        !problem.empty())
      return problem;
    https_->accept();
  }
  if (options.http_port != 0) {
    http_.emplace(io_, around_, nullptr);
    if (std::string problem = http_->listen("127.0.0.1", options.http_port); !problem.empty())
      return problem;
    http_->accept();
  }
  // The broker's signals are for the broker's thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

void http_side::implementation::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception&) {
      // Memory ran out for one connection, which is gone with its handler. The others go on.
    }
  }
}

void http_side::implementation::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
  peers_.drop_all();
}

void http_side::implementation::hand_over(std::shared_ptr<http_call> call) {
  queue_.put(std::move(call));
  if (!waking_) wake();
}

void http_side::implementation::wake() {
  waking_ = false;
  if (!queue_.wake()) return;
  wake_timer_.expires_after(wake_again);
  wake_timer_.async_wait([this](const error_code& e) {
    if (!e) wake();
  });
  waking_ = true;
}

void http_side::implementation::answer(const std::vector<std::shared_ptr<http_call>>& calls) {
  if (calls.empty()) return;
  boost::asio::post(io_, [calls] {
    for (const auto& call : calls) {
      if (const auto from = static_cast<const http_request_in_hand&>(*call).from.lock())
        from->answered();
    }
  });
}

http_side::http_side() : implementation_(std::make_unique<implementation>()) {}
http_side::~http_side() = default;
std::string http_side::start(const http_options& options) {
  return implementation_->start(options);
}
void http_side::stop() { implementation_->stop(); }
std::vector<std::shared_ptr<http_call>> http_side::take() { return implementation_->take(); }
void http_side::answer(const std::vector<std::shared_ptr<http_call>>& calls) {
  implementation_->answer(calls);
}

}  // namespace hub
