// RevocationBook: tokens whose rights were taken away before they expired: by their id (jti), by their user, or all
// that were issued before a moment. Entries are needed as long as the tokens they speak of would be good; then they go.
//
// A token that does not say when it was issued (iat) counts as issued in 1970: what revokes by time always reaches it.
// Anonymous peers and API keys have no token, and nothing here speaks of them.
//
// A value of one thread; copies may be handed to others.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/auth.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/time.h"

namespace auth {

class RevocationBook {
 public:
  // Users and ids together; of some 150 bytes each, so 10 MiB. Beyond, revoke_before() is the way out.
  static constexpr std::size_t kEntriesMax = 65'536;

  // Revokes the token with that id. `until`: when it would have expired, skew included. bad_parameter for an empty id
  // or one that no token can have, busy if the book is full of entries that are still needed.
  std::expected<void, base::Error> revoke_token(std::string_view token_id, base::WallTime until, base::WallTime now);

  // Revokes the user's tokens that were issued before `issued_before`. `until`: when the last of them would have
  // expired. Said again, the later moments count. Errors as above.
  std::expected<void, base::Error> revoke_user(std::string_view subject, base::WallTime issued_before,
                                               base::WallTime until, base::WallTime now);

  // Revokes every token that was issued before that moment. Never taken back: an earlier moment changes nothing.
  void revoke_before(base::WallTime issued_before);

  bool is_revoked(const Principal& principal) const;

  // Takes out what is not needed any more. Looks at every entry; the revoke functions call it when the book is full.
  void drop_expired(base::WallTime now);

  std::size_t size() const { return tokens_.size() + users_.size(); }

 private:
  struct User {
    base::WallTime issued_before;
    base::WallTime until;
  };
  template <class Value>
  using ByText = std::unordered_map<std::string, Value, base::StringHash, std::equal_to<>>;

  bool has_room(base::WallTime now);

  ByText<base::WallTime> tokens_;  // until when the entry is needed
  ByText<User> users_;
  base::WallTime issued_before_{0};
};

}  // namespace auth
