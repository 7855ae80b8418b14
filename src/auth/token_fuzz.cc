// The token verifier against bytes. The first byte chooses how deep they go: as a whole token, as the header or claims
// of one that is signed with the right key, so that the JSON behind the signature is reached, or as the signature under
// a public key; and which kind of token is asked for.
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/pattern.h"
#include "auth/signature.h"
#include "auth/token.h"
#include "base/assert.h"
#include "codec/base64.h"
#include "codec/json_in.h"

namespace {

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";
constexpr base::WallTime kNow{1'700'000'000'000};

std::string signed_token(std::string_view header, std::string_view claims) {
  const std::string text = codec::base64url_encode(header) + "." + codec::base64url_encode(claims);
  return text + "." + codec::base64url_encode(auth::hmac_signature(auth::Algorithm::hs256, kKey, text));
}

// The secret above, and public keys of everybody's: RFC 7515 A.3, RFC 8037 A.2.
auth::KeySet make_keys() {
  auth::KeySet keys;
  const auto bytes = [](std::string_view text) { return codec::base64url_decode(text).value(); };
  ASSERT(keys.add(auth::Key::secret(base::Secret(std::string(kKey))).value()));
  auto ec = auth::PublicKey::ec(auth::PublicKey::Type::p256, bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                                bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
  ASSERT(keys.add(auth::Key::public_key(*std::move(ec), "ec").value()));
  auto ed = auth::PublicKey::ed25519(bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
  ASSERT(keys.add(auth::Key::public_key(*std::move(ed), "ed").value()));
  return keys;
}

void check_refusal(const base::Refusal& refusal) {
  ASSERT(refusal == base::Error::token_invalid || refusal == base::Error::token_expired);
  ASSERT((refusal == base::Error::token_invalid) == !refusal.hint.empty());
}

void check_principal(const auth::Principal& principal) {
  ASSERT(principal.kind == auth::Principal::Kind::token && principal.expires > kNow);
  ASSERT(auth::valid_subject(principal.subject) && auth::valid_subject(principal.token_id));
  ASSERT(principal.issued.ms >= 0 && principal.issued.ms <= kNow.ms + auth::kSkewMs);
  for (const auto* patterns : {&principal.subscribe, &principal.publish}) {
    for (const std::string& pattern : *patterns) ASSERT(auth::valid_pattern(pattern));
  }
}

void check_payload(const auth::Payload& payload, std::string_view token) {
  if (payload.kind == auth::Payload::Kind::none) ASSERT(payload.bytes.empty());
  if (payload.kind == auth::Payload::Kind::json) ASSERT(codec::check_json(payload.bytes) == base::Error::none);
  ASSERT(payload.bytes.size() < token.size());
}

void check_connection(const auth::TokenVerifier& verifier, std::string_view token) {
  const auto connection = verifier.verify_connection(token, kNow);
  if (!connection) return check_refusal(connection.error());
  check_principal(connection->principal);
  check_payload(connection->claims.info, token);
  if (!connection->claims.meta.empty()) ASSERT(connection->claims.meta.front() == '{');
  for (const std::string& channel : connection->claims.channels) ASSERT(auth::valid_pattern(channel));
  for (const auth::ServerSubscription& each : connection->claims.subs) {
    ASSERT(auth::valid_pattern(each.channel));
    check_payload(each.info, token);
    check_payload(each.data, token);
  }
  ASSERT(!verifier.verify_subscription(token, kNow));  // never both
}

void check_subscription(const auth::TokenVerifier& verifier, std::string_view token) {
  const auto subscription = verifier.verify_subscription(token, kNow);
  if (!subscription) return check_refusal(subscription.error());
  ASSERT(auth::valid_pattern(subscription->claims.channel) && subscription->expires > kNow);
  check_payload(subscription->claims.info, token);
  ASSERT(!verifier.verify_connection(token, kNow));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  static const auth::TokenVerifier verifier(make_keys());
  std::string token(input);
  switch (bytes[0] % 5) {
    case 1:
      token = signed_token(R"({"alg":"HS256"})", input);
      break;
    case 2:
      token = signed_token(input, R"({"exp":1700000000})");
      break;
    case 3:  // e30 is {}
      token = codec::base64url_encode(R"({"alg":"ES256"})") + ".e30." + codec::base64url_encode(input);
      break;
    case 4:
      token = codec::base64url_encode(R"({"alg":"EdDSA","kid":"ed"})") + ".e30." + codec::base64url_encode(input);
      break;
    default:
      break;
  }
  check_connection(verifier, token);
  check_subscription(verifier, token);
  const auto principal = verifier.verify(token, kNow);
  if (!principal) {
    check_refusal(principal.error());
    return 0;
  }
  ASSERT(bytes[0] % 5 < 3);  // a fuzzer that forges signatures has found something
  check_principal(*principal);
  // A principal is the same a millisecond later or not there any more, and never there without the key.
  const auto later = verifier.verify(token, {kNow.ms + 1});
  ASSERT(later ? *later == *principal : later.error() == base::Error::token_expired);
  ASSERT(!auth::TokenVerifier({base::Secret(std::string(32, 'x'))}).verify(token, kNow));
  return 0;
}
