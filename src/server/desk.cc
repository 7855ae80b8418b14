#include "server/desk.h"

#include <algorithm>

#include "base/hash.h"
#include "codec/time_text.h"
#include "server/http_exchange.h"

namespace server {
namespace {

constexpr std::int64_t kFarMs = std::int64_t{365} * 24 * 3600 * 1000;  // such a token outlives its connection

}  // namespace

const ws::Limits& Desk::ws_limits() {
  const ws::Limits& wanted = snapshot->ws_limits();
  const auto same = std::find(all_ws_limits.begin(), all_ws_limits.end(), wanted);
  return same != all_ws_limits.end() ? *same : all_ws_limits.emplace_back(wanted);
}

const http::RequestLimits& Desk::request_limits() {
  const http::RequestLimits& wanted = snapshot->request_limits();
  const auto same = std::find(all_request_limits.begin(), all_request_limits.end(), wanted);
  return same != all_request_limits.end() ? *same : all_request_limits.emplace_back(wanted);
}

const auth::Principal& Desk::principal_of(const Peer& peer) const {
  static const auth::Principal kAnonymous{};
  return peer.extras && peer.extras->principal ? *peer.extras->principal : kAnonymous;
}

base::Instant Desk::expiry_of(const Peer& peer) const {
  const auth::Principal& principal = principal_of(peer);
  if (principal.kind != auth::Principal::Kind::token) return base::kNever;
  const std::int64_t left_ms = std::max<std::int64_t>(principal.expires.ms - clock.wall().ms, 0);
  if (left_ms > kFarMs) return base::kNever;
  return now + std::chrono::milliseconds(left_ms);
}

std::string_view Desk::date() {
  const base::WallTime wall = clock.wall();
  if (date_text.empty() || wall.ms / 1000 != date_s) {
    date_s = wall.ms / 1000;
    date_text.clear();
    codec::append_http_date(date_text, wall);
  }
  return date_text;
}

void Desk::refused(const Peer& peer, const base::Refusal& refusal) {
  const base::Error error = refusal.error;
  counters.count(error);
  Log& log = shared.log;
  if (!log.wants(LogLevel::debug)) return;
  const std::uint64_t key = auth::address_prefix(peer.address.ip) | static_cast<std::uint64_t>(error) << 56;
  if (!log_lines.take(key, now)) return;
  std::string line = "refused";
  append_field(line, "code", base::to_string(error));
  if (!refusal.hint.empty()) append_field(line, "detail", refusal.hint);
  append_field(line, "address", loop::to_string(peer.address));
  if (peer.http() && peer.http()->reader.status() != http::RequestReader::Status::need_more &&
      peer.http()->reader.status() != http::RequestReader::Status::failed) {
    append_field(line, "path", peer.http()->reader.request().path);  // without the query: it may carry credentials
  }
  log.write(LogLevel::debug, line);
}

base::Hash128 Desk::idempotency_key(std::string_view channel, std::string_view key) const {
  std::string scope(channel);
  scope += '\0';  // cannot occur in either
  scope += key;
  return base::hash128(scope, shared.secret());
}

base::Instant Desk::jittered(base::Duration interval) {
  const auto spread = static_cast<std::uint32_t>(std::min<std::int64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(interval).count() * 2 / 5, UINT32_MAX - 1));
  return now + interval - interval / 5 + std::chrono::microseconds(entropy.below(spread + 1));
}

}  // namespace server
