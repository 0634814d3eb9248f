// The documents and changes that the benchmarks run on: generated, seeded, the same bytes
// everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// One document before and after a set of changes, with the exact merge patches both ways, all as
// compact JSON text.
struct pair_texts {
  std::string from;
  std::string to;
  std::string forward;             // merge patch: from -> to
  std::string backward;            // merge patch: to -> from
  std::string json_forward = {};   // JSON Patch: from -> to; twins have none
  std::string json_backward = {};  // JSON Patch: to -> from
};

// Makes a pair. `document`: small, typical, max, meta, wide or wN (one object of N members).
// `changes`: p0 (none), p1 (one leaf), p5 (three leaves changed, one removed, one added), p50 (half
// of the leaves changed), n20 and n100 (so many leaves changed); a trailing `s` (p5s) shuffles the
// members of `to` and of both patches. Throws std::invalid_argument for any other name.
pair_texts make_pair_texts(std::string_view document, std::string_view changes);

// When the properties of a twin were written: all in one write, or each in a write of its own.
enum class stamps { uniform, different };

// Makes a twin and changes of what its device reports: `from` is the twin as a service's GET has
// it, with `$metadata`; `to` is its reported section afterwards, values alone; the patches are the
// device's. `document`: twin-small, twin-typical, twin-max (the text of its sections without
// metadata has 1, 4 and 31 kB) or twin-oN (N reported objects of four leaves). `changes`: p0, p1,
// p5.
pair_texts make_twin_texts(std::string_view document, std::string_view changes,
                           stamps written = stamps::different);

// Whether a document is one of make_twin_texts.
inline bool is_twin(std::string_view document) { return document.substr(0, 5) == "twin-"; }

// The compact text of a twin's sections without metadata: tags, desired and reported in one object.
std::string twin_sections(std::string_view document);

// What a document is meant to be, and what it turned out to be.
struct document_facts {
  std::string name;
  std::size_t wanted_bytes;
  std::size_t bytes;
  std::size_t leaves;
  std::size_t depth;  // nested objects
  double long_names;  // share of names with more than 13 characters
};

// The facts of every named document. See facts_hold.
std::vector<document_facts> all_document_facts();

// True when the size is within five percent of what is wanted.
bool facts_hold(const document_facts& facts);

// A hash over documents and patches, and what it has to be: the bytes are the same everywhere.
std::uint64_t fingerprint();
constexpr std::uint64_t expected_fingerprint = 0xda2bc22b77cfca95u;

}  // namespace bench
