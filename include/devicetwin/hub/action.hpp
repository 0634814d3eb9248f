/// What a hub_session asks its caller to do.
#pragma once

#include <string_view>  // std::string_view

#include "../twin/identity.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// What the caller of a hub_session is to do.
struct hub_action {
  enum kind_type : unsigned char {
    reply,   ///< publish `payload` on `topic` to the client `to`, and to nobody else
    notify,  ///< the same; desired has changed
    event    ///< hand `payload` to the back end: what happened to the twin of `to`. No topic
  };
  kind_type kind = reply;
  twin_id to = {};
  std::string_view topic = {};
  std::string_view payload = {};
  unsigned status = 0;  ///< of a reply, as in its topic
  /// Of an event: updateTwin, replaceTwin, createDeviceIdentity, deleteDeviceIdentity,
  /// createModuleIdentity or deleteModuleIdentity.
  std::string_view operation = {};
};

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
