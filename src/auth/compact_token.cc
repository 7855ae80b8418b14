#include "auth/compact_token.h"

#include <algorithm>

#include "auth/members.h"
#include "codec/base64.h"

namespace auth {
namespace {

constexpr std::string_view kMalformed = "It is malformed: a token is header.claims.signature in base64url.";
constexpr std::string_view kBadHeader =
    "Its header must be a JSON object with typ JWT or none, kid a text or none, no crit, and no name twice.";
constexpr std::string_view kUnknownAlgorithm =
    "Its header must say an alg that is known here: HS256 to HS512, RS256 to RS512, PS256 to PS512, ES256 to ES512, "
    "EdDSA.";

bool is_jwt(std::string_view type) {
  constexpr std::string_view kJwt = "jwt";  // RFC 7519 section 5.1: a media type, in any case
  return std::ranges::equal(type, kJwt, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// What the header says, into `token`; a sentence if it is refused, else empty.
std::string_view read_header(std::string_view json, CompactToken& token) {
  const auto header = Members::parse(json);
  if (!header || header->find("crit") != nullptr) return kBadHeader;
  const codec::JsonValue* const type = header->find("typ");
  if (type != nullptr && !is_jwt(type->string().value_or(""))) return kBadHeader;
  if (const codec::JsonValue* const kid = header->find("kid")) {
    token.kid = kid->string();
    if (!token.kid) return kBadHeader;
  }
  const codec::JsonValue* const name = header->find("alg");
  const auto algorithm = name == nullptr ? std::nullopt : algorithm_named(name->string().value_or(""));
  if (!algorithm) return kUnknownAlgorithm;
  token.algorithm = *algorithm;
  return {};
}

}  // namespace

std::expected<CompactToken, std::string_view> parse_compact_token(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::unexpected(kMalformed);
  // A third dot falls into the signature, where base64url refuses it.
  auto signature = codec::base64url_decode(token.substr(second + 1));
  const auto header = codec::base64url_decode(token.substr(0, first));
  if (!signature || !header) return std::unexpected(kMalformed);
  CompactToken made{.signed_text = token.substr(0, second),
                    .claims = token.substr(first + 1, second - first - 1),
                    .signature = *std::move(signature),
                    .algorithm = Algorithm::hs256,
                    .kid = {}};
  if (const std::string_view problem = read_header(*header, made); !problem.empty()) return std::unexpected(problem);
  return made;
}

}  // namespace auth
