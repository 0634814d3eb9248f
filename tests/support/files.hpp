// Whole files, for tests.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "../catch.hpp"

inline std::string read_file(const std::string& path) {
  std::FILE* const in = std::fopen(path.c_str(), "rb");
  INFO(path);
  REQUIRE(in != nullptr);
  std::string bytes;
  char piece[4096];
  for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, in)) != 0;) bytes.append(piece, n);
  std::fclose(in);
  return bytes;
}

inline void write_file(const std::string& path, std::string_view bytes) {
  std::FILE* const out = std::fopen(path.c_str(), "wb");
  INFO(path);
  REQUIRE(out != nullptr);
  REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size());
  std::fclose(out);
}

/// A file in tests/unit/data, which an earlier version of the library has written.
inline std::string kept_file(const std::string& name) {
  return read_file(DEVICETWIN_TEST_DATA "/unit/data/" + name);
}
