#include "server/admission.h"

#include <cstring>

namespace server {
namespace {

// A v4 address as it is, the first 56 bits of a v6 one: what one customer of a provider holds.
std::uint64_t key_of(const loop::Address& address) {
  std::uint64_t key = 0;
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(address.ip.data(), kMapped, sizeof kMapped) == 0) {
    std::memcpy(&key, address.ip.data() + 12, 4);
    return key | (std::uint64_t{1} << 63);
  }
  std::memcpy(&key, address.ip.data(), 7);
  return key;
}

}  // namespace

std::size_t Admission::KeyHash::operator()(std::uint64_t key) const noexcept {
  return base::hash64({reinterpret_cast<const char*>(&key), sizeof key}, seed);
}

base::Error Admission::admit(const loop::Address& address, std::uint32_t connections_max,
                             std::uint32_t per_address_max) {
  const std::lock_guard lock(mutex_);
  if (connections() >= connections_max) return base::Error::too_many_connections;
  std::uint32_t& held = by_address_[key_of(address)];
  if (per_address_max > 0 && held >= per_address_max) return base::Error::too_many_from_address;
  ++held;
  connections_.fetch_add(1, std::memory_order_relaxed);
  return base::Error::none;
}

void Admission::release(const loop::Address& address) {
  const std::lock_guard lock(mutex_);
  connections_.fetch_sub(1, std::memory_order_relaxed);
  const auto held = by_address_.find(key_of(address));
  if (held != by_address_.end() && --held->second == 0) by_address_.erase(held);
}

}  // namespace server
