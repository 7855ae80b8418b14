// SHA-256 and HMAC-SHA-256 as values, and their comparison in a time that does not depend on the bytes (threat T36).
// Stateless, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace auth {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);  // RFC 2104

bool equal_digests(const Digest& a, const Digest& b);

}  // namespace auth
