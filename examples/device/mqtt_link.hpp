/// A connection to a hub over libmosquitto: MQTT 3.1.1 with TLS, on the caller's thread. What
/// happens is queued as events.
#pragma once

#include <mosquitto.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace device {

struct link_event {
  enum kind {
    connected,
    lost,     ///< the connection has ended, or could not be made; `text` says why
    message,  ///< `payload` on the topic `text`
  } what;
  std::string text;
  std::string payload;
};

class mqtt_link {
 public:
  /// `ca_file` is the certificate authority to trust; empty for those that the system trusts.
  mqtt_link(const std::string& client_id, const std::string& ca_file);
  mqtt_link(const mqtt_link&) = delete;
  mqtt_link& operator=(const mqtt_link&) = delete;
  ~mqtt_link();

  /// What setting up has come to; empty when all is well.
  const std::string& problem() const { return problem_; }

  /// Connects; `connected` or `lost` follows. The answer to TLS and MQTT is not waited for, but
  /// that of TCP is, for ten seconds at most: mosquitto_connect_async() never notices in 2.0.11
  /// that a host refuses, unless threads are used.
  void connect(const std::string& host, int port, const std::string& user_name,
               const std::string& password);
  /// Ends the connection, if there is one; nothing follows.
  void disconnect();
  /// False when it cannot be sent; then `lost` follows.
  bool subscribe(std::string_view filter);
  bool publish(std::string_view topic, std::string_view payload);

  bool is_up() const { return up_; }
  /// To be waited for with poll(); -1 when there is none.
  int socket() const { return mosquitto_socket(client_); }
  bool wants_write() const { return mosquitto_want_write(client_); }
  /// Reads and writes what can be, without waiting.
  void turn();

  /// The next event; false when there is none.
  bool next(link_event& event);

 private:
  static mqtt_link* of(void* self) { return static_cast<mqtt_link*>(self); }
  /// An end is told once, by whatever notices it first.
  void end(std::string why);

  mosquitto* client_ = nullptr;
  std::string problem_;
  std::deque<link_event> events_;
  bool started_ = false;  ///< a connection is there or on its way
  bool up_ = false;
};

// ---------------------------------------------------------------------------------------------

inline mqtt_link::mqtt_link(const std::string& client_id, const std::string& ca_file) {
  mosquitto_lib_init();
  client_ = mosquitto_new(client_id.c_str(), true, this);
  if (client_ == nullptr) {
    problem_ = "the client id is not one, or there is no memory";
    return;
  }
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
  const int trust = ca_file.empty() ? mosquitto_int_option(client_, MOSQ_OPT_TLS_USE_OS_CERTS, 1)
                                    : mosquitto_tls_set(client_, ca_file.c_str(), nullptr, nullptr,
                                                        nullptr, nullptr);
  if (trust != MOSQ_ERR_SUCCESS ||
      mosquitto_tls_opts_set(client_, 1, "tlsv1.2", nullptr) != MOSQ_ERR_SUCCESS) {
    problem_ =
        ca_file.empty() ? "the system's certificates cannot be used" : ca_file + " cannot be read";
    return;
  }
  mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int code) {
    if (code != 0) return of(self)->end(mosquitto_connack_string(code));
    of(self)->up_ = true;
    of(self)->events_.push_back({link_event::connected, {}, {}});
  });
  mosquitto_disconnect_callback_set(
      client_, [](mosquitto*, void* self, int code) { of(self)->end(mosquitto_strerror(code)); });
  mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* m) {
    of(self)->events_.push_back(
        {link_event::message,
         m->topic,
         {static_cast<const char*>(m->payload), static_cast<std::size_t>(m->payloadlen)}});
  });
}

inline mqtt_link::~mqtt_link() {
  mosquitto_destroy(client_);
  mosquitto_lib_cleanup();
}

inline void mqtt_link::end(std::string why) {
  if (!started_) return;
  started_ = up_ = false;
  events_.push_back({link_event::lost, std::move(why), {}});
}

inline void mqtt_link::connect(const std::string& host, int port, const std::string& user_name,
                               const std::string& password) {
  constexpr int keep_alive = 60;
  constexpr unsigned patience = 10;
  started_ = true;
  mosquitto_username_pw_set(client_, user_name.c_str(), password.c_str());
  struct sigaction interrupt {
  }, before{};
  interrupt.sa_handler = [](int) {};  // without SA_RESTART: connect() returns
  sigaction(SIGALRM, &interrupt, &before);
  alarm(patience);
  const int code = mosquitto_connect(client_, host.c_str(), port, keep_alive);
  const int reason = errno;
  alarm(0);
  sigaction(SIGALRM, &before, nullptr);
  if (code != MOSQ_ERR_SUCCESS)
    end(code == MOSQ_ERR_ERRNO ? std::strerror(reason == EINTR ? ETIMEDOUT : reason)
                               : mosquitto_strerror(code));
}

inline void mqtt_link::disconnect() {
  started_ = up_ = false;
  mosquitto_disconnect(client_);
  mosquitto_loop(client_, 0, 1);
  events_.clear();
}

inline bool mqtt_link::subscribe(std::string_view filter) {
  const int code = mosquitto_subscribe(client_, nullptr, std::string(filter).c_str(), 0);
  if (code != MOSQ_ERR_SUCCESS) end(mosquitto_strerror(code));
  return code == MOSQ_ERR_SUCCESS;
}

inline bool mqtt_link::publish(std::string_view topic, std::string_view payload) {
  const int code = mosquitto_publish(client_, nullptr, std::string(topic).c_str(),
                                     static_cast<int>(payload.size()), payload.data(), 0, false);
  if (code != MOSQ_ERR_SUCCESS) end(mosquitto_strerror(code));
  return code == MOSQ_ERR_SUCCESS;
}

inline void mqtt_link::turn() {
  if (!started_) return;
  const int code = mosquitto_loop(client_, 0, 1);
  if (code != MOSQ_ERR_SUCCESS) end(mosquitto_strerror(code));
}

inline bool mqtt_link::next(link_event& event) {
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

}  // namespace device
