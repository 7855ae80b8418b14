// The numbers of the Centrifuge protocol and of this library, the same as in its other client libraries. Codes that a
// later server invents come through as numbers, so every code in this library is a std::uint32_t.
#pragma once

#include <cstdint>

namespace wirebird {

// Error::code below 100: made by this library.
struct ErrorCode {
  enum : std::uint32_t {
    timeout = 1,                       // no answer in time; it may or may not have been done
    transport_closed = 2,              // the connection could not be opened, or was cut; told by the error event
    client_disconnected = 3,           // the client is not connected, and is not trying to be
    client_closed = 4,                 // the Client was destroyed
    client_connect_token = 5,          // get_token failed before a connect; it is asked again
    client_refresh_token = 6,          // get_token failed for a refresh; it is asked again
    subscription_unsubscribed = 7,     // the subscription is not subscribed, and is not trying to be
    subscription_subscribe_token = 8,  // its get_token failed before a subscribe; it is asked again
    subscription_refresh_token = 9,    // its get_token failed for a refresh; it is asked again
    connection_closed = 11,  // the connection was cut before the answer came; it may or may not have been done
    bad_configuration = 12,  // URL, certificate file, two subscriptions to one channel, a token that expired
                             // and no get_token
    // Only in this library:
    bad_argument = 20,  // text that is not UTF-8, or data that is not JSON on a JSON connection; nothing was sent
    queue_full = 21,    // pending_calls_max or pending_bytes_max; nothing was sent
    bad_delta = 22,     // a delta did not fit what was there before; the subscription recovers by itself
  };
};

// Error::code from 100: sent by the server.
struct ServerError {
  enum : std::uint32_t {
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
};

// ConnectingEvent::code; 3000 and above: the server's reason for the cut.
struct ConnectingCode {
  enum : std::uint32_t {
    connect_called = 0,
    transport_closed = 1,
    no_ping = 2,
    subscribe_timeout = 3,
    unsubscribe_error = 4,
  };
};

// DisconnectedEvent::code; 100 to 1999: the server's error for the connect or refresh; 3000 and above: its reason.
struct DisconnectedCode {
  enum : std::uint32_t {
    disconnect_called = 0,
    unauthorized = 1,        // get_token said so, or there is none and the token expired
    bad_protocol = 2,        // what came is not of this protocol
    message_size_limit = 3,  // a frame was too large for the server (or the server's for us)
  };
};

// SubscribingEvent::code; 2500 and above: the server's reason.
struct SubscribingCode {
  enum : std::uint32_t {
    subscribe_called = 0,
    transport_closed = 1,
    bad_delta = 2,  // only in this library
  };
};

// UnsubscribedEvent::code; 100 to 1999: the server's error for the subscribe or refresh; 2000 to 2499: its reason.
struct UnsubscribedCode {
  enum : std::uint32_t {
    unsubscribe_called = 0,
    unauthorized = 1,
    client_closed = 2,
  };
};

}  // namespace wirebird
