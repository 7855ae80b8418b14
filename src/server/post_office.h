// The mail of one station: outgoing by hub::Post, with credits for requests; incoming by take(). Requests without a
// credit wait here, in order; the worker stops reading from the peer that asks until its requests have left, so that
// what waits is bounded by what those peers had already sent. Threads: owned by one station; the mailboxes are shared.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "hub/mail.h"
#include "loop/io.h"
#include "server/mailbox.h"

namespace server {

// All mailboxes of a process: between(a, b) carries mail from a to b. Stations are the workers and behind them, where
// there is a ledger, the ledger and its reader.
class Mailboxes {
 public:
  Mailboxes(std::uint16_t stations, MailboxSize size);
  Mailbox& between(base::WorkerId from, base::WorkerId to) { return *boxes_[std::size_t{from} * stations_ + to]; }
  std::uint16_t stations() const { return stations_; }
  MailboxSize size() const { return size_; }

 private:
  std::uint16_t stations_;
  MailboxSize size_;
  std::vector<std::unique_ptr<Mailbox>> boxes_;
};

class PostOffice final : public hub::Post {
 public:
  // wakeups[s] wakes station s; all must outlive the office.
  PostOffice(base::WorkerId self, Mailboxes& mailboxes, std::span<loop::Wakeup* const> wakeups);

  bool has_room(base::WorkerId to) override;
  void send(base::WorkerId to, hub::Mail mail) override;

  // Hands over at most `max` mails from one worker, oldest first; returns how many.
  std::size_t take(base::WorkerId from, std::size_t max, const std::function<void(hub::Mail)>& handle);
  bool has_mail_from(base::WorkerId from) { return mailboxes_.between(from, self_).has_mail(); }
  // Wakes every other worker that got mail or room since the last call; once per turn.
  void wake_others();

  std::uint16_t stations() const { return mailboxes_.stations(); }
  std::size_t parked() const { return parked_; }
  // Parked requests have numbers 1, 2, 3, ... in the order of send(). Of the newest one ever; of the oldest one that is
  // still here (all ones: none is).
  std::uint64_t newest_parked() const { return parkings_; }
  std::uint64_t oldest_parked() const;
  // To other workers, ever: mails, those of them that are deliveries, and wake-ups of workers that slept.
  std::uint64_t mails_sent() const { return sent_; }
  std::uint64_t deliveries_sent() const { return deliveries_; }
  std::uint64_t wakeups() const { return woken_; }

 private:
  void push(base::WorkerId to, hub::Mail mail);
  void return_credit(base::WorkerId from);

  base::WorkerId self_;
  Mailboxes& mailboxes_;
  std::vector<loop::Wakeup*> wakeups_;
  std::vector<std::uint32_t> in_flight_;  // requests, by target
  struct Parked {
    std::uint64_t number;
    hub::Mail mail;
  };
  std::vector<std::deque<Parked>> waiting_;  // requests without a credit, by target
  std::vector<bool> to_wake_;
  std::size_t parked_ = 0;
  std::uint64_t parkings_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t deliveries_ = 0;
  std::uint64_t woken_ = 0;
};

}  // namespace server
