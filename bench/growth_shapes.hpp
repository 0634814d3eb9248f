// The documents whose cost is counted at three sizes: pairs of them, in which members stand in
// another order, change, come, go or get new names.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace growth {

enum class order { kept, reversed, shuffled };
enum class change { none, one, few, half, all, added, removed, renamed };

struct shape {
  std::string kind;  // one of kinds()
  order how = order::kept;
  change what = change::none;
  std::string name() const;
};

struct pair_of_texts {
  std::string from, to;
};

// Two objects with some `members` leaves each.
pair_of_texts make(const shape& s, std::size_t members);

// Every order with every change for wide objects, and for each other kind the pairings that differ
// most.
std::vector<shape> all_shapes();
// Of these, those that find most.
std::vector<shape> some_shapes();

// A name of which no two are the same.
std::string plain_name(std::size_t i);

}  // namespace growth
