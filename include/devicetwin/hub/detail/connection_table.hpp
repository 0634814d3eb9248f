/// Which devices are connected to a hub, and what they are subscribed to.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../json/error.hpp"
#include "../../twin/identity.hpp"
#include "../../twin/store.hpp"
#include "filter.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Connections by the id of the device or module, one for each. `number` tells two connections of
/// one client apart: what is said of an older one has no effect.
class connection_table {
 public:
  explicit connection_table(const memory_source& memory) noexcept : connections_(memory) {}

  /// Adds a connection without subscriptions; a client that is connected already loses its own.
  /// Errors: invalid_identity; too_many_connections beyond `most`; out_of_memory.
  json::error add(const twin_id& id, std::uint64_t number, std::size_t most) {
    if (const json::errc code = check_id(id); code != json::errc::ok) return code;
    if (connection* c = connections_.find(id)) {
      c->number = number;
      c->filters = 0;
      return {};
    }
    if (connections_.size() >= most) return json::errc::too_many_connections;
    connection* c = make_node<connection>(connections_.memory(), id, number);
    if (c == nullptr) return json::errc::out_of_memory;
    if (connections_.insert(c)) return {};
    drop_node(connections_.memory(), c);
    return json::errc::out_of_memory;
  }
  void remove(const twin_id& id, std::uint64_t number) noexcept {
    const connection* c = connections_.find(id);
    if (c != nullptr && c->number == number) connections_.erase(id);
  }
  void subscribe(const twin_id& id, std::string_view filter) noexcept {
    if (connection* c = connections_.find(id)) c->filters |= filter_bit(filter);
  }
  void unsubscribe(const twin_id& id, std::string_view filter) noexcept {
    if (connection* c = connections_.find(id)) c->filters &= ~filter_bit(filter);
  }

  std::size_t size() const noexcept { return connections_.size(); }
  bool is_connected(const twin_id& id) const noexcept { return connections_.find(id) != nullptr; }
  /// Returns whether a notification of the device reaches it.
  bool is_notified(const twin_id& id) const noexcept {
    const connection* c = connections_.find(id);
    return c != nullptr && c->filters != 0;
  }

 private:
  struct connection {
    twin_id id;
    std::uint64_t number;
    std::uint64_t filters = 0;  ///< filter_bit() of those it is subscribed to
  };
  id_table<connection> connections_;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
