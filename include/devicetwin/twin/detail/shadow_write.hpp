/// Writing stamps: what it takes, and doing it.
#pragma once

#include <cstddef>  // std::size_t

#include "../../json/arena.hpp"
#include "plan_walk.hpp"
#include "shadow.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Counts the words that a write may take at most: a visitor of walk_plan().
class stamp_words {
 public:
  explicit stamp_words(const stamp_shadow& s) noexcept : shadow_(s) {}
  std::size_t words() const noexcept { return words_; }

  bool enter(const arena_value& object, size_type index, const value_member*) noexcept {
    const stamp_shadow::word w =
        depth_ == 0 ? shadow_.root_ : shadow_.child(frames_[depth_ - 1].at, index);
    frames_[depth_++] = {w, object.MemberCount(), 0};
    return true;
  }
  bool write(merge_action action, const arena_value*, size_type, const value_member*) noexcept {
    if (action == merge_action::add) ++frames_[depth_ - 1].added;
    return true;
  }
  bool leave() noexcept {
    const frame& f = frames_[--depth_];
    const std::size_t wanted = f.count + f.added;
    if (!stamp_shadow::is_block(f.at))
      words_ += stamp_shadow::header + stamp_shadow::room_for(f.count);
    // Members are added one by one, and a block that is full moves.
    for (std::size_t room = stamp_shadow::room_for(f.count); room < wanted;
         room = stamp_shadow::room_for(room + 1)) {
      words_ += stamp_shadow::header + stamp_shadow::room_for(room + 1);
    }
    return true;
  }

 private:
  using word = stamp_shadow::word;
  struct frame {
    word at;
    size_type count;
    size_type added;
  };
  const stamp_shadow& shadow_;
  per_level<frame> frames_;
  std::size_t depth_ = 0;
  std::size_t words_ = 0;
};

/// Writes one stamp to what a plan writes, and to the objects around it: a visitor of walk_plan(),
/// before the plan is carried out. Needs the room of stamp_words.
class stamp_writer {
 public:
  stamp_writer(stamp_shadow& s, const stamp& written) noexcept : shadow_(s) {
    if (shadow_.table_.empty()) shadow_.table_.push({});
    shadow_.table_.push(written);
    stamp_id_ = static_cast<word>(shadow_.table_.size() - 1);
  }

  bool enter(const arena_value& object, size_type index, const value_member*) noexcept {
    if (depth_ != 0) touch(frames_[depth_ - 1], index);
    frames_[depth_].index = index;
    word& w = link(depth_);
    if (!stamp_shadow::is_block(w)) w = shadow_.expand(w, object.MemberCount());
    frame& f = frames_[depth_++];
    f.place = stamp_shadow::place_of(w);
    f.before = shadow_.words_[f.place + stamp_shadow::own];
    f.touched = f.swept = false;
    shadow_.words_[f.place + stamp_shadow::own] = stamp_id_;
    return true;
  }
  bool write(merge_action action, const arena_value*, size_type index,
             const value_member*) noexcept {
    frame& f = frames_[depth_ - 1];
    if (action == merge_action::add) {
      const word members = shadow_.words_[f.place + stamp_shadow::count];
      if (stamp_shadow::room_for(members) == members) {
        f.place = shadow_.move_block(f.place);
        link(depth_ - 1) = stamp_shadow::block_at(f.place);
      }
      shadow_.words_[f.place + stamp_shadow::count] = members + 1;
      touch(f, members);
      shadow_.words_[f.place + stamp_shadow::header + members] = stamp_id_ << 1;
    } else if (action == merge_action::remove) {
      shadow_.words_[f.place + stamp_shadow::header + index] = stamp_shadow::dead;
      f.swept = true;
    } else {
      touch(f, index);
      shadow_.words_[f.place + stamp_shadow::header + index] = stamp_id_ << 1;
    }
    return true;
  }
  bool leave() noexcept {
    const frame& f = frames_[--depth_];
    if (f.swept) shadow_.sweep(f.place);
    return true;
  }

 private:
  using word = stamp_shadow::word;
  struct frame {
    std::size_t place;  ///< of the block
    size_type index;    ///< of the object in the block around it
    word before;        ///< the object's id before this write
    bool touched, swept;
  };
  stamp_shadow& shadow_;
  word stamp_id_;
  per_level<frame> frames_;
  std::size_t depth_ = 0;

  word& link(std::size_t level) noexcept {
    return level == 0 ? shadow_.root_
                      : shadow_.words_[frames_[level - 1].place + stamp_shadow::header +
                                       frames_[level].index];
  }
  /// Notes that the member at `index` is written.
  void touch(frame& f, size_type index) noexcept {
    word* block = shadow_.words_.data() + f.place;
    if (block[stamp_shadow::last] != index)
      block[stamp_shadow::others] = f.touched ? stamp_id_ : f.before;
    block[stamp_shadow::last] = index;
    f.touched = true;
  }
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
