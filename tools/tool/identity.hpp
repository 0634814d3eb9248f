// What a service has in the identity of a twin.
#pragma once

#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/error.hpp>

#include <functional>

namespace tool {

/// Calls `broken` for each member of the identity at a twin's root that has the wrong type or is no
/// id, with its pointer. The module's id of a twin that is a device's own may be null.
void check_identity(const devicetwin::json::arena_value& root,
                    const std::function<void(const devicetwin::json::error&)>& broken);

}  // namespace tool
