// Short ways to make and show changes in tests.
#pragma once

#include <string>
#include <string_view>

#include "text.hpp"

/// The change of this JSON form.
inline merge::change change_of(std::string_view form) {
  merge::change c;
  const json::error e = merge::read_change(parsed(form), c);
  INFO(form);
  INFO(e.message());
  REQUIRE(!e);
  return c;
}

/// The change that a merge patch is.
inline merge::change patch_of(std::string_view patch) {
  merge::change c;
  REQUIRE(!merge::from_merge_patch(parsed(patch), c));
  return c;
}

inline std::string form_of(const merge::change& c) { return written(c.form()); }

inline json::document document_of(std::string_view text) {
  json::document d;
  const json::error e = json::read(text, d);
  INFO(text);
  REQUIRE(!e);
  return d;
}

/// What a change makes of a document.
inline std::string changed(std::string_view document, const merge::change& c) {
  json::document d = document_of(document);
  REQUIRE(!merge::apply(d, c));
  return written(d);
}

inline merge::change composed(const merge::change& first, const merge::change& second) {
  merge::change both;
  REQUIRE(!merge::compose(first, second, both));
  return both;
}

/// "error CODE at POINTER", or an empty text.
inline std::string problem(const json::error& e) {
  return e ? std::string(describe(e.code())) + " at " + std::string(e.pointer()) : "";
}

/// `depth` objects in each other, each but the last the member a of the one before.
inline std::string nest(int depth, const std::string& innermost) {
  std::string text, end;
  for (int i = 0; i < depth; ++i) {
    text += "{\"a\":";
    end += "}";
  }
  return text + innermost + end;
}
