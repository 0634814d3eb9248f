/// The device twin: the JSON document that a device and its back end share.
///
///     devicetwin::twin t;
///     devicetwin::outcome done;
///     if (auto e = t.create({"greenhouse-07"}, now, done)) ...
///     if (auto e = t.service_patch(R"({"properties":{"desired":{"fan":2}}})", now, done)) ...
///     send_to_device(done.notification());
#pragma once

#include "basic_twin.hpp"
#include "detail/twin_writes.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// The everyday twin: on the heap, with stamps and tombstones.
using twin = basic_twin<heap_memory, stamped>;

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
