#include "client/bench/fan_out.h"

#include <algorithm>

namespace client::bench {
namespace {

// A publisher whose socket takes nothing holds its messages back (and the report says how late it was).
constexpr std::size_t kQueuedBytesMax = 4 << 20;
// Publishes per tick, so that a bench that has fallen behind still reads.
constexpr int kBurstMax = 256;

}  // namespace

FanOut::FanOut(std::vector<std::unique_ptr<Probe>>& probes, loop::Clock& clock, Report& report, std::uint32_t channels,
               std::uint32_t messages_per_s)
    : probes_(probes),
      clock_(clock),
      report_(report),
      interval_(base::Duration(1'000'000'000 / messages_per_s)),
      channels_(channels),
      subscribers_(probes.size()) {
  for (Channel& channel : channels_) channel.arrivals.resize(kRemembered);
}

void FanOut::begin(base::Instant now) {
  sending_ = true;
  started_ = now;
}

base::Instant FanOut::tick(base::Instant now) {
  if (!sending_) return base::kNever;
  for (int burst = 0; burst < kBurstMax; ++burst, ++made_) {
    base::Instant due = started_ + static_cast<std::int64_t>(made_) * interval_;
    if (due > now) return due;
    std::size_t index = made_ % channels_.size();
    Probe& publisher = *probes_[index];
    if (publisher.state() != Probe::State::open || publisher.queued_bytes() > kQueuedBytesMax) {
      return now + std::chrono::milliseconds(1);
    }
    base::Instant sent = clock_.now();
    report_.behind_max = std::max(report_.behind_max, sent - due);
    write_payload(payload_, {channels_[index].sent++, sent}, report_.message_bytes);
    publisher.send_text(payload_);
    ++report_.sent;
  }
  return now;
}

void FanOut::message(std::size_t index, std::string_view payload, base::Instant, base::Instant now) {
  if (index < channels_.size()) return;  // a publisher hears itself
  Channel& channel = channels_[channel_of(index)];
  auto stamp = read_payload(payload, report_.message_bytes);
  if (!stamp || stamp->sequence >= channel.sent) {
    ++report_.damaged;
    return;
  }
  ++report_.received;
  if (subscribers_[index].receive(stamp->sequence) == Sequence::Verdict::again) return;
  report_.total.record(now - stamp->sent);
  Arrival& arrival = channel.arrivals[stamp->sequence % kRemembered];
  if (arrival.sequence == ~std::uint64_t{0} || arrival.sequence < stamp->sequence) {
    arrival = {stamp->sequence, now};
    report_.processing.record(now - stamp->sent);
  }
  if (arrival.sequence == stamp->sequence) report_.transfer.record(now - arrival.first);
}

void FanOut::end(base::Instant) { sending_ = false; }

bool FanOut::settled() const {
  for (std::size_t i = channels_.size(); i < probes_.size(); ++i) {
    if (probes_[i]->state() == Probe::State::open && subscribers_[i].next() < channels_[channel_of(i)].sent)
      return false;
  }
  return true;
}

void FanOut::conclude() {
  for (std::size_t i = channels_.size(); i < probes_.size(); ++i) {
    if (probes_[i]->state() == Probe::State::open) subscribers_[i].end(channels_[channel_of(i)].sent);
    report_.lost += subscribers_[i].lost();
    report_.doubled += subscribers_[i].doubled();
  }
}

}  // namespace client::bench
