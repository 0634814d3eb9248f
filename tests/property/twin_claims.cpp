// What a twin says of its past, after its metadata and its history were damaged at random: never
// too little. The model remembers every state that the twin ever had.
#include "../support/twin.hpp"

#include <map>
#include <string>
#include <vector>

#include "../support/random_json.hpp"
#include "../support/reference_twin.hpp"

namespace {

using reference::node;

/// A twin beside all states that its sections had, by version.
class remembered_twin {
 public:
  explicit remembered_twin(unsigned seed) : random_(seed), x_(devicetwin::rfc7396) {
    if (one_in(4)) x_.t.set_history_budget(below(400));
    remember();
  }

  unsigned below(unsigned n) { return random_.below(n); }
  bool one_in(unsigned n) { return below(n) == 0; }
  devicetwin::twin& t() { return x_.t; }

  void write() {
    const std::string text = random_.object(0);
    switch (below(4)) {
      case 0:
        static_cast<void>(x_.desire(text));
        break;
      case 1:
        static_cast<void>(x_.replace(text));
        break;
      default:
        static_cast<void>(x_.report(text));
    }
    remember();
  }
  void remember() {
    for (const part where : {part::desired, part::reported}) {
      const auto& s = tracked_section(x_.t, where);
      past_[where][s.version()] = *reference::parser::parse(written(s.values()));
    }
  }
  /// The twin goes through a form that loses nothing, or only what it says it does not know.
  void save_and_load() {
    std::string text;
    if (one_in(2)) {
      REQUIRE(!devicetwin::write_stored(x_.t, text));
      REQUIRE(!devicetwin::load_stored(text, x_.t));
    } else {
      devicetwin::view_options options;
      options.history = !one_in(4);
      REQUIRE(!devicetwin::write_service_view(x_.t, text, options));
      REQUIRE(!x_.t.load(text));
    }
  }

  /// Whatever is answered makes the present out of that version. Returns how many answers there
  /// were.
  std::size_t check() {
    std::size_t answers = 0;
    for (const part where : {part::desired, part::reported}) {
      const auto& s = tracked_section(x_.t, where);
      const node now = *reference::parser::parse(written(s.values()));
      for (std::int64_t version = -1; version <= s.version() + 1; ++version) {
        INFO(name_of(where) << " since " << version << " of " << s.version());
        std::string patch;
        const json::error e = devicetwin::write_changes_since(x_.t, where, version, patch);
        if (e) {
          REQUIRE(e.code() == errc::too_old);
          REQUIRE(patch.empty());
          continue;
        }
        INFO(patch);
        ++answers;
        const auto then = past_[where].find(version);
        REQUIRE(then != past_[where].end());
        CHECK(reference::equal(reference::merge(then->second, *reference::parser::parse(patch)),
                               now));
      }
    }
    return answers;
  }
  /// No stamp has a version that its section never had.
  void check_stamps() {
    for (const part where : {part::desired, part::reported}) {
      const auto& s = tracked_section(x_.t, where);
      std::vector<std::string> places{""};
      for (std::size_t i = 0; i < places.size(); ++i) {
        const auto value = json::find(s.values(), places[i]);
        REQUIRE(value);
        const auto stamp = x_.t.stamp_of(where, places[i]);
        if (stamp) CHECK((stamp->version >= 0 && stamp->version <= s.version()));
        if (!(*value)->IsObject()) continue;
        for (const auto& member : (*value)->GetObject()) {
          places.push_back(places[i] +
                           reference::step_of(std::string(member.name.GetString(),
                                                          member.name.GetStringLength())));
        }
      }
    }
  }

  /// Damages what the view says of the past, and loads it. False when it is no twin any more.
  bool damage(std::string& text) {
    devicetwin::view_options options;
    options.history = one_in(5) ? false : true;
    options.metadata = !one_in(10);
    REQUIRE(!devicetwin::write_service_view(x_.t, text, options));
    node view = *reference::parser::parse(text, 80);
    for (unsigned n = below(4); n != 0; --n) {
      std::vector<std::pair<node*, std::string>> places;  // members, with what holds them
      if (view.o.count("$history") != 0) {
        places.emplace_back(&view, "$history");
        collect(view.o["$history"], places);
      }
      for (const char* where : {"desired", "reported"}) {
        node& section = view.o["properties"].o[where];
        if (section.o.count("$metadata") == 0) continue;
        places.emplace_back(&section, "$metadata");
        collect(section.o["$metadata"], places);
      }
      if (places.empty()) break;
      const auto& [holder, name] = places[below(static_cast<unsigned>(places.size()))];
      const auto& [other, other_name] = places[below(static_cast<unsigned>(places.size()))];
      const node copy = other->what == node::object ? other->o[other_name] : node{};
      if (one_in(2) && holder->what == node::object) {
        holder->o.erase(name);
      } else if (holder->what == node::object) {
        holder->o[name] = one_in(3) ? copy : any();
      } else if (!holder->a.empty()) {
        holder->a.pop_back();
      }
    }
    text = reference::text_of(view);
    return !x_.t.load(text);
  }

 private:
  static void collect(node& value, std::vector<std::pair<node*, std::string>>& places) {
    for (auto& [name, inner] : value.o) {
      places.emplace_back(&value, name);
      collect(inner, places);
    }
    for (node& inner : value.a) {
      places.emplace_back(&value, "");
      collect(inner, places);
    }
  }
  node any() {
    const char* const texts[] = {"null",
                                 "-1",
                                 "0",
                                 "1",
                                 "2",
                                 "3",
                                 "9",
                                 "1.5",
                                 "9223372036854775807",
                                 "18446744073709551615",
                                 "\"x\"",
                                 "{}",
                                 "[]",
                                 "true",
                                 "\"2020-01-01T00:00:00Z\"",
                                 "{\"$lastUpdatedVersion\":1}",
                                 "{\"a\":null}"};
    return *reference::parser::parse(texts[below(sizeof texts / sizeof *texts)]);
  }

  random_json random_;
  basic_test_twin<devicetwin::twin> x_;
  std::map<part, std::map<std::int64_t, node>> past_;
};

}  // namespace

TEST_CASE("whatever was damaged, what changed since a version is all or not known",
          "[since][property]") {
  std::size_t answers = 0, damaged = 0;
  for (unsigned seed = 0; seed < 700; ++seed) {
    INFO(seed);
    remembered_twin m(seed);
    const auto live = [&m] {
      for (unsigned n = m.below(12); n != 0; --n) {
        m.write();
        if (m.one_in(5)) m.save_and_load();
      }
    };
    live();
    std::string text;
    if (!m.damage(text)) continue;
    INFO(text);
    ++damaged;
    answers += m.check();
    m.check_stamps();
    live();
    answers += m.check();
    m.check_stamps();
    m.save_and_load();
    answers += m.check();
  }
  CHECK(damaged > 400);
  CHECK(answers > 3000);
}

TEST_CASE("what is not damaged is known since the budget allows", "[since][property]") {
  std::size_t answers = 0, versions = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    INFO(seed);
    remembered_twin m(seed);
    m.t().set_history_budget(1 << 20);
    for (int n = 0; n < 12; ++n) {
      m.write();
      std::string text;
      devicetwin::view_options options;
      options.history = true;
      if (m.one_in(2)) {
        REQUIRE(!devicetwin::write_service_view(m.t(), text, options));
        REQUIRE(!m.t().load(text));
      } else {
        REQUIRE(!devicetwin::write_stored(m.t(), text));
        REQUIRE(!devicetwin::load_stored(text, m.t()));
      }
    }
    answers += m.check();
    versions += static_cast<std::size_t>(m.t().desired_version() + m.t().reported_version());
  }
  CHECK(answers == versions);
}
