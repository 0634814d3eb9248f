#include "../catch.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "../../examples/device/state_file.hpp"

using device::state_file;

namespace {

/// A folder for one test.
struct temporary_folder {
  std::string path = "/tmp/devicetwin-state-XXXXXX";
  temporary_folder() { REQUIRE(mkdtemp(&path[0]) != nullptr); }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  ~temporary_folder() { static_cast<void>(std::system(("rm -rf " + path).c_str())); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
};

/// Nothing when it is not a regular file.
std::string text_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode;
}
bool is_there(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// What load() says of a file, and that save() does not touch it then.
std::string refusal(const std::string& path, const std::string& host = "hub",
                    const std::string& name = "dev") {
  const std::string before = text_of(path);
  state_file file(path, host, name);
  std::string state;
  const std::string problem = file.load(state);
  CHECK_FALSE(problem.empty());
  CHECK(state.empty());
  CHECK_FALSE(file.save("new").empty());
  CHECK(text_of(path) == before);
  CHECK_FALSE(is_there(path + ".new"));
  return problem;
}

}  // namespace

TEST_CASE("what a state file saved is read again, for the same device and hub alone") {
  const temporary_folder folder;
  const std::string path = folder / "state", bytes("DTDS\0\1\n\xff", 8);
  {
    state_file file(path, "Hub.Example", "dev");
    std::string state = "x";
    REQUIRE(file.load(state).empty());
    CHECK(state.empty());
    CHECK_FALSE(is_there(path));
    REQUIRE(file.save(bytes).empty());
    REQUIRE(file.save(bytes).empty());
    REQUIRE(file.save("later").empty());
    REQUIRE(file.save(bytes).empty());
    CHECK_FALSE(is_there(path + ".new"));
  }
  CHECK(mode_of(path) == (S_IFREG | 0600));
  CHECK(text_of(path) == "devicetwin device state 1\nhub.example\ndev\n" + bytes);
  CHECK(refusal(path, "hub.example", "other") ==
        path + ": it is the state of dev at hub.example, not of other at hub.example");
  CHECK(refusal(path, "hub.example", "dev/module") ==
        path + ": it is the state of dev at hub.example, not of dev/module at hub.example");
  CHECK(refusal(path, "elsewhere", "dev") ==
        path + ": it is the state of dev at hub.example, not of dev at elsewhere");
  state_file file(path, "HUB.EXAMPLE", "dev");
  std::string state;
  REQUIRE(file.load(state).empty());
  CHECK(state == bytes);
  CHECK_FALSE(file.was_unbound());
}

TEST_CASE("a state file of the first version is taken, and bound when it is saved") {
  const temporary_folder folder;
  const std::string path = folder / "state", bytes("DTDS\1anything\n", 14);
  write(path, bytes);
  {
    state_file file(path, "hub", "dev");
    std::string state;
    REQUIRE(file.load(state).empty());
    CHECK(state == bytes);
    CHECK(file.was_unbound());
    CHECK(text_of(path) == bytes);
    REQUIRE(file.save(state).empty());
  }
  CHECK(text_of(path) == "devicetwin device state 1\nhub\ndev\n" + bytes);
  CHECK(refusal(path, "hub", "other").find("not of other at hub") != std::string::npos);
}

TEST_CASE("a state file that cannot be read is left as it is") {
  const temporary_folder folder;
  const std::string path = folder / "state";
  write(path, "devicetwin device state 2\nhub\ndev\nDTDS");
  CHECK(refusal(path) == path + ": the state was saved by a newer version of this program");
  for (const char* damaged :
       {"", "D", "DTD", "devicetwin device state 1", "devicetwin device state 1\nhub\ndev", "{}",
        "\n\n\n", "Devicetwin device state 1\nhub\ndev\n"}) {
    write(path, damaged);
    CHECK(refusal(path) == path + ": the saved state is damaged");
  }
  REQUIRE(::unlink(path.c_str()) == 0);
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  CHECK(refusal(path) == path + ": it is not a regular file");
  REQUIRE(::rmdir(path.c_str()) == 0);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(refusal(path) == path + ": it is not a regular file");
  CHECK(S_ISFIFO(mode_of(path)));
  if (::geteuid() != 0) {  // root may read everything
    REQUIRE(::unlink(path.c_str()) == 0);
    write(path, "DTDS");
    REQUIRE(::chmod(path.c_str(), 0) == 0);
    CHECK(refusal(path) == path + ": it cannot be read: Permission denied");
  }
}

TEST_CASE("a state file that is a link is not followed") {
  const temporary_folder folder;
  const std::string path = folder / "state", target = folder / "target";
  write(target, "precious");
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
  CHECK(refusal(path) == path + ": it is a symbolic link; give the name of the file itself");
  REQUIRE(::unlink(path.c_str()) == 0);
  // The name of the new file, before it becomes the state.
  REQUIRE(::symlink(target.c_str(), (path + ".new").c_str()) == 0);
  state_file file(path, "hub", "dev");
  std::string state;
  REQUIRE(file.load(state).empty());
  REQUIRE(file.save("state").empty());
  CHECK(text_of(target) == "precious");
  CHECK(S_ISREG(mode_of(path)));
  CHECK_FALSE(is_there(path + ".new"));
  // A link that comes while the program runs.
  REQUIRE(::unlink(path.c_str()) == 0);
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
  CHECK(file.save("later") ==
        path + ": the state cannot be saved: another program has changed the file");
  CHECK(text_of(target) == "precious");
  CHECK(S_ISLNK(mode_of(path)));
}

TEST_CASE("a new state file that a power loss has left is replaced") {
  const temporary_folder folder;
  const std::string path = folder / "state";
  write(path + ".new", "half a sta");
  REQUIRE(::chmod((path + ".new").c_str(), 0666) == 0);
  state_file file(path, "hub", "dev");
  std::string state;
  REQUIRE(file.load(state).empty());
  REQUIRE(file.save("state").empty());
  CHECK(mode_of(path) == (S_IFREG | 0600));
  CHECK(text_of(path) == "devicetwin device state 1\nhub\ndev\nstate");
}

TEST_CASE("two programs do not use one state file") {
  const temporary_folder folder;
  const std::string path = folder / "state";
  state_file first(path, "hub", "dev");
  std::string state;
  REQUIRE(first.load(state).empty());
  REQUIRE(first.save("one").empty());
  CHECK(refusal(path) == path + ": another program uses it");
  REQUIRE(first.save("two").empty());
  CHECK(refusal(path) == path + ": another program uses it");
  // One that does not ask.
  REQUIRE(::unlink(path.c_str()) == 0);
  write(path, "of another program");
  CHECK(first.save("three") ==
        path + ": the state cannot be saved: another program has changed the file");
  CHECK(text_of(path) == "of another program");
  CHECK_FALSE(is_there(path + ".new"));
}

TEST_CASE("a save that fails leaves the old state, and a later one succeeds") {
  const temporary_folder folder;
  const std::string path = folder / "state";
  state_file file(path, "hub", "dev");
  std::string state;
  REQUIRE(file.load(state).empty());
  REQUIRE(file.save("old").empty());
  const std::string before = text_of(path);

  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const rlimit small{1000, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string problem = file.save(std::string(5000, 'x'));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK(problem == path + ": the state cannot be saved: File too large");
  CHECK(text_of(path) == before);
  CHECK_FALSE(is_there(path + ".new"));

  REQUIRE(::mkdir((path + ".new").c_str(), 0700) == 0);
  CHECK(file.save("new").find(path + ".new cannot be made: ") != std::string::npos);
  CHECK(text_of(path) == before);
  REQUIRE(::rmdir((path + ".new").c_str()) == 0);

  REQUIRE(file.save("new").empty());
  CHECK(text_of(path) == "devicetwin device state 1\nhub\ndev\nnew");

  state_file nowhere(folder / "no/such/file", "hub", "dev");
  REQUIRE(nowhere.load(state).empty());
  CHECK(nowhere.save("state").find("cannot be made: No such file or directory") !=
        std::string::npos);
}
