/// The service side of the hub: an HTTP server whose thread only queues. What is asked for is done
/// on the broker's thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http_call.hpp"

namespace hub {

/// Where the server listens. A port of 0 means not at all.
struct http_options {
  std::string https_address = "127.0.0.1";
  int https_port = 0;
  std::string certificate;  ///< a file in PEM: the server's certificate, and those between it and
                            ///< the authority
  std::string key;          ///< a file in PEM: the certificate's private key
  int http_port = 0;        ///< without TLS, on 127.0.0.1 alone
};

/// The server. One thread of its own reads requests and writes answers; it never waits for a
/// client. The limits on requests are in http_request.hpp; those on time and on the number of
/// connections are in http_server.hpp. All hold before a request is authenticated.
///
/// The broker's loop sleeps up to a tenth of a second in epoll_wait and has no handle of ours to
/// wait for. A signal wakes it: handing over sends one to the broker's thread, again and again
/// until the request is taken, because a signal that comes just before the loop goes to sleep is
/// lost.
class http_side {
 public:
  http_side();
  http_side(const http_side&) = delete;
  http_side& operator=(const http_side&) = delete;
  ~http_side();  ///< stops

  /// Listens. To be called by the broker's thread, the one that calls take() and answer(). Returns
  /// what went wrong, in one sentence: a certificate that cannot be read, or an address that cannot
  /// be had. Nothing when all is well.
  std::string start(const http_options& options);
  /// Closes all connections and ends the thread.
  void stop();

  /// What has come since the last call. Each is to be answered in the same turn of the broker's
  /// loop.
  std::vector<std::shared_ptr<http_call>> take();
  /// Sends the answers on their way.
  void answer(const std::vector<std::shared_ptr<http_call>>& calls);

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace hub
