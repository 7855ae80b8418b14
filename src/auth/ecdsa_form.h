// ECDSA signatures in their two forms: r and s side by side, as JWS writes them (RFC 7518 section 3.4), and the DER of
// ECDSA-Sig-Value (RFC 3279 section 2.2.3), as OpenSSL wants them. Nothing is known here about curves: whether r and s
// are in range is checked where the signature is verified. Stateless; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace auth {

// `raw` has an even number of bytes, 2 to 132; half of it is r, half is s, big-endian.
std::string ecdsa_der_of(std::string_view raw);

// The reverse, with `half` bytes (at most 66) for each of r and s. nullopt if `der` is not what ecdsa_der_of() would
// have made of it.
std::optional<std::string> ecdsa_raw_of(std::string_view der, std::size_t half);

}  // namespace auth
