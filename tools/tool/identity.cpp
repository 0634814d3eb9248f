// What a service has in the identity of a twin.
#include "identity.hpp"

#include <devicetwin/json/pointer.hpp>
#include <devicetwin/twin/identity.hpp>

namespace dt = devicetwin;
namespace json = devicetwin::json;

namespace tool {
namespace {

/// What a member of the identity must be.
enum class identity_kind { id, text, text_or_null, texts, count, flag, object };
struct identity_rule {
  const char* pointer;
  identity_kind kind;
};

constexpr identity_rule identity_rules[] = {
    {"/deviceId", identity_kind::id},
    {"/moduleId", identity_kind::id},
    {"/modelId", identity_kind::text_or_null},
    {"/etag", identity_kind::text},
    {"/deviceEtag", identity_kind::text_or_null},
    {"/version", identity_kind::count},
    {"/status", identity_kind::text},
    {"/statusReason", identity_kind::text_or_null},
    {"/statusUpdateTime", identity_kind::text_or_null},
    {"/connectionState", identity_kind::text},
    {"/lastActivityTime", identity_kind::text_or_null},
    {"/cloudToDeviceMessageCount", identity_kind::count},
    {"/authenticationType", identity_kind::text_or_null},
    {"/x509Thumbprint", identity_kind::object},
    {"/x509Thumbprint/primaryThumbprint", identity_kind::text_or_null},
    {"/x509Thumbprint/secondaryThumbprint", identity_kind::text_or_null},
    {"/capabilities", identity_kind::object},
    {"/capabilities/iotEdge", identity_kind::flag},
    {"/deviceScope", identity_kind::text_or_null},
    {"/parentScopes", identity_kind::texts},
    {"/configurations", identity_kind::object}};

/// ok, wrong_type or invalid_identity. Null stands for an object or a list that is not there.
json::errc check_identity_member(const json::arena_value& value, identity_kind kind) {
  bool good = false;
  switch (kind) {
    case identity_kind::id:
      if (!value.IsString()) return json::errc::wrong_type;
      return dt::check_id({value.GetString(), value.GetStringLength()});
    case identity_kind::text:
      good = value.IsString();
      break;
    case identity_kind::text_or_null:
      good = value.IsString() || value.IsNull();
      break;
    case identity_kind::count:
      good = value.IsInt64() && value.GetInt64() >= 0;
      break;
    case identity_kind::flag:
      good = value.IsBool();
      break;
    case identity_kind::object:
      good = value.IsObject() || value.IsNull();
      break;
    case identity_kind::texts:
      good = value.IsArray() || value.IsNull();
      for (json::size_type i = 0; value.IsArray() && i < value.Size(); ++i)
        good = good && (value.Begin() + i)->IsString();
      break;
  }
  return good ? json::errc::ok : json::errc::wrong_type;
}

}  // namespace

void check_identity(const json::arena_value& root,
                    const std::function<void(const json::error&)>& broken) {
  for (const identity_rule& rule : identity_rules) {
    const auto found = json::find(root, rule.pointer);
    if (!found || ((*found)->IsNull() && std::string_view(rule.pointer) == "/moduleId")) continue;
    const json::errc code = check_identity_member(**found, rule.kind);
    if (code != json::errc::ok)
      broken(json::error(code).at(json::core::pointer_text{rule.pointer}));
  }
}

}  // namespace tool
