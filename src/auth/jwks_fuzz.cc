// JWK Sets against bytes: whatever comes, every key that is taken has an algorithm and a name of bounded size, every
// key that is not has a reason, and no secret is taken unless that was asked for.
#include <cstdint>
#include <string_view>

#include "auth/jwks.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const auto set = auth::parse_jwks(input);
  const auto with_secrets = auth::parse_jwks(input, auth::OctKeys::accept);
  ASSERT(set.has_value() == with_secrets.has_value());
  if (!set) {
    ASSERT(!set.error().empty());
    return 0;
  }
  ASSERT(set->keys.size() + set->skipped.size() <= auth::kJwksKeysMax);
  ASSERT(set->keys.size() + set->skipped.size() == with_secrets->keys.size() + with_secrets->skipped.size());
  ASSERT(set->keys.size() <= with_secrets->keys.size());
  for (const auth::Key& key : set->keys) ASSERT(!key.is_secret());
  for (const auth::Key& key : with_secrets->keys) {
    ASSERT(!key.algorithms().empty() && key.kid().size() <= auth::kKidBytesMax);
    for (std::size_t i = 0; i < auth::kAlgorithmCount; ++i) {
      const auto algorithm = static_cast<auth::Algorithm>(i);
      // A secret does HMAC and nothing else, a public key anything but.
      if (key.algorithms().contains(algorithm)) ASSERT(key.is_secret() == auth::kHmacAlgorithms.contains(algorithm));
      ASSERT(!key.verifies(algorithm, "a.b", "short"));
    }
  }
  for (const auth::SkippedKey& skipped : set->skipped) ASSERT(skipped.number > 0 && !skipped.reason.empty());
  return 0;
}
