#include "app/private_key.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <utility>

#include "auth/ecdsa_form.h"
#include "auth/openssl_errors.h"
#include "auth/pem.h"
#include "auth/signature.h"
#include "base/assert.h"

namespace app {
namespace {

using auth::Algorithm;

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::string spki_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string bytes = size > 0 ? std::string(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)) : "";
  OPENSSL_free(der);
  return bytes;
}

const EVP_MD* hash_of(Algorithm algorithm) {
  if (algorithm == Algorithm::eddsa) return nullptr;
  const std::size_t bytes = auth::hash_bytes(algorithm);
  return bytes == 32 ? EVP_sha256() : bytes == 48 ? EVP_sha384() : EVP_sha512();
}

bool is_pss(Algorithm algorithm) {
  return algorithm == Algorithm::ps256 || algorithm == Algorithm::ps384 || algorithm == Algorithm::ps512;
}

bool is_ecdsa(Algorithm algorithm) {
  return algorithm == Algorithm::es256 || algorithm == Algorithm::es384 || algorithm == Algorithm::es512;
}

}  // namespace

void PrivateKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

std::expected<PrivateKey, std::string> PrivateKey::from_pem(std::string_view text) {
  const auto blocks = auth::parse_pem(text);
  if (!blocks) {
    return std::unexpected(fmt::format("{}{}", blocks.error(),
                                       text.contains("ENCRYPTED") ? "; a key with a passphrase is not taken" : ""));
  }
  for (const auth::PemBlock& block : *blocks) {
    if (block.label == "ENCRYPTED PRIVATE KEY") return std::unexpected("has a passphrase; take a key without one");
    if (!block.label.ends_with("PRIVATE KEY")) continue;  // openssl writes EC PARAMETERS before some
    const auth::OpensslErrors errors;
    const unsigned char* at = octets(block.bytes);
    Handle key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(block.bytes.size())));
    if (key == nullptr) return std::unexpected("is no private key that can be read");
    auto public_half = auth::PublicKey::from_spki(spki_of(key.get()));
    if (!public_half) return std::unexpected(std::string(public_half.error()));
    return PrivateKey(std::move(key), *std::move(public_half));
  }
  return std::unexpected("has no private key in PEM form (-----BEGIN PRIVATE KEY-----) in it");
}

Algorithm PrivateKey::first_algorithm() const {
  using enum Algorithm;
  for (const Algorithm algorithm : {rs256, ps256, es256, es384, es512, eddsa}) {
    if (algorithms().contains(algorithm)) return algorithm;
  }
  ASSERT(false);  // every PublicKey has one
  return eddsa;
}

std::string PrivateKey::sign(Algorithm algorithm, std::string_view text) const {
  ASSERT(algorithms().contains(algorithm));
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  ASSERT(context != nullptr &&
         EVP_DigestSignInit(context.get(), &parameters, hash_of(algorithm), nullptr, evp_.get()) == 1);
  if (is_pss(algorithm)) {
    ASSERT(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(evp_.get()));
  std::string signature(size, '\0');
  ASSERT(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, octets(text),
                        text.size()) == 1);
  signature.resize(size);
  if (is_ecdsa(algorithm)) {
    auto raw = auth::ecdsa_raw_of(signature, auth::PublicKey::coordinate_bytes(public_half_.type()));
    ASSERT(raw.has_value());
    signature = *std::move(raw);
  }
  // A private key that does not belong to its public half (a damaged file) would sign what nobody accepts.
  ASSERT(auth::public_key_verifies(public_half_, algorithm, text, signature));
  return signature;
}

}  // namespace app
