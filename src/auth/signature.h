// Signatures of tokens (RFC 7518 section 3, RFC 8037 section 3.1): made and checked with a shared secret, checked with
// a public key. Which algorithm a key may be used with was decided before (key_set.h); a key that cannot do an
// algorithm at all verifies nothing. Stateless; any thread.
#pragma once

#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/public_key.h"

namespace auth {

// HMAC with the hash of `algorithm`, one of kHmacAlgorithms: hash_bytes(algorithm) long.
std::string hmac_signature(Algorithm algorithm, std::string_view secret, std::string_view text);

// Compares in a time that does not depend on the bytes (threat T36).
bool hmac_verifies(Algorithm algorithm, std::string_view secret, std::string_view text, std::string_view signature);

// `signature` as JWS carries it: of ECDSA r and s side by side, of RSA exactly as long as the modulus.
bool public_key_verifies(const PublicKey& key, Algorithm algorithm, std::string_view text, std::string_view signature);

}  // namespace auth
