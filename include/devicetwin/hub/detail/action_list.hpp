/// The actions that follow from one call of a hub_session, with the topics they are published on.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/error.hpp"
#include "../../protocol/topic.hpp"
#include "../../twin/identity.hpp"
#include "../action.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// At most three actions, all for one device or module, the party. Ids and topics are copied; what
/// a payload refers to must stay.
class action_list {
 public:
  explicit action_list(const memory_source& memory) noexcept : long_topic_(memory) {}
  action_list(const action_list&) = delete;
  action_list& operator=(const action_list&) = delete;

  void clear() noexcept { count_ = 0; }
  /// Clears the list and makes `id` the party; invalid_identity when it is empty or too long, and
  /// then there is no party. For an id with wrong characters no store has a twin.
  json::errc start(const twin_id& id) noexcept {
    clear();
    party_ = {};
    constexpr std::size_t longest = sizeof ids_ / 2;
    if (id.device.empty() || id.device.size() > longest || id.module.size() > longest)
      return json::errc::invalid_identity;
    std::memcpy(ids_, id.device.data(), id.device.size());
    party_.device = {ids_, id.device.size()};
    if (!id.module.empty()) {
      std::memcpy(ids_ + id.device.size(), id.module.data(), id.module.size());
      party_.module = {ids_ + id.device.size(), id.module.size()};
    }
    return json::errc::ok;
  }
  const twin_id& party() const noexcept { return party_; }

  const hub_action* data() const noexcept { return actions_; }
  std::size_t size() const noexcept { return count_; }

  /// Replies to a request.
  void add_reply(const twin_topic& request, unsigned status, std::int64_t version,
                 std::string_view payload) noexcept {
    twin_topic answer;
    answer.kind = twin_topic_kind::response;
    answer.status = status;
    answer.request_id = request.request_id;
    answer.version = version;
    text_buffer topic(reply_topic_, sizeof reply_topic_);
    static_cast<void>(
        write_twin_topic(answer, topic));  // it fits, and what was parsed can be written
    add_reply(topic.view(), status, payload);
  }
  /// Replies to a topic that parse_twin_topic() does not understand, if it has a request id to
  /// reply to, and memory suffices for one of any length.
  void add_reply_to_malformed(std::string_view topic, unsigned status,
                              std::string_view payload) noexcept {
    const std::string_view id = readable_request_id(topic);
    twin_topic answer;
    answer.kind = twin_topic_kind::response;
    answer.status = status;
    answer.request_id = id.substr(0, 1);
    long_topic_.resize(0);
    if (id.empty() || write_twin_topic(answer, long_topic_)) return;
    if (!long_topic_.append(id.data() + 1, id.size() - 1))
      return;  // any length, so not a topic of twin_topic's
    add_reply(long_topic_.view(), status, payload);
  }
  /// Notifies the party of its desired section's new version.
  void add_notification(std::int64_t version, std::string_view payload) noexcept {
    twin_topic told;
    told.kind = twin_topic_kind::desired_patch;
    told.version = version;
    text_buffer topic(notification_topic_, sizeof notification_topic_);
    static_cast<void>(write_twin_topic(told, topic));  // it fits
    hub_action& a = add(hub_action::notify);
    a.topic = topic.view();
    a.payload = payload;
  }
  void add_event(std::string_view operation, std::string_view payload) noexcept {
    hub_action& a = add(hub_action::event);
    a.payload = payload;
    a.operation = operation;
  }

 private:
  hub_action& add(hub_action::kind_type kind) noexcept {
    hub_action& added = actions_[count_++];
    added = hub_action{};
    added.kind = kind;
    added.to = party_;
    return added;
  }
  void add_reply(std::string_view topic, unsigned status, std::string_view payload) noexcept {
    hub_action& a = add(hub_action::reply);
    a.topic = topic;
    a.payload = payload;
    a.status = status;
  }

  hub_action actions_[3];
  std::size_t count_ = 0;
  twin_id party_;           ///< in ids_
  text_buffer long_topic_;  ///< of a reply to a malformed request
  // What must be said without asking for memory.
  static constexpr std::size_t reply_topic_bytes = 80 + max_request_id;
  static constexpr std::size_t notification_topic_bytes = 80;
  char ids_[2 * 128];  ///< an id has at most 128 bytes (check_id)
  char reply_topic_[reply_topic_bytes];
  char notification_topic_[notification_topic_bytes];
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
