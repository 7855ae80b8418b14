#include "auth/token.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/sha256.h"
#include "auth/test_keys.h"
#include "base/entropy.h"
#include "codec/base64.h"

namespace auth {
namespace {

using base::Error;
using base::Secret;

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t kNowS = 1'700'000'000;
constexpr base::WallTime kNow{kNowS * 1000};
constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::string_view kClaims = R"({"sub":"alice","exp":1700003600,"channels":["news"]})";

std::string url64(std::string_view bytes) { return codec::base64url_encode(bytes); }

std::string hs256(std::string_view key, std::string_view text) {
  const Digest digest = hmac_sha256(key, text);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string token_of(std::string_view header, std::string_view claims, std::string_view key = kKey) {
  const std::string text = url64(header) + "." + url64(claims);
  return text + "." + url64(hs256(key, text));
}

TokenVerifier verifier(std::string_view key = kKey) { return TokenVerifier({Secret(std::string(key))}); }

Error answer(std::string_view token, base::WallTime now = kNow) {
  const auto principal = verifier().verify(token, now);
  return principal ? Error::none : principal.error().error;
}
Error answer_to_claims(std::string_view claims, base::WallTime now = kNow) {
  return answer(token_of(kHeader, claims), now);
}

TEST(Token, GivesThePrincipal) {
  const auto principal = verifier().verify(
      token_of(
          kHeader,
          R"({"sub":"alice","exp":1700003600,"iat":1700000000,"nbf":1700000000,"iss":"ignored","channels":["news","chat:*"],)"
          R"("subscribe":["in"],"publish":["out"]})"),
      kNow);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->kind, Principal::Kind::token);
  EXPECT_EQ(principal->subject, "alice");
  EXPECT_EQ(principal->expires.ms, 1'700'003'600'000 + kSkewMs);
  EXPECT_EQ(principal->subscribe, (std::vector<std::string>{"news", "chat:*", "in"}));
  EXPECT_EQ(principal->publish, (std::vector<std::string>{"news", "chat:*", "out"}));
}

TEST(Token, AcceptsTheHs256ExampleOfRfc7515) {
  // Appendix A.1: key and token. Expires in 2011; the JSON has CR LF inside.
  const auto key =
      codec::base64url_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  ASSERT_TRUE(key);
  constexpr std::string_view kToken =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
      "bS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  EXPECT_TRUE(verifier(*key).verify(kToken, {1'300'819'379'000}));
  EXPECT_EQ(verifier(*key).verify(kToken, kNow), std::unexpected(Error::token_expired));
  EXPECT_EQ(verifier().verify(kToken, {1'300'819'379'000}), std::unexpected(Error::token_invalid));
}

TEST(Token, EveryKeyOfARotationIsAcceptedAndNoOther) {
  const TokenVerifier rotating({Secret("new-new-new-new-new-new-new-new!"), Secret(std::string(kKey))});
  EXPECT_TRUE(rotating.verify(token_of(kHeader, kClaims, kKey), kNow));
  EXPECT_TRUE(rotating.verify(token_of(kHeader, kClaims, "new-new-new-new-new-new-new-new!"), kNow));
  EXPECT_FALSE(rotating.verify(token_of(kHeader, kClaims, "old-old-old-old-old-old-old-old!"), kNow));
}

TEST(Token, WithoutKeysOrWithAnEmptyOneNothingIsAccepted) {
  const std::string by_empty_key = token_of(kHeader, kClaims, "");
  EXPECT_EQ(TokenVerifier{}.verify(by_empty_key, kNow), std::unexpected(Error::token_invalid));
  EXPECT_EQ(TokenVerifier({Secret("")}).verify(by_empty_key, kNow), std::unexpected(Error::token_invalid));
  EXPECT_TRUE(TokenVerifier({Secret("")}).empty());
  EXPECT_EQ(TokenVerifier({Secret(""), Secret(std::string(kKey))}).verify(by_empty_key, kNow),
            std::unexpected(Error::token_invalid));
}

// Threat T33: every algorithm name of RFC 7518 section 3.1 and some that are not, with a signature that each would have
// if the key were the HMAC key, an empty key, or absent. The key has 32 bytes: it is good for HS256 alone.
TEST(Token, OnlyTheAlgorithmOfTheKeyWithTheRightKeyIsAccepted) {
  constexpr std::string_view kAlgorithms[] = {"HS256", "HS384",  "HS512", "RS256",  "RS384", "RS512", "ES256", "ES384",
                                              "ES512", "PS256",  "PS384", "PS512",  "EdDSA", "none",  "None",  "NONE",
                                              "hs256", "HS-256", "",      "HS256 ", "dir",   "A128KW"};
  constexpr std::string_view kKeys[] = {kKey, "", "another key", "-----BEGIN PUBLIC KEY-----\n"};
  int accepted = 0;
  for (const std::string_view algorithm : kAlgorithms) {
    const std::string text = test::text_to_sign(algorithm, kClaims);
    for (const Algorithm hash : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
      for (const std::string_view key : kKeys) {
        const std::string token = text + "." + url64(test::hmac(hash, key, text));
        const bool right = algorithm == "HS256" && hash == Algorithm::hs256 && key == kKey;
        EXPECT_EQ(answer(token), right ? Error::none : Error::token_invalid) << algorithm << " " << key;
        accepted += right ? 1 : 0;
      }
    }
    EXPECT_EQ(answer(text + "."), Error::token_invalid) << algorithm << " without a signature";
    EXPECT_EQ(answer(text), Error::token_invalid) << algorithm << " in two parts";
  }
  EXPECT_EQ(accepted, 1);
}

// The other half of T33: servers with one public key each, and tokens that are signed with the private key, or with
// what everybody knows of the public one as an HMAC secret, and say each algorithm. Only the key's own is accepted.
TEST(Token, APublicKeyAcceptsItsOwnAlgorithmsAndNoConfusedOnes) {
  struct Server {
    Algorithm algorithm;
    test::PrivateKey key;
  };
  Server servers[] = {{Algorithm::rs256, test::rsa_key()},       {Algorithm::ps512, test::rsa_key()},
                      {Algorithm::es256, test::ec_key("P-256")}, {Algorithm::es384, test::ec_key("P-384")},
                      {Algorithm::es512, test::ec_key("P-521")}, {Algorithm::eddsa, test::key_of_type("ED25519")}};
  constexpr std::string_view kAlgorithms[] = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
                                              "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "none"};
  for (const Server& server : servers) {
    const std::string pem = test::public_pem(server.key);
    const std::string der = test::public_der(server.key);
    KeySet keys;
    keys.add(Key::public_key(PublicKey::from_spki(der).value()).value());
    const TokenVerifier checking(std::move(keys));
    for (const std::string_view name : kAlgorithms) {
      const std::string text = test::text_to_sign(name, kClaims);
      const std::string by_its_key = text + "." + url64(test::sign(server.key, server.algorithm, text));
      EXPECT_EQ(checking.verify(by_its_key, kNow).has_value(), name == to_string(server.algorithm))
          << to_string(server.algorithm) << " as " << name;
      EXPECT_EQ(checking.verify(text + ".", kNow), std::unexpected(Error::token_invalid)) << name;
      for (const Algorithm hash : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
        for (const std::string& secret : {pem, der, pem.substr(0, pem.size() - 1), std::string()}) {
          EXPECT_EQ(checking.verify(text + "." + url64(test::hmac(hash, secret, text)), kNow),
                    std::unexpected(Error::token_invalid))
              << to_string(server.algorithm) << " confused with " << name;
        }
      }
    }
    // And a server that was given the public key as its secret, by mistake, has no key at all.
    EXPECT_TRUE(verifier(pem).empty());
    // A server with secrets only does not take what a key signed.
    const std::string text = test::text_to_sign(to_string(server.algorithm), kClaims);
    EXPECT_EQ(answer(text + "." + url64(test::sign(server.key, server.algorithm, text))), Error::token_invalid);
  }
}

TEST(Token, LongerSecretsHaveStrongerAlgorithmsToo) {
  const std::string secret(64, 's');
  for (const Algorithm algorithm : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
    const std::string text = test::text_to_sign(to_string(algorithm), kClaims);
    const std::string token = text + "." + url64(test::hmac(algorithm, secret, text));
    EXPECT_TRUE(verifier(secret).verify(token, kNow));
    EXPECT_EQ(verifier(secret.substr(0, 47))
                  .verify(text + "." + url64(test::hmac(algorithm, secret.substr(0, 47), text)), kNow)
                  .has_value(),
              algorithm == Algorithm::hs256);
  }
}

TEST(Token, NamesOfKeys) {
  const std::string a(32, 'a');
  const std::string b(32, 'b');
  KeySet keys;
  keys.add(Key::secret(Secret(a), "2024").value());
  keys.add(Key::secret(Secret(b), "2025").value());
  const TokenVerifier named(std::move(keys));
  const auto with = [&](std::string_view more_header, const std::string& secret) {
    const std::string text = test::text_to_sign("HS256", kClaims, more_header);
    return named.verify(text + "." + url64(hs256(secret, text)), kNow).has_value();
  };
  EXPECT_TRUE(with("", a));
  EXPECT_TRUE(with("", b));
  EXPECT_TRUE(with(R"(,"kid":"2025")", b));
  EXPECT_FALSE(with(R"(,"kid":"2024")", b));
  EXPECT_FALSE(with(R"(,"kid":"2026")", b));
  EXPECT_FALSE(with(R"(,"kid":7)", b));
  EXPECT_FALSE(with(R"(,"kid":"2025","kid":"2025")", b));
}

TEST(Token, AudienceAndIssuer) {
  const TokenVerifier strict({Secret(std::string(kKey))}, {.audience = "wirebird", .issuer = "https://id.example"});
  const auto accepted = [&](std::string_view claims) {
    return strict.verify(token_of(kHeader, R"({"exp":1700003600,)" + std::string(claims) + "}"), kNow).has_value();
  };
  EXPECT_TRUE(accepted(R"("aud":"wirebird","iss":"https://id.example")"));
  EXPECT_TRUE(accepted(R"("aud":["x","wirebird"],"iss":"https://id.example")"));
  EXPECT_FALSE(accepted(R"("aud":"wirebird2","iss":"https://id.example")"));
  EXPECT_FALSE(accepted(R"("aud":[],"iss":"https://id.example")"));
  EXPECT_FALSE(accepted(R"("iss":"https://id.example")"));
  EXPECT_FALSE(accepted(R"("aud":"wirebird")"));
  EXPECT_FALSE(accepted(R"("aud":"wirebird","iss":"https://id.example/")"));
  EXPECT_FALSE(accepted(R"("aud":"wirebird","iss":"https://ID.example")"));
  // A token of another audience that has expired is refused for good: a newer one would be as well.
  EXPECT_EQ(strict.verify(token_of(kHeader, R"({"exp":1})"), kNow), std::unexpected(Error::token_invalid));
}

TEST(Token, ThePrincipalHasItsIdAndMoment) {
  const auto principal =
      verifier().verify(token_of(kHeader, R"({"exp":1700003600,"iat":1699999999.5,"jti":"id"})"), kNow);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->issued.ms, 1'699'999'999'500);
  EXPECT_EQ(principal->token_id, "id");
  EXPECT_EQ(verifier().verify(token_of(kHeader, kClaims), kNow)->issued.ms, 0);
}

TEST(Token, SecretsAndPublicKeysTogether) {
  const test::PrivateKey key = test::ec_key("P-256");
  const auto both = TokenVerifier::make({Secret(std::string(kKey))}, test::public_pem(key), {.issuer = "me"});
  ASSERT_TRUE(both) << both.error();
  constexpr std::string_view kMine = R"({"exp":1700003600,"iss":"me"})";
  EXPECT_TRUE(both->verify(token_of(kHeader, kMine), kNow));
  const std::string text = test::text_to_sign("ES256", kMine);
  EXPECT_TRUE(both->verify(text + "." + url64(test::sign(key, Algorithm::es256, text)), kNow));
  EXPECT_FALSE(both->verify(token_of(kHeader, kClaims), kNow)) << "of no issuer";
  EXPECT_FALSE(TokenVerifier::make({}, "nonsense", {}));
  EXPECT_TRUE(TokenVerifier::make({}, "", {})->empty());
}

TEST(ConnectionToken, EndsWithItsTokenOrAtItsOwnMoment) {
  const auto end = [](std::string_view claims) {
    const auto token = verifier().verify_connection(token_of(kHeader, claims), kNow);
    return token ? token->principal.expires.ms : -static_cast<std::int64_t>(token.error().error);
  };
  constexpr auto kExpired = -static_cast<std::int64_t>(Error::token_expired);
  EXPECT_EQ(end("{}"), kNoExpiry.ms);
  EXPECT_EQ(end(R"({"exp":1700003600})"), 1'700'003'600'000 + kSkewMs);
  EXPECT_EQ(end(R"({"exp":1700003600,"expire_at":0})"), kNoExpiry.ms);
  EXPECT_EQ(end(R"({"exp":1700003600,"expire_at":1700009999})"), 1'700'009'999'000 + kSkewMs);
  EXPECT_EQ(end(R"({"expire_at":1700009999})"), 1'700'009'999'000 + kSkewMs);
  EXPECT_EQ(end(R"({"exp":1600000000})"), kExpired);
  EXPECT_EQ(end(R"({"exp":1600000000,"expire_at":0})"), kExpired) << "the token itself is over";
  EXPECT_EQ(end(R"({"exp":1700003600,"expire_at":1600000000})"), kExpired);
  EXPECT_EQ(end(R"({"exp":1700003600,"channel":"x"})"), -static_cast<std::int64_t>(Error::token_invalid));
}

TEST(ConnectionToken, HasTheRightsOfTheSameTokenElsewhere) {
  constexpr std::string_view kBoth =
      R"({"sub":"alice","exp":1700003600,"channels":["news"],"publish":["out"],"jti":"7"})";
  const std::string token = token_of(kHeader, kBoth);
  const auto connection = verifier().verify_connection(token, kNow);
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->principal, *verifier().verify(token, kNow));
  EXPECT_EQ(connection->claims.channels, (std::vector<std::string>{"news"}));
}

TEST(SubscriptionToken, GivesItsChannel) {
  const auto token = verifier().verify_subscription(
      token_of(kHeader, R"({"sub":"alice","channel":"$a","exp":1700003600,"client":"c"})"), kNow);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->claims.channel, "$a");
  EXPECT_EQ(token->claims.client, "c");
  EXPECT_EQ(token->expires.ms, 1'700'003'600'000 + kSkewMs);
  EXPECT_EQ(verifier().verify_subscription(token_of(kHeader, R"({"channel":"a"})"), kNow)->expires, kNoExpiry);
  EXPECT_FALSE(verifier().verify_subscription(token_of(kHeader, kClaims), kNow)) << "a connection token";
  EXPECT_EQ(verifier().verify_subscription(token_of(kHeader, R"({"channel":"a","exp":1})"), kNow).error(),
            Error::token_expired);
  EXPECT_EQ(verifier().verify_subscription(token_of(kHeader, R"({"channel":"a","expire_at":1})"), kNow).error(),
            Error::token_expired);
  EXPECT_EQ(verifier().verify_subscription(token_of(kHeader, R"({"channel":"a","nbf":1800000000})"), kNow).error(),
            Error::token_invalid);
  EXPECT_FALSE(verifier().verify_subscription(token_of(kHeader, R"({"channel":"a"})", std::string(32, 'x')), kNow));
}

TEST(ConnectionToken, MayBeLongerThanOneInAHeader) {
  const auto sized = [](std::size_t pad) {
    return token_of(kHeader, R"({"exp":1700003600,"info":")" + std::string(pad, 'x') + "\"}");
  };
  EXPECT_FALSE(verifier().verify(sized(4000), kNow));
  EXPECT_TRUE(verifier().verify_connection(sized(4000), kNow));
  EXPECT_TRUE(verifier().verify_connection(sized(9000), kNow));
  EXPECT_EQ(verifier().verify_connection(sized(9300), kNow).error(), Error::token_invalid);
}

TEST(Token, HeaderRules) {
  struct Case {
    std::string_view header;
    bool accepted;
  };
  const Case cases[] = {
      {R"({"alg":"HS256"})", true},
      {R"({"typ":"jwt","alg":"HS256"})", true},
      {R"({"alg":"HS256","kid":"../../etc/passwd"})", true},
      {R"({"alg":"HS256","jku":"http://169.254.169.254/","x5u":"http://x/","jwk":{"k":"AA"}})",
       true},  // never followed
      {R"( {"alg" : "HS256"} )", true},
      {R"({"\u0061lg":"HS256"})", true},
      {R"({})", false},
      {R"({"typ":"JWT"})", false},
      {R"({"alg":null})", false},
      {R"({"alg":["HS256"]})", false},
      {R"({"alg":"HS256","alg":"none"})", false},
      {R"({"alg":"none","alg":"HS256"})", false},
      {R"({"alg":"HS256","alg":"HS256"})", false},
      {R"({"alg":"HS256","typ":"JOSE"})", false},
      {R"({"alg":"HS256","typ":"at+jwt"})", false},
      {R"({"alg":"HS256","typ":1})", false},
      {R"({"alg":"HS256","typ":"JWT","typ":"JWT"})", false},
      {R"({"alg":"HS256","crit":["exp"]})", false},
      {R"({"alg":"HS256","crit":["b64"],"b64":false})", false},
      {R"(["HS256"])", false},
      {R"("HS256")", false},
      {R"({"alg":"HS256"}x)", false},
      {R"({"alg":"HS256")", false},
      {"", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(answer(token_of(c.header, kClaims)), c.accepted ? Error::none : Error::token_invalid) << c.header;
  }
}

TEST(Token, ClaimRules) {
  struct Case {
    std::string_view claims;
    Error answer;
  };
  const Case cases[] = {
      {R"({"exp":1700003600})", Error::none},
      {R"({"exp":1700003600.5})", Error::none},
      {R"({"exp":1.7000036e9})", Error::none},
      {R"({"exp":253402300799})", Error::none},
      {R"({})", Error::token_invalid},
      {R"({"sub":"x"})", Error::token_invalid},
      {R"({"exp":"1700003600"})", Error::token_invalid},
      {R"({"exp":null})", Error::token_invalid},
      {R"({"exp":true})", Error::token_invalid},
      {R"({"exp":-1})", Error::token_invalid},
      {R"({"exp":1700003600000})", Error::token_invalid},  // milliseconds
      {R"({"exp":1e300})", Error::token_invalid},
      {R"({"exp":1e400})", Error::token_invalid},
      {R"({"exp":99999999999999999999})", Error::token_invalid},
      {R"({"exp":0})", Error::token_expired},
      {R"({"exp":-0})", Error::token_expired},
      {R"({"exp":1700003600,"exp":1700003600})", Error::token_invalid},
      {R"({"exp":1,"exp":1700003600})", Error::token_invalid},
      {R"({"exp":1700003600,"nbf":1,"nbf":9999999999})", Error::token_invalid},
      {R"({"exp":1700003600,"nbf":"soon"})", Error::token_invalid},
      {R"({"exp":1700003600,"iat":"now"})", Error::token_invalid},
      {R"({"exp":1700003600,"sub":7})", Error::token_invalid},
      {R"({"exp":1700003600,"sub":"a\nb"})", Error::token_invalid},
      {R"({"exp":1700003600,"sub":"a\u007fb"})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":"news"})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":{"0":"news"}})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":null})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":["news",1]})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":["news",["x"]]})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":[""]})", Error::token_invalid},
      {R"({"exp":1700003600,"subscribe":["a\u0000b"]})", Error::token_invalid},
      {R"({"exp":1700003600,"publish":"*"})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":["a"],"channels":["*"]})", Error::token_invalid},
      {R"({"exp":1700003600,"channels":[]})", Error::none},
      {R"({"exp":1700003600,"aud":"x","aud":"x"})", Error::token_invalid},
      {R"({"exp":1700003600,"x":1,"x":2})", Error::token_invalid},
      {R"({"exp":1700003600,"aud":1})", Error::token_invalid},
      {R"({"exp":1700003600,"aud":"somebody else","iss":"whoever"})", Error::none},
      {R"({"exp":1700003600,"info":1,"meta":"x","subs":7})", Error::none},
      {R"({"exp":1700003600,"channel":"x"})", Error::token_invalid},  // a token for one channel
      {R"([{"exp":1700003600}])", Error::token_invalid},
      {R"(1700003600)", Error::token_invalid},
      {R"({"exp":1700003600},{})", Error::token_invalid},
      {"", Error::token_invalid},
      {"{\"exp\":1700003600,\"sub\":\"\xff\"}", Error::token_invalid},
  };
  for (const Case& c : cases) EXPECT_EQ(answer_to_claims(c.claims), c.answer) << c.claims;
}

TEST(Token, TimesHaveSixtySecondsOfSkew) {
  const auto at = [](std::int64_t seconds) { return base::WallTime{seconds * 1000}; };
  EXPECT_EQ(answer_to_claims(R"({"exp":1700000000})", at(1'700'000'059)), Error::none);
  EXPECT_EQ(answer_to_claims(R"({"exp":1700000000})", {1'700'000'059'999}), Error::none);
  EXPECT_EQ(answer_to_claims(R"({"exp":1700000000})", at(1'700'000'060)), Error::token_expired);
  for (const std::string name : {"nbf", "iat"}) {
    const std::string claims = R"({"exp":1800000000,")" + name + R"(":1700000060})";
    EXPECT_EQ(answer_to_claims(claims, at(1'700'000'000)), Error::none) << name;
    EXPECT_EQ(answer_to_claims(claims, at(1'699'999'999)), Error::token_invalid) << name;
  }
  // Not yet valid and already over: the first reason counts, for the second one would invite a client to come back.
  EXPECT_EQ(answer_to_claims(R"({"exp":1,"nbf":1800000000})"), Error::token_invalid);
}

TEST(Token, SubjectHasUpTo255Bytes) {
  EXPECT_EQ(answer_to_claims(R"({"exp":1700003600,"sub":")" + std::string(255, 's') + R"("})"), Error::none);
  EXPECT_EQ(answer_to_claims(R"({"exp":1700003600,"sub":")" + std::string(256, 's') + R"("})"), Error::token_invalid);
}

TEST(Token, SizeIsCappedBeforeAnythingIsLookedAt) {
  std::string claims = R"({"exp":1700003600,"x":")";
  std::string token;
  for (std::string pad; token.size() < kTokenBytesMax - 3; pad += 'x') token = token_of(kHeader, claims + pad + "\"}");
  ASSERT_LE(token.size(), kTokenBytesMax);
  EXPECT_EQ(answer(token), Error::none);
  EXPECT_EQ(answer(token_of(kHeader, claims + std::string(3000, 'x') + "\"}")), Error::token_invalid);
  EXPECT_EQ(answer(std::string(1 << 20, '.')), Error::token_invalid);
}

TEST(Token, ShapeIsStrict) {
  const std::string good = token_of(kHeader, kClaims);
  EXPECT_EQ(answer(good), Error::none);
  const std::size_t first = good.find('.');
  const std::size_t second = good.rfind('.');
  const std::string cases[] = {"",
                               ".",
                               "..",
                               "...",
                               good.substr(0, first),
                               good.substr(0, second),
                               good.substr(0, second + 1),
                               good + ".",
                               "." + good,
                               good + "=",
                               good + "\n",
                               " " + good,
                               good + "AAAA",
                               good.substr(0, good.size() - 1),
                               good.substr(0, first) + "=" + good.substr(first),
                               "Bearer " + good};
  for (const std::string& token : cases) EXPECT_EQ(answer(token), Error::token_invalid) << token;

  // The last character of 43 carries two unused bits: only the one with zeros is the encoder's.
  std::string other_spelling = good;
  other_spelling.back() = static_cast<char>(other_spelling.back() + 1);
  EXPECT_EQ(answer(other_spelling), Error::token_invalid);
  // Standard base64 instead of base64url, on parts that are signed as they are.
  const std::string text = url64(kHeader) + "." + codec::base64_encode(R"({"exp":1700003600,"a":"??>>"})");
  EXPECT_EQ(answer(text + "." + url64(hs256(kKey, text))), Error::token_invalid);
}

TEST(Token, EveryAlteredByteIsRefused) {
  const std::string good = token_of(kHeader, kClaims);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'A', 'z', '.', '-', '\0', '\xff'}) {
      if (good[i] == c) continue;
      std::string altered = good;
      altered[i] = c;
      ASSERT_EQ(answer(altered), Error::token_invalid) << i;
    }
    ASSERT_EQ(answer(good.substr(0, i) + good.substr(i + 1)), Error::token_invalid) << i;
  }
}

TEST(SignToken, MakesWhatTheVerifierAccepts) {
  const Secret key{std::string(kKey)};
  const auto token = sign_token({.subject = "bob \"quoted\"",
                                 .issued_at_s = kNowS,
                                 .expires_at_s = kNowS + 60,
                                 .channels = {"news", "caf\xc3\xa9:*"},
                                 .subscribe = {"in"},
                                 .publish = {"out"}},
                                key);
  ASSERT_TRUE(token);
  const auto principal = verifier().verify(*token, kNow);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->subject, "bob \"quoted\"");
  EXPECT_EQ(principal->subscribe, (std::vector<std::string>{"news", "caf\xc3\xa9:*", "in"}));
  EXPECT_EQ(principal->publish, (std::vector<std::string>{"news", "caf\xc3\xa9:*", "out"}));
  EXPECT_EQ(principal->expires.ms, (kNowS + 60) * 1000 + kSkewMs);
}

TEST(SignToken, WithAllThatAServerMayAsk) {
  const Secret key(std::string(64, 'k'));
  const auto token = sign_token({.subject = "7",
                                 .issuer = "me",
                                 .audience = "you",
                                 .issued_at_s = kNowS,
                                 .expires_at_s = kNowS + 60,
                                 .user_claim = "user_id"},
                                key, Algorithm::hs512, "2025");
  ASSERT_TRUE(token);
  const TokenVerifier asking({key}, {.audience = "you", .issuer = "me", .user_claim = "user_id"});
  const auto principal = asking.verify(*token, kNow);
  ASSERT_TRUE(principal) << principal.error().hint;
  EXPECT_EQ(principal->subject, "7");
  KeySet named;
  named.add(Key::secret(key, "2024").value());
  EXPECT_FALSE(TokenVerifier(std::move(named)).verify(*token, kNow)) << "its header names the key";
}

TEST(SignToken, RefusesWhatTheVerifierWould) {
  const Secret key{std::string(kKey)};
  EXPECT_EQ(sign_token({.expires_at_s = 1, .channels = {""}}, key), std::unexpected(Error::bad_channel));
  EXPECT_EQ(sign_token({.expires_at_s = 1, .publish = {"a\n"}}, key), std::unexpected(Error::bad_channel));
  EXPECT_EQ(sign_token({.subject = std::string(256, 'x'), .expires_at_s = 1}, key),
            std::unexpected(Error::bad_parameter));
  EXPECT_EQ(sign_token({.expires_at_s = -1}, key), std::unexpected(Error::bad_parameter));
  EXPECT_EQ(sign_token({.expires_at_s = INT64_MAX}, key), std::unexpected(Error::bad_parameter));
  EXPECT_EQ(sign_token({.expires_at_s = 1, .channels = std::vector<std::string>(200, "a-channel-of-some-length")}, key),
            std::unexpected(Error::payload_too_big));
}

}  // namespace
}  // namespace auth
