// What the workers of one process share: the current configuration, admission of connections, tickets, counters, and
// the orders of the operator (reload, drain). Everything here is safe from any thread; none of it is touched per
// message.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/ticket.h"
#include "server/admission.h"
#include "server/counters.h"
#include "server/key_wishes.h"
#include "server/log.h"
#include "server/overload.h"
#include "server/revocations.h"
#include "server/snapshot.h"

namespace server {

// One TicketBook for the process: tickets are issued and redeemed a few times per second at most, so a lock is cheaper
// than a round of mail.
class Tickets {
 public:
  std::expected<std::string, base::Error> issue(auth::Principal principal, base::Instant now, base::Entropy& entropy);
  std::expected<auth::Principal, base::Refusal> redeem(std::string_view ticket, base::Instant now);

  std::optional<auth::Principal> peek(std::string_view ticket, base::Instant now);

 private:
  std::mutex mutex_;
  auth::TicketBook book_{0};
};

// How the ledger is, for those who ask. Written by its station.
enum class StorageState : std::uint8_t {
  none,    // there is no data directory
  open,    // all is well
  full,    // nothing is added until there is room on the disk
  failed,  // nothing is written until the server starts again
};
struct Storage {
  std::atomic<StorageState> state{StorageState::none};
  std::atomic<std::uint64_t> commands{0};   // done
  std::atomic<std::uint64_t> batches{0};    // transactions, each with one sync
  std::atomic<std::uint64_t> log_bytes{0};  // of the write-ahead log
};

class Shared {
 public:
  // `log` must outlive this. `secret` seeds every hash over names that attackers choose.
  Shared(SnapshotRef snapshot, std::uint16_t workers, std::uint64_t secret, base::Instant started, Log& log);

  std::uint64_t secret() const { return secret_; }
  std::uint16_t workers() const { return workers_; }
  base::Instant started() const { return started_; }
  // Of this process, as the API names it.
  const std::string& node_id() const { return node_id_; }

  // The configuration. Workers compare generation() once per turn and take the new snapshot when it moved.
  SnapshotRef snapshot() const;
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // Keys that were fetched before count in it too.
  void replace(SnapshotRef snapshot);
  // Keys of issuers as they are now.
  void replace_keys(KeySets keys);

  void drain() { draining_.store(true, std::memory_order_release); }
  bool draining() const { return draining_.load(std::memory_order_acquire); }
  // While draining: each worker says once that its home has sent what it held back. Nobody is told to go before all
  // have, so that no connection is closed on a message that was accepted.
  void home_emptied() { homes_emptied_.fetch_add(1, std::memory_order_release); }
  bool all_homes_emptied() const { return homes_emptied_.load(std::memory_order_acquire) == workers_; }

  Log& log;
  Admission admission;
  Overload overload;
  Storage storage;
  Tickets tickets;
  Revocations revocations;
  KeyWishes key_wishes;
  std::vector<std::unique_ptr<Counters>> counters;  // by worker

 private:
  std::uint16_t workers_;
  std::uint64_t secret_;
  base::Instant started_;
  std::string node_id_;
  mutable std::mutex mutex_;
  SnapshotRef snapshot_;
  KeySets keys_;
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<bool> draining_{false};
  std::atomic<std::uint16_t> homes_emptied_{0};
};

}  // namespace server
