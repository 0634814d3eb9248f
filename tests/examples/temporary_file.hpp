// A file for one test.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "../catch.hpp"

/// A file name of its own, in memory where the system has a place for that, and nothing there
/// afterwards.
struct temporary_file {
  std::string path;
  temporary_file() {
    struct stat s {};
    std::string name =
        std::string(::stat("/dev/shm", &s) == 0 ? "/dev/shm" : "/tmp") + "/twins-XXXXXX";
    const int file = mkstemp(&name[0]);
    REQUIRE(file >= 0);
    ::close(file);
    path = name;
  }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() {
    for (const char* end : {"", "-wal", "-shm"}) std::remove((path + end).c_str());
  }
};
