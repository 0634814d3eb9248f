/// What the connections of the HTTP server share: the list of them with its bounds, and the way to
/// the broker's thread.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "http_call.hpp"

namespace hub {

/// Bounds on connections. Each connection costs about 100 KB with TLS.
inline constexpr std::size_t max_http_connections = 256;
inline constexpr std::size_t max_http_bodies =
    16 * 1024 * 1024;  ///< bytes of all requests' bodies together

/// How long each step of a connection may take as a whole, however the bytes drip in.
inline constexpr std::chrono::seconds handshake_time{5};
inline constexpr std::chrono::seconds request_time{
    10};  ///< from a request's first byte to its last; and a stranger's until the first
inline constexpr std::chrono::seconds idle_time{30};    ///< between an answer and the next request
inline constexpr std::chrono::seconds answer_time{10};  ///< until the broker takes the request
inline constexpr std::chrono::seconds commit_time{60};  ///< from there until it has answered
inline constexpr std::chrono::seconds write_time{10};   ///< until the client has read an answer
inline constexpr std::chrono::seconds close_time{
    2};  ///< the same, after an error; and for the goodbye

/// A connection, as the list of connections sees it.
class http_peer {
 public:
  enum class phase {
    handshake,
    idle,     ///< has sent nothing of the next request
    reading,  ///< has sent a part of it
    waiting,  ///< the hub has its request in hand
    writing,
    closing,
  };

  http_peer() = default;
  http_peer(const http_peer&) = delete;
  http_peer& operator=(const http_peer&) = delete;
  virtual ~http_peer() = default;

  /// Ends the connection at once, without an answer, and leaves the list.
  virtual void drop() = 0;

  phase now = phase::handshake;
  bool authenticated = false;  ///< a request of it was let through before
  std::chrono::steady_clock::time_point
      since;             ///< when it began, or began to wait for the next request
  std::size_t body = 0;  ///< bytes of its request's body so far
};

/// All connections. When there is no room, somebody has to go: never one whose request the hub has
/// in hand; strangers before those that were let in; of those alike, the one that has taken
/// longest. So a stranger who holds connections open, or sends slowly, loses them to whoever comes
/// next. For one thread.
class http_peers {
 public:
  void add(http_peer& peer) { peers_.push_back(&peer); }
  void remove(http_peer& peer) {
    count_body(peer, 0);
    peers_.erase(std::find(peers_.begin(), peers_.end(), &peer));
  }

  /// Makes room for one more connection. False when every connection waits for the hub.
  bool make_room() {
    return peers_.size() < max_http_connections || drop_one([](const http_peer&) { return true; });
  }
  /// Takes note of the size of a peer's body. When there is no room, drops others that have sent a
  /// part of a body. Returns false when that does not make enough room.
  bool count_body(http_peer& peer, std::size_t size) {
    bodies_ = bodies_ - peer.body + size;
    peer.body = size;
    while (size != 0 && bodies_ > max_http_bodies) {
      if (!drop_one([&peer](const http_peer& other) { return &other != &peer && other.body != 0; }))
        return false;
    }
    return true;
  }

  void drop_all() {
    while (!peers_.empty()) peers_.back()->drop();
  }
  std::size_t size() const noexcept { return peers_.size(); }

 private:
  template <class May>
  bool drop_one(const May& may) {
    http_peer* worst = nullptr;
    for (http_peer* peer : peers_) {
      if (peer->now == http_peer::phase::waiting || !may(*peer)) continue;
      if (worst == nullptr || std::pair(peer->authenticated, peer->since) <
                                  std::pair(worst->authenticated, worst->since))
        worst = peer;
    }
    if (worst == nullptr) return false;
    worst->drop();
    return true;
  }

  std::vector<http_peer*> peers_;
  std::size_t bodies_ = 0;
};

/// Requests on their way to the broker's thread. A connection has one request here at most.
class http_queue {
 public:
  /// The broker's thread is the one that calls this.
  void start() {
    broker_ = pthread_self();
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    nothing.sa_flags = SA_RESTART;  // epoll_wait() is never restarted; all else is
    sigaction(wake_signal(), &nothing, nullptr);
  }
  void put(std::shared_ptr<http_call> call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(call));
  }
  /// Takes back what the broker has not taken yet. False when it has.
  bool withdraw(const http_call* call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(queue_.begin(), queue_.end(),
                                    [call](const auto& waiting) { return waiting.get() == call; });
    if (found == queue_.end()) return false;
    queue_.erase(found);
    return true;
  }
  std::vector<std::shared_ptr<http_call>> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(queue_, {});
  }
  /// Wakes the broker if something waits for it. False when nothing does.
  bool wake() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.empty()) return false;
    pthread_kill(broker_, wake_signal());
    return true;
  }

 private:
  static int wake_signal() { return SIGRTMIN + 3; }

  pthread_t broker_{};
  std::mutex mutex_;
  std::vector<std::shared_ptr<http_call>> queue_;
};

}  // namespace hub
