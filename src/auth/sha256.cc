#include "auth/sha256.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/assert.h"

namespace auth {
namespace {

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

// OpenSSL refuses these calls only when it cannot allocate or has no SHA-256 at all: the process is then useless.

Digest sha256(std::string_view bytes) {
  Digest digest;
  ASSERT(EVP_Digest(octets(bytes), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest digest;
  unsigned size = 0;
  // A null key would mean "the key of last time" to OpenSSL; callers refuse empty keys, this makes one harmless.
  const char* const key_bytes = key.empty() ? "" : key.data();
  ASSERT(HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()), octets(bytes), bytes.size(), digest.data(),
              &size) != nullptr);
  ASSERT(size == digest.size());
  return digest;
}

bool equal_digests(const Digest& a, const Digest& b) { return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace auth
