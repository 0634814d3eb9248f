// Counts instructions of every public function that takes a document, a patch, a change, a list or
// a text, at three sizes.
//
//   valgrind --tool=callgrind --instr-atstart=no --combine-dumps=yes growth [--short] [--part I/N]
//   [PATTERN]
//
// tools/growth.sh runs it and judges what was counted. Each count is one dump, named
// "FUNCTION|SHAPE|MEMBERS". Without valgrind every function is run once, uncounted. --short: some
// of the shapes, at the two smaller sizes (two of the shapes at the two larger). PATTERN: only functions whose names contain it.

#include <rapidjson/document.h>
#include <valgrind/callgrind.h>
#include <devicetwin/devicetwin.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../tests/support/time.hpp"
#include "growth_shapes.hpp"

namespace growth {
namespace {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;
using devicetwin::part;

void must(const json::error& e, const char* what = "") {
  if (!e) return;
  std::fprintf(stderr, "growth: %s %s\n", what, e.message().c_str());
  std::exit(2);
}
template <class T>
void must(const json::result<T>& r, const char* what = "") {
  if (!r) must(r.error(), what);
}
void must_be(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "growth: %s\n", what);
  std::exit(2);
}

std::string with(const std::string& object, const std::string& member) {
  return object.substr(0, object.size() - 1) + (object.size() > 2 ? "," : "") + member + "}";
}
std::string whole_twin(const std::string& desired, const std::string& reported, int version = 1) {
  const std::string counted = "\"$version\":" + std::to_string(version);
  return R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":2,"properties":{"desired":)" +
         with(desired, counted) + ",\"reported\":" + with(reported, counted) + "}}";
}

/// What the functions are run on; made without being counted.
struct material {
  std::string from, to, patch;
  json::document from_tree, to_tree, patch_tree, half_tree;
  merge::change there, back, over_all;

  explicit material(const pair_of_texts& texts) : from(texts.from), to(texts.to) {
    must(json::read(from, from_tree));
    must(json::read(to, to_tree));
    merge::options o;
    must(merge::diff(from_tree, to_tree, patch_tree, o));
    must(json::write(patch_tree, patch));
    must(merge::difference(from_tree, to_tree, there));
    must(merge::difference(to_tree, from_tree, back));
    must(merge::from_merge_patch(to_tree, over_all));
    // What another party made of `from`: other members than those that `to` changes, and some of
    // the same.
    std::string changes = "{";
    std::size_t i = 0;
    for (auto m = from_tree.root().MemberBegin(); m != from_tree.root().MemberEnd(); ++m, ++i) {
      if (i % 3 != 0) continue;
      std::string name;
      must(json::write(m->name, name));
      changes += (changes.size() > 1 ? "," : "") + name + ":\"theirs\"";
    }
    must(half_tree.assign(from_tree));
    json::document theirs;
    must(json::read(changes + "}", theirs));
    must(merge::apply_merge_patch(half_tree, theirs));
  }
};

/// Prepares a call and returns it. What is to be counted is in what is returned.
using prepared = std::function<void()>;
struct function {
  std::string name;
  std::function<prepared(const material&)> on_documents;  // either
  std::function<prepared(std::size_t)> on_a_list;         // or
};

/// A value that outlives the preparation.
template <class T, class... Args>
std::shared_ptr<T> keep(Args&&... args) {
  return std::make_shared<T>(std::forward<Args>(args)...);
}

struct ignore {
  template <class... Args>
  void operator()(Args&&...) const {}
};

std::vector<function> text_functions() {
  std::vector<function> all;
  const auto add = [&](const char* name, std::function<prepared(const material&)> f) {
    all.push_back({name, std::move(f), {}});
  };
  for (const auto trust : {merge::text_trust::checked, merge::text_trust::trusted}) {
    const std::string how = trust == merge::text_trust::checked ? " (checked)" : " (trusted)";
    merge::text_options o;
    o.trust = trust;
    add(("diff_text" + how).c_str(), [o](const material& m) {
      return [&m, o] {
        std::string out;
        must(merge::diff_text(m.from, m.to, out, o));
      };
    });
    add(("apply_merge_patch_text" + how).c_str(), [o](const material& m) {
      return [&m, o] {
        std::string out;
        must(merge::apply_merge_patch_text(m.from, m.patch, out, o, ignore()));
      };
    });
    add(("apply_merge_patch_text, the whole as the patch" + how).c_str(), [o](const material& m) {
      return [&m, o] {
        std::string out;
        must(merge::apply_merge_patch_text(m.from, m.to, out, o, ignore()));
      };
    });
  }
  add("apply_merge_patch_text with a journal of pointers", [](const material& m) {
    return [&m] {
      std::string out, pointers;
      must(merge::apply_merge_patch_text(
          m.from, m.patch, out, {}, [&](const json::location& where, const auto*, const auto*) {
            where.append_to(pointers);
          }));
    };
  });
  add("find_text", [](const material& m) {
    return [&m] { static_cast<void>(json::find_text(m.to, "/no such name")); };
  });
  return all;
}

std::vector<function> json_patch_functions() {
  std::vector<function> all;
  const auto add = [&](const char* name, std::function<prepared(const material&)> f) {
    all.push_back({name, std::move(f), {}});
  };
  add("diff_json_patch", [](const material& m) {
    return [&m] {
      json::document patch;
      must(merge::diff_json_patch(m.from_tree, m.to_tree, patch));
    };
  });
  add("diff_json_patch_text", [](const material& m) {
    return [&m] {
      std::string patch;
      must(merge::diff_json_patch_text(m.from, m.to, patch));
    };
  });
  add("for_each_difference", [](const material& m) {
    return [&m] { must(merge::for_each_difference(m.from_tree, m.to_tree, ignore())); };
  });
  const auto patch_of = [](const material& m) {
    merge::json_patch_options o;
    o.tests = true;
    auto patch = keep<json::document>();
    must(merge::diff_json_patch(m.from_tree, m.to_tree, *patch, o));
    return patch;
  };
  add("apply_json_patch", [=](const material& m) {
    return [&m, patch = patch_of(m)] {
      json::document d;
      must(d.assign(m.from_tree));
      must(merge::apply_json_patch(d, *patch));
    };
  });
  add("apply_json_patch with a journal of pointers", [=](const material& m) {
    return [&m, patch = patch_of(m)] {
      json::document d;
      must(d.assign(m.from_tree));
      std::string pointers;
      must(merge::apply_json_patch(d, *patch, {},
                                   [&](const json::location& where, const auto*, const auto*) {
                                     where.append_to(pointers);
                                   }));
    };
  });
  add("apply_json_patch, taken back", [=](const material& m) {
    auto patch = patch_of(m);
    std::string text;
    must(json::write(*patch, text));
    text.back() = patch->root().Empty() ? ' ' : ',';
    auto failing = keep<json::document>();
    must(json::read(text + R"({"op":"remove","path":""}])", *failing));
    return [&m, failing] {
      json::document d;
      must(d.assign(m.from_tree));
      must_be(merge::apply_json_patch(d, *failing).failed(), "the patch applies");
    };
  });
  add("apply_json_patch_text", [=](const material& m) {
    std::string text;
    must(json::write(*patch_of(m), text));
    return [&m, text] {
      std::string out;
      must(merge::apply_json_patch_text(m.from, text, out));
    };
  });
  return all;
}

std::vector<function> tree_functions() {
  std::vector<function> all;
  const auto add = [&](const char* name, std::function<prepared(const material&)> f) {
    all.push_back({name, std::move(f), {}});
  };
  add("read", [](const material& m) {
    return [&m] {
      json::document d;
      must(json::read(m.to, d));
    };
  });
  add("read into RapidJSON", [](const material& m) {
    return [&m] {
      rapidjson::Document d;
      must(json::read(m.to, d));
    };
  });
  add("write", [](const material& m) {
    return [&m] {
      std::string out;
      must(json::write(m.to_tree, out));
    };
  });
  add("equal", [](const material& m) {
    return [&m] {
      must_be(json::equal(m.from_tree, m.to_tree) < json::comparison::too_deep, "equal");
    };
  });
  add("document::assign", [](const material& m) {
    return [&m] {
      json::document d;
      must(d.assign(m.to_tree));
    };
  });
  add("diff", [](const material& m) {
    return [&m] {
      json::document patch;
      must(merge::diff(m.from_tree, m.to_tree, patch));
    };
  });
  add("diff of RapidJSON values", [](const material& m) {
    auto from = keep<rapidjson::Document>(), to = keep<rapidjson::Document>();
    must(json::read(m.from, *from));
    must(json::read(m.to, *to));
    return [from, to] {
      rapidjson::Document patch;
      must(merge::diff(*from, *to, patch, patch.GetAllocator()));
    };
  });
  add("apply_merge_patch with a journal of pointers", [](const material& m) {
    auto target = keep<json::document>();
    must(target->assign(m.from_tree));
    return [target, &m] {
      std::string pointers;
      must(merge::apply_merge_patch(*target, m.patch_tree, {},
                                    [&](const json::location& where, const auto*, const auto*) {
                                      where.append_to(pointers);
                                    }));
    };
  });
  add("apply_merge_patch with a recorder", [](const material& m) {
    auto target = keep<json::document>();
    must(target->assign(m.from_tree));
    return [target, &m] {
      merge::change_recorder recorder(merge::change_recorder::direction::undo);
      must(merge::apply_merge_patch(*target, m.patch_tree, {}, recorder));
      merge::change undo;
      must(recorder.finish(undo));
    };
  });
  add("apply_merge_patch, the whole as the patch", [](const material& m) {
    auto target = keep<json::document>();
    must(target->assign(m.from_tree));
    return [target, &m] { must(merge::apply_merge_patch(*target, m.to_tree)); };
  });
  add("apply_merge_patch to RapidJSON", [](const material& m) {
    auto target = keep<rapidjson::Document>();
    must(json::read(m.from, *target));
    return [target, &m] {
      must(merge::apply_merge_patch(*target, m.to_tree, target->GetAllocator()));
    };
  });
  add("difference", [](const material& m) {
    return [&m] {
      merge::change c;
      must(merge::difference(m.from_tree, m.to_tree, c));
    };
  });
  add("from_merge_patch", [](const material& m) {
    return [&m] {
      merge::change c;
      must(merge::from_merge_patch(m.to_tree, c));
    };
  });
  add("read_change", [](const material& m) {
    return [&m] {
      merge::change c;
      must(merge::read_change(m.there.form(), c));
    };
  });
  add("apply a change", [](const material& m) {
    auto target = keep<json::document>();
    must(target->assign(m.from_tree));
    return [target, &m] { must(merge::apply(*target, m.over_all, {}, ignore())); };
  });
  add("compose", [](const material& m) {
    return [&m] {
      merge::change c;
      must(merge::compose(m.there, m.over_all, c));
    };
  });
  add("invert", [](const material& m) {
    return [&m] {
      merge::change c;
      must(merge::invert(m.over_all, m.from_tree, c));
    };
  });
  add("minimise", [](const material& m) {
    return [&m] {
      merge::change c;
      must(merge::minimise(m.over_all, m.from_tree, c));
    };
  });
  add("rebase", [](const material& m) {
    return [&m] {
      merge::change c;
      must(merge::rebase(m.over_all, m.from_tree, m.half_tree, c, merge::policy::ours, ignore()));
    };
  });
  add("to_merge_patch", [](const material& m) {
    return [&m] {
      json::document patch;
      must(merge::to_merge_patch(m.over_all, m.from_tree, patch));
    };
  });
  add("to_merge_patches", [](const material& m) {
    return [&m] {
      merge::merge_patches patches;
      must(merge::to_merge_patches(m.there, patches));
    };
  });
  add("merge3", [](const material& m) {
    return [&m] {
      json::document merged;
      must(merge::merge3(m.from_tree, m.to_tree, m.half_tree, merged, merge::policy::ours,
                         ignore()));
    };
  });
  return all;
}

std::shared_ptr<merge::outbox> box_with(const material& m) {
  auto box = keep<merge::outbox>();
  must(box->reconnect(m.from_tree));
  must(box->add(m.there));
  return box;
}

std::vector<function> outbox_functions() {
  std::vector<function> all;
  const auto add = [&](const char* name, std::function<prepared(const material&)> f) {
    all.push_back({name, std::move(f), {}});
  };
  add("outbox::next, in one", [](const material& m) {
    auto box = box_with(m);
    return [box] {
      json::document patch;
      must(box->next(patch));
      must(box->acknowledge());
    };
  });
  add("outbox::next, a quarter", [](const material& m) {
    auto box = box_with(m);
    return [box, &m] {
      json::document patch;
      const auto sent = box->next(patch, m.patch.size() / 4 + 64);
      must_be(sent || sent.error().code() == json::errc::patch_too_long, "next");
    };
  });
  add("outbox::reconnect, in flight and pending", [](const material& m) {
    auto box = box_with(m);
    json::document patch;
    must(box->next(patch));
    must(box->add(m.back));
    return [box, &m] { must(box->reconnect(m.half_tree, merge::policy::ours, ignore())); };
  });
  add("outbox::refuse", [](const material& m) {
    auto box = box_with(m);
    json::document patch;
    must(box->next(patch));
    must(box->add(m.back));
    return [box] { must(box->refuse(merge::policy::ours, ignore())); };
  });
  add("outbox::recall and view", [](const material& m) {
    auto box = box_with(m);
    json::document patch;
    must(box->next(patch));
    must(box->add(m.back));
    return [box] {
      must(box->recall());
      json::document seen;
      must(box->view(seen));
    };
  });
  return all;
}

std::shared_ptr<devicetwin::twin> twin_of(const std::string& desired, const std::string& reported) {
  auto t = keep<devicetwin::twin>(devicetwin::rfc7396);
  must(t->load(whole_twin(desired, reported)), "load");
  return t;
}
using devicetwin::outcome;

std::vector<function> twin_functions() {
  std::vector<function> all;
  const auto add = [&](const char* name, std::function<prepared(const material&)> f) {
    all.push_back({name, std::move(f), {}});
  };
  const auto desired = [](const std::string& text) {
    return "{\"properties\":{\"desired\":" + text + "}}";
  };
  add("twin::service_patch", [=](const material& m) {
    auto t = twin_of(m.from, m.to);
    return [t, text = desired(m.to)] {
      outcome done;
      must(t->service_patch(text, at(1), done));
    };
  });
  add("twin::service_replace", [=](const material& m) {
    auto t = twin_of(m.from, m.to);
    return [t, text = desired(m.to)] {
      outcome done;
      must(t->service_replace(text, at(1), done));
    };
  });
  add("twin::device_patch", [=](const material& m) {
    auto t = twin_of(m.to, m.from);
    return [t, &m] {
      outcome done;
      must(t->device_patch(m.to, at(1), done));
    };
  });
  add("twin::check_service_replace", [=](const material& m) {
    auto t = twin_of(m.from, m.to);
    return [t, text = desired(m.to)] {
      devicetwin::validation report;
      must(t->check_service_replace(text, report));
    };
  });
  add("twin::apply_notification and apply_event", [=](const material& m) {
    auto t = twin_of(m.from, m.to);
    auto done = keep<outcome>();
    must(t->service_patch(desired(m.to), at(1), *done));
    auto device = twin_of(m.from, m.to), service = twin_of(m.from, m.to);
    if (!done->effective()) return prepared([] {});
    return prepared([t, done, device, service] {
      outcome ignored;
      must(device->apply_notification(done->notification(), at(2), ignored));
      must(service->apply_event(done->event(), ignored));
    });
  });
  // Written over several versions: stamps and tombstones differ.
  const auto lived = [=](const material& m) {
    auto t = twin_of("{}", "{}");
    t->set_history_budget(static_cast<std::size_t>(-1) / 4);
    outcome done;
    must(t->service_replace(desired(m.from), at(1), done));
    must(t->service_replace(desired(m.to), at(1), done));
    must(t->service_replace(desired(m.from), at(2), done));
    must(t->device_patch(m.from, at(3), done));
    must(t->service_patch(desired(m.to), at(4), done));
    return t;
  };
  add("twin: written and loaded", [=](const material& m) {
    auto t = lived(m);
    return [t] {
      std::string text;
      must(devicetwin::write_service_view(*t, text));
      devicetwin::twin again(devicetwin::rfc7396);
      must(again.load(text));
    };
  });
  add("write_stored and load_stored", [=](const material& m) {
    auto t = lived(m);
    return [t] {
      std::string text;
      must(devicetwin::write_stored(*t, text));
      devicetwin::twin again(devicetwin::rfc7396);
      must(devicetwin::load_stored(text, again));
    };
  });
  add("write_delta", [=](const material& m) {
    auto t = lived(m);
    return [t] {
      std::string text;
      must(devicetwin::write_delta(*t, text));
    };
  });
  add("list_delta", [=](const material& m) {
    auto t = lived(m);
    return [t] {
      devicetwin::delta_list list;
      must(devicetwin::list_delta(*t, list));
    };
  });
  add("write_changes_since", [=](const material& m) {
    auto t = lived(m);
    const std::int64_t version = t->desired_version() - 1;
    return [t, version] {
      std::string text;
      must(devicetwin::write_changes_since(*t, part::desired, version, text));
    };
  });
  add("stamp_of and answer_to: the last property", [=](const material& m) {
    auto t = lived(m);
    std::string pointer;
    must_be(!t->desired().ObjectEmpty(), "stamp_of");
    json::step last = json::step::member(json::core::text_of((t->desired().MemberEnd() - 1)->name));
    json::location(&last, 1).append_to(pointer);
    return [t, pointer] {
      must(t->stamp_of(part::desired, pointer), "stamp_of");
      must(devicetwin::answer_to(*t, pointer), "answer_to");
    };
  });
  add("outcome: each change, each matched", [=](const material& m) {
    auto t = twin_of(m.from, m.to);
    auto done = keep<outcome>();
    must(t->service_patch(desired(m.to), at(1), *done));
    return [done] {
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < done->size(); ++i) bytes += (*done)[i].pointer.size();
      must_be(done->size() == 0 || bytes != 0, "outcome");
      devicetwin::matches found;
      must(devicetwin::find_matches({part::desired, "", devicetwin::reach::subtree}, *done, found));
    };
  });
  add("find_matches with a wildcard", [=](const material& m) {
    auto t = twin_of("{\"in\":" + m.from + "}", "{}");
    auto done = keep<outcome>();
    must(t->service_patch(desired("{\"in\":" + m.to + "}"), at(1), *done));
    must(t->service_patch(desired("{\"in\":[1]}"), at(1), *done));
    must(t->service_patch(desired("{\"in\":" + m.to + "}"), at(1), *done));
    return [done] {
      devicetwin::matches found;
      must(devicetwin::find_matches({part::desired, "/in/*"}, *done, found));
    };
  });
  add("validate", [=](const material& m) {
    return [&m] {
      devicetwin::validation report;
      must(devicetwin::validate(m.to_tree, part::desired, devicetwin::shape::section,
                                devicetwin::azure, report));
    };
  });
  add("equal of twins", [=](const material& m) {
    auto a = twin_of(m.from, m.to), b = twin_of(m.to, m.from);
    return [a, b] { must_be(devicetwin::equal(*a, *b) < json::comparison::too_deep, "equal"); };
  });
  return all;
}

/// A device session and the hub that it believes to talk to.
struct device {
  std::vector<char> buffer;
  std::unique_ptr<devicetwin::device_session> session;
  std::int64_t now = 0;

  explicit device(std::size_t bytes = 0) : buffer(bytes) {
    devicetwin::device_options o;
    o.rules = &devicetwin::rfc7396;
    o.who = devicetwin::authority::shared;
    if (bytes == 0)
      session = std::make_unique<devicetwin::device_session>(o);
    else
      session = std::make_unique<devicetwin::device_session>(buffer.data(), bytes, o);
  }
  std::string request() const {
    std::string id;
    for (const auto& a : session->actions()) {
      if (a.kind == devicetwin::device_action::publish)
        id = std::string(devicetwin::parse_twin_topic(a.topic)->request_id);
    }
    return id;
  }
  static std::string body(const std::string& desired, const std::string& reported, int version) {
    const std::string counted = "\"$version\":" + std::to_string(version);
    return "{\"desired\":" + with(desired, counted) + ",\"reported\":" + with(reported, counted) +
           "}";
  }
  void connect() { must(session->connected(ms(++now)), "connected"); }
  void answer(const std::string& text) { answer(text, request()); }
  void answer(const std::string& text, const std::string& id) {
    must(session->message("$iothub/twin/res/200/?$rid=" + id, text, ms(++now)), "answer");
  }
};

std::vector<function> session_functions() {
  std::vector<function> all;
  const auto add = [&](const std::string& name, std::function<prepared(const material&)> f) {
    all.push_back({name, std::move(f), {}});
  };
  for (const bool fixed : {false, true}) {
    const std::string where = fixed ? " (in a buffer)" : " (on the heap)";
    const auto fresh = [fixed](const material& m) {
      return keep<device>(fixed ? 60 * (m.from.size() + m.to.size()) + 100000 : 0);
    };
    add("device_session: the first twin" + where, [=](const material& m) {
      auto d = fresh(m);
      d->connect();
      return [d, text = device::body(m.from, m.to, 1)] { d->answer(text); };
    });
    add("device_session: another twin" + where, [=](const material& m) {
      auto d = fresh(m);
      d->connect();
      d->answer(device::body(m.from, m.from, 1));
      d->connect();
      return [d, text = device::body(m.to, m.to, 2)] { d->answer(text); };
    });
    add("device_session: a report and another twin" + where, [=](const material& m) {
      auto d = fresh(m);
      d->connect();
      d->answer(device::body(m.from, m.from, 1));
      return [d, &m, text = device::body(m.from, m.from, 2)] {
        must(d->session->report(m.to, ms(++d->now)), "report");
        d->connect();
        d->answer(text);
      };
    });
    add("device_session: a change" + where, [=](const material& m) {
      auto d = fresh(m);
      d->connect();
      d->answer(device::body(m.from, "{}", 1));
      return [d, &m] {
        must(d->session->message("$iothub/twin/PATCH/properties/desired/?$version=2", m.to,
                                 ms(++d->now)),
             "change");
      };
    });
    add("device_session: changes() with a wildcard" + where, [=](const material& m) {
      auto d = fresh(m);
      d->connect();
      d->answer(device::body("{\"in\":" + m.from + ",\"and\":1}", "{}", 1));
      d->connect();
      d->answer(device::body("{\"in\":[1],\"and\":2}", "{}", 2));
      d->connect();
      d->answer(device::body("{\"in\":" + m.to + ",\"and\":3}", "{}", 3));
      return [d] { must(d->session->changes({part::desired, "/in/*"}, ignore()), "changes"); };
    });
  }
  add("device_session: saved and restored", [](const material& m) {
    auto d = keep<device>();
    d->connect();
    d->answer(device::body(m.from, m.to, 1));
    return [d] {
      std::string bytes;
      must(d->session->save(bytes));
      device other;
      must(other.session->restore(bytes));
    };
  });
  add("find_unanswered", [](const material& m) {
    return [&m] { must(devicetwin::find_unanswered(m.from, m.to, 5, {}, ignore())); };
  });
  add("find_unanswered in a component", [](const material& m) {
    return [from = with(m.from, "\"__t\":\"c\""), to = with(m.to, "\"__t\":\"c\"")] {
      must(devicetwin::find_unanswered("{\"c\":" + from + "}", "{\"c\":" + to + "}", 5, {},
                                       ignore()));
    };
  });
  add("hub_session: GET, report, patch", [](const material& m) {
    using store_type = devicetwin::memory_store;
    auto store = keep<store_type>(devicetwin::rfc7396);
    must(store->put(*twin_of(m.from, m.from)));
    devicetwin::hub_options o;
    o.max_payload = o.max_service_body = static_cast<std::size_t>(-1);
    auto hub = std::make_shared<devicetwin::hub_session<store_type>>(*store, o);
    must(hub->connected({"d"}));
    hub->subscribed({"d"}, "$iothub/twin/PATCH/properties/desired/#");
    return [store, hub, &m, text = "{\"properties\":{\"desired\":" + m.to + "}}"] {
      must(hub->message({"d"}, "$iothub/twin/PATCH/properties/reported/?$rid=1", m.to, at(1)));
      must(hub->service_patch({"d"}, text, at(2)).why, "service_patch");
      must(hub->message({"d"}, "$iothub/twin/GET/?$rid=2", "", at(3)));
      must(hub->service_get({"d"}).why, "service_get");
    };
  });
  return all;
}

std::string number(std::size_t i) { return std::to_string(i); }

/// A table under a store that takes no instructions worth counting.
struct rows {
  std::map<std::string, std::string, std::less<>> all;
  json::error load(const devicetwin::twin_id& id, devicetwin::text_buffer& bytes,
                   std::uint64_t& revision) {
    const auto found = all.find(id.device);
    if (found == all.end()) return json::errc::not_found;
    revision = 1;
    return bytes.append(found->second.data(), found->second.size()) ? json::errc::ok
                                                                    : json::errc::out_of_memory;
  }
  json::error store(const devicetwin::twin_id& id, std::string_view bytes, std::uint64_t,
                    std::uint64_t& revision) {
    all[std::string(id.device)] = std::string(bytes);
    revision = 1;
    return {};
  }
  json::error remove(const devicetwin::twin_id& id, std::uint64_t) {
    all.erase(std::string(id.device));
    return {};
  }
};

std::vector<function> list_functions() {
  std::vector<function> all;
  const auto add = [&](const char* name, std::function<prepared(std::size_t)> f) {
    all.push_back({name, {}, std::move(f)});
  };
  add("apply_json_patch: n elements appended", [](std::size_t n) {
    std::string operations = "[";
    for (std::size_t i = 0; i < n; ++i)
      operations +=
          (i == 0 ? "" : ",") + (R"({"op":"add","path":"/a/-","value":)" + number(i) + "}");
    return [operations = operations + "]"] {
      json::document d, patch;
      must(json::read("{\"a\":[]}", d));
      must(json::read(operations, patch));
      must(merge::apply_json_patch(d, patch));
      std::string out;
      must(merge::apply_json_patch_text("{\"a\":[]}", operations, out));
    };
  });
  add("apply_json_patch: n members moved to another object and back", [](std::size_t n) {
    std::string object = "{", operations = "[";
    for (std::size_t i = 0; i < n; ++i) {
      object += (i == 0 ? "\"" : ",\"") + plain_name(i) + "\":" + number(i);
      operations += R"({"op":"move","from":"/a/)" + plain_name(n - 1 - i) + R"(","path":"/b/)" +
                    plain_name(i) + "\"},";
    }
    for (std::size_t i = 0; i < n; ++i)
      operations += R"({"op":"move","from":"/b/)" + plain_name(i) + R"(","path":"/a/)" +
                    plain_name(i) + "\"},";
    return [text = "{\"a\":" + object + "},\"b\":{}}",
            operations = operations + "{\"op\":\"test\",\"path\":\"/b\",\"value\":{}}]"] {
      json::document d, patch;
      must(json::read(text, d));
      must(json::read(operations, patch));
      must(merge::apply_json_patch(d, patch));
      std::string out;
      must(merge::apply_json_patch_text(text, operations, out));
    };
  });
  for (const std::string how : {"other elements", "elements, some gone", "elements of few kinds"}) {
    add(("for_each_difference: n " + how).c_str(), [how](std::size_t n) {
      std::string from = "[", to = "[";
      for (std::size_t i = 0; i < n; ++i) {
        from += (i == 0 ? "" : ",") + number(how.back() == 's' && how[0] == 'e' ? i * i % 7 : i);
        if (how.back() == 'e' && i % 3 == 0) continue;
        to += (to.size() == 1 ? "" : ",") + number(how[0] == 'o'       ? n + i
                                                   : how.back() == 'e' ? i
                                                                       : i * i % 5);
      }
      return [from = from + "]", to = to + "]"] {
        must(merge::for_each_difference_text(from, to, ignore()));
        json::document a, b, patch;
        must(json::read(from, a));
        must(json::read(to, b));
        must(merge::diff_json_patch(a, b, patch));
      };
    });
  }
  add("change_builder: n places of one object", [](std::size_t n) {
    return [n] {
      merge::change_builder b;
      for (std::size_t i = 0; i < n; ++i)
        b.set("/in/" + plain_name(i), static_cast<std::int64_t>(i));
      merge::change c;
      must(b.finish(c));
    };
  });
  add("change_builder: n members of a value, set and removed", [](std::size_t n) {
    return [n] {
      merge::change_builder b;
      b.set("/in", true);
      for (std::size_t i = 0; i < n; ++i)
        b.set("/in/" + plain_name(i), static_cast<std::int64_t>(i));
      for (std::size_t i = 0; i < n; ++i) b.remove("/in/" + plain_name(i));
      merge::change c;
      must(b.finish(c));
    };
  });
  for (const bool undo : {false, true}) {
    add(undo ? "change_recorder: n applies, undone" : "change_recorder: n applies",
        [undo](std::size_t n) {
          auto target = keep<json::document>();
          must(json::read("{\"a\":1}", *target));
          auto patches = keep<std::vector<json::document>>(n);
          for (std::size_t i = 0; i < n; ++i)
            must(json::read("{\"a\":" + number(i + 2) + ",\"b" + number(i) + "\":null}",
                            (*patches)[i]));
          return [target, patches, undo] {
            merge::change_recorder recorder(undo ? merge::change_recorder::direction::undo
                                                 : merge::change_recorder::direction::forward);
            for (const json::document& p : *patches)
              must(merge::apply_merge_patch(*target, p, {}, recorder));
            merge::change c;
            must(recorder.finish(c));
          };
        });
  }
  for (const bool nested : {false, true}) {
    add(nested ? "outbox::add, n times inside a set value" : "outbox::add, n times",
        [nested](std::size_t n) {
          auto changes = keep<std::vector<merge::change>>(n);
          for (std::size_t i = 0; i < n; ++i)
            must(merge::change_builder().set("/in/" + plain_name(i), true).finish((*changes)[i]));
          return [changes, nested] {
            merge::outbox box;
            json::document document, patch;
            must(json::read("{}", document));
            must(box.reconnect(document));
            if (nested) {
              merge::change c;
              must(merge::change_builder().set("/in", 1).finish(c));
              must(box.add(c));
            }
            for (const merge::change& c : *changes) must(box.add(c));
            must(box.next(patch));
          };
        });
  }
  // Objects inside each other, each with seven leaves; `value` is that of the fourth leaf.
  const auto levels = [](std::size_t n, bool reversed, const std::string& value) {
    std::string leaves;
    for (std::size_t i = 0; i < 7; ++i) {
      const std::string leaf = '"' + plain_name(i) + "\":" + (i == 3 ? value : number(i));
      leaves = reversed ? "," + leaf + leaves : leaves + leaf + ",";
    }
    std::string opened, closed;
    for (std::size_t i = 0; i < n / 8; ++i) {
      opened += reversed ? "{\"down\":" : "{" + leaves + "\"down\":";
      closed += reversed ? leaves + "}" : "}";
    }
    return opened + "{}" + closed;
  };
  for (const bool reversed : {false, true}) {
    add(reversed ? "apply_merge_patch_text: n / 8 levels, reversed"
                 : "apply_merge_patch_text: n / 8 levels",
        [=](std::size_t n) {
          return [from = levels(n, false, "1"), patch = levels(n, reversed, "2"), n] {
            merge::text_options o;
            o.max_depth = n;
            std::string out;
            must(merge::apply_merge_patch_text(from, patch, out, o));
          };
        });
  }
  const auto objects = [](std::size_t n, bool reversed) {
    std::string text = "{";
    for (std::size_t first = 0; first < n; first += 40) {
      text += (first == 0 ? "\"" : ",\"") + plain_name(first) + "\":{";
      for (std::size_t i = 0; i < 40; ++i) {
        const std::size_t at = reversed ? 39 - i : i;
        text += (i == 0 ? "\"" : ",\"") + plain_name(at) + "\":" + number(reversed ? i : at);
      }
      text += "}";
    }
    return text + "}";
  };
  add("apply_merge_patch_text: n members in objects of 40, reversed", [=](std::size_t n) {
    return [from = objects(n, false), patch = objects(n, true)] {
      std::string out;
      must(merge::apply_merge_patch_text(from, patch, out));
    };
  });
  const auto acknowledged = [](std::size_t n, bool reversed) {
    std::string desired = "{", reported = "{";
    for (std::size_t i = 0; i < n; ++i) {
      desired += (i == 0 ? "\"" : ",\"") + plain_name(i) + "\":" + number(i);
      const std::size_t j = reversed ? n - 1 - i : i;
      reported += (i == 0 ? "\"" : ",\"") + plain_name(j) + "\":{\"value\":" + number(j + 1) +
                  ",\"ac\":200,\"av\":1,\"ad\":\"done\"}";
    }
    return std::make_pair(desired + "}", reported + "}");
  };
  for (const bool reversed : {false, true}) {
    add(reversed ? "list_delta: n acknowledgements, reversed" : "list_delta: n acknowledgements",
        [=](std::size_t n) {
          const auto texts = acknowledged(n, reversed);
          auto t = twin_of(texts.first, texts.second);
          return [t] {
            devicetwin::delta_list list;
            must(devicetwin::list_delta(*t, list));
            std::string out;
            must(devicetwin::write_delta(*t, out));
          };
        });
    add(reversed ? "find_unanswered: n acknowledgements, reversed"
                 : "find_unanswered: n acknowledgements",
        [=](std::size_t n) {
          return [texts = acknowledged(n, reversed)] {
            must(devicetwin::find_unanswered(texts.first, texts.second, 2, {}, ignore()));
          };
        });
  }
  add("device_session: n changes while it asks for the twin", [](std::size_t n) {
    return [n] {
      device d;
      d.connect();
      const std::string get = d.request();
      for (std::size_t i = 0; i < n; ++i) {
        must(d.session->message("$iothub/twin/PATCH/properties/desired/?$version=" + number(i + 2),
                                "{\"a\":" + number(i) + "}", ms(++d.now)),
             "change");
      }
      d.answer(device::body("{}", "{}", 1), get);
      must_be(d.session->version(part::desired) > 0, "the twin");
    };
  });
  add("device_session: n reports before the first twin", [](std::size_t n) {
    return [n] {
      device d;
      d.connect();
      const std::string get = d.request();
      for (std::size_t i = 0; i < n; ++i)
        must(d.session->report("{\"a\":" + number(i) + "}", ms(++d.now)), "report");
      d.answer(device::body("{}", "{}", 1), get);
      must_be(d.session->version(part::desired) > 0, "the twin");
    };
  });
  add("find_unanswered: n components", [](std::size_t n) {
    auto names = keep<std::vector<std::string>>();
    std::string desired = "{", reported = "{";
    for (std::size_t i = 0; i < n; ++i) {
      names->push_back(plain_name(i));
      desired += (i == 0 ? "\"" : ",\"") + plain_name(i) + "\":{\"a\":1}";
      reported += (i == 0 ? "\"" : ",\"") + plain_name(n - 1 - i) + "\":{\"a\":2}";
    }
    auto views = keep<std::vector<std::string_view>>(names->begin(), names->end());
    return [names, views, desired, reported] {
      must(devicetwin::find_unanswered(desired + "}", reported + "}", 2,
                                       {views->data(), views->size()}, ignore()));
    };
  });
  add("list_delta and since: n tombstones", [](std::size_t n) {
    std::string values = "{", nulls = "{";
    for (std::size_t i = 0; i < n; ++i) {
      values += (i == 0 ? "\"" : ",\"") + plain_name(i) + "\":1";
      nulls += (i == 0 ? "\"" : ",\"") + plain_name(n - 1 - i) + "\":null";
    }
    auto t = twin_of(values + "}", values + "}");
    t->set_history_budget(static_cast<std::size_t>(-1) / 4);
    outcome done;
    must(t->service_patch("{\"properties\":{\"desired\":" + nulls + "}}}", at(1), done));
    return [t] {
      devicetwin::delta_list list;
      must(devicetwin::list_delta(*t, list));
      std::string out;
      must(devicetwin::write_changes_since(*t, part::desired, 1, out));
    };
  });
  add("history: n removals one by one", [](std::size_t n) {
    auto t = twin_of("{}", "{}");
    return [t, n] {
      t->set_history_budget(static_cast<std::size_t>(-1) / 4);
      outcome done;
      for (std::size_t i = 0; i < n; ++i) {
        must(t->device_patch("{\"" + plain_name(i) + "\":1}", at(1), done));
        must(t->device_patch("{\"" + plain_name(i) + "\":null}", at(1), done));
      }
      std::string out;
      must(devicetwin::write_changes_since(*t, part::reported, 1, out));
    };
  });
  add("property_writer: n properties and acknowledgements", [](std::size_t n) {
    return [n] {
      std::string out;
      devicetwin::property_writer<std::string> w(out);
      for (std::size_t i = 0; i < n / 2; ++i) {
        w.property(plain_name(i), "[1,2]");
        w.acknowledge("x" + number(i), {"21.5", 200, 7, "set"});
      }
      must(w.finish());
    };
  });
  add("property_writer: n components", [](std::size_t n) {
    return [n] {
      std::string out;
      devicetwin::property_writer<std::string> w(out);
      for (std::size_t i = 0; i < n; ++i) {
        w.component(plain_name(i));
        w.property("a", "1");
      }
      must(w.finish());
    };
  });
  add("validate: n violations", [](std::size_t n) {
    auto bad = keep<json::document>();
    std::string text = "{";
    for (std::size_t i = 0; i < n; ++i)
      text += (i == 0 ? "\"" : ",\"") + plain_name(i) + ".x\":[null]";
    must(json::read(text + "}", *bad));
    return [bad] {
      devicetwin::validation report;
      must(devicetwin::validate(*bad, part::desired, devicetwin::shape::patch, devicetwin::azure,
                                report));
      must_be(report.size() > 100, "violations");
    };
  });
  add("memory_store: n twins", [](std::size_t n) {
    return [n] {
      devicetwin::memory_store store;
      outcome done;
      for (std::size_t i = 0; i < n; ++i) must(store.create({plain_name(i)}, at(1), done));
      for (std::size_t i = 0; i < n; ++i) must(store.find({plain_name(i)}));
      for (std::size_t i = 0; i < n; ++i) must(store.remove({plain_name(i)}));
    };
  });
  add("twin_cache: n twins", [](std::size_t n) {
    return [n] {
      rows table;
      devicetwin::twin_cache<rows> store(table);
      outcome done;
      for (std::size_t i = 0; i < n; ++i) must(store.create({plain_name(i)}, at(1), done));
      for (std::size_t i = 0; i < n; ++i) must(store.find({plain_name(n - 1 - i)}));
      for (std::size_t i = 0; i < n; ++i) must(store.remove({plain_name(i)}));
    };
  });
  add("hub_session: n connections", [](std::size_t n) {
    return [n] {
      devicetwin::memory_store store;
      devicetwin::hub_options o;
      o.max_connections = n;
      devicetwin::hub_session<devicetwin::memory_store> hub(store, o);
      for (std::size_t i = 0; i < n; ++i) must(hub.connected({plain_name(i)}));
      for (std::size_t i = 0; i < n; ++i) hub.subscribed({plain_name(i)}, "$iothub/#");
      for (std::size_t i = 0; i < n; ++i) hub.disconnected({plain_name(n - 1 - i)});
    };
  });
  return all;
}

class counter {
 public:
  void begin() { CALLGRIND_START_INSTRUMENTATION; }
  void end() { CALLGRIND_STOP_INSTRUMENTATION; }
  void count(const std::string& name, const prepared& call) {
    CALLGRIND_ZERO_STATS;
    call();
    CALLGRIND_DUMP_STATS_AT(name.c_str());
  }
};

}  // namespace
}  // namespace growth

int main(int argc, char** argv) {
  using namespace growth;
  bool few = false;
  unsigned part_of = 0, parts = 1;
  std::string pattern;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--short")
      few = true;
    else if (argument == "--part" && i + 1 < argc &&
             std::sscanf(argv[i + 1], "%u/%u", &part_of, &parts) == 2 && parts != 0)
      ++i;
    else
      pattern = argument;
  }
  std::vector<function> functions, lists;
  for (auto* make_some : {text_functions, tree_functions, json_patch_functions, outbox_functions,
                          twin_functions, session_functions}) {
    for (function& f : make_some()) functions.push_back(std::move(f));
  }
  for (function& f : list_functions()) lists.push_back(std::move(f));

  std::vector<std::size_t> sizes = {250, 2000};
  if (!few) sizes.push_back(16000);
  counter counts;
  unsigned row = 0;  // each is of one part
  const std::size_t text_functions_count = text_functions().size();
  const std::vector<shape> shapes = few ? some_shapes() : all_shapes();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    std::vector<const function*> wanted;
    for (std::size_t j = 0; j < functions.size(); ++j) {
      // In the short run each function meets the first shape and one other; those on texts meet
      // all.
      if (few && i != 0 && j >= text_functions_count && i != 1 + j % (shapes.size() - 1)) continue;
      if (row++ % parts == part_of && functions[j].name.find(pattern) != std::string::npos)
        wanted.push_back(&functions[j]);
    }
    if (wanted.empty()) continue;
    // A deep document has few members in each object, and where nothing changes there is little to
    // count: 250 members say nothing about 2,000 then.
    std::vector<std::size_t> counted = sizes;
    if (few && (shapes[i].kind == "deep" || shapes[i].what == change::none))
      counted = {2000, 16000};
    std::vector<std::unique_ptr<material>> sized;
    for (const std::size_t members : counted)
      sized.push_back(std::make_unique<material>(make(shapes[i], members)));
    counts.begin();
    for (const function* f : wanted) {
      for (std::size_t k = 0; k < counted.size(); ++k) {
        counts.count(f->name + "|" + shapes[i].name() + "|" + std::to_string(counted[k]),
                     f->on_documents(*sized[k]));
      }
    }
    counts.end();
  }
  counts.begin();
  for (const function& f : lists) {
    if (row++ % parts != part_of || f.name.find(pattern) == std::string::npos) continue;
    for (const std::size_t members : sizes)
      counts.count(f.name + "|a list|" + std::to_string(members), f.on_a_list(members));
  }
  counts.end();
  return 0;
}
