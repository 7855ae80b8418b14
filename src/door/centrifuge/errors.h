// The codes of the protocol: errors of replies, disconnects, unsubscribes, with what clients do when they see them.
// Constants; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "door/centrifuge/protocol.h"

namespace door::centrifuge {

enum class ErrorCode : std::uint32_t {
  internal = 100,
  unauthorized = 101,
  unknown_channel = 102,
  permission_denied = 103,
  method_not_found = 104,
  already_subscribed = 105,
  limit_exceeded = 106,
  bad_request = 107,
  not_available = 108,
  token_expired = 109,
  expired = 110,
  too_many_requests = 111,
  unrecoverable_position = 112,
  concurrent_pagination = 113,
};

struct ErrorRow {
  ErrorCode code;
  std::string_view message;
  bool temporary;  // clients try again by themselves
};

std::span<const ErrorRow> all_errors() noexcept;  // in the order of the enum

enum class DisconnectCode : std::uint32_t {
  connection_closed = 3000,
  shutdown = 3001,
  internal = 3004,
  connection_expired = 3005,
  subscription_expired = 3006,
  slow = 3008,
  write_error = 3009,
  insufficient_state = 3010,
  force_reconnect = 3011,
  no_pong = 3012,
  too_many_requests = 3013,
  state_invalidated = 3014,
  invalid_token = 3500,
  bad_request = 3501,
  stale = 3502,
  force_disconnect = 3503,
  connection_limit = 3504,
  channel_limit = 3505,
  inappropriate_protocol = 3506,
  permission_denied = 3507,
  not_available = 3508,
  too_many_errors = 3509,
};

struct DisconnectRow {
  DisconnectCode code;
  std::string_view reason;
};

std::span<const DisconnectRow> all_disconnects() noexcept;  // in the order of the enum

// What clients do after a close with this code, known or not: false for 3500 to 3999 and 4500 to 4999.
constexpr bool reconnects(std::uint32_t code) {
  return !(code >= 3500 && code <= 3999) && !(code >= 4500 && code <= 4999);
}

enum class UnsubscribeCode : std::uint32_t {
  server = 2000,
  insufficient_state = 2500,
  subscription_expired = 2501,
  state_invalidated = 2502,
};

struct UnsubscribeRow {
  UnsubscribeCode code;
  std::string_view reason;
};

std::span<const UnsubscribeRow> all_unsubscribes() noexcept;  // in the order of the enum

// What clients do after an unsubscribe push with this code.
constexpr bool resubscribes(std::uint32_t code) { return code >= 2500; }

// As they go over the wire; the texts live as long as the program.
ReplyError to_reply(ErrorCode code);
DisconnectPush to_push(DisconnectCode code);
UnsubscribePush to_push(UnsubscribeCode code);

// A unidirectional client has no replies: what it is told instead of the error of its connect.
DisconnectCode disconnect_instead_of(ErrorCode code);

}  // namespace door::centrifuge
