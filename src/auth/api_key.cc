#include "auth/api_key.h"

namespace auth {

ApiKeys::ApiKeys(const std::vector<base::Secret>& keys) {
  for (const base::Secret& key : keys) {
    if (!key.empty()) digests_.push_back(sha256(key.reveal()));
  }
}

std::expected<Principal, base::Error> ApiKeys::verify(std::string_view presented) const {
  if (presented.empty() || presented.size() > kKeyBytesMax) return std::unexpected(base::Error::api_key);
  const Digest digest = sha256(presented);
  bool accepted = false;
  for (const Digest& known : digests_) accepted |= equal_digests(known, digest);
  if (!accepted) return std::unexpected(base::Error::api_key);
  return Principal{.kind = Principal::Kind::api_key, .subject = {}, .subscribe = {}, .publish = {}};
}

}  // namespace auth
