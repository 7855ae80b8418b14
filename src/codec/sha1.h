// SHA-1, for the accept key of the WebSocket handshake (RFC 6455 section 4.2.2) and nothing that needs a strong hash.
#pragma once

#include <array>
#include <string_view>

namespace codec {

std::array<char, 20> sha1(std::string_view bytes) noexcept;

}  // namespace codec
