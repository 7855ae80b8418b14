#include "auth/token.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <memory>
#include <string>

#include "auth/sha256.h"
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
// if the key were the HMAC key, an empty key, or absent.
TEST(Token, OnlyTheAlgorithmHs256WithTheRightKeyIsAccepted) {
  constexpr std::string_view kAlgorithms[] = {"HS256", "HS384",  "HS512", "RS256",  "RS384", "RS512", "ES256", "ES384",
                                              "ES512", "PS256",  "PS384", "PS512",  "EdDSA", "none",  "None",  "NONE",
                                              "hs256", "HS-256", "",      "HS256 ", "dir",   "A128KW"};
  const EVP_MD* const hashes[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
  constexpr std::string_view kKeys[] = {kKey, "", "another key", "-----BEGIN PUBLIC KEY-----\n"};
  int accepted = 0;
  for (const std::string_view algorithm : kAlgorithms) {
    const std::string text = url64(R"({"alg":")" + std::string(algorithm) + R"("})") + "." + url64(kClaims);
    for (const EVP_MD* const hash : hashes) {
      for (const std::string_view key : kKeys) {
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        HMAC(hash, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
             text.size(), mac, &size);
        const std::string token = text + "." + url64({reinterpret_cast<const char*>(mac), size});
        const bool right = algorithm == "HS256" && hash == EVP_sha256() && key == kKey;
        EXPECT_EQ(answer(token), right ? Error::none : Error::token_invalid) << algorithm << " " << size << " " << key;
        accepted += right ? 1 : 0;
      }
    }
    EXPECT_EQ(answer(text + "."), Error::token_invalid) << algorithm << " without a signature";
    EXPECT_EQ(answer(text), Error::token_invalid) << algorithm << " in two parts";
  }
  EXPECT_EQ(accepted, 1);
}

// The other half of T33: real signatures by real keys of the other kinds, presented to a server whose HMAC key is the
// public key as everybody may have it.
TEST(Token, SignaturesByOtherKindsOfKeysAreRefused) {
  struct KeyKind {
    const char* algorithm;
    std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key;
    bool hashed;
  };
  KeyKind kinds[] = {{"RS256", {EVP_RSA_gen(2048), EVP_PKEY_free}, true},
                     {"ES256", {EVP_EC_gen("P-256"), EVP_PKEY_free}, true},
                     {"EdDSA", {EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free}, false}};
  for (const KeyKind& kind : kinds) {
    ASSERT_NE(kind.key, nullptr);
    const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
    ASSERT_EQ(PEM_write_bio_PUBKEY(memory.get(), kind.key.get()), 1);
    char* pem_bytes = nullptr;
    const long pem_size = BIO_get_mem_data(memory.get(), &pem_bytes);
    const std::string public_pem(pem_bytes, static_cast<std::size_t>(pem_size));

    for (const std::string algorithm : {kind.algorithm, "HS256", "none"}) {
      const std::string text = url64(R"({"alg":")" + algorithm + R"("})") + "." + url64(kClaims);
      const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
      ASSERT_EQ(
          EVP_DigestSignInit(context.get(), nullptr, kind.hashed ? EVP_sha256() : nullptr, nullptr, kind.key.get()), 1);
      std::string signature(1024, '\0');
      std::size_t size = signature.size();
      ASSERT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                               reinterpret_cast<const unsigned char*>(text.data()), text.size()),
                1);
      signature.resize(size);
      EXPECT_EQ(answer(text + "." + url64(signature)), Error::token_invalid) << kind.algorithm << " as " << algorithm;
      // HMAC with the public key as its text: only a server that was given that text as its HMAC key takes it, and then
      // only as HS256.
      const std::string confused = text + "." + url64(hs256(public_pem, text));
      EXPECT_EQ(answer(confused), Error::token_invalid);
      EXPECT_EQ(verifier(public_pem).verify(confused, kNow).has_value(), algorithm == "HS256");
    }
  }
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
      {R"({"exp":1700003600,"aud":1,"aud":2})", Error::none},
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
