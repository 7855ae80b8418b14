// How often one connection may do what: a token bucket per operation. Pure; a value that belongs to its connection.
#pragma once

#include <array>
#include <cstdint>

#include "auth/rate_limit.h"
#include "base/time.h"

namespace auth {

enum class Operation : std::uint8_t { publish, subscribe, history, presence, rpc };
inline constexpr std::size_t kOperations = 5;

// Of the configuration, the same for every connection.
class OperationRates {
 public:
  // Each in 1 to 1,000,000; a second's worth may come at once. `subscribe_burst`: as many as a connection may have
  // channels, for a client that comes back subscribes to all of them at once.
  struct PerSecond {
    std::uint32_t publish;
    std::uint32_t subscribe;
    std::uint32_t history;
    std::uint32_t presence;
    std::uint32_t rpc;
    std::uint32_t subscribe_burst;
  };
  explicit OperationRates(const PerSecond& rates);

  Rate of(Operation operation) const { return rates_[static_cast<std::size_t>(operation)]; }

 private:
  std::array<Rate, kOperations> rates_;
};

class OperationLimits {
 public:
  // Counts one operation, or says no.
  bool take(const OperationRates& rates, Operation operation, base::Instant now) {
    return buckets_[static_cast<std::size_t>(operation)].take(rates.of(operation), now);
  }

 private:
  std::array<TokenBucket, kOperations> buckets_;
};

}  // namespace auth
