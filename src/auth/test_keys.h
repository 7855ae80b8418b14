// Private keys for tests, made on the spot, and what they sign, by OpenSSL alone: not by the code under test.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "base/assert.h"
#include "codec/base64.h"

namespace auth::test {

using PrivateKey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

inline const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

inline PrivateKey rsa_key(unsigned bits = 2048) { return {EVP_RSA_gen(bits), EVP_PKEY_free}; }
inline PrivateKey ec_key(const char* curve) { return {EVP_EC_gen(curve), EVP_PKEY_free}; }
inline PrivateKey key_of_type(const char* type) { return {EVP_PKEY_Q_keygen(nullptr, nullptr, type), EVP_PKEY_free}; }

// RSA that may sign with PSS only.
inline PrivateKey rsa_pss_key() {
  EVP_PKEY* key = nullptr;
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr), EVP_PKEY_CTX_free);
  ASSERT(EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), 2048) == 1);
  ASSERT(EVP_PKEY_generate(context.get(), &key) == 1);
  return {key, EVP_PKEY_free};
}

// On P-256, with the parameters of the curve spelt out where its name would stand.
inline PrivateKey explicit_ec_key() {
  PrivateKey key = ec_key("P-256");
  ASSERT(EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT) == 1);
  return key;
}

template <class Write>
std::string written(Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
  ASSERT(write(memory.get()) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

inline std::string public_pem(const PrivateKey& key) {
  return written([&](BIO* to) { return PEM_write_bio_PUBKEY(to, key.get()); });
}
inline std::string public_der(const PrivateKey& key) {
  return written([&](BIO* to) { return i2d_PUBKEY_bio(to, key.get()); });
}
inline std::string pkcs1_public_pem(const PrivateKey& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PublicKey(key.get(), &der);
  ASSERT(size > 0);
  const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return "-----BEGIN RSA PUBLIC KEY-----\n" + codec::base64_encode(bytes) + "\n-----END RSA PUBLIC KEY-----\n";
}
inline std::string private_pem(const PrivateKey& key) {
  return written(
      [&](BIO* to) { return PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

inline const EVP_MD* hash_of(Algorithm algorithm) {
  if (algorithm == Algorithm::eddsa) return nullptr;
  const std::size_t bytes = hash_bytes(algorithm);
  return bytes == 32 ? EVP_sha256() : bytes == 48 ? EVP_sha384() : EVP_sha512();
}

// What EVP makes of it: of ECDSA the DER form.
inline std::string sign_as_is(const PrivateKey& key, Algorithm algorithm, std::string_view text,
                              int pss_salt = RSA_PSS_SALTLEN_DIGEST) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  ASSERT(EVP_DigestSignInit(context.get(), &parameters, hash_of(algorithm), nullptr, key.get()) == 1);
  if (algorithm == Algorithm::ps256 || algorithm == Algorithm::ps384 || algorithm == Algorithm::ps512) {
    ASSERT(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, pss_salt) == 1);
  }
  std::string signature(2048, '\0');
  std::size_t size = signature.size();
  ASSERT(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, octets(text),
                        text.size()) == 1);
  signature.resize(size);
  return signature;
}

// r and s of a DER signature side by side, each `half` bytes.
inline std::string raw_of(std::string_view der, int half) {
  const unsigned char* at = octets(der);
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> parsed(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  ASSERT(parsed != nullptr);
  std::string raw(static_cast<std::size_t>(2 * half), '\0');
  auto* const out = reinterpret_cast<unsigned char*>(raw.data());
  ASSERT(BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, half) == half);
  ASSERT(BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + half, half) == half);
  return raw;
}

// As JWS carries it.
inline std::string sign(const PrivateKey& key, Algorithm algorithm, std::string_view text) {
  const std::string signature = sign_as_is(key, algorithm, text);
  switch (algorithm) {
    case Algorithm::es256:
      return raw_of(signature, 32);
    case Algorithm::es384:
      return raw_of(signature, 48);
    case Algorithm::es512:
      return raw_of(signature, 66);
    default:
      return signature;
  }
}

inline std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  ASSERT(HMAC(hash_of(algorithm), secret.empty() ? "" : secret.data(), static_cast<int>(secret.size()), octets(text),
              text.size(), mac, &size) != nullptr);
  return {reinterpret_cast<const char*>(mac), size};
}

// header "." claims of an `alg` that may be anything.
inline std::string text_to_sign(std::string_view algorithm, std::string_view claims,
                                std::string_view more_header = {}) {
  return codec::base64url_encode("{\"alg\":\"" + std::string(algorithm) + "\"" + std::string(more_header) + "}") + "." +
         codec::base64url_encode(claims);
}

}  // namespace auth::test
