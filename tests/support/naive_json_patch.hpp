// JSON Patch (RFC 6902) as one would write it on a first day: with RapidJSON's own functions, on a
// copy, one operation after the other. And random patches that mostly apply.
#pragma once

#include <devicetwin/json/read.hpp>
#include <devicetwin/json/write.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "reference.hpp"

namespace naive_json_patch {

using document = rapidjson::Document;
using value = rapidjson::Value;
using size = rapidjson::SizeType;

struct place {
  value* parent = nullptr;
  value* found = nullptr;
  std::string name;  ///< the last step
  size index = 0;    ///< where an element is, or goes
};

inline bool split(std::string_view pointer, std::vector<std::string>& steps) {
  if (!pointer.empty() && pointer.front() != '/') return false;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      steps.emplace_back();
    } else if (pointer[i] != '~') {
      steps.back() += pointer[i];
    } else if (++i < pointer.size() && (pointer[i] == '0' || pointer[i] == '1')) {
      steps.back() += pointer[i] == '0' ? '~' : '/';
    } else {
      return false;
    }
  }
  return true;
}

inline value* member(value& object, const std::string& name) {
  for (auto m = object.MemberBegin(); m != object.MemberEnd(); ++m) {
    if (std::string(m->name.GetString(), m->name.GetStringLength()) == name) return &m->value;
  }
  return nullptr;
}

inline bool resolve(value& root, std::string_view pointer, bool may_be_new, place& out) {
  std::vector<std::string> steps;
  if (!split(pointer, steps)) return false;
  out = {nullptr, &root, {}, 0};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool last = i + 1 == steps.size();
    value& container = *out.found;
    out = {&container, nullptr, steps[i], 0};
    if (container.IsObject()) {
      out.found = member(container, steps[i]);
      if (out.found == nullptr && !(last && may_be_new)) return false;
    } else if (container.IsArray()) {
      if (last && may_be_new && steps[i] == "-") {
        out.index = container.Size();
        return true;
      }
      if (steps[i].empty() || steps[i].size() > 9 || (steps[i].size() > 1 && steps[i][0] == '0') ||
          steps[i].find_first_not_of("0123456789") != std::string::npos)
        return false;
      out.index = static_cast<size>(std::stoul(steps[i]));
      if (out.index < container.Size()) out.found = &container[out.index];
      if (out.index > container.Size()) return false;
      if (out.found == nullptr && !(last && may_be_new)) return false;
    } else {
      return false;
    }
  }
  return true;
}

inline bool same(const value& a, const value& b) {
  return reference::equal(reference::from_value(a), reference::from_value(b));
}

inline bool add(document& d, std::string_view path, value&& fresh, bool may_be_new,
                bool unless_equal) {
  place to;
  if (!resolve(d, path, may_be_new, to)) return false;
  if (to.parent == nullptr || (!may_be_new || to.parent->IsObject())) {
    if (to.found == nullptr) {
      to.parent->AddMember(
          value(to.name.data(), static_cast<size>(to.name.size()), d.GetAllocator()), fresh,
          d.GetAllocator());
    } else if (!unless_equal || !same(*to.found, fresh)) {
      *to.found = fresh;
    }
    return true;
  }
  to.parent->PushBack(value(), d.GetAllocator());
  for (size i = to.parent->Size() - 1; i > to.index; --i) (*to.parent)[i].Swap((*to.parent)[i - 1]);
  (*to.parent)[to.index] = fresh;
  return true;
}
inline bool remove(document& d, std::string_view path) {
  place from;
  if (!resolve(d, path, false, from) || from.parent == nullptr) return false;
  if (from.parent->IsArray()) {
    from.parent->Erase(from.parent->Begin() + from.index);
  } else {
    from.parent->EraseMember(from.parent->FindMember(
        value(from.name.data(), static_cast<size>(from.name.size()), d.GetAllocator())));
  }
  return true;
}

inline bool apply_one(document& d, const value& operation) {
  const auto text = [&](const char* name) {
    return operation.HasMember(name) && operation[name].IsString()
               ? std::string(operation[name].GetString(), operation[name].GetStringLength())
               : std::string("no pointer");
  };
  if (!operation.IsObject() || !operation.HasMember("op") || !operation["op"].IsString() ||
      !operation.HasMember("path") || !operation["path"].IsString())
    return false;
  const std::string verb = text("op"), path = text("path"), from = text("from");
  place at;
  if (verb == "add" || verb == "replace") {
    return operation.HasMember("value") &&
           add(d, path, value(operation["value"], d.GetAllocator()), verb == "add", true);
  }
  if (verb == "remove") return remove(d, path);
  if (verb == "test") {
    return operation.HasMember("value") && resolve(d, path, false, at) &&
           same(*at.found, operation["value"]);
  }
  if (verb != "move" && verb != "copy") return false;
  if (!resolve(d, from, false, at)) return false;
  value moved(*at.found, d.GetAllocator());
  if (verb == "copy") return add(d, path, static_cast<value&&>(moved), true, false);
  if (from == path) return true;
  if (path.compare(0, from.size() + 1, from + "/") == 0) return false;
  return remove(d, from) && add(d, path, static_cast<value&&>(moved), true, false);
}

/// Applies a patch to `d`, up to the first operation that fails. Returns how many did not fail.
inline size apply(document& d, const value& patch) {
  for (size i = 0; i < patch.Size(); ++i) {
    if (!apply_one(d, patch[i])) return i;
  }
  return patch.Size();
}

/// The pointers to a value and to all in it.
inline void collect(const value& v, const std::string& pointer, std::vector<std::string>& out) {
  out.push_back(pointer);
  if (v.IsArray()) {
    for (size i = 0; i < v.Size(); ++i) collect(v[i], pointer + "/" + std::to_string(i), out);
  }
  if (!v.IsObject()) return;
  for (auto m = v.MemberBegin(); m != v.MemberEnd(); ++m) {
    std::string token;
    for (size i = 0; i < m->name.GetStringLength(); ++i) {
      const char c = m->name.GetString()[i];
      token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    collect(m->value, pointer + "/" + token, out);
  }
}

/// A patch of `count` operations for `d`, which becomes its result, as far as it applies. One
/// operation in `faults` is likely to fail; 0 for none.
template <class Random>
std::string random_patch(Random& random, document& d, unsigned count, unsigned faults) {
  std::string patch = "[";
  const auto pick = [&random](std::size_t n) {
    return (random.below(256) * 256 + random.below(256)) % n;
  };
  bool good = true;
  for (unsigned i = 0; i < count; ++i) {
    std::vector<std::string> places;
    collect(d, "", places);
    const auto any = [&] { return places[pick(places.size())]; };
    const auto fresh = [&]() -> std::string {
      const std::string parent = any();
      place at;
      resolve(d, parent, false, at);
      if (at.found->IsArray())
        return parent + "/" +
               (random.below(4) == 0 ? "-" : std::to_string(pick(at.found->Size() + 1)));
      return at.found->IsObject() ? parent + "/new~1" + std::to_string(random.below(6)) : parent;
    };
    const bool fault = faults != 0 && random.below(faults) == 0;
    const auto to = [&] { return random.below(3) == 0 ? any() : fresh(); };
    const auto old = [&] { return fault ? any() + "/" + std::to_string(random.below(3)) : any(); };
    std::string operation;
    switch (random.below(7)) {
      case 0:
      case 1:
        operation = R"("op":"add","path":")" + to() + R"(","value":)" + random.value(3);
        break;
      case 2:
        operation = R"("op":"remove","path":")" + old() + R"(")";
        break;
      case 3:
        operation = R"("op":"replace","path":")" + old() + R"(","value":)" + random.value(3);
        break;
      case 4:
        operation = R"("op":"move","from":")" + old() + R"(","path":")" + to() + R"(")";
        break;
      case 5:
        operation = R"("op":"copy","from":")" + old() + R"(","path":")" + to() + R"(")";
        break;
      default: {
        const std::string path = old();
        place at;
        std::string expected = random.value(3);
        if (random.below(8) != 0 && resolve(d, path, false, at)) {
          expected.clear();
          if (devicetwin::json::write(*at.found, expected)) std::abort();
        }
        operation = R"("op":"test","path":")" + path + R"(","value":)" + expected;
      }
    }
    operation = "{" + operation + "}";
    document copy, parsed;
    copy.CopyFrom(d, copy.GetAllocator());
    if (devicetwin::json::read(operation, parsed)) continue;
    const bool applies = good && apply_one(copy, parsed);
    if (!applies && !fault) continue;
    good = good && applies;
    if (good) d.CopyFrom(copy, d.GetAllocator());
    patch += (patch.size() > 1 ? "," : "") + operation;
  }
  return patch + "]";
}

}  // namespace naive_json_patch
