// The token verifier against bytes. The first byte chooses how deep they go: as a whole token, or as the header or
// claims of one that is signed with the right key, so that the JSON behind the signature is reached.
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/pattern.h"
#include "auth/sha256.h"
#include "auth/token.h"
#include "base/assert.h"
#include "codec/base64.h"

namespace {

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";
constexpr base::WallTime kNow{1'700'000'000'000};

std::string signed_token(std::string_view header, std::string_view claims) {
  std::string text = codec::base64url_encode(header) + "." + codec::base64url_encode(claims);
  const auth::Digest digest = auth::hmac_sha256(kKey, text);
  return text + "." + codec::base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auth::TokenVerifier verifier({base::Secret(std::string(kKey))});
  const bool is_signed = bytes[0] % 3 != 0;
  const std::string token = bytes[0] % 3 == 1   ? signed_token(R"({"alg":"HS256"})", input)
                            : bytes[0] % 3 == 2 ? signed_token(input, R"({"exp":1700000000})")
                                                : std::string(input);
  const auto principal = verifier.verify(token, kNow);
  if (!principal) {
    ASSERT(principal.error() == base::Error::token_invalid || principal.error() == base::Error::token_expired);
    return 0;
  }
  ASSERT(is_signed || token.size() > 80);  // a fuzzer that forges signatures has found something
  ASSERT(principal->kind == auth::Principal::Kind::token && principal->expires > kNow);
  ASSERT(principal->subject.size() <= auth::kSubjectBytesMax);
  for (const auto* patterns : {&principal->subscribe, &principal->publish}) {
    for (const std::string& pattern : *patterns) ASSERT(auth::valid_pattern(pattern));
  }
  // A principal is the same a millisecond later or not there any more, and never there without the key.
  const auto later = verifier.verify(token, {kNow.ms + 1});
  ASSERT(later ? *later == *principal : later.error() == base::Error::token_expired);
  ASSERT(!auth::TokenVerifier({base::Secret("another key")}).verify(token, kNow));
  return 0;
}
