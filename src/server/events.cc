#include "server/events.h"

#include <array>
#include <utility>

namespace server {
namespace {

// Of the process and the worker: unlike that of any other that tells the same back end.
std::string id_prefix(base::WorkerId worker, base::Entropy& entropy) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string prefix;
  std::uint64_t bits = entropy.next();
  for (int i = 0; i < 16; ++i, bits >>= 4) prefix += kDigits[bits & 15];
  return prefix + "-" + std::to_string(worker) + "-";
}

}  // namespace

Events::Events(const SnapshotRef& snapshot, base::WorkerId id, Counters& counters, Log& log, loop::Clock& clock,
               base::Entropy& entropy, egress::Client& client, loop::Wakeup& worker)
    : snapshot_(snapshot),
      id_(id),
      counters_(counters),
      log_(log),
      clock_(clock),
      entropy_(entropy),
      client_(client),
      inbox_(worker) {}

void Events::add(door::hook::Event event) {
  if (!wants(event.type)) return;
  if (!queue_) {
    queue_.emplace(id_prefix(id_, entropy_));
    if (hurrying_) queue_->hurry();
  }
  event.time = clock_.wall();
  queue_->add(event, clock_.now());
  counters_.events.add();
  counters_.events_dropped.set(queue_->dropped());
}

void Events::step() {
  if (!queue_) return;
  for (const egress::Answer& answer : queue_->on_its_way() ? inbox_.take() : std::vector<egress::Answer>()) {
    if (answer.ticket == ticket_) answered(answer.response);
  }
  if (snapshot_->options().events_url.empty()) {
    // Nobody wants them any more. A batch on its way is waited for, so that its answer finds its queue.
    if (!queue_->on_its_way()) queue_.reset();
    return;
  }
  if (clock_.now() >= queue_->due()) send();
}

void Events::send() {
  const base::WallTime wall = clock_.wall();
  auto body = queue_->take(clock_.now(), wall);
  if (!body) return;
  const Options& options = snapshot_->options();
  egress::Request request{.url = options.events_url,
                          .headers = snapshot_->events_headers(),
                          .body = *std::move(body),
                          .timeout = kTimeout,
                          .response_bytes_max = 64 * 1024,
                          .reach = snapshot_->reach_of_configured_urls()};
  request.headers.push_back({"Content-Type", "application/json"});
  if (auto signature = door::hook::signature_of(options.events_signing_keys, wall, request.body); !signature.empty()) {
    request.headers.push_back({std::string(door::hook::kSignatureHeader), std::move(signature)});
  }
  if (!client_.submit(std::move(request), inbox_, ++ticket_)) {
    answered({.failure = egress::Failure::busy, .body = {}, .detail = "too many requests are on their way"});
  }
}

void Events::answered(const egress::Response& response) {
  using Fate = door::hook::EventQueue::Fate;
  const bool arrived = response.failure == egress::Failure::none && response.status >= 200 && response.status < 300;
  queue_->sent(arrived ? Fate::arrived : Fate::failed, clock_.now(), entropy_);
  counters_.events_dropped.set(queue_->dropped());
  (arrived ? counters_.event_batches : counters_.event_failures).add();
  if (failing_ == !arrived) return;
  failing_ = !arrived;
  std::string line = arrived ? "events_told" : "events_not_told";
  if (!arrived) {
    append_field(line, "reason",
                 response.failure == egress::Failure::none
                     ? "HTTP status " + std::to_string(response.status)
                     : std::string(to_string(response.failure)) + ": " + response.detail);
  }
  log_.write(arrived ? LogLevel::info : LogLevel::warning, line);
}

void Events::hurry() {
  hurrying_ = true;
  if (queue_) queue_->hurry();
}

}  // namespace server
