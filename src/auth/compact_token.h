// A token taken apart: the compact form of RFC 7515 section 3.1. What comes out was written by anybody, until its
// signature has been checked: the algorithm and the name of the key serve to find a configured key and for nothing
// else, and every other parameter of the header (jku, x5u, jwk) is left alone (threat T32).
//
//   token   = header "." claims "." signature      each base64url without padding, exactly as an encoder writes it
//   header  = {"alg": name, "typ"?: "JWT", "kid"?: text, ...}     "crit" is refused (section 4.1.11)
//
// Plain value; views lie in the token.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "auth/algorithm.h"

namespace auth {

struct CompactToken {
  std::string_view signed_text;  // header "." claims, as they came
  std::string_view claims;       // still base64url
  std::string signature;         // decoded
  Algorithm algorithm;
  std::optional<std::string> kid;
};

// The error is a constant sentence for a person, with nothing of the token in it.
std::expected<CompactToken, std::string_view> parse_compact_token(std::string_view token);

}  // namespace auth
