// Our hub over its store in memory: messages in, actions out, everything but the network.
#include <devicetwin/hub/hub_session.hpp>

#include <stdexcept>

#include "peers.hpp"

namespace bench {
namespace {

namespace json = devicetwin::json;
using devicetwin::hub_action;

// A hub with the twin of a device that is connected and subscribed.
class hub_job : public job {
 public:
  explicit hub_job(const pair_texts& texts) : hub_(store_) {
    devicetwin::twin loaded;
    must(!loaded.load(texts.from));
    must(!store_.put(loaded));
    id_ = std::string(loaded.device_id());
    must(!hub_.connected({id_}));
    hub_.subscribed({id_}, devicetwin::desired_filter);
  }

 protected:
  static void must(bool holds) {
    if (!holds) throw std::runtime_error("the hub failed");
  }
  std::string service_view() {
    std::string text;
    must(!devicetwin::write_service_view(**store_.find({id_}), text));
    return text;
  }
  devicetwin::memory_store store_;
  devicetwin::hub_session<devicetwin::memory_store> hub_;
  std::string id_;
  std::int64_t now_ = 17798400001230000;  // 2026-05-27T00:00:00.123Z
};

class hub_get_job : public hub_job {
 public:
  using hub_job::hub_job;
  void run() override { must(!hub_.message({id_}, "$iothub/twin/GET/?$rid=1", " ", {++now_})); }
  std::string output() override {
    const hub_action& reply = hub_.actions()[0];
    must(reply.topic == "$iothub/twin/res/200/?$rid=1");
    return std::string(reply.payload);
  }
};

class hub_report_job : public hub_job {
 public:
  explicit hub_report_job(const pair_texts& texts)
      : hub_job(texts), patches_{texts.forward, texts.backward} {}
  void run() override {
    must(!hub_.message({id_}, "$iothub/twin/PATCH/properties/reported/?$rid=1", patches_[next_],
                       {now_}));
    next_ = 1 - next_;
    now_ += 10000000;
  }
  std::string output() override {
    must(hub_.actions().size() == 2);
    std::string out = "{\"reply\":\"";
    out.append(hub_.actions()[0].topic).append("\",\"event\":").append(hub_.actions()[1].payload);
    return out.append(",\"twin\":").append(service_view()).append("}");
  }

 private:
  std::string patches_[2];
  std::size_t next_ = 0;
};

// The same changes, of a desired section that starts as the reported one.
class hub_desired_job : public hub_job {
 public:
  explicit hub_desired_job(const pair_texts& texts)
      : hub_job(texts), patches_{desired_patch(texts.forward), desired_patch(texts.backward)} {
    std::string reported;
    must(!json::write((*store_.find({id_}))->reported(), reported));
    must(hub_.service_replace({id_}, desired_patch(reported), {now_}).status == 200);
  }
  void run() override {
    must(hub_.service_patch({id_}, patches_[next_], {now_}).status == 200);
    next_ = 1 - next_;
    now_ += 10000000;
  }
  std::string output() override {
    must(hub_.actions().size() == 2 && hub_.actions()[0].kind == hub_action::notify);
    std::string out = "{\"topic\":\"";
    out.append(hub_.actions()[0].topic)
        .append("\",\"notification\":")
        .append(hub_.actions()[0].payload);
    out.append(",\"event\":").append(hub_.actions()[1].payload);
    return out.append(",\"twin\":").append(service_view()).append("}");
  }

 private:
  std::string patches_[2];
  std::size_t next_ = 0;
};

}  // namespace

std::vector<operation> devicetwin_hub_operations() {
  return {entry<hub_get_job>(road::hub_get, made_by::library_call),
          entry<hub_report_job>(road::hub_report, made_by::library_call),
          entry<hub_desired_job>(road::hub_desired, made_by::library_call)};
}

}  // namespace bench
