// Our twin: a device's patch with everything that follows, what changed since a version, sizes.
#include <devicetwin/devicetwin.hpp>
#include <devicetwin/twin/since.hpp>
#include <devicetwin/twin/twin.hpp>
#include <devicetwin/twin/view.hpp>

#include <stdexcept>

#include "peers.hpp"

namespace bench {
namespace {

namespace json = devicetwin::json;

void must(const json::error& failure) {
  if (failure) throw std::runtime_error(failure.message());
}

struct on_twin {
  struct twin {
    devicetwin::twin document;
    devicetwin::outcome done;
    std::string reply;
  };
  static void load(std::string_view text, twin& out) { must(out.document.load(text)); }
  static void patch(twin& to, std::string_view text, std::int64_t now) {
    must(to.document.device_patch(text, {now}, to.done));
    char digits[json::max_number_chars];
    const char* const end = json::to_chars(digits, to.done.reported_version);
    to.reply = "$iothub/twin/res/204/?$rid=1&$version=";
    to.reply.append(digits, static_cast<std::size_t>(end - digits));
  }
  static std::string report(twin& of) {
    std::string out = "{\"event\":";
    out.append(of.done.event()).append(",\"reply\":\"").append(of.reply).append("\",\"changes\":[");
    for (std::size_t i = 0; i != of.done.size(); ++i) {
      const devicetwin::property_change change = of.done[i];
      if (i != 0) out += ',';
      out.append("{\"pointer\":\"").append(change.pointer).append("\"");
      if (change.old_value != nullptr) {
        out += ",\"old\":";
        must(json::write(*change.old_value, out));
      }
      if (change.new_value != nullptr) {
        out += ",\"new\":";
        must(json::write(*change.new_value, out));
      }
      out += '}';
    }
    out += "],\"twin\":";
    must(devicetwin::write_service_view(of.document, out));
    return out + '}';
  }
};

// Azure's rules for twins of any size.
const devicetwin::dialect& without_limits() {
  static const devicetwin::dialect rules = [] {
    devicetwin::dialect made = devicetwin::azure;
    made.max_reported = made.max_text = devicetwin::dialect::unlimited;
    return made;
  }();
  return rules;
}

// A twin to ask after the forward patch.
class asking_job : public job {
 public:
  explicit asking_job(const pair_texts& texts) : twin_(without_limits()) {
    must(twin_.load(texts.from));
    devicetwin::outcome done;
    must(twin_.device_patch(texts.forward, {17798400001230000}, done));
  }

 protected:
  devicetwin::twin twin_;
};

// What the forward patch changed, asked for by the version before it.
class changes_since_job : public asking_job {
 public:
  using asking_job::asking_job;
  void run() override {
    out_.clear();
    must(devicetwin::write_changes_since(twin_, devicetwin::part::reported,
                                         twin_.reported_version() - 1, out_));
  }
  std::string output() override { return out_; }

 private:
  std::string out_;
};

class in_sync_job : public asking_job {
 public:
  using asking_job::asking_job;
  void run() override { answer_ = twin_.in_sync(); }
  std::string output() override { return answer_ ? "true" : "false"; }

 private:
  volatile bool answer_ = false;  // asked anew each time
};

// A device session with a section as desired and reported, whose versions have ten digits that
// count up.
class session_job : public job {
 public:
  explicit session_job(const pair_texts& texts) : patches_{texts.forward, texts.backward} {
    json::document from;
    must(json::read(texts.from, from));
    const auto reported = json::find(from, "/properties/reported");
    if (!reported) throw std::runtime_error("no reported section");
    std::string section = "{";
    const auto* member = json::core::members_begin(**reported);
    for (auto left = (*reported)->MemberCount(); left != 0; --left, ++member) {
      if (member->name.GetString()[0] == '$') continue;
      must(json::write(member->name, section));
      section += ':';
      must(json::write(member->value, section));
      section += ',';
    }
    section += "\"$version\":" + std::string(first_version) + "}";
    must(session_.connected({0}));
    const auto topic = devicetwin::parse_twin_topic(session_.actions()[2].topic);
    must(session_.message("$iothub/twin/res/200/?$rid=" + std::string(topic->request_id),
                          "{\"desired\":" + section + ",\"reported\":" + section + "}", {0}));
    // Actions stay due until they are read.
    for (const devicetwin::device_action action : session_.actions()) static_cast<void>(action);
  }

 protected:
  static constexpr std::string_view first_version = "1000000000";
  static void count(std::string& text, std::size_t end) {
    while (text[--end] == '9') text[end] = '0';
    ++text[end];
  }
  const std::string& next() { return patches_[next_ ^= 1]; }

  devicetwin::device_session session_;
  std::string patches_[2];
  std::size_t next_ = 1;
};

class session_change_job : public session_job {
 public:
  explicit session_change_job(const pair_texts& texts)
      : session_job(texts), topic_("$iothub/twin/PATCH/properties/desired/?$version=") {
    topic_ += first_version;
  }
  void run() override {
    count(topic_, topic_.size());
    must(session_.message(topic_, next(), {0}));
    for (const devicetwin::device_action action : session_.actions()) told_ += action.topic.size();
    for (const devicetwin::text_change change : session_.changes()) told_ += change.pointer.size();
  }
  std::string output() override { return std::string(session_.text(devicetwin::part::desired)); }

 private:
  std::string topic_;
  std::size_t told_ = 0;
};

class session_report_job : public session_job {
 public:
  explicit session_report_job(const pair_texts& texts)
      : session_job(texts), version_(first_version) {}
  void run() override {
    must(session_.report(next(), {0}));
    const auto topic = devicetwin::parse_twin_topic(session_.actions()[0].topic);
    count(version_, version_.size());
    answer_ = "$iothub/twin/res/204/?$rid=";
    answer_.append(topic->request_id).append("&$version=").append(version_);
    must(session_.message(answer_, {}, {0}));
    if (!session_.in_step()) throw std::runtime_error("not in step");
  }
  std::string output() override { return std::string(session_.acknowledged()); }

 private:
  std::string version_, answer_;
};

}  // namespace

std::vector<operation> devicetwin_twin_operations() {
  return {entry<device_patch_job<on_twin>>(road::device_patch, made_by::library_call),
          entry<changes_since_job>(road::changes_since, made_by::library_call),
          entry<in_sync_job>(road::in_sync, made_by::library_call),
          entry<session_change_job>(road::session_change, made_by::library_call),
          entry<session_report_job>(road::session_report, made_by::library_call)};
}

std::size_t devicetwin_twin_bytes(const pair_texts& texts) {
  devicetwin::twin loaded;
  must(loaded.load(texts.from));
  return sizeof loaded + loaded.memory_in_bytes();
}

}  // namespace bench
