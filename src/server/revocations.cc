#include "server/revocations.h"

#include <limits>

namespace server {
namespace {

base::WallTime or_never(base::WallTime until) {
  return until.ms == 0 ? base::WallTime{std::numeric_limits<std::int64_t>::max()} : until;
}

}  // namespace

std::expected<void, base::Error> Revocations::block(std::string_view user, base::WallTime until, base::WallTime now) {
  const std::lock_guard lock(mutex_);
  if (blocked_.size() >= kBlockedMax) std::erase_if(blocked_, [&](const auto& each) { return each.second <= now; });
  if (blocked_.size() >= kBlockedMax && blocked_.find(user) == blocked_.end()) {
    return std::unexpected(base::Error::busy);
  }
  blocked_.insert_or_assign(std::string(user), or_never(until));
  any_.store(true, std::memory_order_release);
  return {};
}

void Revocations::unblock(std::string_view user) {
  const std::lock_guard lock(mutex_);
  if (const auto found = blocked_.find(user); found != blocked_.end()) blocked_.erase(found);
}

std::expected<void, base::Error> Revocations::revoke_token(std::string_view token_id, base::WallTime until,
                                                           base::WallTime now) {
  const std::lock_guard lock(mutex_);
  any_.store(true, std::memory_order_release);
  return book_.revoke_token(token_id, or_never(until), now);
}

std::expected<void, base::Error> Revocations::revoke_user(std::string_view user, base::WallTime issued_before,
                                                          base::WallTime until, base::WallTime now) {
  const std::lock_guard lock(mutex_);
  any_.store(true, std::memory_order_release);
  return book_.revoke_user(user, issued_before, or_never(until), now);
}

Revocations::Verdict Revocations::verdict(const auth::Principal& principal, base::WallTime now) const {
  if (!any_.load(std::memory_order_acquire) || principal.kind == auth::Principal::Kind::api_key) return Verdict::good;
  const std::lock_guard lock(mutex_);
  if (const auto found = blocked_.find(principal.subject);
      found != blocked_.end() && !principal.subject.empty() && now < found->second) {
    return Verdict::blocked;
  }
  return book_.is_revoked(principal) ? Verdict::revoked : Verdict::good;
}

}  // namespace server
