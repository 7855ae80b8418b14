// TicketBook: tickets for clients that can send nothing but a URL (EventSource). A ticket is bound to the principal
// that asked for it, works once and for 30 seconds; so what a log or a Referer may catch is worth nothing (threat T31).
//
// A ticket names the worker whose book it is in: a connection that arrives elsewhere asks that worker, by mail, to
// redeem it. One book per worker, used on its thread only.
//
//   ticket = 4 hex digits (worker) 32 base64url characters (192 random bits)
//
// The book keeps the SHA-256 of the random part: neither a look-up's time nor a core dump gives a ticket away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "auth/auth.h"
#include "auth/sha256.h"
#include "base/entropy.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/refusal.h"
#include "base/time.h"

namespace auth {

class TicketBook {
 public:
  static constexpr base::Duration kLifetime = std::chrono::seconds{30};
  // 4096 open tickets of at most about 8 KiB (a token of 4 KiB as patterns) are 32 MiB, 300 bytes each in practice; 136
  // new tickets per second and worker before anybody waits.
  static constexpr std::size_t kOpenMax = 4096;

  explicit TicketBook(base::WorkerId worker) : worker_(worker) {}

  // `entropy` is strong. Error::busy when kOpenMax are open.
  std::expected<std::string, base::Error> issue(Principal principal, base::Instant now, base::Entropy& entropy);

  // The principal, once. token_invalid for everything else: never issued, used, too old, of another worker.
  std::expected<Principal, base::Refusal> redeem(std::string_view ticket, base::Instant now);

  // The same without using it up; nullopt where redeem() fails.
  std::optional<Principal> peek(std::string_view ticket, base::Instant now) const;

  // The worker whose book a ticket claims to be in; nullopt if it is not even the shape of a ticket.
  static std::optional<base::WorkerId> worker_of(std::string_view ticket);

  std::size_t open() const { return tickets_.size(); }

 private:
  struct Ticket {
    Principal principal;
    base::Instant expires;
  };
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const noexcept;  // its first bytes: attackers cannot choose them
  };

  void drop_expired(base::Instant now);

  base::WorkerId worker_;
  std::unordered_map<Digest, Ticket, DigestHash> tickets_;
  std::deque<std::pair<base::Instant, Digest>> by_age_;  // also holds redeemed ones until their time has come
};

}  // namespace auth
