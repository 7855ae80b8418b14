// Base64 (RFC 4648). Decoding is strict: exactly the encoder's output is taken, so every value has one spelling (no
// white space, no missing or extra padding, unused bits are zero). Stateless; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace codec {

// Section 4: '+', '/', padded with '='.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// Section 5: '-', '_', no padding (as in RFC 7515).
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace codec
