#include "client/bench/echo.h"

#include <algorithm>

namespace client::bench {

Echo::Echo(std::vector<std::unique_ptr<Probe>>& probes, loop::Clock& clock, Report& report, std::uint32_t in_flight)
    : probes_(probes), clock_(clock), report_(report), in_flight_(in_flight), conversations_(probes.size()) {}

void Echo::begin(base::Instant) {
  sending_ = true;
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    if (probes_[i]->state() != Probe::State::open) continue;
    conversations_[i].window.resize(in_flight_);
    for (std::uint32_t n = 0; n < in_flight_; ++n) send(i);
  }
}

void Echo::send(std::size_t index) {
  Conversation& conversation = conversations_[index];
  Sent& sent = conversation.window[conversation.sent % in_flight_];
  sent = {clock_.now(), base::kNever};
  write_payload(payload_, {conversation.sent, sent.begun}, report_.message_bytes);
  ++conversation.sent;
  ++report_.sent;
  probes_[index]->send_text(payload_);
  ready(index, clock_.now());
}

// What a connection that was cut had on the way is not counted as lost: the report says how many were cut.
void Echo::ready(std::size_t index, base::Instant now) {
  Conversation& conversation = conversations_[index];
  if (probes_[index]->state() != Probe::State::open || probes_[index]->queued_bytes() > 0) return;
  for (; conversation.unwritten < conversation.sent; ++conversation.unwritten) {
    conversation.window[conversation.unwritten % in_flight_].written = now;
  }
}

void Echo::message(std::size_t index, std::string_view payload, base::Instant first_byte, base::Instant now) {
  Conversation& conversation = conversations_[index];
  auto stamp = read_payload(payload, report_.message_bytes);
  if (!stamp || stamp->sequence >= conversation.sent) {
    ++report_.damaged;
    return;
  }
  ++report_.received;
  std::uint64_t before = conversation.answers.next();
  if (conversation.answers.receive(stamp->sequence) == Sequence::Verdict::again) return;
  const Sent& sent = conversation.window[stamp->sequence % in_flight_];
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
    if (probes_[i]->state() == Probe::State::open && conversations_[i].answers.next() < conversations_[i].sent)
      return false;
  }
  return true;
}

void Echo::conclude() {
  for (std::size_t i = 0; i < conversations_.size(); ++i) {
    Conversation& conversation = conversations_[i];
    if (probes_[i]->state() == Probe::State::open) conversation.answers.end(conversation.sent);
    report_.lost += conversation.answers.lost();
    report_.doubled += conversation.answers.doubled();
  }
}

}  // namespace client::bench
