#include "server/post_office.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace server {

Mailboxes::Mailboxes(std::uint16_t stations, MailboxSize size) : stations_(stations), size_(size) {
  for (std::size_t box = 0; box < std::size_t{stations} * stations; ++box) {
    boxes_.push_back(std::make_unique<Mailbox>(size));
  }
}

PostOffice::PostOffice(base::WorkerId self, Mailboxes& mailboxes, std::span<loop::Wakeup* const> wakeups)
    : self_(self),
      mailboxes_(mailboxes),
      wakeups_(wakeups.begin(), wakeups.end()),
      in_flight_(mailboxes.stations()),
      waiting_(mailboxes.stations()),
      to_wake_(mailboxes.stations()) {}

bool PostOffice::has_room(base::WorkerId to) { return mailboxes_.between(self_, to).has_room(); }

void PostOffice::send(base::WorkerId to, hub::Mail mail) {
  if (hub::class_of(mail) != hub::MailClass::request) return push(to, std::move(mail));
  if (in_flight_[to] == mailboxes_.size().credits) {
    waiting_[to].push_back({++parkings_, std::move(mail)});
    ++parked_;
    return;
  }
  ++in_flight_[to];
  push(to, std::move(mail));
}

std::uint64_t PostOffice::oldest_parked() const {
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  if (parked_ == 0) return oldest;
  for (const auto& queue : waiting_) {
    if (!queue.empty()) oldest = std::min(oldest, queue.front().number);
  }
  return oldest;
}

void PostOffice::push(base::WorkerId to, hub::Mail mail) {
  if (to != self_) {
    to_wake_[to] = true;
    ++sent_;
    if (std::holds_alternative<hub::Delivery>(mail)) ++deliveries_;
  }
  mailboxes_.between(self_, to).push(std::move(mail));
}

std::size_t PostOffice::take(base::WorkerId from, std::size_t max, const std::function<void(hub::Mail)>& handle) {
  Mailbox& box = mailboxes_.between(from, self_);
  std::size_t taken = 0;
  hub::Mail mail;
  while (taken < max && box.pop(mail)) {
    ++taken;
    if (hub::class_of(mail) == hub::MailClass::answer) return_credit(from);
    handle(std::move(mail));
  }
  if (taken > 0 && box.take_waiting()) to_wake_[from] = true;
  return taken;
}

void PostOffice::return_credit(base::WorkerId from) {
  ASSERT(in_flight_[from] > 0);
  --in_flight_[from];
  if (waiting_[from].empty()) return;
  hub::Mail mail = std::move(waiting_[from].front().mail);
  waiting_[from].pop_front();
  --parked_;
  ++in_flight_[from];
  push(from, std::move(mail));
}

void PostOffice::wake_others() {
  for (base::WorkerId worker = 0; worker < to_wake_.size(); ++worker) {
    if (!to_wake_[worker]) continue;
    to_wake_[worker] = false;
    if (worker != self_ && wakeups_[worker]->wake()) ++woken_;
  }
}

}  // namespace server
