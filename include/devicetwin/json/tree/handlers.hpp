/// Bases for handlers of events that want few of them.
#pragma once

#include <cstdint>      // std::int64_t, std::uint64_t
#include <string_view>  // std::string_view

#include "../value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// Accepts every event and does nothing. A handler derives from it and defines the events it wants.
struct ignore_events {
  bool Null() { return true; }
  bool Bool(bool) { return true; }
  bool Int(int) { return true; }
  bool Uint(unsigned) { return true; }
  bool Int64(std::int64_t) { return true; }
  bool Uint64(std::uint64_t) { return true; }
  bool Double(double) { return true; }
  bool NumberText(std::string_view) { return true; }
  bool String(const char*, size_type, bool) { return true; }
  bool Key(const char*, size_type, bool) { return true; }
  bool StartObject() { return true; }
  bool EndObject(size_type) { return true; }
  bool StartArray() { return true; }
  bool EndArray(size_type) { return true; }
};

/// Hands every null, bool, number and string to Handler::scalar(), whichever it is. `Handler`
/// derives from it and defines the other events.
template <class Handler>
struct scalar_events {
  bool Null() { return self().scalar(); }
  bool Bool(bool) { return self().scalar(); }
  bool Int(int) { return self().scalar(); }
  bool Uint(unsigned) { return self().scalar(); }
  bool Int64(std::int64_t) { return self().scalar(); }
  bool Uint64(std::uint64_t) { return self().scalar(); }
  bool Double(double) { return self().scalar(); }
  bool NumberText(std::string_view) { return self().scalar(); }
  bool String(const char*, size_type, bool) { return self().scalar(); }

 private:
  Handler& self() noexcept { return static_cast<Handler&>(*this); }
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
