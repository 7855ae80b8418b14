#include "auth/public_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string>
#include <utility>

#include "auth/openssl_errors.h"
#include "base/assert.h"

namespace auth {
namespace {

constexpr std::string_view kNotRead = "is no public key that can be read";

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

// Numbers go to OpenSSL in the byte order of the machine.
std::string native(std::string_view big_endian) {
  std::string number(big_endian);
  if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(number);
  return number;
}

OSSL_PARAM number_param(const char* name, std::string& native_bytes) {
  return OSSL_PARAM_construct_BN(name, reinterpret_cast<unsigned char*>(native_bytes.data()), native_bytes.size());
}

// `parameters` end with OSSL_PARAM_construct_end(). Null: not a key.
EVP_PKEY* key_of(const char* type, OSSL_PARAM* parameters) {
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    return nullptr;
  }
  return key;
}

// A reason to refuse an RSA key; empty if it is fine.
std::string_view rsa_problem(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < PublicKey::kRsaBitsMin) return "is an RSA key of fewer than 2048 bits";
  if (bits > PublicKey::kRsaBitsMax) return "is an RSA key of more than 8192 bits";
  std::uint64_t exponent = 0;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_uint64(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end()};
  // 1 would make every text its own signature.
  if (EVP_PKEY_get_params(key, parameters) != 1 || exponent < 3 || exponent > UINT32_MAX || exponent % 2 == 0) {
    return "is an RSA key with an impossible exponent";
  }
  return {};
}

std::optional<PublicKey::Type> curve_of(const EVP_PKEY* key) {
  // Parameters that are spelt out can be somebody else's choice of a generator (CVE-2020-0601).
  int spelt_out = 0;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &spelt_out),
                             OSSL_PARAM_construct_end()};
  std::array<char, 32> name{};
  if (EVP_PKEY_get_params(key, parameters) != 1 || spelt_out != 0 ||
      EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) {
    return std::nullopt;
  }
  const std::string_view curve(name.data());
  if (curve == "prime256v1") return PublicKey::Type::p256;
  if (curve == "secp384r1") return PublicKey::Type::p384;
  if (curve == "secp521r1") return PublicKey::Type::p521;
  return std::nullopt;
}

const char* curve_name(PublicKey::Type curve) {
  return curve == PublicKey::Type::p256 ? "prime256v1" : curve == PublicKey::Type::p384 ? "secp384r1" : "secp521r1";
}

std::string_view without_leading_zeros(std::string_view number) {
  number.remove_prefix(std::min(number.find_first_not_of('\0'), number.size()));
  return number;
}

}  // namespace

void PublicKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

PublicKey::PublicKey(const PublicKey& other) : evp_(other.evp_.get()), type_(other.type_) {
  ASSERT(EVP_PKEY_up_ref(evp_.get()) == 1);
}

PublicKey& PublicKey::operator=(const PublicKey& other) {
  if (this != &other) *this = PublicKey(other);
  return *this;
}

bool operator==(const PublicKey& a, const PublicKey& b) {
  const OpensslErrors errors;
  return a.type_ == b.type_ && EVP_PKEY_eq(a.evp_.get(), b.evp_.get()) == 1;
}

PublicKey::Made PublicKey::checked(Handle evp) {
  if (evp == nullptr) return std::unexpected(kNotRead);
  switch (EVP_PKEY_get_base_id(evp.get())) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: {
      if (const std::string_view problem = rsa_problem(evp.get()); !problem.empty()) return std::unexpected(problem);
      const Type type = EVP_PKEY_get_base_id(evp.get()) == EVP_PKEY_RSA ? Type::rsa : Type::rsa_pss;
      return PublicKey(std::move(evp), type);
    }
    case EVP_PKEY_EC: {
      const auto curve = curve_of(evp.get());
      if (!curve) return std::unexpected("is on a curve other than P-256, P-384 and P-521");
      return PublicKey(std::move(evp), *curve);
    }
    case EVP_PKEY_ED25519:
      return PublicKey(std::move(evp), Type::ed25519);
    default:
      return std::unexpected("is neither RSA, ECDSA nor Ed25519");
  }
}

PublicKey::Made PublicKey::from_spki(std::string_view der) {
  const OpensslErrors errors;
  const unsigned char* at = octets(der);
  Handle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (at != octets(der) + der.size()) return std::unexpected(kNotRead);
  return checked(std::move(key));
}

PublicKey::Made PublicKey::from_pkcs1(std::string_view der) {
  const OpensslErrors errors;
  const unsigned char* at = octets(der);
  Handle key(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())));
  if (at != octets(der) + der.size()) return std::unexpected(kNotRead);
  return checked(std::move(key));
}

PublicKey::Made PublicKey::rsa(std::string_view modulus, std::string_view exponent) {
  const OpensslErrors errors;
  // Some write a zero in front (RFC 7518 section 6.3.1.1 says not to); it changes nothing.
  std::string n = native(without_leading_zeros(modulus));
  std::string e = native(without_leading_zeros(exponent));
  if (n.empty() || e.empty()) return std::unexpected(kNotRead);
  if (n.size() > kRsaBitsMax / 8) return std::unexpected("is an RSA key of more than 8192 bits");
  if (e.size() > sizeof(std::uint64_t)) return std::unexpected("is an RSA key with an impossible exponent");
  OSSL_PARAM parameters[] = {number_param(OSSL_PKEY_PARAM_RSA_N, n), number_param(OSSL_PKEY_PARAM_RSA_E, e),
                             OSSL_PARAM_construct_end()};
  return checked(Handle(key_of("RSA", parameters)));
}

PublicKey::Made PublicKey::ec(Type curve, std::string_view x, std::string_view y) {
  const OpensslErrors errors;
  // RFC 7518 section 6.2.1.2: the full size, zeros in front included.
  if (x.size() != coordinate_bytes(curve) || y.size() != x.size()) {
    return std::unexpected("has a coordinate of the wrong size");
  }
  std::string point = "\x04";  // uncompressed; OpenSSL refuses a point that is not on the curve
  point.append(x).append(y);
  std::string name = curve_name(curve);
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
                             OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                             OSSL_PARAM_construct_end()};
  return checked(Handle(key_of("EC", parameters)));
}

PublicKey::Made PublicKey::ed25519(std::string_view bytes) {
  const OpensslErrors errors;
  return checked(Handle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(bytes), bytes.size())));
}

std::size_t PublicKey::coordinate_bytes(Type curve) {
  ASSERT(curve == Type::p256 || curve == Type::p384 || curve == Type::p521);
  return curve == Type::p256 ? 32 : curve == Type::p384 ? 48 : 66;
}

AlgorithmSet PublicKey::algorithms() const {
  using enum Algorithm;
  switch (type_) {
    case Type::rsa:
      return {rs256, rs384, rs512, ps256, ps384, ps512};
    case Type::rsa_pss:
      return {ps256, ps384, ps512};
    case Type::p256:
      return {es256};
    case Type::p384:
      return {es384};
    case Type::p521:
      return {es512};
    case Type::ed25519:
      return {eddsa};
  }
  return {};
}

}  // namespace auth
