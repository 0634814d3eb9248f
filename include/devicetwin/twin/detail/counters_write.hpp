/// A write's last words at the root of a twin: etag and version.
#pragma once

#include <cstdint>      // std::int64_t
#include <new>          // placement new
#include <string_view>  // std::string_view

#include "../../merge/merge_patch.hpp"
#include "../identity.hpp"
#include "section.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// The counters at the root, etag and version: written in place where they are, which cannot fail,
/// and added where a loaded twin lacked them.
class counters_write {
 public:
  /// `version_hint`: where the version was found last.
  counters_write(json::document& identity, json::size_type& version_hint,
                 const memory_source& working) noexcept
      : identity_(identity), version_hint_(version_hint), working_(working) {}
  ~counters_write() {
    if (addition_ != nullptr) addition_->~merge_type();
  }
  counters_write(const counters_write&) = delete;
  counters_write& operator=(const counters_write&) = delete;

  /// An empty etag leaves it as it is.
  json::error prepare(std::string_view etag, std::int64_t version, json::arena& scratch) {
    etag_ = etag;
    version_ = version;
    auto* members = json::core::members_begin(json::core::document_access::root(identity_));
    const auto find = [&](std::string_view name, json::size_type hint) {
      if (hint < identity_.root().MemberCount() && json::core::text_of(members[hint].name) == name)
        return hint;
      return json::core::member_index(identity_.root(), name);
    };
    const json::size_type etag_index = etag.empty() ? json::core::no_index : find("etag", 0);
    version_hint_ = find("version", version_hint_);
    if (etag_index != json::core::no_index) etag_at_ = &members[etag_index].value;
    if (version_hint_ != json::core::no_index) version_at_ = &members[version_hint_].value;
    if (version_at_ != nullptr && (etag.empty() || etag_at_ != nullptr)) return {};
    if (!scratch.reserve(2048)) return json::errc::out_of_memory;
    patch_.SetObject();
    if (!etag.empty()) {
      json::arena_value text(etag.data(), static_cast<json::size_type>(etag.size()), scratch);
      patch_.AddMember("etag", text, scratch);
    }
    json::arena_value number(version);
    patch_.AddMember("version", number, scratch);
    addition_ = new (storage_) merge_type(identity_, merge_options(rfc7396, working_));
    if (json::error e = addition_->plan(patch_)) return e;
    return addition_->prepare();
  }
  void commit() {
    if (addition_ != nullptr) {
      merge::no_journal nobody;
      addition_->commit(nobody);
      return;
    }
    version_at_->SetInt64(version_);
    if (etag_.empty()) return;
    static_assert(etag_chars <= sizeof(json::arena_value) - 3,
                  "an etag fits inside a value: no memory is asked for");
    etag_at_->SetString(etag_.data(), static_cast<json::size_type>(etag_.size()),
                        json::core::document_access::memory(identity_));
  }

 private:
  using merge_type = merge::core::document_merge<json::arena_value>;

  json::document& identity_;
  json::size_type& version_hint_;
  memory_source working_;
  json::arena_value patch_;
  std::string_view etag_;
  std::int64_t version_ = 0;
  json::arena_value* etag_at_ = nullptr;
  json::arena_value* version_at_ = nullptr;
  merge_type* addition_ = nullptr;  ///< in storage_, where one is missing
  alignas(merge_type) unsigned char storage_[sizeof(merge_type)];
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
