/// The service side of the hub: an HTTP server whose threads only queue. What is asked for is done on the broker's thread.
#pragma once

#include <devicetwin/sync/error_body.hpp>

#include <httplib.h>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http_call.hpp"

namespace hub {

/// The server. Its threads hand each request over and sleep until it is answered.
///
/// The broker's loop sleeps up to a tenth of a second in epoll_wait and has no handle of ours to wait for. A signal
/// wakes it: handing over sends one to the broker's thread, again and again until the request is taken, because a
/// signal that comes just before the loop goes to sleep is lost.
class http_side {
 public:
  http_side() = default;
  http_side(const http_side&) = delete;
  http_side& operator=(const http_side&) = delete;
  ~http_side() { stop(); }

  /// Listens. To be called by the broker's thread, the one that take() and answer() are called by. False when the address
  /// cannot be had.
  bool start(const std::string& address, int port);
  void stop();

  /// What has come since the last call. Each is to be answered in the same turn of the broker's loop.
  std::vector<std::shared_ptr<http_call>> take();
  /// Sends the answers on their way.
  void answer(const std::vector<std::shared_ptr<http_call>>& calls);

 private:
  static constexpr std::size_t max_body = 256 * 1024;
  static constexpr std::size_t max_waiting = 64;
  static constexpr std::chrono::milliseconds wake_again{2};
  static constexpr std::chrono::seconds patience{10};
  static int wake_signal() { return SIGRTMIN + 3; }

  void hand_over(const httplib::Request& request, httplib::Response& response);

  httplib::Server server_;
  std::thread thread_;
  pthread_t broker_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<http_call>> queue_;
  std::size_t in_hand_ = 0;  ///< taken or waiting
  bool stopping_ = false;
};

// ---------------------------------------------------------------------------------------------

inline bool http_side::start(const std::string& address, int port) {
  broker_ = pthread_self();
  struct sigaction nothing {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;  // epoll_wait() is never restarted; all else is
  sigaction(wake_signal(), &nothing, nullptr);

  const httplib::Server::Handler handler = [this](const httplib::Request& request, httplib::Response& response) { hand_over(request, response); };
  server_.Get("/.*", handler).Put("/.*", handler).Patch("/.*", handler).Delete("/.*", handler);
  // A connection holds a thread as long as it is kept open.
  server_.new_task_queue = [] { return new httplib::ThreadPool(16); };
  server_.set_keep_alive_timeout(1);
  server_.set_payload_max_length(max_body);
  server_.set_tcp_nodelay(true);
  // What is refused before it gets here, such as a body that is too long.
  server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;
    const auto status = static_cast<unsigned>(response.status);
    std::string body;
    static_cast<void>(devicetwin::sync::write_error_body({status, status * 1000 + 1}, "this cannot be taken, or not now", body));
    response.set_content(body, "application/json; charset=utf-8");
  });
  if (!server_.bind_to_port(address, port)) return false;
  // The broker's signals are for the broker's thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  while (!server_.is_running()) std::this_thread::yield();  // stop() does nothing before that
  return true;
}

inline void http_side::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  server_.stop();
  if (thread_.joinable()) thread_.join();
}

inline void http_side::hand_over(const httplib::Request& request, httplib::Response& response) {
  const auto call = std::make_shared<http_call>();
  call->method = request.method;
  call->target = request.target;
  call->authorization = request.get_header_value("Authorization");
  call->if_match = request.get_header_value("If-Match");
  call->body = request.body;

  std::unique_lock<std::mutex> lock(mutex_);
  const auto end = std::chrono::steady_clock::now() + patience;
  if (in_hand_ < max_waiting) {
    ++in_hand_;
    queue_.push_back(call);
    while (call->state != http_call::answered && !stopping_ && std::chrono::steady_clock::now() < end) {
      if (call->state == http_call::waiting) pthread_kill(broker_, wake_signal());
      changed_.wait_for(lock, wake_again);
    }
    --in_hand_;
  }
  if (call->state != http_call::answered) {
    call->state = http_call::given_up;
    response.status = 503;
    return;
  }
  response.status = call->status;
  if (!call->etag.empty()) response.set_header("ETag", "\"" + call->etag + "\"");
  if (!call->reply.empty()) response.set_content(std::move(call->reply), "application/json; charset=utf-8");
}

inline std::vector<std::shared_ptr<http_call>> http_side::take() {
  std::vector<std::shared_ptr<http_call>> calls;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& call : queue_) {
    if (call->state != http_call::waiting) continue;
    call->state = http_call::taken;
    calls.push_back(std::move(call));
  }
  queue_.clear();
  return calls;
}

inline void http_side::answer(const std::vector<std::shared_ptr<http_call>>& calls) {
  if (calls.empty()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& call : calls) call->state = http_call::answered;
  }
  changed_.notify_all();
}

}  // namespace hub
