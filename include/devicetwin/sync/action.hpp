/// What a device session asks its caller to do, and what it tells.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../json/error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace sync {

enum class action_kind : unsigned char {
  subscribe,  ///< to the filter `topic`
  publish,    ///< `payload` on `topic`; not retained
  changed,    ///< desired changed: device_session::changes() says what. Once for each batch
  refused,    ///< the hub refused the reported patch `payload`; it is dropped. `status`, `code`, `message` say why
  failed      ///< the hub refused to give the twin: `status`, `code`, `message`. Not asked again until connected()
};

/// One thing to do or to know. The texts are valid until the next call that is not const.
struct device_action {
  action_kind kind = action_kind::subscribe;
  unsigned qos = 0;
  std::string_view topic = {};
  std::string_view payload = {};
  unsigned status = 0;             ///< as in HTTP; 0 when the patch was not sent, because a part alone is too long for a message
  std::int64_t code = 0;           ///< the hub's `errorCode`; 0 when it gave none
  std::string_view message = {};   ///< the hub's `message`, or its body when that is not understood
};

/// What happened to one property. A text is a JSON value; an empty one stands for "not there".
struct text_change {
  std::string_view pointer;   ///< JSON Pointer in the section
  std::string_view old_text;
  std::string_view new_text;
};

/// The changes of one batch, in the order of the document: a range of text_change.
class text_changes {
 public:
  class iterator {
   public:
    text_change operator*() const noexcept {
      const head h = read();
      const char* const pointer = at_ + sizeof(head);
      const std::string_view fresh = h.new_at == inside ? std::string_view(pointer + h.pointer, h.new_size) : new_.substr(h.new_at, h.new_size);
      return {{pointer, h.pointer}, old_.substr(h.old_at, h.old_size), h.new_size == 0 ? std::string_view() : fresh};
    }
    iterator& operator++() noexcept {
      const head h = read();
      at_ += sizeof(head) + h.pointer + (h.new_at == inside ? h.new_size : 0);
      return *this;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }
    friend bool operator!=(const iterator& a, const iterator& b) noexcept { return a.at_ != b.at_; }

   private:
    friend class text_changes;
    struct head {
      std::uint32_t pointer;           ///< length of the pointer, which follows
      std::uint32_t old_at, old_size;  ///< in the old section
      std::uint32_t new_at, new_size;  ///< in what brought the change
    };
    static constexpr std::uint32_t inside = static_cast<std::uint32_t>(-1);  ///< the new text stands behind the pointer
    head read() const noexcept {
      head h;
      std::memcpy(&h, at_, sizeof h);
      return h;
    }
    const char* at_ = nullptr;
    std::string_view old_, new_;
  };

  text_changes() noexcept = default;
  text_changes(std::string_view records, std::string_view old_text, std::string_view new_text) noexcept
      : records_(records), old_(old_text), new_(new_text) {}
  bool empty() const noexcept { return records_.empty(); }
  /// Cost: linear.
  std::size_t size() const noexcept {
    std::size_t count = 0;
    for (iterator i = begin(); i != end(); ++i) ++count;
    return count;
  }
  iterator begin() const noexcept { return at(records_.data()); }
  iterator end() const noexcept { return at(records_.data() + records_.size()); }

  // For those who write the records: appends one to `out`, which has append(const char*, std::size_t). False when it is full.
  template <class Output>
  static bool append(Output& out, std::string_view pointer, std::string_view old_section, std::string_view old_text,
                     std::string_view news, std::string_view new_text) {
    const bool within = new_text.data() >= news.data() && new_text.data() + new_text.size() <= news.data() + news.size();
    iterator::head h{static_cast<std::uint32_t>(pointer.size()), 0, static_cast<std::uint32_t>(old_text.size()), iterator::inside,
                     static_cast<std::uint32_t>(new_text.size())};
    if (!old_text.empty()) h.old_at = static_cast<std::uint32_t>(old_text.data() - old_section.data());
    if (new_text.empty()) {
      h.new_at = 0;
    } else if (within) {
      h.new_at = static_cast<std::uint32_t>(new_text.data() - news.data());
    }
    char bytes[sizeof h];
    std::memcpy(bytes, &h, sizeof h);
    return out.append(bytes, sizeof h) && out.append(pointer.data(), pointer.size()) &&
           (h.new_at != iterator::inside || out.append(new_text.data(), new_text.size()));
  }

 private:
  iterator at(const char* record) const noexcept {
    iterator i;
    i.at_ = record;
    i.old_ = old_;
    i.new_ = new_;
    return i;
  }
  std::string_view records_, old_, new_;
};

}  // namespace sync
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
