#include "auth/rate_limit.h"

#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "base/hash.h"

namespace auth {
namespace {

// The instant at which the bucket would be full again after `cost` tokens are taken at `now`.
base::Instant full_after(base::Instant full_at, Rate rate, base::Instant now, std::uint32_t cost) {
  return std::max(full_at, now) + rate.interval * std::int64_t{cost};
}

}  // namespace

bool TokenBucket::take(Rate rate, base::Instant now, std::uint32_t cost) {
  if (cost > rate.burst) return false;
  const base::Instant after = full_after(full_at_, rate, now, cost);
  if (after - now > rate.interval * std::int64_t{rate.burst}) return false;
  full_at_ = after;
  return true;
}

base::Duration TokenBucket::wait(Rate rate, base::Instant now, std::uint32_t cost) const {
  if (cost > rate.burst) return base::Duration::max();
  const base::Duration over = full_after(full_at_, rate, now, cost) - now - rate.interval * std::int64_t{rate.burst};
  return std::max(over, base::Duration{0});
}

std::uint64_t address_prefix(const std::array<std::uint8_t, 16>& ip) {
  constexpr std::array<std::uint8_t, 12> kV4Mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::uint64_t prefix = 0;
  if (std::equal(kV4Mapped.begin(), kV4Mapped.end(), ip.begin())) {
    // 0001::/16 lies in the block 0000::/8 that IETF keeps unassigned (RFC 4291 section 2.4), so no IPv6 prefix is
    // there.
    prefix = 1;
    for (std::size_t i = 0; i < 2; ++i) prefix <<= 8;
    for (std::size_t i = 12; i < 15; ++i) prefix = prefix << 8 | ip[i];
    return prefix;
  }
  for (std::size_t i = 0; i < 7; ++i) prefix = prefix << 8 | ip[i];
  return prefix;
}

std::size_t RateTable::KeyHash::operator()(std::uint64_t key) const noexcept {
  return base::hash64({reinterpret_cast<const char*>(&key), sizeof key}, seed);
}

RateTable::RateTable(Rate rate, std::uint32_t entries_max, std::uint64_t seed)
    : rate_(rate), entries_max_(entries_max), index_(0, KeyHash{seed}) {
  ASSERT(rate.interval > base::Duration{0} && rate.burst > 0 && entries_max > 0 && entries_max < kNone);
}

bool RateTable::take(std::uint64_t key, base::Instant now, std::uint32_t cost) {
  return use(key).bucket.take(rate_, now, cost);
}

base::Duration RateTable::wait(std::uint64_t key, base::Instant now, std::uint32_t cost) const {
  const auto found = index_.find(key);
  return found == index_.end() ? TokenBucket{}.wait(rate_, now, cost)
                               : entries_[found->second].bucket.wait(rate_, now, cost);
}

RateTable::Entry& RateTable::use(std::uint64_t key) {
  std::uint32_t slot = kNone;
  if (const auto found = index_.find(key); found != index_.end()) {
    slot = found->second;
    unlink(slot);
  } else if (entries_.size() < entries_max_) {
    slot = static_cast<std::uint32_t>(entries_.size());
    entries_.push_back({key, {}, kNone, kNone});
    index_.emplace(key, slot);
  } else {
    slot = oldest_;
    unlink(slot);
    index_.erase(entries_[slot].key);
    entries_[slot] = {key, {}, kNone, kNone};
    index_.emplace(key, slot);
  }
  link_newest(slot);
  return entries_[slot];
}

void RateTable::unlink(std::uint32_t slot) {
  Entry& entry = entries_[slot];
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
}

void RateTable::link_newest(std::uint32_t slot) {
  Entry& entry = entries_[slot];
  entry.newer = kNone;
  entry.older = newest_;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = slot;
  newest_ = slot;
}

}  // namespace auth
