#include "client/bench/broadcast.h"

#include <algorithm>
#include <bit>

namespace client::bench {
namespace {

using namespace std::chrono_literals;

// A publisher whose socket takes nothing holds its messages back (and the report says how late it was).
constexpr std::size_t kQueuedBytesMax = 4 << 20;
// Publishes per tick, so that a bench that has fallen behind still reads.
constexpr int kBurstMax = 256;
// Publishers that are asked per message whether they may send.
constexpr std::size_t kAskedMax = 1024;
// Between two warm-up messages on a channel where somebody has heard nothing yet.
constexpr base::Duration kWarmUpInterval = 100ms;
// Arrivals that are remembered in all: 16 MiB.
constexpr std::size_t kRemembered = 1 << 20;

}  // namespace

Broadcast::Broadcast(Connections& connections, Rig& rig, const Roles& roles, Report& report,
                     std::uint32_t messages_per_s)
    : connections_(connections),
      rig_(rig),
      roles_(roles),
      report_(report),
      messages_per_s_(messages_per_s),
      turn_(roles.publishers.first),
      publishers_(roles.publishers.size()),
      subscribers_(roles.subscribers.size()),
      sent_on_(roles.channels) {
  const std::size_t remembered = std::bit_floor(std::clamp<std::size_t>(kRemembered / publishers_.size(), 16, 4096));
  for (Publisher& publisher : publishers_) publisher.arrivals.resize(remembered);
  for (std::size_t i = roles.subscribers.first; i < roles.subscribers.last; ++i) {
    subscriber(i).from.resize(roles.size_in(roles.publishers, roles.channel_of(i)));
  }
}

base::Instant Broadcast::warm_up(base::Instant now) {
  if (now < next_warm_up_) return next_warm_up_;
  next_warm_up_ = now + kWarmUpInterval;
  std::vector<bool> is_silent(roles_.channels);
  for (std::size_t i = roles_.subscribers.first; i < roles_.subscribers.last; ++i) {
    if (connections_[i].state() == Probe::State::open && !subscriber(i).has_heard)
      is_silent[roles_.channel_of(i)] = true;
  }
  for (std::size_t i = roles_.publishers.first; i < roles_.publishers.last; ++i) {
    const std::size_t channel = roles_.channel_of(i);
    const std::size_t of_channel = roles_.size_in(roles_.publishers, channel);
    // One after the other: a server may send everybody's messages to all but their sender.
    if (!is_silent[channel] || roles_.place_of(i) != warm_ups_ % of_channel || !connections_[i].may_send(0)) continue;
    if (of_channel == 1 && roles_.subscribers.contains(i)) subscriber(i).has_heard = true;
    publish(i, {kWarmUpSender, 0, now});
  }
  ++warm_ups_;
  return next_warm_up_;
}

bool Broadcast::is_warm() const {
  for (std::size_t i = 0; i < subscribers_.size(); ++i) {
    const std::size_t probe = roles_.subscribers.first + i;
    const bool has_publisher = !subscribers_[i].from.empty();
    if (has_publisher && connections_[probe].state() == Probe::State::open && !subscribers_[i].has_heard) return false;
  }
  return all_answered();
}

bool Broadcast::all_answered() const {
  for (std::size_t i = roles_.publishers.first; i < roles_.publishers.last; ++i) {
    if (connections_[i].state() == Probe::State::open && connections_[i].waits_for_answer()) return false;
  }
  return true;
}

void Broadcast::begin(base::Instant now) {
  report_.answer = {};  // of the warm-up
  sending_ = true;
  started_ = now;
}

base::Instant Broadcast::tick(base::Instant now) {
  if (!sending_) return base::kNever;
  for (int burst = 0; burst < kBurstMax; ++burst, ++made_) {
    // Two steps, so that neither a long run nor a rate that does not divide a second is rounded away or overflows.
    const base::Instant due = started_ + std::chrono::seconds(made_ / messages_per_s_) +
                              base::Duration(1s) * static_cast<std::int64_t>(made_ % messages_per_s_) / messages_per_s_;
    if (due > now) return due;
    if (!choose_publisher()) return now + 1ms;
    const base::Instant sent = rig_.system.clock.now();
    report_.behind_max = std::max(report_.behind_max, sent - due);
    publish(turn_, {static_cast<std::uint32_t>(turn_), publisher(turn_).sent++, sent});
    ++sent_on_[roles_.channel_of(turn_)];
    ++report_.sent;
    if (++turn_ == roles_.publishers.last) turn_ = roles_.publishers.first;
  }
  return now;
}

bool Broadcast::choose_publisher() {
  for (std::size_t asked = std::min(publishers_.size(), kAskedMax); asked > 0; --asked) {
    if (connections_[turn_].may_send(kQueuedBytesMax)) return true;
    if (++turn_ == roles_.publishers.last) turn_ = roles_.publishers.first;
  }
  return false;
}

void Broadcast::publish(std::size_t index, const Stamp& stamp) {
  write_payload(payload_, stamp, report_.message_bytes);
  message_.clear();
  rig_.dialect.publication(message_, connections_.channel_name(index), payload_);
  connections_[index].send(message_);
}

void Broadcast::message(std::size_t index, const Stamp& stamp, base::Instant, base::Instant now) {
  if (!roles_.subscribers.contains(index)) return;  // a publisher hears itself
  Subscriber& subscriber = this->subscriber(index);
  if (stamp.sender == kWarmUpSender) {
    subscriber.has_heard = true;
    return;
  }
  if (!roles_.publishers.contains(stamp.sender) || stamp.number >= publisher(stamp.sender).sent ||
      roles_.channel_of(stamp.sender) != roles_.channel_of(index)) {
    ++report_.damaged;
    return;
  }
  ++report_.received;
  Sequence& sequence = subscriber.from[roles_.place_of(stamp.sender)];
  const std::uint64_t before = sequence.next();
  if (sequence.receive(stamp.number) == Sequence::Verdict::again) return;
  if (stamp.sender != index) subscriber.passed += sequence.next() - before;
  report_.total.record(now - stamp.sent);
  note_arrival(stamp, now);
}

void Broadcast::note_arrival(const Stamp& stamp, base::Instant now) {
  auto& arrivals = publisher(stamp.sender).arrivals;
  Arrival& arrival = arrivals[stamp.number % arrivals.size()];
  if (arrival.number == ~std::uint64_t{0} || arrival.number < stamp.number) {
    arrival = {stamp.number, now};
    report_.processing.record(now - stamp.sent);
  }
  if (arrival.number == stamp.number) report_.transfer.record(now - arrival.first);
}

void Broadcast::end(base::Instant) { sending_ = false; }

std::uint64_t Broadcast::sent_by(std::size_t index) const {
  return roles_.publishers.contains(index) ? publishers_[index - roles_.publishers.first].sent : 0;
}

// Servers differ in whether a publisher gets its own messages, so they are counted when they come and not waited for.
bool Broadcast::settled() const {
  for (std::size_t i = 0; i < subscribers_.size(); ++i) {
    const std::size_t index = roles_.subscribers.first + i;
    if (connections_[index].state() != Probe::State::open) continue;
    if (subscribers_[i].passed < sent_on_[roles_.channel_of(index)] - sent_by(index)) return false;
  }
  return all_answered();
}

// What a publisher had under way when it was cut may never have reached the server: only those that stayed are held to
// what they sent.
void Broadcast::conclude() {
  for (std::size_t i = roles_.publishers.first; i < roles_.publishers.last; ++i) {
    if (connections_[i].state() != Probe::State::open) publisher(i).sent = 0;
  }
  for (std::size_t i = roles_.subscribers.first; i < roles_.subscribers.last; ++i) {
    Subscriber& subscriber = this->subscriber(i);
    const bool is_open = connections_[i].state() == Probe::State::open;
    std::size_t from = roles_.publishers.first + roles_.channel_of(i);
    for (Sequence& sequence : subscriber.from) {
      if (is_open && from != i) sequence.end(publisher(from).sent);
      report_.lost += sequence.lost();
      report_.doubled += sequence.doubled();
      from += roles_.channels;
    }
  }
}

}  // namespace client::bench
