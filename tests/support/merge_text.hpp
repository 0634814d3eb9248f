// Merge patch and diff from text to text, by way of trees.
#pragma once

#include <devicetwin/json/arena.hpp>
#include <devicetwin/merge/diff.hpp>
#include <devicetwin/merge/merge_patch.hpp>

#include <string>

#include "json.hpp"

namespace merge = devicetwin::merge;

/// What a merge patch makes of a document; of RapidJSON's and of this library's.
inline std::string applied(const std::string& document, const std::string& patch,
                           const merge::options& options = {}) {
  auto d = parsed(document);
  const auto p = parsed(patch);
  REQUIRE(!merge::apply_merge_patch(d, p, d.GetAllocator(), options));
  json::document compact;
  REQUIRE(!json::read(document, compact));
  REQUIRE(!merge::apply_merge_patch(compact, p, options));
  CHECK(written(compact.root()) == written(d));
  return written(d);
}

/// The patch between two documents, or "error at POINTER".
inline std::string difference(const std::string& from, const std::string& to,
                              const merge::options& options = {}) {
  const auto a = parsed(from);
  const auto b = parsed(to);
  rapidjson::Document patch;
  const auto e = merge::diff(a, b, patch, options);
  return e ? "error at " + std::string(e.pointer()) : written(patch);
}
