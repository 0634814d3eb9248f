/// Inside RapidJSON's values: how they are laid out, read without assertions and made in one piece,
/// for the code that must be fast.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy, std::memcmp
#include <new>          // placement new, std::launder
#include <string_view>  // std::string_view
#include <utility>      // std::declval

#include "../../base/bits.hpp"
#include "../../base/inline.hpp"
#include "../value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

struct inside_of_values;  ///< the tag of the specialisation below

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin

RAPIDJSON_NAMESPACE_BEGIN

/// The inside of a value, for the code that must be fast: without assertions, and an array or
/// object made in one piece at its exact size, which release 1.1.0 offers to its own documents
/// only. Every specialisation of GenericDocument is a friend of GenericValue; this is one that is
/// no document. So nothing of the layout is copied here: with a RapidJSON that changes it, this
/// follows or does not compile.
template <class Allocator>
class GenericDocument<UTF8<char>, Allocator, ::devicetwin::json::core::inside_of_values> {
 public:
  using value = GenericValue<UTF8<char>, Allocator>;
  using member = typename value::Member;

  // The flags of a value say its type in the lowest bits; numbers and strings have some of their
  // own.
  static constexpr unsigned type_mask = value::kTypeMask;
  static constexpr unsigned null_type = kNullType;
  static constexpr unsigned object_type = kObjectType;
  static constexpr unsigned array_type = kArrayType;
  static constexpr unsigned bool_flag = value::kBoolFlag;
  static constexpr unsigned number_flag = value::kNumberFlag;
  static constexpr unsigned double_flag = value::kDoubleFlag;
  static constexpr unsigned int64_flag = value::kInt64Flag;  ///< an integer of at most INT64_MAX
  static constexpr unsigned string_flag = value::kStringFlag;
  static constexpr unsigned inline_flag = value::kInlineStrFlag;  ///< the text is in the value
  static constexpr unsigned short_text_flags = value::kShortStringFlag;
  static unsigned flags(const value& v) noexcept { return v.data_.f.flags; }

  static constexpr std::size_t longest_inline = value::ShortString::MaxSize;
  static ::std::string_view text(const value& v) noexcept {
    if ((flags(v) & inline_flag) != 0) return {v.data_.ss.str, v.data_.ss.GetLength()};
    return {v.GetStringPointer(), v.data_.s.length};
  }
  /// Of a text that is not inline.
  static const char* outside_text(const value& v) noexcept { return v.GetStringPointer(); }
  static ::std::uint64_t integer_bits(const value& v) noexcept { return v.data_.n.u64; }
  static double real(const value& v) noexcept { return v.data_.n.d; }
  static SizeType member_count(const value& v) noexcept { return v.data_.o.size; }
  static SizeType element_count(const value& v) noexcept { return v.data_.a.size; }
  static member* members(const value& v) noexcept { return v.GetMembersPointer(); }
  static value* elements(const value& v) noexcept { return v.GetElementsPointer(); }

  // Changing which block a container has its items in, and how many of them are in use.
  static SizeType member_capacity(const value& v) noexcept { return v.data_.o.capacity; }
  static SizeType element_capacity(const value& v) noexcept { return v.data_.a.capacity; }
  static void set_members(value& v, member* block, SizeType capacity) noexcept {
    v.SetMembersPointer(block);
    v.data_.o.capacity = capacity;
  }
  static void set_elements(value& v, value* block, SizeType capacity) noexcept {
    v.SetElementsPointer(block);
    v.data_.a.capacity = capacity;
  }
  static void set_member_count(value& v, SizeType count) noexcept { v.data_.o.size = count; }
  static void set_element_count(value& v, SizeType count) noexcept { v.data_.a.size = count; }

  // Making values in memory that holds none. Containers and copied texts take over a block that
  // their allocator gave: exactly `count` members or elements, or null for none; `length`
  // characters and a NUL.
  static void make_object(void* at, member* members, SizeType count) noexcept {
    value* v = new (at) value();
    v->data_.f.flags = value::kObjectFlag;
    v->SetMembersPointer(members);
    v->data_.o.size = v->data_.o.capacity = count;
  }
  static void make_array(void* at, value* elements, SizeType count) noexcept {
    value* v = new (at) value();
    v->data_.f.flags = value::kArrayFlag;
    v->SetElementsPointer(elements);
    v->data_.a.size = v->data_.a.capacity = count;
  }
  static void make_text(void* at, const char* text, SizeType length) noexcept {
    value* v = new (at) value();
    v->data_.f.flags = value::kCopyStringFlag;
    v->SetStringPointer(text);
    v->data_.s.length = length;
  }
  /// For texts of at most longest_inline characters.
  static void make_short_text(void* at, const char* text, SizeType length) noexcept {
    value* v = new (at) value();
    v->data_.f.flags = value::kShortStringFlag;
    v->data_.ss.SetLength(length);
    char copy[longest_inline + 8] = {};
    if (length >= 8) {  // a call to copy so little would be the larger part
      ::std::memcpy(copy, text, 8);
      if constexpr (longest_inline > 16) {
        if (length > 16) ::std::memcpy(copy + 8, text + 8, 8);
      }
      ::std::memcpy(copy + length - 8, text + length - 8, 8);
    } else if (length >= 4) {
      ::std::memcpy(copy, text, 4);
      ::std::memcpy(copy + length - 4, text + length - 4, 4);
    } else {
      for (SizeType i = 0; i < length; ++i) copy[i] = text[i];
    }
    ::std::memcpy(v->data_.ss.str, copy, longest_inline);
  }
};

RAPIDJSON_NAMESPACE_END

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

template <class Allocator>
RAPIDJSON_NAMESPACE::GenericDocument<utf8, Allocator, inside_of_values> inside_of(
    const basic_value<Allocator>&);
/// inside<Value> names the functions above.
template <class Value>
using inside = decltype(inside_of(std::declval<const Value&>()));

/// Members of an object as plain pointers: RapidJSON 1.1.0's iterators compare ambiguously in
/// C++20.
template <class Value>
const member_of<Value>* members_begin(const Value& object) noexcept {
  return inside<Value>::members(object);
}

template <class Value>
member_of<Value>* members_begin(Value& object) noexcept {
  return inside<Value>::members(object);
}

/// The text of a string value; no terminator is promised, NUL may occur inside.
template <class Value>
std::string_view text_of(const Value& string) noexcept {
  return inside<Value>::text(string);
}

/// True where a value is laid out as on most machines: 16 bytes, of which an inline text takes up
/// to 13, its length the next and the flags the last two; and the first byte of a word is its
/// lowest.
template <class Value>
inline constexpr bool is_compact =
#if RAPIDJSON_ENDIAN == RAPIDJSON_LITTLEENDIAN
    sizeof(Value) == 16 && inside<Value>::longest_inline == 13;
#else
    false;
#endif

/// A compact value as two words.
struct value_words {
  std::uint64_t low, high;
  unsigned flags() const noexcept { return static_cast<unsigned>(high >> 48); }
  /// Of an inline text: how many characters less than 13 it has.
  unsigned unused() const noexcept { return static_cast<unsigned>(high >> 40) & 0xFF; }
};
template <class Value>
DEVICETWIN_ALWAYS_INLINE value_words words_of(const Value& v) noexcept {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&v);
  return {base::load_8(bytes), base::load_8(bytes + 8)};
}

DEVICETWIN_ALWAYS_INLINE bool same_words(const value_words& a, const value_words& b) noexcept {
  return ((a.low ^ b.low) | (a.high ^ b.high)) == 0;
}

/// Which bytes of a compact value with an inline text mean something: the characters, the length
/// and the flags. What stands behind the characters may be anything, and may never have been
/// written. By unused characters, 0 to 13.
inline constexpr struct inline_text_masks {
  value_words of[14] = {};
  constexpr inline_text_masks() noexcept {
    for (unsigned unused = 0; unused < 14; ++unused) {
      value_words& mask = of[unused];
      for (unsigned i = 0; i < 13 - unused; ++i)
        (i < 8 ? mask.low : mask.high) |= std::uint64_t{0xFF} << i % 8 * 8;
      mask.high |= ~std::uint64_t{0} << 40;
    }
  }
} masks_of_inline_text;

/// Whether the value with the words `b` has the inline text of the value with the words `a`, inline
/// too.
DEVICETWIN_ALWAYS_INLINE bool same_inline_text(const value_words& a,
                                               const value_words& b) noexcept {
  const value_words& mask = masks_of_inline_text.of[a.unused()];
  return (((a.low ^ b.low) & mask.low) | ((a.high ^ b.high) & mask.high)) == 0;
}

/// A text of at most 13 bytes as the words of a value.
inline value_words words_of_text(std::string_view text) noexcept {
  alignas(value) unsigned char made[sizeof(value)];
  inside<value>::make_short_text(made, text.data(), static_cast<size_type>(text.size()));
  return words_of(*std::launder(reinterpret_cast<const value*>(made)));
}
/// The same of a text behind which so much may be read that it is 16 bytes.
inline value_words cut_words(const char* text, size_type length) noexcept {
  const std::uint64_t unused = 13 - length;
  const value_words& mask = masks_of_inline_text.of[unused];
  constexpr std::uint64_t characters = (std::uint64_t{1} << 40) - 1;
  return {base::load_8(text) & mask.low, (base::load_8(text + 8) & mask.high & characters) |
                                             unused << 40 |
                                             std::uint64_t{inside<value>::short_text_flags} << 48};
}

/// Equal as strings. The length goes first: it settles most cases without touching the text.
template <class ValueA, class ValueB>
bool same_text(const ValueA& a, const ValueB& b) noexcept {
  if constexpr (is_compact<ValueA>) {
    constexpr unsigned in_line = inside<ValueA>::inline_flag;
    const value_words x = words_of(a);
    if ((x.flags() & in_line) != 0) {
      const value_words y = words_of(b);
      if (same_inline_text(x, y)) return true;
      if ((y.flags() & in_line) != 0) return false;
    }
  }
  const std::string_view x = text_of(a);
  const std::string_view y = text_of(b);
  return x.size() == y.size() && base::same_bytes(x.data(), y.data(), x.size());
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
