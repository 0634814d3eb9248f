// A device that keeps its twin in step with a hub: the one of examples/mosquitto_hub, or the real
// service. See --help.

#include <devicetwin/base/chrono.hpp>
#include <devicetwin/device/device_session.hpp>
#include <devicetwin/json/visible.hpp>

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

#include "../azure/connection_string.hpp"
#include "../azure/sas_token.hpp"
#include "mqtt_link.hpp"
#include "state_file.hpp"

namespace {

using devicetwin::milliseconds_now;

namespace json = devicetwin::json;
using devicetwin::device_action;
using devicetwin::device_options;
using devicetwin::device_session;
using devicetwin::part;
using devicetwin::text_change;

constexpr const char* help = R"(usage: device [OPTION...] [CONNECTION_STRING]

Keeps a device's twin in step with its hub. Prints each change of desired as POINTER: OLD -> NEW. Each line of standard
input is a merge patch to report, such as {"rpm":900}; a line with ? prints the twin as it is known here.

CONNECTION_STRING is HostName=...;DeviceId=...;SharedAccessKey=...; default: $DEVICETWIN_CONNECTION_STRING.

  --ca FILE              the certificate authority to trust (default: those that the system trusts)
  --state FILE           keeps in it what must outlive the program: what was reported and not acknowledged yet, and
                         what is known of the twin. It belongs to one device of one hub. The program does not start
                         with a file that it cannot read, or that belongs to another device, and leaves it alone
  --until-reported       ends when standard input has ended and all that was reported is acknowledged
  --token-lifetime S     seconds that a token is good for (default: 3600)
  --retry-first MS       pause before a second attempt, doubled for each further one (default: 1000)
  --retry-longest MS     the longest of these pauses (default: 60000)
  --time-out MS          for an answer of the hub (default: 30000)
)";

struct settings {
  azure::connection_string to;
  std::string ca_file, state_file;
  bool until_reported = false;
  std::int64_t token_lifetime = 3600, retry_first = 1000, retry_longest = 60000, time_out = 30000;
};

volatile std::sig_atomic_t stopped = 0;

/// Text from outside, for a terminal.
std::string shown(std::string_view text) {
  std::string result;
  json::put_visible(text, [&result](char c) { result += c; });
  return result;
}

void say(std::string_view text) { std::fprintf(stderr, "%s\n", shown(text).c_str()); }

class program {
 public:
  explicit program(const settings& s);
  int run();

 private:
  /// False, after a complaint, when the state file cannot be used.
  bool restore();
  static device_options options_of(const settings& s, std::uint64_t seed);
  void connect();
  void lost(const std::string& why);
  void take_input();
  void take_line(std::string_view line);
  /// After each event of the session: saves, and does what it asks for.
  void follow(const json::error& e);
  /// False after a complaint.
  bool save();
  std::int64_t back_off();

  static constexpr std::int64_t connect_patience = 30000;
  static constexpr std::size_t longest_line = 1 << 20;

  settings settings_;
  std::mt19937_64 random_{std::random_device{}()};
  device_session session_;
  device::mqtt_link link_;
  device::state_file state_file_;
  std::string input_;
  bool input_ended_ = false, in_step_ = false;
  bool skipping_line_ = false;           ///< up to its end, for it is too long
  std::int64_t reconnect_at_ = 0;        ///< when there is no connection
  std::int64_t give_up_at_ = INT64_MAX;  ///< while one is on its way
  std::int64_t renew_at_ = INT64_MAX;    ///< the token
  unsigned failures_ = 0;
};

device_options program::options_of(const settings& s, std::uint64_t seed) {
  device_options options;
  options.retry_first = {s.retry_first};
  options.retry_longest = {s.retry_longest};
  options.time_out = {s.time_out};
  options.seed = seed;
  return options;
}

/// DEVICE, or DEVICE/MODULE.
std::string client_id(const azure::connection_string& to) {
  return to.module.empty() ? to.device : to.device + "/" + to.module;
}

program::program(const settings& s)
    : settings_(s),
      session_(options_of(s, random_())),
      link_(client_id(s.to), s.ca_file),
      state_file_(s.state_file, s.to.host, client_id(s.to)) {}

bool program::restore() {
  if (settings_.state_file.empty()) return true;
  std::string state;
  std::string problem = state_file_.load(state);
  if (problem.empty() && !state.empty()) {
    if (const json::error e = session_.restore(state))
      problem = settings_.state_file + ": " + e.message();
  }
  if (!problem.empty()) {
    say(problem);
    say("The file is left as it is; it may have reports in it that the hub has not got. Name "
        "another one with --state, or move it away.");
    return false;
  }
  if (state_file_.was_unbound())
    say(settings_.state_file + " does not say whose state it is; it is taken as this device's");
  return save();  // now, so that a file that cannot be written is noticed before there is something
                  // to lose
}

void program::connect() {
  const azure::connection_string& to = settings_.to;
  std::string resource = to.host + "/devices/" + azure::percent_encoded(to.device);
  if (!to.module.empty()) resource += "/modules/" + azure::percent_encoded(to.module);
  const std::int64_t lifetime = settings_.token_lifetime;
  const auto today = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  give_up_at_ = milliseconds_now().count + connect_patience;
  renew_at_ = milliseconds_now().count +
              (lifetime - 1) *
                  850;  // while it is good for 15 % of its time yet; a second may be cut off by now
  link_.connect(to.host, to.port, to.host + "/" + client_id(to) + "/?api-version=2021-04-12",
                azure::make_sas_token(resource, to.key, today + lifetime));
}

std::int64_t program::back_off() {
  const unsigned doublings = failures_ < 16 ? failures_ : 16;
  ++failures_;
  std::int64_t pause = settings_.retry_first << doublings;
  if (pause > settings_.retry_longest) pause = settings_.retry_longest;
  return pause / 2 +
         static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(pause / 2 + 1));
}

void program::lost(const std::string& why) {
  const std::int64_t pause = back_off();
  reconnect_at_ = milliseconds_now().count + pause;
  give_up_at_ = renew_at_ = INT64_MAX;
  in_step_ = false;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f", static_cast<double>(pause) / 1000);
  say("no connection: " + why + " Again in " + seconds + " s.");
  follow(session_.disconnected(milliseconds_now()));
}

bool program::save() {
  if (settings_.state_file.empty()) return true;
  std::string state;
  if (const json::error e = session_.save(state))
    return say("the state cannot be saved: " + e.message()), false;
  const std::string problem = state_file_.save(state);
  if (!problem.empty()) say(problem);
  return problem.empty();
}

void program::follow(const json::error& e) {
  if (e) say(e.message());
  save();  // before anything of it is sent
  bool up = link_.is_up();
  for (const device_action& action : session_.actions()) {
    switch (action.kind) {
      case device_action::subscribe:
        up = up && link_.subscribe(action.topic);
        break;
      case device_action::publish:
        up = up && link_.publish(action.topic, action.payload);
        break;
      case device_action::arrived:
        break;  // what follows says more
      case device_action::changed:
        for (const text_change& c : session_.changes()) {
          std::printf("%s: %s -> %s\n", shown(c.pointer).c_str(), shown(c.old_text).c_str(),
                      shown(c.new_text).c_str());
        }
        std::fflush(stdout);
        break;
      case device_action::refused:
        std::fprintf(stderr, "refused (%u): %s\n%s\n", action.status, shown(action.message).c_str(),
                     shown(action.payload).c_str());
        break;
      case device_action::failed:
        std::fprintf(stderr, "the hub does not give the twin (%u): %s\n", action.status,
                     shown(action.message).c_str());
        break;
    }
  }
  if (session_.in_step() && !in_step_) {
    std::fprintf(stderr, "in step: desired is at version %lld, reported at %lld\n",
                 static_cast<long long>(session_.version(part::desired)),
                 static_cast<long long>(session_.version(part::reported)));
  }
  in_step_ = session_.in_step();
}

void program::take_line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  if (line == "?") {
    for (const part p : {part::desired, part::reported}) {
      std::printf("%s %lld %s\n", p == part::desired ? "desired" : "reported",
                  static_cast<long long>(session_.version(p)), shown(session_.text(p)).c_str());
    }
    std::fflush(stdout);
    return;
  }
  follow(session_.report(line, milliseconds_now()));
}

void program::take_input() {
  char bytes[4096];
  const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
  if (count <= 0) {
    input_ended_ = true;
    if (!input_.empty() && !skipping_line_) take_line(input_);
    input_.clear();
    return;
  }
  input_.append(bytes, static_cast<std::size_t>(count));
  std::size_t start = 0;
  for (std::size_t end; (end = input_.find('\n', start)) != std::string::npos; start = end + 1) {
    if (!skipping_line_) take_line(std::string_view(input_).substr(start, end - start));
    skipping_line_ = false;
  }
  input_.erase(0, start);
  if (input_.size() > longest_line) {
    if (!skipping_line_)
      say("a line is too long (the limit is " + std::to_string(longest_line) + " bytes)");
    skipping_line_ = true;
    input_.clear();
  }
}

int program::run() {
  if (!link_.problem().empty()) return say(link_.problem()), 1;
  if (!restore()) return 1;
  while (!stopped && !(settings_.until_reported && input_ended_ && session_.in_step())) {
    const std::int64_t at = milliseconds_now().count;
    if (reconnect_at_ <= at) {
      reconnect_at_ = INT64_MAX;
      connect();
    }
    if (give_up_at_ <= at) {
      link_.disconnect();
      lost("The hub does not answer.");
    }
    if (renew_at_ <= at && link_.is_up()) {
      say("a new token");
      link_.disconnect();
      follow(session_.disconnected({at}));
      in_step_ = false;
      connect();
    }
    if (session_.next_tick().count <= at) follow(session_.tick({at}));

    std::int64_t wait =
        link_.is_up() ? 1000 : 50;  // a connection on its way is not seen by its socket alone
    for (const std::int64_t due :
         {reconnect_at_, give_up_at_, renew_at_, session_.next_tick().count}) {
      if (due - at < wait) wait = due > at ? due - at : 0;
    }
    pollfd waited[2] = {{input_ended_ ? -1 : STDIN_FILENO, POLLIN, 0}, {link_.socket(), POLLIN, 0}};
    if (link_.wants_write()) waited[1].events = POLLIN | POLLOUT;
    ::poll(waited, 2, static_cast<int>(wait));
    link_.turn();
    if (waited[0].revents != 0) take_input();

    device::link_event event;
    while (link_.next(event)) {
      switch (event.what) {
        case device::link_event::connected:
          say("connected");
          failures_ = 0;
          give_up_at_ = INT64_MAX;
          follow(session_.connected(milliseconds_now()));
          break;
        case device::link_event::lost:
          lost(event.text);
          break;
        case device::link_event::message:
          follow(session_.message(event.text, event.payload, milliseconds_now()));
          break;
      }
    }
  }
  link_.disconnect();
  save();
  return 0;
}

/// False after a complaint.
bool read_arguments(int count, char** arguments, settings& s) {
  const char* text = std::getenv("DEVICETWIN_CONNECTION_STRING");
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    const auto number = [&](std::int64_t& to) {
      char* end = nullptr;
      to = i + 1 < count ? std::strtoll(arguments[++i], &end, 10) : 0;
      return end != nullptr && *end == '\0' && to > 0 && to <= 1'000'000'000;
    };
    bool good = true;
    if (name == "--ca" && i + 1 < count) {
      s.ca_file = arguments[++i];
    } else if (name == "--state" && i + 1 < count) {
      s.state_file = arguments[++i];
    } else if (name == "--until-reported") {
      s.until_reported = true;
    } else if (name == "--token-lifetime") {
      good = number(s.token_lifetime) && s.token_lifetime > 1;
    } else if (name == "--retry-first") {
      good = number(s.retry_first);
    } else if (name == "--retry-longest") {
      good = number(s.retry_longest);
    } else if (name == "--time-out") {
      good = number(s.time_out);
    } else if (name.substr(0, 2) == "--") {
      good = false;
    } else {
      text = arguments[i];
    }
    if (!good) return say("this is no option, or it has no number: " + std::string(name)), false;
  }
  if (text == nullptr) return say("a connection string is needed; --help says more"), false;
  if (const std::string problem = azure::parse_connection_string(text, s.to); !problem.empty())
    return say(problem), false;
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "--help")
    return std::fputs(help, stdout) < 0 ? 1 : 0;
  settings s;
  if (!read_arguments(count, arguments, s)) return 2;
  struct sigaction stop {};
  stop.sa_handler = [](int) { stopped = 1; };
  sigaction(SIGINT, &stop, nullptr);
  sigaction(SIGTERM, &stop, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a state file that becomes too large is an error of write()
  program running(s);
  return running.run();
}
