// Keys of tokens and sets of them. What a key may verify is fixed when it is made, by its kind, its size and, of a JWK,
// its own `alg`; the token only chooses among that (RFC 8725 section 3.1, threat T33): a public key never is an HMAC
// secret, and ES256 is P-256 and nothing else.
//
// Immutable values once filled; any thread may call const functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/algorithm.h"
#include "auth/public_key.h"
#include "base/secret.h"

namespace auth {

inline constexpr std::size_t kKidBytesMax = 255;

enum class SecretLength : std::uint8_t {
  safe,  // as long as the hash of its algorithm, RFC 7518 section 3.2
  any,   // from one byte on: whoever sees a token can find a short key by trying
};

class Key {
 public:
  // Errors are the end of a sentence that begins with what the key is called.
  using Made = std::expected<Key, std::string_view>;

  // HS256, and HS384 and HS512 if it is as long as their hash: 48 and 64 bytes (RFC 7518 section 3.2). With `only`
  // just those of them. Refused: fewer than 32 bytes, or a PEM text, which everybody may know. With SecretLength::any
  // all three, and only the empty secret is too short.
  static Made secret(base::Secret secret, std::string kid = {}, AlgorithmSet only = kHmacAlgorithms,
                     SecretLength length = SecretLength::safe);
  // What a key of its type can verify, or just `only` of that.
  static Made public_key(PublicKey key, std::string kid = {}, std::optional<AlgorithmSet> only = {});

  const std::string& kid() const { return kid_; }  // empty: it has none
  AlgorithmSet algorithms() const { return algorithms_; }
  bool is_secret() const { return std::holds_alternative<base::Secret>(material_); }
  bool verifies(Algorithm algorithm, std::string_view text, std::string_view signature) const;
  // The same key with the same rights and name.
  friend bool operator==(const Key&, const Key&) = default;

 private:
  using Material = std::variant<base::Secret, PublicKey>;
  Key(Material material, AlgorithmSet algorithms, std::string kid);

  Material material_;
  AlgorithmSet algorithms_;
  std::string kid_;
};

class KeySet {
 public:
  static constexpr std::size_t kKeysMax = 128;  // the configuration gives at most 64 secrets and 8 public keys
  // Public keys that one token is tried with. A P-384 verification takes about half a millisecond; anybody may ask.
  static constexpr std::size_t kPublicTriesMax = 8;

  // False: it is full.
  bool add(Key key);

  enum class Outcome : std::uint8_t {
    signed_by_key,
    no_key,         // for this algorithm, or none with that name
    bad_signature,  // of every key that was tried
  };
  struct Answer {
    Outcome outcome;
    std::size_t key = 0;  // its place in keys(), if signed_by_key
    std::size_t public_tries = 0;
  };

  // Tried are the keys for `algorithm` in their order: those without a name, and those whose name is `kid` (without
  // one: all of them). Every secret among them is tried, at most `public_tries_max` public keys.
  Answer find_signer(Algorithm algorithm, std::optional<std::string_view> kid, std::string_view text,
                     std::string_view signature, std::size_t public_tries_max = kPublicTriesMax) const;

  std::span<const Key> keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }

 private:
  std::vector<Key> keys_;
};

// The public keys of a text in PEM form, at least one and at most KeySet::kPublicTriesMax, so that each is tried. A
// private key or a certificate in it is an error: the first does not belong on a server, the second would not be
// checked. The error is the end of a sentence that begins with the name of the file.
std::expected<std::vector<Key>, std::string> public_keys_of_pem(std::string_view text);

}  // namespace auth
