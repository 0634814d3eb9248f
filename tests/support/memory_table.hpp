// A twin_table in memory that outlives the stores over it, as a database does, and fails when it is
// told to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "twin.hpp"

struct memory_table {
  struct row {
    std::string bytes;
    std::uint64_t revision;
  };
  std::map<std::pair<std::string, std::string>, row> rows;
  std::uint64_t last_revision = 0;
  std::size_t loads = 0, stores = 0;
  std::size_t failing_store = 0;       // the n-th store() from the start fails; 0: none
  bool stores_before_failing = false;  // the answer is lost, not the write

  static std::pair<std::string, std::string> key(const devicetwin::twin_id& id) {
    return {std::string(id.device), std::string(id.module)};
  }

  json::error load(const devicetwin::twin_id& id, devicetwin::text_buffer& bytes,
                   std::uint64_t& revision) {
    ++loads;
    const auto found = rows.find(key(id));
    if (found == rows.end()) return errc::not_found;
    if (!bytes.append(found->second.bytes.data(), found->second.bytes.size()))
      return errc::out_of_memory;
    revision = found->second.revision;
    return {};
  }
  json::error store(const devicetwin::twin_id& id, std::string_view bytes, std::uint64_t expected,
                    std::uint64_t& revision) {
    const bool fails = ++stores == failing_store;
    if (fails && !stores_before_failing) return errc::handler_stopped;
    const auto found = rows.find(key(id));
    if ((found == rows.end() ? 0 : found->second.revision) != expected)
      return errc::precondition_failed;
    rows[key(id)] = {std::string(bytes), ++last_revision};
    if (fails) return errc::handler_stopped;
    revision = last_revision;
    return {};
  }
  json::error remove(const devicetwin::twin_id& id, std::uint64_t expected) {
    const auto found = rows.find(key(id));
    if (found == rows.end()) return errc::not_found;
    if (found->second.revision != expected) return errc::precondition_failed;
    rows.erase(found);
    return {};
  }
};
