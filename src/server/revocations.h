// Users that are blocked and tokens that were revoked, of the whole process, in memory. Asked when a credential is
// accepted; connections that are open are told by mail (hub::UserAction::Kind::recheck). Any thread.
#pragma once

#include <atomic>
#include <expected>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/auth.h"
#include "auth/revocation.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/time.h"

namespace server {

class Revocations {
 public:
  static constexpr std::size_t kBlockedMax = 65'536;

  // Until that moment; 0: until unblock(). busy if as many are blocked as can be.
  std::expected<void, base::Error> block(std::string_view user, base::WallTime until, base::WallTime now);
  void unblock(std::string_view user);
  // See auth::RevocationBook. until 0: for as long as the process lives.
  std::expected<void, base::Error> revoke_token(std::string_view token_id, base::WallTime until, base::WallTime now);
  std::expected<void, base::Error> revoke_user(std::string_view user, base::WallTime issued_before,
                                               base::WallTime until, base::WallTime now);

  enum class Verdict : std::uint8_t { good, blocked, revoked };
  Verdict verdict(const auth::Principal& principal, base::WallTime now) const;

 private:
  std::atomic<bool> any_ = false;  // nothing was ever said against anybody, which is how most servers live
  mutable std::mutex mutex_;
  std::unordered_map<std::string, base::WallTime, base::StringHash, std::equal_to<>> blocked_;
  auth::RevocationBook book_;
};

}  // namespace server
