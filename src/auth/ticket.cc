#include "auth/ticket.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace auth {
namespace {

constexpr std::size_t kWorkerDigits = 4;
constexpr std::size_t kRandomCharacters = 32;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void append_worker(std::string& out, base::WorkerId worker) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[static_cast<std::size_t>(worker >> shift) & 15U];
}

void append_random(std::string& out, base::Entropy& entropy) {
  // Ten characters of six bits from each 64-bit number; the four bits that are left over are not used.
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kRandomCharacters; ++i) {
    if (i % 10 == 0) bits = entropy.next();
    out += kAlphabet[bits & 63U];
    bits >>= 6;
  }
}

}  // namespace

std::size_t TicketBook::DigestHash::operator()(const Digest& digest) const noexcept {
  std::size_t hash;
  std::memcpy(&hash, digest.data(), sizeof hash);
  return hash;
}

std::optional<base::WorkerId> TicketBook::worker_of(std::string_view ticket) {
  if (ticket.size() != kWorkerDigits + kRandomCharacters) return std::nullopt;
  base::WorkerId worker = 0;
  const char* const end = ticket.data() + kWorkerDigits;
  const auto [stop, error] = std::from_chars(ticket.data(), end, worker, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  const bool shaped = std::ranges::all_of(ticket.substr(kWorkerDigits),
                                          [](char c) { return kAlphabet.find(c) != std::string_view::npos; });
  return shaped ? std::optional{worker} : std::nullopt;
}

std::expected<std::string, base::Error> TicketBook::issue(Principal principal, base::Instant now,
                                                          base::Entropy& entropy) {
  drop_expired(now);
  // by_age_ bounds both: somebody who redeems at once still gets no more than kOpenMax per lifetime.
  if (by_age_.size() >= kOpenMax) return std::unexpected(base::Error::busy);
  std::string ticket;
  append_worker(ticket, worker_);
  append_random(ticket, entropy);
  const Digest digest = sha256(ticket);
  tickets_.insert_or_assign(digest, Ticket{std::move(principal), now + kLifetime});
  by_age_.emplace_back(now + kLifetime, digest);
  return ticket;
}

std::optional<Principal> TicketBook::peek(std::string_view ticket, base::Instant now) const {
  const auto found = tickets_.find(sha256(ticket));
  if (found == tickets_.end() || found->second.expires <= now) return std::nullopt;
  return found->second.principal;
}

std::expected<Principal, base::Refusal> TicketBook::redeem(std::string_view ticket, base::Instant now) {
  drop_expired(now);
  const base::Refusal unknown(base::Error::token_invalid, "The ticket was used, has expired or was never issued.");
  if (worker_of(ticket) != worker_) return std::unexpected(unknown);
  auto found = tickets_.extract(sha256(ticket));
  if (found.empty()) return std::unexpected(unknown);
  return std::move(found.mapped().principal);
}

void TicketBook::drop_expired(base::Instant now) {
  while (!by_age_.empty() && by_age_.front().first <= now) {
    tickets_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

}  // namespace auth
