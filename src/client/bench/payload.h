// What a bench message carries: a number and the moment it was sent, as 32 hex digits, and 'x' up to its size. ASCII,
// so that it is valid text for every server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace client::bench {

inline constexpr std::size_t kPayloadBytesMin = 32;

struct Stamp {
  std::uint64_t sequence = 0;
  base::Instant sent{};
};

// `bytes` >= kPayloadBytesMin.
void write_payload(std::string& out, const Stamp& stamp, std::size_t bytes);
// nullopt: not what we sent.
std::optional<Stamp> read_payload(std::string_view payload, std::size_t bytes);

}  // namespace client::bench
