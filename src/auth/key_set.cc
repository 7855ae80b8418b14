#include "auth/key_set.h"

#include <cstdint>
#include <utility>

#include "auth/pem.h"
#include "auth/signature.h"
#include "base/assert.h"

namespace auth {
namespace {

AlgorithmSet algorithms_of_secret(std::size_t bytes) {
  using enum Algorithm;
  if (bytes < 32) return {};
  if (bytes < 48) return {hs256};
  if (bytes < 64) return {hs256, hs384};
  return kHmacAlgorithms;
}

PublicKey::Made public_key_of(const PemBlock& block) {
  if (block.label == "PUBLIC KEY") return PublicKey::from_spki(block.bytes);
  if (block.label == "RSA PUBLIC KEY") return PublicKey::from_pkcs1(block.bytes);
  if (block.label.ends_with("PRIVATE KEY")) {
    return std::unexpected(
        "is a private key; only public keys belong here: `openssl pkey -in private.pem -pubout` makes one");
  }
  if (block.label == "CERTIFICATE") {
    return std::unexpected("is a certificate; `openssl x509 -in cert.pem -pubkey -noout` takes the key out of it");
  }
  return std::unexpected("has a label other than PUBLIC KEY");
}

}  // namespace

Key::Key(Material material, AlgorithmSet algorithms, std::string kid)
    : material_(std::move(material)), algorithms_(algorithms), kid_(std::move(kid)) {}

Key::Made Key::secret(base::Secret secret, std::string kid, AlgorithmSet only, SecretLength length) {
  const bool any_length = length == SecretLength::any && !secret.reveal().empty();
  if (!any_length && secret.reveal().size() < 32) return std::unexpected("has fewer than 32 bytes");
  if (secret.reveal().contains("-----BEGIN ")) return std::unexpected("is a PEM text and no secret");
  if (kid.size() > kKidBytesMax) return std::unexpected("has a kid of more than 255 bytes");
  const AlgorithmSet algorithms = (any_length ? kHmacAlgorithms : algorithms_of_secret(secret.reveal().size())) & only;
  if (algorithms.empty()) return std::unexpected("is too short for its algorithm, or not for that kind of algorithm");
  return Key(std::move(secret), algorithms, std::move(kid));
}

Key::Made Key::public_key(PublicKey key, std::string kid, std::optional<AlgorithmSet> only) {
  if (kid.size() > kKidBytesMax) return std::unexpected("has a kid of more than 255 bytes");
  const AlgorithmSet algorithms = only ? key.algorithms() & *only : key.algorithms();
  if (algorithms.empty()) return std::unexpected("is not a key for its algorithm");
  return Key(std::move(key), algorithms, std::move(kid));
}

bool Key::verifies(Algorithm algorithm, std::string_view text, std::string_view signature) const {
  if (!algorithms_.contains(algorithm)) return false;
  if (const auto* secret = std::get_if<base::Secret>(&material_)) {
    return hmac_verifies(algorithm, secret->reveal(), text, signature);
  }
  return public_key_verifies(std::get<PublicKey>(material_), algorithm, text, signature);
}

bool KeySet::add(Key key) {
  if (keys_.size() == kKeysMax) return false;
  keys_.push_back(std::move(key));
  return true;
}

KeySet::Answer KeySet::find_signer(Algorithm algorithm, std::optional<std::string_view> kid, std::string_view text,
                                   std::string_view signature, std::size_t public_tries_max) const {
  Answer answer{.outcome = Outcome::no_key};
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const Key& key = keys_[i];
    if (!key.algorithms().contains(algorithm)) continue;
    if (kid && !key.kid().empty() && key.kid() != *kid) continue;
    const bool found = answer.outcome == Outcome::signed_by_key;
    // Secrets are all tried, so that the time does not say which one it was.
    if (!key.is_secret() && (found || answer.public_tries == public_tries_max)) break;
    if (!key.is_secret()) ++answer.public_tries;
    const bool verified = key.verifies(algorithm, text, signature);
    if (found) continue;
    answer.outcome = verified ? Outcome::signed_by_key : Outcome::bad_signature;
    if (verified) answer.key = i;
  }
  return answer;
}

std::expected<std::vector<Key>, std::string> public_keys_of_pem(std::string_view text) {
  const auto blocks = parse_pem(text);
  if (!blocks) return std::unexpected(std::string(blocks.error()));
  if (blocks->empty()) return std::unexpected("has no public key in PEM form (-----BEGIN PUBLIC KEY-----) in it");
  if (blocks->size() > KeySet::kPublicTriesMax) {
    return std::unexpected("has more than " + std::to_string(KeySet::kPublicTriesMax) + " keys in it");
  }
  std::vector<Key> keys;
  for (const PemBlock& block : *blocks) {
    auto key = public_key_of(block);
    auto made = key ? Key::public_key(*std::move(key)) : Key::Made(std::unexpected(key.error()));
    if (!made) {
      return std::unexpected("is refused: its block number " + std::to_string(keys.size() + 1) + " " +
                             std::string(made.error()));
    }
    keys.push_back(*std::move(made));
  }
  return keys;
}

}  // namespace auth
