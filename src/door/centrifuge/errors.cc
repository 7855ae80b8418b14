#include "door/centrifuge/errors.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"

namespace door::centrifuge {
namespace {

// Not `constexpr std::array kErrors`: GCC 12 puts an array of deduced type into writable data.
constexpr ErrorRow kErrors[] = {
    ErrorRow{ErrorCode::internal, "internal server error", true},
    ErrorRow{ErrorCode::unauthorized, "unauthorized", false},
    ErrorRow{ErrorCode::unknown_channel, "unknown channel", false},
    ErrorRow{ErrorCode::permission_denied, "permission denied", false},
    ErrorRow{ErrorCode::method_not_found, "method not found", false},
    ErrorRow{ErrorCode::already_subscribed, "already subscribed", false},
    ErrorRow{ErrorCode::limit_exceeded, "limit exceeded", false},
    ErrorRow{ErrorCode::bad_request, "bad request", false},
    ErrorRow{ErrorCode::not_available, "not available", false},
    ErrorRow{ErrorCode::token_expired, "token expired", false},
    ErrorRow{ErrorCode::expired, "expired", false},
    ErrorRow{ErrorCode::too_many_requests, "too many requests", true},
    ErrorRow{ErrorCode::unrecoverable_position, "unrecoverable position", false},
    ErrorRow{ErrorCode::concurrent_pagination, "concurrent pagination", true},
};

constexpr DisconnectRow kDisconnects[] = {
    DisconnectRow{DisconnectCode::connection_closed, "connection closed"},
    DisconnectRow{DisconnectCode::shutdown, "shutdown"},
    DisconnectRow{DisconnectCode::internal, "internal server error"},
    DisconnectRow{DisconnectCode::connection_expired, "connection expired"},
    DisconnectRow{DisconnectCode::subscription_expired, "subscription expired"},
    DisconnectRow{DisconnectCode::slow, "slow"},
    DisconnectRow{DisconnectCode::write_error, "write error"},
    DisconnectRow{DisconnectCode::insufficient_state, "insufficient state"},
    DisconnectRow{DisconnectCode::force_reconnect, "force reconnect"},
    DisconnectRow{DisconnectCode::no_pong, "no pong"},
    DisconnectRow{DisconnectCode::too_many_requests, "too many requests"},
    DisconnectRow{DisconnectCode::state_invalidated, "state invalidated"},
    DisconnectRow{DisconnectCode::invalid_token, "invalid token"},
    DisconnectRow{DisconnectCode::bad_request, "bad request"},
    DisconnectRow{DisconnectCode::stale, "stale"},
    DisconnectRow{DisconnectCode::force_disconnect, "force disconnect"},
    DisconnectRow{DisconnectCode::connection_limit, "connection limit"},
    DisconnectRow{DisconnectCode::channel_limit, "channel limit"},
    DisconnectRow{DisconnectCode::inappropriate_protocol, "inappropriate protocol"},
    DisconnectRow{DisconnectCode::permission_denied, "permission denied"},
    DisconnectRow{DisconnectCode::not_available, "not available"},
    DisconnectRow{DisconnectCode::too_many_errors, "too many errors"},
};

constexpr UnsubscribeRow kUnsubscribes[] = {
    UnsubscribeRow{UnsubscribeCode::server, "server unsubscribe"},
    UnsubscribeRow{UnsubscribeCode::insufficient_state, "insufficient state"},
    UnsubscribeRow{UnsubscribeCode::subscription_expired, "subscription expired"},
    UnsubscribeRow{UnsubscribeCode::state_invalidated, "state invalidated"},
};

template <typename Row, std::size_t kSize, typename Code>
const Row& row_of(const Row (&rows)[kSize], Code code) {
  const auto* row = std::ranges::find(rows, code, &Row::code);
  ASSERT(row != std::end(rows));
  return *row;
}

}  // namespace

std::span<const ErrorRow> all_errors() noexcept { return kErrors; }
std::span<const DisconnectRow> all_disconnects() noexcept { return kDisconnects; }
std::span<const UnsubscribeRow> all_unsubscribes() noexcept { return kUnsubscribes; }

ReplyError to_reply(ErrorCode code) {
  const ErrorRow& row = row_of(kErrors, code);
  return {static_cast<std::uint32_t>(code), row.message, row.temporary};
}

DisconnectPush to_push(DisconnectCode code) {
  const auto number = static_cast<std::uint32_t>(code);
  return {number, row_of(kDisconnects, code).reason, reconnects(number)};
}

UnsubscribePush to_push(UnsubscribeCode code) {
  return {static_cast<std::uint32_t>(code), row_of(kUnsubscribes, code).reason};
}

DisconnectCode disconnect_instead_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::token_expired:
    case ErrorCode::expired:
      return DisconnectCode::connection_expired;
    case ErrorCode::too_many_requests:
      return DisconnectCode::too_many_requests;
    case ErrorCode::permission_denied:
      return DisconnectCode::permission_denied;
    default:
      return DisconnectCode::internal;
  }
}

}  // namespace door::centrifuge
