/// The merge patch that removes some members.
#pragma once

#include <cstddef>  // std::size_t

#include "../../base/stack.hpp"
#include "../../json/pointer.hpp"
#include "../../json/write.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Writes a merge patch (RFC 7396) with a null at each member that it is told of, in the order of a
/// document. Writes nothing where it is told of none. The names have to live until finish(). Each
/// function returns false when there is no room, and the output holds a part then.
template <class Output>
class removal_writer {
 public:
  removal_writer(Output& out, const memory_source& memory) noexcept : write_(out), open_(memory) {}

  bool remove(const json::location& member) {
    if (!begun_ && !write_.StartObject()) return false;
    begun_ = true;
    const std::size_t around = member.depth() - 1;
    std::size_t same = 0;
    while (same < around && same < open_.size() && open_[same].text() == member[same].text())
      ++same;
    if (!close(same)) return false;
    for (; same < around; ++same) {
      if (!key(member[same]) || !write_.StartObject() || !open_.push(member[same])) return false;
    }
    return key(member[around]) && write_.Null();
  }
  bool finish() { return !begun_ || (close(0) && write_.EndObject(0)); }

 private:
  bool key(const json::step& name) { return write_.Key(name.name, name.length, false); }
  bool close(std::size_t depth) {
    while (open_.size() > depth) {
      if (!write_.EndObject(0)) return false;
      open_.pop();
    }
    return true;
  }

  json::text_writer write_;
  base::stack<json::step, 8> open_;
  bool begun_ = false;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
