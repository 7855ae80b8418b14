// JWK Sets (RFC 7517, 7518 section 6, 8037 section 2): a document of public keys as a value. Where it comes from is not
// known here. Keys that cannot be used are left out one by one, with a reason, as RFC 7517 section 5 wants; a document
// that is no JWK Set is an error as a whole.
//
//   RSA   n, e                        2048 to 8192 bits
//   EC    crv P-256, P-384, P-521; x, y of full size, on the curve
//   OKP   crv Ed25519; x
//   oct   k                           only with OctKeys::accept: a public document has no secrets in it
//
// `use` must be "sig" and `key_ops` have "verify" in it, where they are; `alg` narrows what the key may verify and must
// fit it. A key with private parts (d, p, q, ...) is left out: it is not secret any more. No name may stand twice.
//
// Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_set.h"

namespace auth {

inline constexpr std::size_t kJwksBytesMax = 256 * 1024;  // 64 keys of 4 KiB: RSA 8192 with a certificate chain
inline constexpr std::size_t kJwksKeysMax = 64;

enum class OctKeys : std::uint8_t { refuse, accept };

struct SkippedKey {
  std::size_t number;       // its place in `keys`, from 1
  std::string_view reason;  // a constant, the end of a sentence: "is an RSA key of fewer than 2048 bits"
  friend bool operator==(const SkippedKey&, const SkippedKey&) = default;
};

struct Jwks {
  std::vector<Key> keys;  // in the order of the document
  std::vector<SkippedKey> skipped;
};

// The error is the end of a sentence that begins with the name of the document. A set without any usable key is none.
std::expected<Jwks, std::string_view> parse_jwks(std::string_view json, OctKeys oct = OctKeys::refuse);

}  // namespace auth
