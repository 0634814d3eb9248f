/// What a device session asks its caller to do, and what it tells.
#pragma once

#include <cstddef>      // std::size_t, std::ptrdiff_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <iterator>     // std::input_iterator_tag
#include <string_view>  // std::string_view

#include "../base/base128.hpp"
#include "../json/error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// One thing to do or to know. The texts are valid until the next event.
struct device_action {
  enum kind_type : unsigned char {
    subscribe,  ///< to the filter `topic`
    publish,    ///< `payload` on `topic`; not retained
    arrived,    ///< the twin came, for the first time since connected(); also when it is empty, or
                ///< as it was
    changed,    ///< desired changed: device_session::changes() has the changes, as one batch
    refused,    ///< the hub refused the reported patch `payload`; it is dropped. `status`, `code`
                ///< and `message` say why
    failed  ///< the hub refused to return the twin: `status`, `code`, `message`. It is not asked
            ///< again until connected()
  };
  kind_type kind = subscribe;
  std::string_view topic = {};
  std::string_view payload = {};
  unsigned status = 0;  ///< as in HTTP; 0 when the patch was not sent, because a part alone is too
                        ///< long for a message
  std::int64_t code = 0;          ///< the hub's `errorCode`; 0 when there is none
  std::string_view message = {};  ///< the hub's `message`, or its body when that is not understood
};

/// What happened to one property. A text is a JSON value; an empty one stands for "not there".
struct text_change {
  std::string_view pointer;  ///< JSON Pointer in the section
  std::string_view old_text;
  std::string_view new_text;
};

/// The changes of one batch, in the order of the document: a range of text_change.
class text_changes {
 public:
  class iterator {
   public:
    using value_type = text_change;
    using difference_type = std::ptrdiff_t;
    using reference = text_change;
    using pointer = void;
    using iterator_category = std::input_iterator_tag;
#if defined(__cpp_lib_concepts) && __cpp_lib_concepts >= 202002L
    using iterator_concept = std::forward_iterator_tag;
#endif

    iterator() noexcept = default;
    text_change operator*() const noexcept { return read().what; }
    iterator& operator++() noexcept {
      rest_ = read().rest;
      return *this;
    }
    iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.rest_.data() == b.rest_.data();
    }
    friend bool operator!=(const iterator& a, const iterator& b) noexcept { return !(a == b); }

   private:
    friend class text_changes;
    struct record {
      text_change what;
      std::string_view rest;
    };
    iterator(std::string_view records, std::string_view old_text,
             std::string_view new_text) noexcept
        : rest_(records), old_(old_text), new_(new_text) {}
    record read() const noexcept {
      record r{{}, rest_};
      const auto number = [&r] {
        std::uint64_t n = 0;
        static_cast<void>(base::read_base128(r.rest, n));  // append() wrote it
        return static_cast<std::size_t>(n);
      };
      const auto text = [&r](std::size_t size) {
        const std::string_view taken = r.rest.substr(0, size);
        r.rest.remove_prefix(size);
        return taken;
      };
      const std::size_t pointer_size = number(), old_size = number(), old_at = number(),
                        new_size = number(), new_at = number();
      r.what.pointer = text(pointer_size);
      if (old_size != 0) r.what.old_text = old_.substr(old_at, old_size);
      if (new_size != 0 && new_at != 0) {
        r.what.new_text = new_.substr(new_at - 1, new_size);
      } else {
        r.what.new_text = text(new_size);
      }
      return r;
    }
    std::string_view rest_;
    std::string_view old_, new_;
  };

  text_changes() noexcept = default;
  /// As append() wrote them, and the texts that they are about.
  text_changes(std::string_view records, std::string_view old_text,
               std::string_view new_text) noexcept
      : records_(records), old_(old_text), new_(new_text) {}
  bool empty() const noexcept { return records_.empty(); }
  /// Cost: linear.
  std::size_t size() const noexcept {
    std::size_t count = 0;
    for (iterator i = begin(); i != end(); ++i) ++count;
    return count;
  }
  iterator begin() const noexcept { return {records_, old_, new_}; }
  iterator end() const noexcept { return {records_.substr(records_.size()), old_, new_}; }

  /// For those who write the records: appends one to `out`, which has a bool append(const char*,
  /// std::size_t). `what.old_text` is a piece of `old_text`, the new one of `new_text`, or else it
  /// is copied. False when `out` is full.
  template <class Output>
  static bool append(Output& out, const text_change& what, std::string_view old_text,
                     std::string_view new_text) {
    char head[5 * base::max_base128];
    char* end = head;
    const auto number = [&end](std::size_t n) { end = base::write_base128(end, n); };
    const std::string_view fresh = what.new_text;
    const bool within = !fresh.empty() && fresh.data() >= new_text.data() &&
                        fresh.data() < new_text.data() + new_text.size();
    number(what.pointer.size());
    number(what.old_text.size());
    number(what.old_text.empty()
               ? 0
               : static_cast<std::size_t>(what.old_text.data() - old_text.data()));
    number(fresh.size());
    number(within ? static_cast<std::size_t>(fresh.data() - new_text.data()) + 1 : 0);
    return out.append(head, static_cast<std::size_t>(end - head)) &&
           out.append(what.pointer.data(), what.pointer.size()) &&
           (within || out.append(fresh.data(), fresh.size()));
  }

 private:
  std::string_view records_, old_, new_;
};

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
