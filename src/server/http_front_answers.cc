// How answers leave and the next request begins; what connections are told when the server goes.
#include <algorithm>

#include "door/sse/encode.h"
#include "http/cors.h"
#include "http/response.h"
#include "server/closing.h"
#include "server/http_front.h"

namespace server {

void HttpFront::respond(Peer& peer, std::string_view json) {
  auto fields = http::cors_fields(peer.http()->allow_origin);
  fields.push_back({"Cache-Control", "no-store"});
  std::string answer;
  http::append_response(answer, 200, "application/json", json, peer.http()->connection, fields);
  send_answer(peer, std::move(answer));
}

void HttpFront::respond_error(Peer& peer, const base::Refusal& refusal) {
  desk_.refused(peer, refusal);
  const auto fields = http::cors_fields(peer.http()->allow_origin);
  const std::uint16_t status = base::entry(refusal.error).http_status;
  std::string answer;
  http::append_error(answer, refusal.error, peer.http()->connection, refusal.hint,
                     status == 503 || status == 429 ? 1 : -1, fields);
  send_answer(peer, std::move(answer));
}

// 405 names what would be taken (RFC 9110 section 15.5.6).
void HttpFront::refuse_method(Peer& peer, std::string_view allowed) {
  desk_.refused(peer, base::Error::method_not_allowed);
  auto fields = http::cors_fields(peer.http()->allow_origin);
  fields.push_back({"Allow", allowed});
  std::string answer;
  http::append_error(answer, base::Error::method_not_allowed, peer.http()->connection, {}, -1, fields);
  send_answer(peer, std::move(answer));
}

void HttpFront::send_answer(Peer& peer, std::string answer) {
  http::insert_date(answer, desk_.date());
  if (peer.http()->head_only) answer.resize(answer.find("\r\n\r\n") + 4);
  desk_.connections.send(peer, answer);
  next_request(peer);
}

void HttpFront::next_request(Peer& peer) {
  const bool was_waiting = peer.http()->waiting != HttpExchange::Waiting::nothing;
  const std::string rest = std::move(peer.http()->rest);
  const bool was_last = was_waiting && rest.empty() && !peer.unread() && peer.has_finished();
  const bool close = peer.http()->connection == http::Connection::close || was_last;
  peer.forget<&PeerExtras::http>();
  desk_.roster.leave(peer.id(), desk_.principal_of(peer));
  peer.forget<&PeerExtras::principal>();  // credentials belong to one request
  if (close) return desk_.connections.close(peer);
  peer.deadline = desk_.now + desk_.options().keep_alive_time_max;
  desk_.connections.arm(peer);
  if (was_waiting) desk_.connections.unpause(peer, Pause::answer);
  if (!rest.empty() && read_requests(peer, rest) < rest.size()) desk_.connections.drop(peer);  // frames before our 101
}

bool HttpFront::busy(const Peer& peer) const {
  return peer.phase == Peer::Phase::http && peer.http() && peer.door != DoorKind::poll;
}

// What each door is told stands in docs/operations.md, Drain.
void HttpFront::say_goodbye(Peer& peer) {
  constexpr std::int64_t kRetryMsMin = 100;
  const auto window_ms = std::chrono::duration_cast<std::chrono::milliseconds>(desk_.options().drain_window).count();
  const std::int64_t retry_ms_max = std::max(window_ms, kRetryMsMin);
  if (peer.centrifuge()) return close_with(desk_, peer, base::Error::draining);
  if (peer.phase == Peer::Phase::websocket) {
    const std::string reason = "E_DRAINING {\"retry_min_ms\":" + std::to_string(kRetryMsMin) +
                               ",\"retry_max_ms\":" + std::to_string(retry_ms_max) + "}";
    desk_.refused(peer, base::Error::draining);
    desk_.scratch.clear();
    peer.session.close(desk_.scratch, base::entry(base::Error::draining).close_code, reason);
    desk_.connections.send(peer, desk_.scratch.output());
    return desk_.connections.close(peer);
  }
  if (peer.phase == Peer::Phase::events) {
    // An EventSource cannot choose a random moment, so we do.
    const auto spread = static_cast<std::uint32_t>(retry_ms_max - kRetryMsMin);  // of at most ten minutes
    std::string retry;
    door::sse::append_retry(retry, static_cast<std::uint32_t>(kRetryMsMin) + desk_.entropy.below(spread + 1));
    desk_.refused(peer, base::Error::draining);
    desk_.connections.send(peer, retry);
    return desk_.connections.close(peer);
  }
  if (peer.phase == Peer::Phase::http && peer.door == DoorKind::poll) {
    peer.http()->connection = http::Connection::close;
    return finish_poll(peer);
  }
  desk_.connections.close(peer);
}

}  // namespace server
