// Who may connect: counts connections of the process and of each client address (a /56 of IPv6 counts as one). Asked
// once per connection, so a lock is fine. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "loop/io.h"

namespace server {

class Admission {
 public:
  explicit Admission(std::uint64_t seed) : by_address_(0, KeyHash{seed}) {}

  // none, too_many_connections or too_many_from_address. 0 for per_address_max: only the total counts.
  base::Error admit(const loop::Address& address, std::uint32_t connections_max, std::uint32_t per_address_max);
  void release(const loop::Address& address);
  std::uint32_t connections() const { return connections_.load(std::memory_order_relaxed); }

 private:
  struct KeyHash {
    std::uint64_t seed;
    std::size_t operator()(std::uint64_t key) const noexcept;
  };
  std::atomic<std::uint32_t> connections_{0};
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::uint32_t, KeyHash> by_address_;
};

}  // namespace server
