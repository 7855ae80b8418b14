#include "server/shared.h"

#include <cstdio>

namespace server {

std::expected<std::string, base::Error> Tickets::issue(auth::Principal principal, base::Instant now,
                                                       base::Entropy& entropy) {
  const std::lock_guard lock(mutex_);
  return book_.issue(std::move(principal), now, entropy);
}

std::expected<auth::Principal, base::Refusal> Tickets::redeem(std::string_view ticket, base::Instant now) {
  const std::lock_guard lock(mutex_);
  return book_.redeem(ticket, now);
}

std::optional<auth::Principal> Tickets::peek(std::string_view ticket, base::Instant now) {
  const std::lock_guard lock(mutex_);
  return book_.peek(ticket, now);
}

namespace {

// Unlike that of any other process of this machine since it was started.
std::string name_of_process(base::Instant started) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(started.time_since_epoch().count()));
  return text;
}

}  // namespace

Shared::Shared(SnapshotRef snapshot, std::uint16_t workers, std::uint64_t secret, base::Instant started,
               Log& operator_log)
    : log(operator_log),
      admission(secret),
      workers_(workers),
      secret_(secret),
      started_(started),
      node_id_(name_of_process(started)),
      snapshot_(std::move(snapshot)) {
  for (std::uint16_t worker = 0; worker < workers; ++worker) counters.push_back(std::make_unique<Counters>());
}

SnapshotRef Shared::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void Shared::replace(SnapshotRef snapshot) {
  {
    const std::lock_guard lock(mutex_);
    snapshot_ = keys_.empty() ? std::move(snapshot) : snapshot->with_keys(keys_);
  }
  generation_.fetch_add(1, std::memory_order_release);
}

void Shared::replace_keys(KeySets keys) {
  {
    const std::lock_guard lock(mutex_);
    keys_ = std::move(keys);
    snapshot_ = snapshot_->with_keys(keys_);
  }
  generation_.fetch_add(1, std::memory_order_release);
}

}  // namespace server
