// Files in tests/unit/data, which earlier versions of the library have written.
#pragma once

#include <cstdio>
#include <string>

#include "../catch.hpp"

inline std::string kept_file(const std::string& name) {
  std::FILE* const in = std::fopen((DEVICETWIN_TEST_DATA "/unit/data/" + name).c_str(), "rb");
  INFO(name);
  REQUIRE(in != nullptr);
  std::string bytes;
  char piece[4096];
  for (std::size_t n; (n = std::fread(piece, 1, sizeof piece, in)) != 0;) bytes.append(piece, n);
  std::fclose(in);
  return bytes;
}
