/// Events into a RapidJSON value, with every allocation that we can check checked.
#pragma once

#include <cstddef>  // std::size_t
#include <cstring>  // std::memcpy

#include "../error.hpp"
#include "../memory.hpp"
#include "../value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

/// The bytes a string of this length takes outside its value; RapidJSON keeps short ones inside.
template <class Value>
constexpr std::size_t string_bytes(std::size_t length) noexcept {
  return length <= sizeof(Value) - 3 ? 0 : (length + 1 + 7) / 8 * 8;
}

/// Asks an allocator to promise `bytes`; one that cannot promise is taken at its word (RapidJSON's own
/// allocators: exhaustion is then as RapidJSON leaves it).
template <class Allocator>
auto promise(Allocator& allocator, std::size_t bytes, int) -> decltype(allocator.reserve(bytes)) {
  return allocator.reserve(bytes);
}
template <class Allocator>
bool promise(Allocator&, std::size_t, long) {
  return true;
}

/// The StackAllocator of a RapidJSON document, which takes memory only after it was prepared: RapidJSON
/// does not look whether it got any.
class builder_stack {
 public:
  static const bool kNeedFree = false;
  builder_stack() noexcept = default;
  explicit builder_stack(const memory_source& memory) noexcept : memory_(memory) {}
  ~builder_stack() {
    release(block_);
    release(next_);
  }
  builder_stack(const builder_stack&) = delete;
  builder_stack& operator=(const builder_stack&) = delete;

  /// Makes sure that the stack can hold `bytes` and, by its own growth of one half, what it asks for then.
  [[nodiscard]] bool prepare(std::size_t bytes) noexcept {
    if (bytes <= capacity_) return true;
    if (block_ == nullptr && bytes <= first_bytes) {
      next_ = local_;
      next_size_ = first_bytes;
      return true;
    }
    release(next_);
    next_size_ = 2 * bytes + first_bytes;
    next_ = memory_.allocate(memory_.context, next_size_);
    return next_ != nullptr;
  }

  void* Malloc(std::size_t bytes) { return Realloc(nullptr, 0, bytes); }
  void* Realloc(void* old, std::size_t old_bytes, std::size_t bytes) {
    if (bytes == 0 || bytes > next_size_) return nullptr;
    if (old_bytes != 0) std::memcpy(next_, old, old_bytes);
    release(block_);
    block_ = next_;
    next_ = nullptr;
    next_size_ = 0;
    capacity_ = bytes;
    return block_;
  }
  static void Free(void*) noexcept {}

  /// What the stack asks for first.
  static constexpr std::size_t first_bytes = 1024;

 private:
  static_assert(first_bytes % 16 == 0);
  void release(void* block) noexcept {
    if (block != nullptr && block != local_) memory_.release(memory_.context, block);
  }

  memory_source memory_;
  void* block_ = nullptr;
  void* next_ = nullptr;
  std::size_t next_size_ = 0;
  std::size_t capacity_ = 0;
  alignas(16) unsigned char local_[first_bytes];  ///< the first block
};

/// A handler of events that builds a value with `Allocator`, each array and object at its exact size.
template <class Allocator>
class tree_builder {
 public:
  using value_type = basic_value<Allocator>;

  tree_builder(Allocator& allocator, const memory_source& memory)
      : allocator_(allocator),
        stack_(memory),
        document_(&allocator, builder_stack::first_bytes, &stack_) {}

  /// Runs `generate(*this)`, which sends the events of one value and gives an error or none, and moves
  /// the value to `out`. On an error `out` is as it was.
  template <class Generate>
  error build(value_type& out, Generate&& generate) {
    error failure;
    values_ = 0;
    auto generator = [&](document_type&) {
      failure = generate(*this);
      return !failure;
    };
    document_.Populate(generator);
    if (!failure) out.Swap(document_);
    return failure;
  }

  errc failure() const noexcept { return errc::out_of_memory; }

  bool Null() { return push() && document_.Null(); }
  bool Bool(bool b) { return push() && document_.Bool(b); }
  bool Int(int i) { return push() && document_.Int(i); }
  bool Uint(unsigned u) { return push() && document_.Uint(u); }
  bool Int64(std::int64_t i) { return push() && document_.Int64(i); }
  bool Uint64(std::uint64_t u) { return push() && document_.Uint64(u); }
  bool Double(double d) { return push() && document_.Double(d); }
  bool String(const char* text, size_type length, bool) {
    return push() && room(string_bytes<value_type>(length)) && document_.String(text, length, true);
  }
  bool Key(const char* text, size_type length, bool copy) { return String(text, length, copy); }
  bool StartObject() { return push() && document_.StartObject(); }
  bool StartArray() { return push() && document_.StartArray(); }
  bool EndObject(size_type members) {
    values_ -= std::size_t{members} * 2;
    return room(members * sizeof(typename value_type::Member)) && document_.EndObject(members);
  }
  bool EndArray(size_type elements) {
    values_ -= elements;
    return room(elements * sizeof(value_type)) && document_.EndArray(elements);
  }

 private:
  using document_type = basic_document<Allocator, builder_stack>;

  bool push() noexcept { return stack_.prepare(++values_ * sizeof(value_type)); }
  bool room(std::size_t bytes) { return bytes == 0 || promise(allocator_, bytes, 0); }

  Allocator& allocator_;
  builder_stack stack_;
  document_type document_;
  std::size_t values_ = 0;  ///< on RapidJSON's stack
};

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
