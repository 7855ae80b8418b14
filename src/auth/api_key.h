// ApiKeys: the keys that the HTTP API takes (X-API-Key). What is presented is hashed and compared with the digest of
// every key, always all of them: the time tells neither which bytes were right nor which key it was (threat T36).
// Immutable value; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>
#include <vector>

#include "auth/auth.h"
#include "auth/sha256.h"
#include "base/error.h"
#include "base/secret.h"

namespace auth {

class ApiKeys {
 public:
  // Longer ones are refused unread, so that hashing costs no attacker's amount of time.
  static constexpr std::size_t kKeyBytesMax = 1024;

  ApiKeys() = default;                                      // accepts nothing
  explicit ApiKeys(const std::vector<base::Secret>& keys);  // empty keys are left out: they never match

  // A principal that may do everything, or Error::api_key.
  std::expected<Principal, base::Error> verify(std::string_view presented) const;

  bool empty() const { return digests_.empty(); }

 private:
  std::vector<Digest> digests_;
};

}  // namespace auth
