/// The numbers that decide when an engine changes its way of working. None changes a result. Each
/// stands with what was measured for it (docs/tried.md has more); "not measured" means that the
/// number is a guess that did well enough.
#pragma once

#include <cstddef>  // std::ptrdiff_t, std::size_t

#include "../../base/inline.hpp"
#include "../value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {
namespace tuning {

// Names in one object.

/// Objects of up to this many members never get an index. Not measured.
inline constexpr size_type small_object = 16;
/// Objects of up to this many members have their names shown to be distinct by a filter on the
/// stack. For objects of 17 to 64 members, all names at once take 36,000 instructions where a look
/// at the expected place and a filter, member by member, take 38,000 (apply, max p50).
inline constexpr size_type most_scanned = 64;
/// A look-up makes an index when it has looked at this many times the members, and some more. An
/// index costs as much as looking at all members five times. With 256 in place of 64, composing two
/// changes of 33 members takes 6 % more instructions, and nothing takes fewer.
inline constexpr size_type looks_per_member = 3;
inline constexpr size_type looks_before_index = 64;
/// So many looks above one for each member are worth the attempt to show names distinct by hashes.
/// Not measured.
inline constexpr size_type looks_before_proof = 256;
/// With an index, so many members from the expected place on are looked at first. Not measured.
inline constexpr size_type near_with_index = 8;
/// So many names are hashed ahead of being put into an index, so that slots are in the cache. On
/// small machines there is no cache to fill. Not measured.
inline constexpr size_type hashes_ahead = base::shortcuts ? 8 : 1;
/// A probe this long means names that were chosen to collide: names are sorted then. Chance makes
/// the longest of 100,000 names 21 long (twelve kinds of names).
inline constexpr int longest_probe = 64;
/// Rounds in which hashes look for a free slot before the proof is given up. Not measured.
inline constexpr int proof_rounds = 16;

// Text.

/// The reader compares up to this many names each with each when hashes do not settle it. Not
/// measured.
inline constexpr size_type reader_compared_names = 64;
/// The validator holds the hashes of up to this many names of an object against one table on the
/// stack; more go through a proof. Hashes looked at once, at the closing bracket, take max p0 from
/// 239,000 to 209,000 instructions; the number itself was not measured.
inline constexpr std::size_t validator_table_names = 128;
/// Blocks of 64 bytes that the validator scans at a time. Not measured.
inline constexpr std::size_t validator_blocks = 16;
/// Blocks of 64 bytes that a walk over a text keeps at hand. Not measured.
inline constexpr std::size_t text_blocks = base::shortcuts ? 32 : 4;

// Differences of trees.

/// Levels that are compared without frames. Not measured; without any such level a diff of 4 KB
/// in which one leaf differs takes 1.3 times as long.
inline constexpr std::size_t skimmed_levels = 16;
/// More members than this without a partner are matched at once, with an index. Not measured.
inline constexpr std::size_t unmatched_before_index = 8;
/// Up to this many members in another order are looked for one by one; more get a table of names.
/// Not measured.
inline constexpr size_type unordered_scanned = 8;

// Merge patches on trees.

/// Each name of a patch of up to this many members is looked for among all of the target's. Not
/// measured.
inline constexpr size_type patch_names_scanned = 2;
/// In a large target, so many members behind the expected one are looked at while there is no
/// index. Not measured.
inline constexpr size_type target_near = 16;
/// A plan asks for four times the room it needs below this many entries. Not measured.
inline constexpr std::size_t many_plan_entries = 512;
/// More removals than this from one large object find repeated names with an index. Not measured.
inline constexpr size_type removals_before_index = 4;

// Differences element by element, and JSON Patches.

/// Up to so many elements removed and inserted, the edit script of an array is the shortest one. Not
/// measured: it bounds the time by so many comparisons for each element.
inline constexpr int most_array_edits = 128;
/// In so many outer levels of two trees, pairs are compared before they are walked over. Without,
/// the JSON Patch of a document of many small objects (meta p1) takes 0.56 of the best peer's time.
inline constexpr std::size_t levels_compared_first = 4;
/// Objects of up to this many members have the members of the other one looked at one by one. Not
/// measured.
inline constexpr size_type matched_one_by_one = 8;

// Differences and merges of texts.

/// Members that are looked ahead at before a text diff gives up on the order. With 8, and every way
/// to go on that they allow, a diff of 4 KB in another order takes 130,000 instructions instead of
/// 87,000.
inline constexpr std::size_t text_reordered = 3;
/// And so many bytes in either text. Blocks at hand cost nothing to pass over again.
inline constexpr std::ptrdiff_t text_looked_ahead = text_blocks * 64 / 2;
/// Among up to this many members a name is looked for by comparing hashes, 16 at a time. With a
/// table for more than 16 members (max p5s), 617,000 instructions instead of 597,000.
inline constexpr std::size_t text_hashes_scanned = base::shortcuts ? 64 : 16;
/// Up to this many new names are compared each with each. Not measured.
inline constexpr std::size_t text_new_names_scanned = 4;
/// In an object of a patch with up to this many members, names are compared one by one. Not
/// measured.
inline constexpr std::size_t text_names_scanned = 8;
/// With up to this many, a byte of each name's hash is compared first. With an index in its place,
/// a patch that names all members in another order takes 13 % more instructions (max).
inline constexpr std::size_t text_names_tagged = 64;
/// An index of a patch's containers is made when this many times its length was skipped: the patch
/// is deep then. Not measured.
inline constexpr std::size_t text_passes_before_index = 8;

}  // namespace tuning
}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
