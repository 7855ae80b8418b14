// permessage-deflate (RFC 7692) parameters as agreed in the handshake. A value.
#pragma once

#include <cstdint>

namespace ws {

struct DeflateParams {
  bool enabled = false;
  bool server_no_context_takeover = true;
  bool client_no_context_takeover = true;
  // 8..15. A side that must compress with 8 sends plain frames, because zlib cannot promise it (deflate.h); our server
  // declines such offers.
  std::uint8_t server_max_window_bits = 15;
  std::uint8_t client_max_window_bits = 15;
  friend bool operator==(const DeflateParams&, const DeflateParams&) = default;
};

}  // namespace ws
