// permessage-deflate in the handshake (RFC 7692 section 7.1): what a server answers to an offer, what a client makes of
// the answer. Stateless.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ws/deflate_params.h"
#include "ws/extension_list.h"

namespace ws {

enum class ContextTakeover : std::uint8_t { no, if_agreed };

struct DeflateAnswer {
  DeflateParams params;
  std::string extension;  // for Sec-WebSocket-Extensions
};

// nullopt: the offer is declined, because it is not permessage-deflate, has an unknown, doubled or invalid parameter
// (section 7.1: an invalid offer is declined, not failed), or asks for a server window of 8 bits (deflate.h).
std::optional<DeflateAnswer> answer_deflate(const Extension& offer, ContextTakeover context_takeover);

// What our client offers: any window and any context that the server likes.
inline constexpr std::string_view kDeflateOffer = "permessage-deflate; client_max_window_bits";

// nullopt: not a valid answer to kDeflateOffer.
std::optional<DeflateParams> take_deflate_answer(const Extension& answer);

}  // namespace ws
