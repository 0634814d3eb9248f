/// Events into a RapidJSON value, with every allocation that we can check checked.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <new>          // placement new, std::launder
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../error.hpp"
#include "../value.hpp"
#include "inside.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// The bytes a string of this length takes outside its value; RapidJSON keeps short ones inside.
template <class Value>
constexpr std::size_t string_bytes(std::size_t length) noexcept {
  return length <= sizeof(Value) - 3 ? 0 : (length + 1 + 7) / 8 * 8;
}

/// Asks an allocator to promise `bytes`; one that cannot promise is taken at its word (RapidJSON's
/// own allocators: exhaustion is then as RapidJSON leaves it).
template <class Allocator>
auto promise(Allocator& allocator, std::size_t bytes, int) -> decltype(allocator.reserve(bytes)) {
  return allocator.reserve(bytes);
}
template <class Allocator>
bool promise(Allocator&, std::size_t, long) {
  return true;
}

/// A handler of events that builds a value with `Allocator`, each array and object at its exact
/// size. What is not complete stands on a stack of its own; a container is moved from there to its
/// place in one piece.
template <class Allocator>
class tree_builder {
 public:
  using value_type = basic_value<Allocator>;

  tree_builder(Allocator& allocator, const memory_source& memory) noexcept
      : allocator_(allocator), slots_(memory) {}
  ~tree_builder() { clear(); }

  /// Runs `generate(*this)`, which sends the events of one value and gives an error or none, and
  /// moves the value to `out`. On an error `out` is as it was.
  template <class Generate>
  error build(value_type& out, Generate&& generate) {
    error failure = generate(*this);
    if (!failure) out.Swap(at(0));
    clear();
    return failure;
  }

  errc failure() const noexcept { return errc::out_of_memory; }

  bool Null() noexcept { return push(); }
  bool Bool(bool b) noexcept { return push(b); }
  bool Int(int i) noexcept { return push(i); }
  bool Uint(unsigned u) noexcept { return push(u); }
  bool Int64(std::int64_t i) noexcept { return push(i); }
  bool Uint64(std::uint64_t u) noexcept { return push(u); }
  bool Double(double d) noexcept { return push(d); }
  bool String(const char* text, size_type length, bool) {
    void* place = slots_.add();
    return place != nullptr && put_text(place, text, length);
  }
  /// The same for one of at most 13 bytes, as the words of a compact value.
  DEVICETWIN_ALWAYS_INLINE bool Words(const value_words& words) noexcept {
    void* place = slots_.add();
    if (place != nullptr) std::memcpy(place, &words, sizeof words);
    return place != nullptr;
  }
  bool Key(const char* text, size_type length, bool copy) { return String(text, length, copy); }
  bool StartObject() noexcept { return push(); }
  bool StartArray() noexcept { return push(); }
  bool EndObject(size_type members) {
    using member = typename parts::member;
    member* block = nullptr;
    if (members != 0 && (block = move<member>(members, 2 * std::size_t{members})) == nullptr)
      return false;
    parts::make_object(&slots_.back(), block, members);
    return true;
  }
  bool EndArray(size_type elements) {
    value_type* block = nullptr;
    if (elements != 0 && (block = move<value_type>(elements, elements)) == nullptr) return false;
    parts::make_array(&slots_.back(), block, elements);
    return true;
  }

  /// A copy of a scalar or a name, whatever its allocator.
  template <class Value>
  DEVICETWIN_ALWAYS_INLINE bool Scalar(const Value& scalar) {
    return slots_.extend(1) && copy(&slots_.back(), scalar);
  }
  /// A name and a scalar.
  template <class Member>
  DEVICETWIN_ALWAYS_INLINE bool ScalarMember(const Member& member) {
    if (!slots_.extend(2)) return false;
    slot* const places = &slots_.back() - 1;
    new (static_cast<void*>(places + 1)) value_type();  // in case there is no memory for the name
    return copy(places, member.name) && copy(places + 1, member.value);
  }
  /// Makes room for so many members at once.
  [[nodiscard]] bool expect(std::size_t members) noexcept { return slots_.reserve(2 * members); }

 private:
  using parts = inside<value_type>;
  struct slot {  // values may be moved by memcpy, as RapidJSON itself does
    alignas(value_type) unsigned char bytes[sizeof(value_type)];
  };

  value_type& at(std::size_t i) noexcept {
    return *std::launder(reinterpret_cast<value_type*>(&slots_[i]));
  }

  template <class... Content>
  bool push(Content... content) noexcept {
    void* place = slots_.add();
    if (place != nullptr) new (place) value_type(content...);
    return place != nullptr;
  }
  /// Makes `place` a copy of a scalar; null when there is no memory for its text.
  template <class Value>
  DEVICETWIN_ALWAYS_INLINE bool copy(void* place, const Value& scalar) {
    static_assert(sizeof scalar == sizeof(value_type), "values differ by their allocator only");
    constexpr unsigned outside = inside<Value>::string_flag | inside<Value>::inline_flag;
    if ((inside<Value>::flags(scalar) & outside) != inside<Value>::string_flag) {
      std::memcpy(place, static_cast<const void*>(&scalar), sizeof scalar);
      return true;
    }
    const std::string_view text = text_of(scalar);
    return put_text(place, text.data(), static_cast<size_type>(text.size()));
  }
  /// Makes `place` a text; null when there is no memory for it.
  bool put_text(void* place, const char* text, size_type length) {
    if (length <= parts::longest_inline) {
      parts::make_short_text(place, text, length);
      return true;
    }
    char* const copied = allocate<char>(std::size_t{length} + 1);
    if (copied == nullptr) {
      new (place) value_type();
      return false;
    }
    base::copy_bytes(copied, text, length);
    copied[length] = '\0';
    parts::make_text(place, copied, length);
    return true;
  }
  template <class T>
  T* allocate(std::size_t count) {
    return static_cast<T*>(allocator_.Malloc(count * sizeof(T)));
  }
  /// Moves the topmost values to a block of their own.
  template <class T>
  T* move(std::size_t count, std::size_t values) {
    T* block = allocate<T>(count);
    if (block == nullptr) return nullptr;
    slots_.truncate(slots_.size() - values);
    std::memcpy(static_cast<void*>(block), slots_.data() + slots_.size(), count * sizeof(T));
    return block;
  }
  void clear() noexcept {
    if (Allocator::kNeedFree) {
      for (std::size_t i = 0; i < slots_.size(); ++i) at(i).~value_type();
    }
    slots_.truncate(0);
  }

  Allocator& allocator_;
  base::stack<slot, 64> slots_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
