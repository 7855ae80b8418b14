// PublicKey: a key that signatures are checked with, of a kind and size that is safe to use. RSA of 2048 to 8192 bits
// with an odd exponent of 3 to 2^32, ECDSA on the curves P-256, P-384 and P-521 by name, Ed25519; everything else is
// refused when it is read. Nothing private is ever in it.
//
// Immutable value; copies share OpenSSL's object, which is only read; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string_view>

#include "auth/algorithm.h"

extern "C" {
struct evp_pkey_st;  // OpenSSL's EVP_PKEY
}

namespace auth {

class PublicKey {
 public:
  // rsa_pss: RSA that may sign with PSS only (id-RSASSA-PSS of RFC 4055).
  enum class Type : std::uint8_t { rsa, rsa_pss, p256, p384, p521, ed25519 };

  static constexpr int kRsaBitsMin = 2048;  // RFC 7518 sections 3.3 and 3.5
  static constexpr int kRsaBitsMax = 8192;  // four times 2048 costs sixteen times the work; nobody uses more

  // Errors are the end of a sentence that begins with what the key is called.
  using Made = std::expected<PublicKey, std::string_view>;
  static Made from_spki(std::string_view der);                           // SubjectPublicKeyInfo: "BEGIN PUBLIC KEY"
  static Made from_pkcs1(std::string_view der);                          // RSAPublicKey: "BEGIN RSA PUBLIC KEY"
  static Made rsa(std::string_view modulus, std::string_view exponent);  // big-endian
  static Made ec(Type curve, std::string_view x, std::string_view y);    // each coordinate_bytes(curve) long
  static Made ed25519(std::string_view bytes);

  // Bytes of a coordinate, and of r and s: 32, 48 or 66. `curve` is one of the three of ECDSA.
  static std::size_t coordinate_bytes(Type curve);

  PublicKey(const PublicKey& other);
  PublicKey& operator=(const PublicKey& other);
  PublicKey(PublicKey&&) noexcept = default;
  PublicKey& operator=(PublicKey&&) noexcept = default;
  ~PublicKey() = default;

  Type type() const { return type_; }
  AlgorithmSet algorithms() const;  // what a key of this type can verify at all
  evp_pkey_st* evp() const { return evp_.get(); }

  friend bool operator==(const PublicKey& a, const PublicKey& b);

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;

  PublicKey(Handle evp, Type type) : evp_(std::move(evp)), type_(type) {}
  static Made checked(Handle evp);

  Handle evp_;
  Type type_;
};

}  // namespace auth
