// Memory at the edge of what may be read: a byte too far ends the program.
#pragma once

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <cstring>
#include <string_view>

/// Pages with an unmapped one on each side. A text is put right behind the first or right before
/// the last.
class guarded_memory {
 public:
  guarded_memory() {
#if defined(_WIN32)
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    page_ = info.dwPageSize;
    size_ = usable + 2 * page_;
    base_ = static_cast<char*>(VirtualAlloc(nullptr, size_, MEM_RESERVE, PAGE_NOACCESS));
    if (base_ == nullptr ||
        VirtualAlloc(base_ + page_, usable, MEM_COMMIT, PAGE_READWRITE) == nullptr)
      std::abort();
#else
    page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = usable + 2 * page_;
    void* const pages = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) std::abort();
    base_ = static_cast<char*>(pages);
    if (mprotect(base_ + page_, usable, PROT_READ | PROT_WRITE) != 0) std::abort();
#endif
  }
  ~guarded_memory() {
#if defined(_WIN32)
    VirtualFree(base_, 0, MEM_RELEASE);
#else
    munmap(base_, size_);
#endif
  }
  guarded_memory(const guarded_memory&) = delete;
  guarded_memory& operator=(const guarded_memory&) = delete;

  std::string_view put(std::string_view text, bool at_end) {
    if (text.size() > usable) std::abort();
    char* to = at_end ? base_ + size_ - page_ - text.size() : base_ + page_;
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

 private:
  static constexpr std::size_t usable = std::size_t{1} << 20;
  std::size_t page_;
  std::size_t size_;
  char* base_;
};
