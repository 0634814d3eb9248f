#include "output.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#endif

#include "io.hpp"

namespace tool {
namespace {

#ifdef O_PATH
constexpr int search_only = O_PATH;
#else
constexpr int search_only = O_RDONLY;
#endif

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Whether an open folder holds the descriptors of this process, as /dev/fd does.
bool holds_descriptors(int folder) {
  struct stat here {
  }, there{};
  if (::fstat(folder, &here) != 0) return false;
  for (const char* name : {"/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"}) {
    if (::stat(name, &there) == 0 && same_file(here, there)) return true;
  }
  return false;
}

/// Whether links in this folder lead to open files and not to names.
bool is_proc(int folder) {
#ifdef __linux__
  struct statfs system {};
  return ::fstatfs(folder, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
#else
  static_cast<void>(folder);
  return false;
#endif
}

/// Whether names can be added to a folder but not taken away (chattr +a). A temporary name would
/// stay there.
bool only_gains_names(int folder) {
#ifdef STATX_ATTR_APPEND
  struct statx status {};
  return ::statx(folder, "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_APPEND) != 0;
#else
  static_cast<void>(folder);
  return false;
#endif
}

/// The number that a name in /dev/fd says, of a descriptor that came with the process; -1 with
/// errno otherwise.
int descriptor_of(const std::string& name) {
  errno = EBADF;
  if (name.empty() || name.size() > 9 || name.find_first_not_of("0123456789") != std::string::npos)
    return -1;
  const int number = std::atoi(name.c_str());
  const int flags = ::fcntl(number, F_GETFD);
  if (flags < 0 || (flags & FD_CLOEXEC) != 0) {  // what this program opened itself has FD_CLOEXEC
    errno = EBADF;
    return -1;
  }
  return number;
}

descriptor open_folder(int from, const std::string& name) {
  const int flags = O_DIRECTORY | O_CLOEXEC;
  descriptor folder(::openat(from, name.c_str(), O_RDONLY | flags));
  if (!folder && errno == EACCES)
    folder = descriptor(::openat(from, name.c_str(), search_only | flags));
  return folder;
}

bool is_not_supported(int reason) {
  return reason == EINVAL || reason == ENOTSUP || reason == ENOSYS || reason == EBADF;
}

bool sync(int file) { return ::fsync(file) == 0 || is_not_supported(errno); }

/// Waits for an exclusive lock. Where files cannot be locked there is none.
void wait_for_lock(int file) {
  int result = 0;
  do {
#ifdef F_OFD_SETLKW
    // Not flock(): a user who calls this program under flock(1) holds that lock already.
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    result = ::fcntl(file, F_OFD_SETLKW, &whole);
#else
    result = ::flock(file, LOCK_EX);
#endif
  } while (result != 0 && errno == EINTR);
}

#ifdef __linux__
/// Gives a new file the access list and the other extended attributes of an old one.
bool copy_attributes(int from, int to) {
  constexpr const char* access_list = "system.posix_acl_access";
  // The new one may have an access list from its folder.
  if (::fremovexattr(to, access_list) != 0 && errno != ENODATA && errno != ENOTSUP) return false;
  const ssize_t size = ::flistxattr(from, nullptr, 0);
  if (size < 0) return errno == ENOTSUP;
  std::string names(static_cast<std::size_t>(size), '\0'), value;
  const ssize_t listed = ::flistxattr(from, names.data(), names.size());
  if (listed < 0) return false;
  names.resize(static_cast<std::size_t>(listed));
  for (const char* name = names.data(); name < names.data() + names.size();
       name += std::strlen(name) + 1) {
    const std::string_view text = name;
    if (text == "security.capability") continue;  // like a set-user-id bit
    const bool needed = text == access_list || text.substr(0, 5) == "user.";
    const ssize_t length = ::fgetxattr(from, name, nullptr, 0);
    if (length >= 0) value.resize(static_cast<std::size_t>(length));
    const bool copied = length >= 0 &&
                        ::fgetxattr(from, name, value.data(), value.size()) == length &&
                        ::fsetxattr(to, name, value.data(), value.size(), 0) == 0;
    if (!copied && needed) return false;
  }
  return true;
}
#else
bool copy_attributes(int, int) { return true; }
#endif

/// Gives a new file the owner, group, mode and attributes of an old one. `old_file` may be -1.
bool keep_attributes(int old_file, const struct stat& old, int fresh) {
  struct stat now {};
  if (::fstat(fresh, &now) != 0) return false;
  if ((now.st_uid != old.st_uid || now.st_gid != old.st_gid) &&
      ::fchown(fresh, old.st_uid, old.st_gid) != 0)
    return false;
  if (old_file >= 0 && !copy_attributes(old_file, fresh)) return false;
  // Last: a change of the owner clears bits. Neither set-user-id nor set-group-id bits are kept.
  return ::fchmod(fresh, old.st_mode & 01777) == 0;
}

bool read_at(int file, std::string& text) {
  text.clear();
  char block[65536];
  for (;;) {
    const ssize_t count = ::pread(file, block, sizeof block, static_cast<off_t>(text.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    text.append(block, static_cast<std::size_t>(count));
  }
}

/// Makes a text the whole content of an open file, without cutting it first: the room that the file
/// has stays its own.
bool overwrite(int file, std::string_view text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count =
        ::pwrite(file, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return ::ftruncate(file, static_cast<off_t>(text.size())) == 0;
}

bool is_no_access(int reason) { return reason == EACCES || reason == EPERM || reason == EROFS; }
bool is_not_replaceable(int reason) {
  return is_no_access(reason) || reason == EBUSY || reason == EXDEV;
}

}  // namespace

int print(std::string_view text) {
  output_set standard_output;
  if (const int status = standard_output.add("", "-", false)) return status;
  standard_output.set_text("", text);
  return standard_output.deliver();
}

int output_set::complain_of(const target& t) {
  if (t.complained) return exit_trouble;
  return complain_of_file(t.name == "-" ? "standard output" : t.name, "cannot be written");
}

int output_set::add(const char* option, const std::string& name, bool optional) {
  targets_.emplace_back();
  target& t = targets_.back();
  t.option = option;
  t.name = name;
  t.optional = optional;
  if (name == "-") {
    t.kind = target::open_descriptor;
    t.number = STDOUT_FILENO;
  } else if (!follow(t)) {
    return complain_of(t);
  }
  struct stat status {};
  if (t.kind == target::open_descriptor && ::fstat(t.number, &status) == 0) never_map(status);
  return 0;
}

/// Finds out what an output is, and where: each link of its name is followed, because an open
/// descriptor hides behind a link (/dev/stdout), and because a link to a file that is not there yet
/// is where that file is to be made.
bool output_set::follow(target& t) {
  struct stat status {};
  const bool exists =
      ::stat(t.name.c_str(), &status) == 0;  // the system may refuse to follow a link
  if (!exists && errno != ENOENT) return false;
  std::string path = t.name;
  for (int links = 0; links < 40; ++links) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    t.base = slash == std::string::npos ? path : path.substr(slash + 1);
    t.folder = open_folder(t.folder ? t.folder.get() : AT_FDCWD, folder);
    if (!t.folder) return false;
    if (t.base.empty() || t.base == "." || t.base == "..") {
      errno = exists ? EISDIR : ENOENT;
      return false;
    }
    if (holds_descriptors(t.folder.get())) {
      t.kind = target::open_descriptor;
      t.number = descriptor_of(t.base);
      return t.number >= 0;
    }
    char link[PATH_MAX];
    const ssize_t length = ::readlinkat(t.folder.get(), t.base.c_str(), link, sizeof link);
    if (length < 0) return (errno == EINVAL || errno == ENOENT) && find_status(t);
    if (is_proc(t.folder.get())) {  // an open file of another process
      t.kind = target::stream;
      return true;
    }
    path.assign(link, static_cast<std::size_t>(length));
  }
  errno = ELOOP;
  return false;
}

/// Looks at the file again.
bool output_set::find_status(target& t) {
  t.exists = ::fstatat(t.folder.get(), t.base.c_str(), &t.status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!t.exists) return errno == ENOENT;
  t.kind = S_ISREG(t.status.st_mode) ? target::file : target::stream;
  errno = EISDIR;
  return !S_ISDIR(t.status.st_mode);
}

int output_set::check(const std::vector<std::string>& inputs) const {
  struct place {
    const target* of;
    bool known;
    struct stat status;
  };
  std::vector<place> places;
  for (const target& t : targets_) {
    place p{&t, false, {}};
    if (t.kind == target::open_descriptor) {
      p.known = ::fstat(t.number, &p.status) == 0;
    } else if (t.exists) {
      p.known = true;
      p.status = t.status;
    } else {
      p.known = false;
      static_cast<void>(::fstat(t.folder.get(), &p.status));
    }
    for (const place& other : places) {
      const target& o = *other.of;
      bool same = false;
      if (t.kind == target::open_descriptor && o.kind == target::open_descriptor) {
        if (t.number != o.number) continue;
        return complain(o.option + " and " + t.option + " both go to " +
                        (t.number == STDOUT_FILENO ? "standard output" : t.name));
      }
      if (p.known && other.known) {
        same = same_file(p.status, other.status) && !S_ISCHR(p.status.st_mode) &&
               !S_ISBLK(p.status.st_mode);
      } else if (p.known == other.known) {
        same =
            same_file(p.status, other.status) && t.base == o.base;  // a file that is not there yet
      }
      if (same) return complain(o.option + " and " + t.option + " are the same file");
    }
    places.push_back(p);
    if (!t.optional || !p.known || !S_ISREG(p.status.st_mode)) continue;
    for (const std::string& input : inputs) {
      struct stat status {};
      const bool known =
          input == "-" ? ::fstat(STDIN_FILENO, &status) == 0 : ::stat(input.c_str(), &status) == 0;
      if (known && same_file(status, p.status))
        return complain(t.option + " would overwrite the input " + t.name);
    }
  }
  return 0;
}

bool output_set::has_files() const {
  return std::any_of(targets_.begin(), targets_.end(),
                     [](const target& t) { return t.kind == target::file && t.exists; });
}

void output_set::open_and_lock(target& t) {
  const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  t.opened = descriptor(::openat(t.folder.get(), t.base.c_str(), O_RDWR | flags));
  t.write_error = t.opened ? 0 : errno;
  if (!t.opened) t.opened = descriptor(::openat(t.folder.get(), t.base.c_str(), O_RDONLY | flags));
  if (t.opened && t.write_error == 0) wait_for_lock(t.opened.get());
}

int output_set::lock() {
  for (;;) {
    std::vector<target*> files;
    for (target& t : targets_) {
      if (t.kind != target::file) continue;
      if (!find_status(t)) return complain_of(t);
      if (t.kind == target::file && t.exists) files.push_back(&t);
    }
    // Everyone locks in the same order, so that no two wait for each other.
    std::sort(files.begin(), files.end(), [](const target* a, const target* b) {
      return std::make_pair(a->status.st_dev, a->status.st_ino) <
             std::make_pair(b->status.st_dev, b->status.st_ino);
    });
    for (target* t : files) open_and_lock(*t);
    // Whoever had the lock before may have put another file in the place of this one.
    const bool still_there = std::all_of(files.begin(), files.end(), [](target* t) {
      struct stat locked {
      }, now{};
      if (::fstatat(t->folder.get(), t->base.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) return false;
      const struct stat& mine =
          t->opened && ::fstat(t->opened.get(), &locked) == 0 ? locked : t->status;
      if (!same_file(mine, now)) return false;
      t->status = now;
      return true;
    });
    if (still_there) return 0;
    for (target* t : files) t->opened = descriptor();
  }
}

void output_set::set_text(const char* option, std::string_view text) {
  for (target& t : targets_) {
    if (t.option == option) t.text = text;
  }
}

void output_set::set_content(const char* option, content write) {
  for (target& t : targets_) {
    if (t.option == option) t.write = write;
  }
}

/// Writes the text or the content. Returns false, with errno unless there was a complaint, when that
/// fails, or when a mapped input has changed before the end.
bool output_set::write_content(target& t, byte_stream& out) {
  if (!t.write) {
    const bool written = out.append(t.text) && out.flush();
    errno = out.error();
    return written;
  }
  const bool written =
      check_inputs_unchanged() == 0 && t.write(out) && out.flush() && check_inputs_unchanged() == 0;
  t.complained = !written && out.error() == 0;
  errno = out.error();
  return written;
}
bool output_set::write_content(target& t, int file) {
  byte_stream out(file);
  return write_content(t, out);
}

bool output_set::prepare(target& t) {
  const bool nothing = t.optional && t.text.empty() && !t.write;
  if (t.kind != target::file) {
    t.action = nothing ? target::none : target::write_stream;
    return nothing || prepare_stream(t);
  }
  if (nothing) {
    t.action = t.exists ? target::take_away : target::none;
    return true;
  }
  return prepare_file(t);
}

bool output_set::prepare_stream(target& t) {
  if (t.kind == target::open_descriptor) {
    t.stream_file = descriptor(::fcntl(t.number, F_DUPFD_CLOEXEC, 3));
  } else {
    const int append =
        is_proc(t.folder.get()) ? O_APPEND : 0;  // what another process has written stays
    t.stream_file = descriptor(
        ::openat(t.folder.get(), t.base.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | append));
  }
  return static_cast<bool>(t.stream_file);
}

/// Writes the new file beside the old one, or finds that the old one has to be written in place.
bool output_set::prepare_file(target& t) {
  if (!t.exists) {
    t.action = target::create;
    if (!t.fresh.create(t.folder.get(), 0666)) return false;
  } else {
    t.action = target::replace;
    if (t.status.st_nlink > 1) return prepare_in_place(t, "it has other hard links");
    if (only_gains_names(t.folder.get()))
      return prepare_in_place(t, "no file can be replaced in its folder");
    if (!t.fresh.create(t.folder.get(), 0600)) {
      if (!is_no_access(errno)) return false;
      return prepare_in_place(
          t, std::string("no file can be made beside it: ") + std::strerror(errno));
    }
    if (!keep_attributes(t.opened.get(), t.status, t.fresh.get())) {
      return prepare_in_place(t, "a new file would not keep its owner, group or attributes");
    }
  }
  return write_content(t, t.fresh.get()) && sync(t.fresh.get());
}

bool output_set::prepare_in_place(target& t, std::string why) {
  t.fresh.remove();
  t.action = target::write_in_place;
  t.why_in_place = std::move(why);
  if (t.write) {  // the file may be an input
    std::string text;
    byte_stream collected(text);
    if (!write_content(t, collected)) return false;
    t.text = std::move(text);
    t.write = nullptr;
  }
  if (!t.opened || t.write_error != 0) {
    errno = t.write_error != 0 ? t.write_error : EACCES;
    return false;
  }
#ifdef __linux__
  // A full disk shows now, before anything is changed.
  if (!t.text.empty() &&
      ::fallocate(t.opened.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(t.text.size())) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    return false;
  }
#endif
  return read_at(t.opened.get(), t.old_text);
}

bool output_set::write_in_place(target& t) {
  t.changed = true;
  if (!overwrite(t.opened.get(), t.text) || !sync(t.opened.get())) return false;
  if ((t.status.st_mode & 06000) != 0)
    static_cast<void>(::fchmod(t.opened.get(), t.status.st_mode & 01777));
  complain(t.name + ": written in place: " + t.why_in_place);
  return true;
}

/// Whether the file is no longer the one that was there when the inputs were read. A program that
/// takes no lock may have replaced it, and so may this one where the file is for reading only and
/// cannot be locked.
bool output_set::is_replaced(const target& t) {
  if (t.kind != target::file || !t.exists) return false;
  struct stat now {};
  return ::fstatat(t.folder.get(), t.base.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 ||
         !same_file(now, t.status);
}

/// Gives an output its name, or writes it where it is. Undoable: undo() can bring the old file
/// back.
bool output_set::commit(target& t, bool undoable) {
  bool done = false;
  switch (t.action) {
    case target::none:
      return true;
    case target::write_stream:
      return write_content(t, t.stream_file.get()) && t.stream_file.close();
    case target::write_in_place:
      return write_in_place(t);
    case target::take_away:
      done = undoable ? t.old.move_from(t.folder.get(), t.base)
                      : ::unlinkat(t.folder.get(), t.base.c_str(), 0) == 0;
      break;
    case target::replace:
      if (undoable)
        static_cast<void>(
            t.old.link_to(t.folder.get(), t.base));  // without links there is no way back
      done = t.fresh.rename_to(t.base);
      break;
    case target::create:
      done = t.fresh.rename_to(t.base);
      break;
  }
  if (done) {
    t.changed = true;
    return true;
  }
  if (!t.exists || !is_not_replaceable(errno)) return false;
  const std::string what =
      t.action == target::take_away ? "it cannot be removed: " : "it cannot be replaced: ";
  const std::string why = what + std::strerror(errno);
  t.old.remove();
  return prepare_in_place(t, why) && write_in_place(t);
}

void output_set::undo(target& t) {
  if (!t.changed) return;
  bool undone = true;
  if (t.action == target::write_in_place) {
    undone = overwrite(t.opened.get(), t.old_text) && sync(t.opened.get());
  } else if (t.action == target::create) {
    undone = ::unlinkat(t.folder.get(), t.base.c_str(), 0) == 0;
  } else if (t.action == target::replace || t.action == target::take_away) {
    undone = t.old && t.old.rename_to(t.base);
  }
  if (!undone) complain_of_file(t.name, "cannot be restored");
}

int output_set::deliver() {
  for (target& t : targets_) {
    if (!prepare(t)) return complain_of(t);
  }
  // The order: what cannot be undone and may well fail, then what is written in place, then names.
  // Of each the main output last.
  std::vector<target*> order;
  for (const bool main : {false, true}) {
    for (target& t : targets_) {
      if ((&t == &targets_.front()) == main) order.push_back(&t);
    }
  }
  const auto rank = [](const target* t) {
    return t->action == target::write_stream ? 0 : t->action == target::write_in_place ? 1 : 2;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const target* a, const target* b) { return rank(a) < rank(b); });
  std::size_t files = 0;
  for (const target* t : order) files += t->kind == target::file && t->action != target::none;

  for (const target& t : targets_) {
    if (is_replaced(t))
      return complain(t.name + ": cannot be written: another program has replaced it meanwhile");
  }
  std::size_t streams = 0;
  for (; streams < order.size() && rank(order[streams]) == 0; ++streams) {
    if (!commit(*order[streams], false)) return complain_of(*order[streams]);
  }
  const signals_held held;
  for (std::size_t i = streams; i < order.size(); ++i) {
    if (commit(*order[i], files > 1)) continue;
    const int status = complain_of(*order[i]);
    for (std::size_t j = i + 1; j-- > streams;) undo(*order[j]);
    return status;
  }
  for (target* t : order) {
    t->old.remove();
    if (t->changed && t->action != target::write_in_place && !sync(t->folder.get())) {
      return complain_of_file(t->name, "is written, but may not outlive a power loss");
    }
  }
  return 0;
}

}  // namespace tool
