// Rate limits: a token bucket as an eight-byte value, and a bounded table of them keyed by a number, for limits per
// address prefix (handshakes, wrong credentials, log lines; threats T16, T17, T37).
//
// Time is an argument and must not run backwards by more than it is allowed to: an earlier `now` only means fewer
// tokens. Buckets are values; a table belongs to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace auth {

// One token every `interval`, at most `burst` saved up. interval > 0, burst > 0.
struct Rate {
  base::Duration interval;
  std::uint32_t burst;
};

// `tokens_per_s` in 1 to 1,000,000,000.
constexpr Rate per_second(std::uint32_t tokens_per_s, std::uint32_t burst) {
  return {base::Duration{std::chrono::seconds{1}} / tokens_per_s, burst};
}

// The generic cell rate algorithm (ITU-T I.371, annex A): instead of a count and the time of its last change, only the
// instant at which the bucket is full again is kept. A new bucket is full.
class TokenBucket {
 public:
  // Takes `cost` tokens, or none and returns false. A cost above the burst is never granted.
  bool take(Rate rate, base::Instant now, std::uint32_t cost = 1);

  // How long until take(rate, now + wait, cost) succeeds; 0 if it would now, max() if never. For Retry-After.
  base::Duration wait(Rate rate, base::Instant now, std::uint32_t cost = 1) const;

  // The bucket is full: nothing would be lost by forgetting it.
  bool full(base::Instant now) const { return full_at_ <= now; }

 private:
  base::Instant full_at_ = base::Instant::min();
};

// The part of an address that one customer of a provider usually holds: /24 of IPv4, /56 of IPv6. `ip` as in
// loop::Address: IPv4 is v4-mapped. Below 2^56, so that a caller can tell kinds of limits apart in the upper byte.
std::uint64_t address_prefix(const std::array<std::uint8_t, 16>& ip);

// At most `entries_max` buckets of one rate. When the table is full the bucket that was not used for longest is
// forgotten, which makes it full: an attacker with more prefixes than the table has entries is not held back by it, and
// costs no memory either. About 64 bytes per entry.
class RateTable {
 public:
  // `seed`: attackers choose their addresses. entries_max > 0.
  RateTable(Rate rate, std::uint32_t entries_max, std::uint64_t seed);

  bool take(std::uint64_t key, base::Instant now, std::uint32_t cost = 1);
  base::Duration wait(std::uint64_t key, base::Instant now, std::uint32_t cost = 1) const;

  // For buckets used from now on; what they have spent stays spent.
  void set_rate(Rate rate) { rate_ = rate; }
  std::size_t size() const { return index_.size(); }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  struct Entry {
    std::uint64_t key;
    TokenBucket bucket;
    std::uint32_t newer;
    std::uint32_t older;
  };
  struct KeyHash {
    std::uint64_t seed;
    std::size_t operator()(std::uint64_t key) const noexcept;
  };

  Entry& use(std::uint64_t key);
  void unlink(std::uint32_t slot);
  void link_newest(std::uint32_t slot);

  Rate rate_;
  std::uint32_t entries_max_;
  std::vector<Entry> entries_;  // slots, never freed; in order of use by newer/older
  std::unordered_map<std::uint64_t, std::uint32_t, KeyHash> index_;
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
};

}  // namespace auth
