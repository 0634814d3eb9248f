// Documents shaped like real text: what is stored by people, not by machines.
#pragma once

#include <string_view>

#include "documents.hpp"

namespace bench {

// Makes a pair. `document`: real-4k, real-40k or real-400k. Messages of a chat, by their ids: long
// strings in a dozen scripts with escape sequences, integers of 18 digits, decimals of 17, arrays in
// arrays. `changes`: p0, p1 (one text) or p5 (three texts changed, one message removed, one added).
// Throws std::invalid_argument for any other name. The bytes are the same everywhere; a hash of them
// is part of fingerprint().
pair_texts make_real_texts(std::string_view document, std::string_view changes);

// Whether a document is one of make_real_texts.
inline bool is_real_text(std::string_view document) { return document.substr(0, 5) == "real-"; }

}  // namespace bench
