#include "auth/revocation.h"

#include <algorithm>

#include "auth/claims.h"

namespace auth {

std::expected<void, base::Error> RevocationBook::revoke_token(std::string_view token_id, base::WallTime until,
                                                              base::WallTime now) {
  if (token_id.empty() || !valid_subject(token_id)) return std::unexpected(base::Error::bad_parameter);
  if (until <= now) return {};
  auto found = tokens_.find(token_id);
  if (found == tokens_.end()) {
    if (!has_room(now)) return std::unexpected(base::Error::busy);
    found = tokens_.emplace(token_id, until).first;
  }
  found->second = std::max(found->second, until);
  return {};
}

std::expected<void, base::Error> RevocationBook::revoke_user(std::string_view subject, base::WallTime issued_before,
                                                             base::WallTime until, base::WallTime now) {
  if (subject.empty() || !valid_subject(subject)) return std::unexpected(base::Error::bad_parameter);
  if (until <= now) return {};
  auto found = users_.find(subject);
  if (found == users_.end()) {
    if (!has_room(now)) return std::unexpected(base::Error::busy);
    found = users_.emplace(subject, User{issued_before, until}).first;
  }
  found->second.issued_before = std::max(found->second.issued_before, issued_before);
  found->second.until = std::max(found->second.until, until);
  return {};
}

void RevocationBook::revoke_before(base::WallTime issued_before) {
  issued_before_ = std::max(issued_before_, issued_before);
}

bool RevocationBook::is_revoked(const Principal& principal) const {
  if (principal.kind != Principal::Kind::token) return false;
  if (principal.issued < issued_before_) return true;
  if (!principal.token_id.empty() && tokens_.contains(principal.token_id)) return true;
  const auto user = users_.find(principal.subject);
  return user != users_.end() && principal.issued < user->second.issued_before;
}

void RevocationBook::drop_expired(base::WallTime now) {
  std::erase_if(tokens_, [now](const auto& entry) { return entry.second <= now; });
  std::erase_if(users_, [now](const auto& entry) { return entry.second.until <= now; });
}

bool RevocationBook::has_room(base::WallTime now) {
  if (size() < kEntriesMax) return true;
  drop_expired(now);
  return size() < kEntriesMax;
}

}  // namespace auth
