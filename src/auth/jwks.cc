#include "auth/jwks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "auth/members.h"
#include "codec/base64.h"

namespace auth {
namespace {

using codec::JsonValue;

// One JWK. A parameter that is absent and one that is not a text are told apart where it matters.
class Jwk {
 public:
  explicit Jwk(const Members& members) : members_(members) {}

  bool has(std::string_view name) const { return members_.find(name) != nullptr; }
  const JsonValue* find(std::string_view name) const { return members_.find(name); }

  std::optional<std::string> text(std::string_view name) const {
    const JsonValue* const value = members_.find(name);
    return value == nullptr ? std::nullopt : value->string();
  }
  std::optional<std::string> bytes(std::string_view name) const {
    const auto encoded = text(name);
    return encoded ? codec::base64url_decode(*encoded) : std::nullopt;
  }

 private:
  const Members& members_;
};

constexpr std::string_view kNoBase64 = "has a parameter that is missing or no base64url";

bool may_verify(const JsonValue& operations) {
  bool found = false;
  codec::JsonElements elements(operations);
  while (const auto element = elements.next()) found |= element->string() == "verify";
  return found;
}

// A reason why the key is not meant for checking signatures; empty if it may be.
std::string_view purpose_problem(const Jwk& jwk) {
  if (jwk.has("use") && jwk.text("use") != "sig") return "is not for signatures (use)";
  if (jwk.has("key_ops") && !may_verify(*jwk.find("key_ops"))) return "is not for verifying signatures (key_ops)";
  if (jwk.has("kid") && !jwk.text("kid")) return "has a kid that is no text";
  return {};
}

PublicKey::Made rsa_key(const Jwk& jwk) {
  const auto modulus = jwk.bytes("n");
  const auto exponent = jwk.bytes("e");
  if (!modulus || !exponent) return std::unexpected(kNoBase64);
  return PublicKey::rsa(*modulus, *exponent);
}

PublicKey::Made ec_key(const Jwk& jwk) {
  using enum PublicKey::Type;
  constexpr std::array<std::pair<std::string_view, PublicKey::Type>, 3> kCurves = {
      {{"P-256", p256}, {"P-384", p384}, {"P-521", p521}}};
  const auto curve =
      std::ranges::find(kCurves, jwk.text("crv").value_or(""), &std::pair<std::string_view, PublicKey::Type>::first);
  if (curve == kCurves.end()) return std::unexpected("is on a curve other than P-256, P-384 and P-521");
  const auto x = jwk.bytes("x");
  const auto y = jwk.bytes("y");
  if (!x || !y) return std::unexpected(kNoBase64);
  return PublicKey::ec(curve->second, *x, *y);
}

PublicKey::Made okp_key(const Jwk& jwk) {
  if (jwk.text("crv") != "Ed25519") return std::unexpected("is on a curve other than Ed25519");
  const auto x = jwk.bytes("x");
  if (!x) return std::unexpected(kNoBase64);
  return PublicKey::ed25519(*x);
}

Key::Made key_of(const Jwk& jwk, OctKeys oct) {
  if (const std::string_view problem = purpose_problem(jwk); !problem.empty()) return std::unexpected(problem);
  std::optional<AlgorithmSet> only;
  if (jwk.has("alg")) {
    const auto algorithm = algorithm_named(jwk.text("alg").value_or(""));
    if (!algorithm) return std::unexpected("has an alg that is not known here");
    only = AlgorithmSet{*algorithm};
  }
  std::string kid = jwk.text("kid").value_or("");
  const std::string type = jwk.text("kty").value_or("");
  if (type == "oct") {
    if (oct == OctKeys::refuse) return std::unexpected("is a secret (oct), and secrets are not taken from here");
    auto secret = jwk.bytes("k");
    if (!secret) return std::unexpected(kNoBase64);
    return Key::secret(base::Secret(*std::move(secret)), std::move(kid), only.value_or(kHmacAlgorithms));
  }
  if (type != "RSA" && type != "EC" && type != "OKP") return std::unexpected("is neither RSA, EC nor OKP (kty)");
  constexpr std::array<std::string_view, 7> kPrivateParts = {"d", "p", "q", "dp", "dq", "qi", "oth"};
  if (std::ranges::any_of(kPrivateParts, [&](std::string_view part) { return jwk.has(part); })) {
    return std::unexpected("has its private parts in it, so it is not secret any more");
  }
  auto key = type == "RSA" ? rsa_key(jwk) : type == "EC" ? ec_key(jwk) : okp_key(jwk);
  if (!key) return std::unexpected(key.error());
  return Key::public_key(*std::move(key), std::move(kid), only);
}

}  // namespace

std::expected<Jwks, std::string_view> parse_jwks(std::string_view json, OctKeys oct) {
  if (json.size() > kJwksBytesMax) return std::unexpected("is larger than 256 KiB");
  const auto document = Members::parse(json);
  const JsonValue* const list = document ? document->find("keys") : nullptr;
  if (list == nullptr || list->type() != JsonValue::Type::array) {
    return std::unexpected("is no JWK Set: a JSON object with a list \"keys\"");
  }
  Jwks made;
  codec::JsonElements elements(*list);
  for (std::size_t number = 1; const auto element = elements.next(); ++number) {
    if (number > kJwksKeysMax) return std::unexpected("has more than 64 keys");
    const auto members = Members::of(*element);
    auto key = members ? key_of(Jwk(*members), oct)
                       : Key::Made(std::unexpected("is no JSON object, or a name stands there twice"));
    if (key) {
      made.keys.push_back(*std::move(key));
    } else {
      made.skipped.push_back({number, key.error()});
    }
  }
  return made;
}

}  // namespace auth
