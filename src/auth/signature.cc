#include "auth/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <memory>

#include "auth/ecdsa_form.h"
#include "auth/openssl_errors.h"
#include "base/assert.h"

namespace auth {
namespace {

using enum Algorithm;

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

const EVP_MD* hash_of(Algorithm algorithm) {
  if (algorithm == eddsa) return nullptr;  // Ed25519 has its own inside
  const std::size_t bytes = hash_bytes(algorithm);
  return bytes == 32 ? EVP_sha256() : bytes == 48 ? EVP_sha384() : EVP_sha512();
}

bool is_pss(Algorithm algorithm) { return algorithm == ps256 || algorithm == ps384 || algorithm == ps512; }

bool is_ecdsa(PublicKey::Type type) {
  return type == PublicKey::Type::p256 || type == PublicKey::Type::p384 || type == PublicKey::Type::p521;
}

std::size_t signature_bytes(const PublicKey& key) {
  if (is_ecdsa(key.type())) return 2 * PublicKey::coordinate_bytes(key.type());
  return static_cast<std::size_t>(EVP_PKEY_get_size(key.evp()));
}

// RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash.
bool use_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace

std::string hmac_signature(Algorithm algorithm, std::string_view secret, std::string_view text) {
  ASSERT(kHmacAlgorithms.contains(algorithm) && !secret.empty());
  std::string mac(hash_bytes(algorithm), '\0');
  unsigned size = 0;
  ASSERT(HMAC(hash_of(algorithm), secret.data(), static_cast<int>(secret.size()), octets(text), text.size(),
              reinterpret_cast<unsigned char*>(mac.data()), &size) != nullptr);
  ASSERT(size == mac.size());
  return mac;
}

bool hmac_verifies(Algorithm algorithm, std::string_view secret, std::string_view text, std::string_view signature) {
  if (signature.size() != hash_bytes(algorithm)) return false;
  const std::string right = hmac_signature(algorithm, secret, text);
  return CRYPTO_memcmp(right.data(), signature.data(), right.size()) == 0;
}

bool public_key_verifies(const PublicKey& key, Algorithm algorithm, std::string_view text, std::string_view signature) {
  if (!key.algorithms().contains(algorithm) || signature.size() != signature_bytes(key)) return false;
  const OpensslErrors errors;
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), &parameters, hash_of(algorithm), nullptr, key.evp()) != 1) {
    return false;
  }
  if (is_pss(algorithm) && !use_pss(parameters)) return false;
  const std::string der = is_ecdsa(key.type()) ? ecdsa_der_of(signature) : std::string();
  const std::string_view presented = der.empty() ? signature : std::string_view(der);
  return EVP_DigestVerify(context.get(), octets(presented), presented.size(), octets(text), text.size()) == 1;
}

}  // namespace auth
