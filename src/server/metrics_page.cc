#include "server/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <limits>
#include <sstream>
#include <utility>
#include <vector>

#include "door/envelope.h"
#include "loop/resource.h"
#include "server/version.h"

namespace server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::array<const char*, kDoors> kDoorNames = {"http", "websocket", "sse", "poll", "echo", "centrifuge"};

class Families {
 public:
  explicit Families(const std::vector<std::unique_ptr<Counters>>& workers) : workers_(workers) {}

  MetricFamily& family(const char* name, const char* help, MetricType type) {
    families_.push_back({name, help, type, {}});
    return families_.back();
  }

  static void add(MetricFamily& family, double value, std::vector<ClientMetric::Label> labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter) metric.counter.value = value;
    if (family.type == MetricType::Gauge) metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
  }

  template <class Of>
  double total(Of of) const {
    std::uint64_t sum = 0;
    for (const auto& each : workers_) sum += of(*each).get();
    return static_cast<double>(sum);
  }

  template <class Of>
  void counter(const char* name, const char* help, Of of) {
    add(family(name, help, MetricType::Counter), total(of));
  }
  template <class Of>
  void gauge(const char* name, const char* help, Of of) {
    add(family(name, help, MetricType::Gauge), total(of));
  }
  void gauge_value(const char* name, const char* help, double value) {
    add(family(name, help, MetricType::Gauge), value);
  }

  template <class Of>
  void histogram(const char* name, const char* help, Of of) {
    ClientMetric metric;
    std::uint64_t count = 0;
    for (std::size_t bucket = 0; bucket <= kDurationBounds.size(); ++bucket) {
      for (const auto& each : workers_) count += of(*each).bucket(bucket);
      const bool last = bucket == kDurationBounds.size();
      metric.histogram.bucket.push_back(
          {count, last ? std::numeric_limits<double>::infinity() : kDurationBounds[bucket]});
    }
    for (const auto& each : workers_) metric.histogram.sample_sum += static_cast<double>(of(*each).sum_ns()) / 1e9;
    metric.histogram.sample_count = count;
    family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
  }

  const std::vector<MetricFamily>& all() const { return families_; }

 private:
  const std::vector<std::unique_ptr<Counters>>& workers_;
  std::vector<MetricFamily> families_;
};

// Nothing without a data directory.
void add_storage(Families& all, const Storage& storage) {
  const StorageState state = storage.state.load(std::memory_order_acquire);
  if (state == StorageState::none) return;
  auto& states =
      all.family("wirebird_storage_state", "1 for what the storage of durable channels is.", MetricType::Gauge);
  for (const auto& [each, name] : {std::pair{StorageState::open, "open"}, std::pair{StorageState::full, "full"},
                                   std::pair{StorageState::failed, "failed"}}) {
    Families::add(states, state == each ? 1 : 0, {{"state", name}});
  }
  const auto counter = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& value) {
    Families::add(all.family(name, help, MetricType::Counter),
                  static_cast<double>(value.load(std::memory_order_relaxed)));
  };
  counter("wirebird_storage_commands_total", "Durable publishes and removals of history that were done.",
          storage.commands);
  counter("wirebird_storage_batches_total", "Transactions of the ledger, each with one sync.", storage.batches);
  all.gauge_value("wirebird_storage_log_bytes", "Bytes of the write-ahead log.",
                  static_cast<double>(storage.log_bytes.load(std::memory_order_relaxed)));
}

}  // namespace

void append_metrics(std::string& out, const Desk& desk) {
  Families all(desk.shared.counters);
  Families::add(all.family("wirebird_info", "Version of the server.", MetricType::Gauge), 1,
                {{"version", std::string(kVersion)}});
  auto& open = all.family("wirebird_connections", "Open connections by door.", MetricType::Gauge);
  for (std::size_t door = 0; door < kDoors; ++door) {
    const double value = all.total([door](const Counters& each) -> const Counter& { return each.open[door]; });
    Families::add(open, value, {{"door", kDoorNames[door]}});
  }
  all.counter("wirebird_connections_accepted_total", "Connections accepted.",
              [](auto& c) -> auto& { return c.accepted; });
  all.counter("wirebird_http_requests_total", "HTTP requests read.", [](auto& c) -> auto& { return c.requests; });
  all.counter("wirebird_messages_in_total", "Messages published by clients.",
              [](auto& c) -> auto& { return c.messages_in; });
  all.counter("wirebird_messages_out_total", "Deliveries queued to connections.",
              [](auto& c) -> auto& { return c.messages_out; });
  all.counter("wirebird_bytes_in_total", "Bytes read from connections.", [](auto& c) -> auto& { return c.bytes_in; });
  all.counter("wirebird_bytes_out_total", "Bytes written to connections.",
              [](auto& c) -> auto& { return c.bytes_out; });
  all.counter("wirebird_fan_out_blocks_total",
              "Encodings made; deliveries divided by this is how often one was shared.",
              [](auto& c) -> auto& { return c.fan_out_blocks; });
  all.counter("wirebird_mails_total", "Mails between workers.", [](auto& c) -> auto& { return c.mails; });
  all.counter("wirebird_mail_deliveries_total", "Mails between workers that carry messages to subscribers.",
              [](auto& c) -> auto& { return c.mail_deliveries; });
  all.counter("wirebird_wakeups_total", "Workers that slept and were woken because there was mail.",
              [](auto& c) -> auto& { return c.wakeups; });
  all.counter("wirebird_gaps_total", "Gaps announced to subscribers.", [](auto& c) -> auto& { return c.gaps; });
  auto& missed = all.family("wirebird_missed_messages_total", "Messages that gaps announced, by the gap's reason.",
                            MetricType::Counter);
  for (std::size_t reason = 0; reason < hub::kGapReasons; ++reason) {
    const double value = all.total([reason](const Counters& each) -> const Counter& { return each.missed[reason]; });
    Families::add(missed, value, {{"reason", std::string(door::to_string(static_cast<hub::GapReason>(reason)))}});
  }
  all.counter("wirebird_replayed_total", "Messages replayed to subscribers that resumed.",
              [](auto& c) -> auto& { return c.caught_up; });
  all.gauge("wirebird_overload_level",
            "0: none, 1: no compression, 2: no new connections, 3: slow readers closed, 4: no publishing.",
            [](auto& c) -> auto& { return c.overload_level; });
  all.counter("wirebird_turns_total", "Turns of the event loops.", [](auto& c) -> auto& { return c.turns; });
  all.gauge("wirebird_subscriptions", "Living subscriptions.", [](auto& c) -> auto& { return c.subscriptions; });
  all.gauge("wirebird_lagging_subscriptions", "Subscriptions that get nothing until their slow reader has read.",
            [](auto& c) -> auto& { return c.lagging; });
  all.gauge("wirebird_channels", "Channels in memory.", [](auto& c) -> auto& { return c.channels; });
  all.gauge("wirebird_members", "Subscriptions that are present in their channel.",
            [](auto& c) -> auto& { return c.members; });
  all.gauge("wirebird_history_bytes", "Bytes held by the logs of all channels.",
            [](auto& c) -> auto& { return c.log_bytes; });
  all.gauge("wirebird_queue_bytes", "Bytes waiting to be written to connections.",
            [](auto& c) -> auto& { return c.queue_bytes; });
  add_storage(all, desk.shared.storage);
  auto& refused = all.family("wirebird_refusals_total", "Requests refused and connections closed, by error code.",
                             MetricType::Counter);
  for (const base::ErrorEntry& entry : base::all_errors()) {
    const double value = all.total(
        [&](const Counters& each) -> const Counter& { return each.errors[static_cast<std::size_t>(entry.error)]; });
    Families::add(refused, value, {{"code", std::string(entry.code)}});
  }
  auto& asked = all.family("wirebird_hooks_asked_total", "Questions to back ends, by kind.", MetricType::Counter);
  for (std::size_t kind = 0; kind < kHookKinds; ++kind) {
    const double value = all.total([kind](const Counters& each) -> const Counter& { return each.hooks_asked[kind]; });
    Families::add(asked, value, {{"kind", std::string(door::hook::to_string(static_cast<door::hook::Kind>(kind)))}});
  }
  auto& undecided = all.family("wirebird_hook_failures_total",
                               "Questions to back ends that were left without an answer.", MetricType::Counter);
  for (std::size_t reason = 0; reason < kHookFailures; ++reason) {
    const double value =
        all.total([reason](const Counters& each) -> const Counter& { return each.hook_failures[reason]; });
    Families::add(undecided, value, {{"reason", std::string(to_string(static_cast<HookFailure>(reason)))}});
  }
  all.histogram("wirebird_hook_seconds", "From asking a back end to its answer.",
                [](auto& c) -> auto& { return c.hook_time; });
  all.counter("wirebird_events_total", "Events collected for the back end.", [](auto& c) -> auto& { return c.events; });
  all.counter("wirebird_events_dropped_total", "Events that could not be told.",
              [](auto& c) -> auto& { return c.events_dropped; });
  all.counter("wirebird_event_batches_total", "Batches of events that have arrived.",
              [](auto& c) -> auto& { return c.event_batches; });
  all.counter("wirebird_event_failures_total", "Tries to send a batch of events that failed.",
              [](auto& c) -> auto& { return c.event_failures; });
  all.histogram("wirebird_handshake_seconds", "From accept to the open door.",
                [](auto& c) -> auto& { return c.handshake_time; });
  all.histogram("wirebird_delivery_seconds", "From reading a publish to queueing it to a worker's subscribers.",
                [](auto& c) -> auto& { return c.delivery_time; });
  all.histogram("wirebird_turn_seconds", "How long one turn of an event loop takes.",
                [](auto& c) -> auto& { return c.turn_time; });
  all.histogram("wirebird_connection_seconds", "How long connections live.",
                [](auto& c) -> auto& { return c.lifetime; });
  all.gauge_value("wirebird_memory_bytes", "Resident memory of the process.",
                  static_cast<double>(loop::resident_bytes()));
  all.gauge_value("wirebird_open_descriptors", "Open file descriptors.", static_cast<double>(loop::open_descriptors()));
  if (desk.snapshot->tls() != nullptr) {
    all.gauge_value("wirebird_certificate_expires_seconds", "When the TLS certificate expires, seconds since 1970.",
                    static_cast<double>(desk.snapshot->tls()->expires().ms) / 1000);
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, all.all());
  out += text.str();
}

}  // namespace server
