// A device with an outbox, a network that loses messages, and a server that others write to as
// well; beside them the same story told with plain nodes, the reference. Gives what went wrong, or
// an empty text.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <optional>
#include <string>

#include "change_laws.hpp"
#include "random_json.hpp"
#include "reference.hpp"
#include "reference_change.hpp"

namespace laws {

class outbox_simulation {
 public:
  explicit outbox_simulation(random_json& random) : random_(random) { random_.avoid_null(); }

  std::string run(unsigned most_steps) {
    alone_ = random_.below(3) == 0;
    const std::string start = random_.object(0);
    server_ = *reference::parser::parse(start);
    json::document d;
    if (!read(start, d) || box_.reconnect(d)) return "the start failed";
    known_ = view_ = every_edit_ = server_;
    for (unsigned i = 0; i < most_steps && !random_.exhausted(); ++i) {
      const std::string wrong = step();
      if (!wrong.empty()) return wrong + story_;
    }
    return finish();
  }

 private:
  std::string step() {
    switch (random_.below(alone_ ? 7 : 9)) {
      case 0:
      case 1:
        return edit();
      case 2:
        return send();
      case 3:
        deliver();
        return {};
      case 4:
        return answer();
      case 5:
        return reconnect();
      case 6:
        return recall();
      case 7:
        return refuse();
      default:
        foreign();
        return {};
    }
  }

  std::string edit() {
    merge::change c;
    if (!make_change(random_, c)) return "a change could not be made";
    if (c.form().IsArray() && !c.keeps() && !detail_is_object(c))
      return {};  // the document stays an object
    tell("edit", c);
    if (box_.add(c)) return "add failed";
    view_ = *reference::apply(seen(c), view_);
    if (alone_) every_edit_ = *reference::apply(seen(c), every_edit_);
    return compare();
  }
  static bool detail_is_object(const merge::change& c) { return (*c.form().Begin()).IsObject(); }

  std::string send() {
    const std::size_t limits[] = {static_cast<std::size_t>(-1), 400, 120, 60, 30};
    const std::size_t limit = limits[random_.below(5)];
    json::document patch;
    const auto handed = box_.next(patch, limit);
    if (!handed) {
      return handed.error().code() == json::errc::patch_too_long
                 ? compare()
                 : "next failed: " + handed.error().message();
    }
    if (sent_ ? !handed->empty() : handed->empty() != equal(known_, view_))
      return "next hands out the wrong thing";
    if (handed->empty()) return compare();
    std::string text;
    if (json::write(patch, text)) return "the patch cannot be written";
    story_ += "\n  send " + text;
    if (text.size() > limit) return "the patch is longer than the limit";
    patch_ = seen(patch);
    sent_ = reference::merge(known_, patch_);
    arrived_ = false;
    if (limit == static_cast<std::size_t>(-1) && !equal(*sent_, view_))
      return "the patch is not all there is to send";
    if (!old_or_new(known_, *sent_, view_)) return "a leaf is neither old nor new";
    return compare();
  }
  static bool old_or_new(const reference::maybe& before, const reference::maybe& now,
                         const reference::maybe& wanted) {
    if (equal(now, before) || equal(now, wanted)) return true;
    if (!reference::is_object(now)) return false;
    for (const std::string& name : reference::names_of({&before, &now, &wanted})) {
      if (!old_or_new(reference::optional_member(before, name),
                      reference::optional_member(now, name),
                      reference::optional_member(wanted, name))) {
        return false;
      }
    }
    return true;
  }

  void deliver() {
    if (!sent_ || arrived_) return;
    story_ += "\n  arrived";
    server_ = reference::merge(server_, patch_);
    arrived_ = true;
  }
  std::string answer() {
    if (!sent_ || !arrived_) return {};
    story_ += "\n  acknowledged";
    if (box_.acknowledge()) return "acknowledge failed";
    known_ = *sent_;
    sent_.reset();
    return compare();
  }
  std::string refuse() {
    if (!sent_ || arrived_) return {};
    story_ += "\n  refused";
    std::vector<reference::found_conflict> found, expected;
    if (box_.refuse(merge::policy::ours, [&](const auto& c) { found.push_back(noted(c)); }))
      return "refuse failed";
    view_ = *reference::replay(*sent_, view_, known_, true, expected);
    sent_.reset();
    if (!same_conflicts(found, expected)) return "refuse reports the wrong conflicts";
    return compare();
  }
  std::string recall() {
    if (!sent_ || arrived_) return {};
    story_ += "\n  recalled";
    if (box_.recall()) return "recall failed";
    sent_.reset();
    return compare();
  }
  std::string reconnect() {
    const bool ours = alone_ || random_.below(2) == 0;
    json::document fetched;
    std::string text = text_of(server_);
    if (!read(text, fetched)) return "the server's document cannot be read: " + text;
    story_ += "\n  reconnect to " + text;
    std::vector<reference::found_conflict> found, expected;
    if (box_.reconnect(fetched, ours ? merge::policy::ours : merge::policy::theirs,
                       [&](const auto& c) { found.push_back(noted(c)); })) {
      return "reconnect failed";
    }
    const reference::node before = sent_ ? *sent_ : known_;
    const reference::node resent =
        sent_ ? *reference::replay(known_, *sent_, server_, ours, expected) : server_;
    view_ = *reference::replay(before, view_, resent, ours, expected);
    known_ = server_;
    sent_.reset();
    if (!same_conflicts(found, expected)) return "reconnect reports the wrong conflicts";
    return compare();
  }
  void foreign() {
    merge::change c;
    if (!make_change(random_, c)) return;
    if (c.form().IsArray() && !c.keeps() && !detail_is_object(c)) return;
    tell("foreign", c);
    server_ = *reference::apply(seen(c), server_);
  }

  /// What is seen on the device is what the reference says.
  std::string compare() {
    json::document view;
    if (box_.view(view)) return "view failed";
    if (!equal(seen(view), view_))
      return "the view is " + text_of(seen(view)) + ", not " + text_of(view_);
    if (!equal(reference::from_value(box_.acknowledged()), known_))
      return "the acknowledged document is wrong";
    if (box_.waiting() != sent_.has_value()) return "waiting is wrong";
    return {};
  }

  /// Everything gets through at last.
  std::string finish() {
    std::string wrong = reconnect();
    for (int i = 0; wrong.empty() && i < 10000; ++i) {
      json::document patch;
      auto handed = box_.next(patch, 30);
      if (!handed && handed.error().code() == json::errc::patch_too_long) handed = box_.next(patch);
      if (!handed) return "next failed at the end: " + handed.error().message() + story_;
      if (handed->empty()) {
        if (!equal(server_, view_)) return "the server has " + text_of(server_) + story_;
        if (alone_ && !equal(server_, every_edit_)) return "an edit was lost or came back" + story_;
        merge::change none;
        return !box_.has_pending() && !box_.waiting() ? "" : "something is left" + story_;
      }
      server_ = reference::merge(server_, seen(patch));
      if (box_.acknowledge()) return "acknowledge failed at the end" + story_;
      known_ = server_;
      wrong = compare();
    }
    return wrong.empty() ? "sending does not end" + story_ : wrong + story_;
  }

  void tell(const char* what, const merge::change& c) {
    story_ += std::string("\n  ") + what + " ";
    if (json::write(c.form(), story_)) story_ += "?";
  }

  static std::string text_of(const reference::node& n) {
    rapidjson::Document d;
    to_value(n, d, d.GetAllocator());
    std::string text;
    return json::write(d, text) ? "?" : text;
  }
  static void to_value(const reference::node& n, json::value& v,
                       rapidjson::Document::AllocatorType& a) {
    switch (n.what) {
      case reference::node::null:
        v.SetNull();
        break;
      case reference::node::boolean:
        v.SetBool(n.b);
        break;
      case reference::node::integer:
        v.SetInt64(n.i);
        break;
      case reference::node::natural:
        v.SetUint64(n.u);
        break;
      case reference::node::real:
        v.SetDouble(n.d);
        break;
      case reference::node::string:
        v.SetString(n.s.data(), static_cast<json::size_type>(n.s.size()), a);
        break;
      case reference::node::array:
        v.SetArray();
        for (const auto& element : n.a) {
          json::value inside;
          to_value(element, inside, a);
          v.PushBack(inside, a);
        }
        break;
      case reference::node::object:
        v.SetObject();
        for (const auto& [name, value] : n.o) {
          json::value key(name.data(), static_cast<json::size_type>(name.size()), a), inside;
          to_value(value, inside, a);
          v.AddMember(key, inside, a);
        }
        break;
    }
  }

  random_json& random_;
  merge::outbox box_;
  bool alone_ = false;  // nobody else writes, and nothing is refused
  reference::node server_;
  reference::node known_;                // what the device knows the server had
  std::optional<reference::node> sent_;  // that with the patch in flight
  reference::node view_;
  reference::node every_edit_;  // all edits, one after the other
  reference::node patch_;
  bool arrived_ = false;
  std::string story_;
};

inline std::string outbox(random_json& random, unsigned most_steps = 40) {
  return outbox_simulation(random).run(most_steps);
}

}  // namespace laws
