#include "client/bench/echo.h"

#include <algorithm>

namespace client::bench {

Echo::Echo(Connections& connections, Rig& rig, Report& report, std::uint32_t in_flight)
    : connections_(connections),
      rig_(rig),
      report_(report),
      in_flight_(in_flight),
      conversations_(connections.size()) {}

void Echo::begin(base::Instant) {
  sending_ = true;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (connections_[i].state() != Probe::State::open) continue;
    conversations_[i].window.resize(in_flight_);
    for (std::uint32_t n = 0; n < in_flight_; ++n) send(i);
  }
}

void Echo::send(std::size_t index) {
  Conversation& conversation = conversations_[index];
  Sent& sent = conversation.window[conversation.sent % in_flight_];
  sent = {rig_.system.clock.now(), base::kNever};
  write_payload(payload_, {static_cast<std::uint32_t>(index), conversation.sent, sent.begun}, report_.message_bytes);
  message_.clear();
  rig_.dialect.publication(message_, connections_.channel_name(index), payload_);
  ++conversation.sent;
  ++report_.sent;
  connections_[index].send(message_);
  ready(index, rig_.system.clock.now());
}

// What a connection that was cut had on the way is not counted as lost: the report says how many were cut.
void Echo::ready(std::size_t index, base::Instant now) {
  Conversation& conversation = conversations_[index];
  if (connections_[index].state() != Probe::State::open || connections_[index].queued_bytes() > 0) return;
  for (; conversation.unwritten < conversation.sent; ++conversation.unwritten) {
    conversation.window[conversation.unwritten % in_flight_].written = now;
  }
}

void Echo::message(std::size_t index, const Stamp& stamp, base::Instant first_byte, base::Instant now) {
  Conversation& conversation = conversations_[index];
  if (stamp.sender != index || stamp.number >= conversation.sent) {
    ++report_.damaged;
    return;
  }
  ++report_.received;
  std::uint64_t before = conversation.answers.next();
  if (conversation.answers.receive(stamp.number) == Sequence::Verdict::again) return;
  const Sent& sent = conversation.window[stamp.number % in_flight_];
  base::Duration total = now - sent.begun;
  base::Duration processing = std::max(base::Duration{0}, first_byte - std::min(sent.written, first_byte));
  report_.total.record(total);
  report_.processing.record(processing);
  report_.transfer.record(total - processing);
  for (std::uint64_t done = conversation.answers.next() - before; done > 0; --done) {
    if (sending_) send(index);
  }
}

base::Instant Echo::tick(base::Instant) { return base::kNever; }

void Echo::end(base::Instant) { sending_ = false; }

bool Echo::settled() const {
  for (std::size_t i = 0; i < conversations_.size(); ++i) {
    if (connections_[i].state() == Probe::State::open && conversations_[i].answers.next() < conversations_[i].sent)
      return false;
  }
  return true;
}

void Echo::conclude() {
  for (std::size_t i = 0; i < conversations_.size(); ++i) {
    Conversation& conversation = conversations_[i];
    if (connections_[i].state() == Probe::State::open) conversation.answers.end(conversation.sent);
    report_.lost += conversation.answers.lost();
    report_.doubled += conversation.answers.doubled();
  }
}

}  // namespace client::bench
