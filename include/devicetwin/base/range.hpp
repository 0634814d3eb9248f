/// Iterators over what hands out its elements by index.
#pragma once

#include <cstddef>      // std::size_t, std::ptrdiff_t
#include <iterator>     // std::input_iterator_tag
#include <type_traits>  // std::is_pointer_v

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// Walks over `Range`, which has `Value operator[](std::size_t) const`: a random access iterator,
/// and in C++17, where those have to give references, an input iterator that can also go back and
/// jump. Valid as long as the range, and as its elements stay. `Held` is `const Range*`, or Range
/// itself where that is a view made by each call.
template <class Range, class Value, class Held = const Range*>
class index_iterator {
 public:
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using reference = Value;
  using iterator_category = std::input_iterator_tag;
#if defined(__cpp_lib_concepts) && __cpp_lib_concepts >= 202002L
  using iterator_concept = std::random_access_iterator_tag;
#endif
  /// What `->` needs: a place for the element.
  class pointer {
   public:
    explicit pointer(const Value& element) : element_(element) {}
    const Value* operator->() const noexcept { return &element_; }

   private:
    Value element_;
  };

  index_iterator() noexcept = default;
  index_iterator(const Held& range, std::size_t index) noexcept
      : range_(range), index_(static_cast<difference_type>(index)) {}

  Value operator*() const {
    if constexpr (std::is_pointer_v<Held>) {
      return (*range_)[static_cast<std::size_t>(index_)];
    } else {
      return range_[static_cast<std::size_t>(index_)];
    }
  }
  pointer operator->() const { return pointer(**this); }
  Value operator[](difference_type n) const { return *(*this + n); }

  index_iterator& operator++() noexcept { return *this += 1; }
  index_iterator& operator--() noexcept { return *this -= 1; }
  index_iterator operator++(int) noexcept {
    const index_iterator before = *this;
    ++index_;
    return before;
  }
  index_iterator operator--(int) noexcept {
    const index_iterator before = *this;
    --index_;
    return before;
  }
  index_iterator& operator+=(difference_type n) noexcept {
    index_ += n;
    return *this;
  }
  index_iterator& operator-=(difference_type n) noexcept {
    index_ -= n;
    return *this;
  }
  friend index_iterator operator+(index_iterator i, difference_type n) noexcept { return i += n; }
  friend index_iterator operator+(difference_type n, index_iterator i) noexcept { return i += n; }
  friend index_iterator operator-(index_iterator i, difference_type n) noexcept { return i -= n; }
  friend difference_type operator-(const index_iterator& a, const index_iterator& b) noexcept {
    return a.index_ - b.index_;
  }
  friend bool operator==(const index_iterator& a, const index_iterator& b) noexcept {
    return a.index_ == b.index_;
  }
  friend bool operator!=(const index_iterator& a, const index_iterator& b) noexcept {
    return a.index_ != b.index_;
  }
  friend bool operator<(const index_iterator& a, const index_iterator& b) noexcept {
    return a.index_ < b.index_;
  }
  friend bool operator>(const index_iterator& a, const index_iterator& b) noexcept {
    return a.index_ > b.index_;
  }
  friend bool operator<=(const index_iterator& a, const index_iterator& b) noexcept {
    return a.index_ <= b.index_;
  }
  friend bool operator>=(const index_iterator& a, const index_iterator& b) noexcept {
    return a.index_ >= b.index_;
  }

 private:
  Held range_{};
  difference_type index_ = 0;
};

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
