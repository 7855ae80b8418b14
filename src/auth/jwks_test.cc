#include "auth/jwks.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/test_keys.h"
#include "codec/base64.h"

namespace auth {
namespace {

using enum Algorithm;

// RFC 7515 A.2 and A.3, RFC 8037 A.2: public parts.
const std::string kRsa =
    R"("kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-)"
    R"(yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBE)"
    R"(Ma2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g)"
    R"(b54h4FRWyuXpoQ","e":"AQAB")";
const std::string kEc =
    R"("kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
const std::string kOkp = R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";
const std::string kOct =
    R"("kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")";

std::string set_of(const std::string& key) { return R"({"keys":[{)" + key + "}]}"; }

// Why the one key of a set is left out; "taken" if it is not.
std::string_view reason(const std::string& key, OctKeys oct = OctKeys::refuse) {
  const auto set = parse_jwks(set_of(key), oct);
  if (!set) return set.error();
  return set->skipped.empty() ? "taken" : set->skipped.front().reason;
}

std::string url64(std::string_view bytes) { return codec::base64url_encode(bytes); }

TEST(Jwks, TakesTheKeysOfASet) {
  const auto set =
      parse_jwks(R"({"keys":[{)" + kRsa + R"(,"kid":"r","use":"sig","alg":"RS256"},{)" + kEc +
                 R"(,"kid":"e","key_ops":["verify"]},{)" + kOkp + R"(,"alg":"EdDSA","x5t":"?"}],"more":1})");
  ASSERT_TRUE(set);
  EXPECT_TRUE(set->skipped.empty());
  ASSERT_EQ(set->keys.size(), 3U);
  EXPECT_EQ(set->keys[0].kid(), "r");
  EXPECT_EQ(set->keys[0].algorithms(), AlgorithmSet{rs256});
  EXPECT_EQ(set->keys[1].kid(), "e");
  EXPECT_EQ(set->keys[1].algorithms(), AlgorithmSet{es256});
  EXPECT_EQ(set->keys[2].kid(), "");
  EXPECT_EQ(set->keys[2].algorithms(), AlgorithmSet{eddsa});
  EXPECT_TRUE(set->keys[2].verifies(
      eddsa, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      codec::base64url_decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
          .value()));
}

TEST(Jwks, LeavesOutWhatItCannotUseAndSaysWhy) {
  const auto set = parse_jwks(R"({"keys":[{"kty":"XYZ"},{)" + kEc + R"(},7,{"kty":"EC","kty":"EC"},{)" + kOct + "}]}");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->keys.size(), 1U);
  EXPECT_EQ(set->skipped, (std::vector<SkippedKey>{{1, "is neither RSA, EC nor OKP (kty)"},
                                                   {3, "is no JSON object, or a name stands there twice"},
                                                   {4, "is no JSON object, or a name stands there twice"},
                                                   {5, "is a secret (oct), and secrets are not taken from here"}}));
}

TEST(Jwks, PurposeAndAlgorithmAreRespected) {
  EXPECT_EQ(reason(kEc + R"(,"use":"enc")"), "is not for signatures (use)");
  EXPECT_EQ(reason(kEc + R"(,"use":["sig"])"), "is not for signatures (use)");
  EXPECT_EQ(reason(kEc + R"(,"key_ops":["sign"])"), "is not for verifying signatures (key_ops)");
  EXPECT_EQ(reason(kEc + R"(,"key_ops":[])"), "is not for verifying signatures (key_ops)");
  EXPECT_EQ(reason(kEc + R"(,"key_ops":"verify")"), "is not for verifying signatures (key_ops)");
  EXPECT_EQ(reason(kEc + R"(,"key_ops":["sign","verify"],"use":"sig")"), "taken");
  EXPECT_EQ(reason(kEc + R"(,"kid":7)"), "has a kid that is no text");
  EXPECT_EQ(reason(kEc + R"(,"kid":")" + std::string(256, 'k') + "\""), "has a kid of more than 255 bytes");
  EXPECT_EQ(reason(kEc + R"(,"alg":"ES256")"), "taken");
  EXPECT_EQ(reason(kOkp + R"(,"alg":"Ed25519")"), "taken");
  for (const std::string alg : {"none", "RSA-OAEP", "ES256K", ""}) {
    EXPECT_EQ(reason(kEc + R"(,"alg":")" + alg + "\""), "has an alg that is not known here") << alg;
  }
  EXPECT_EQ(reason(kEc + R"(,"alg":null)"), "has an alg that is not known here");
  // T33: a key of one kind that claims the algorithm of another.
  for (const std::string alg : {"ES384", "ES512", "HS256", "RS256", "EdDSA"}) {
    EXPECT_EQ(reason(kEc + R"(,"alg":")" + alg + "\""), "is not a key for its algorithm") << alg;
  }
  EXPECT_EQ(reason(kRsa + R"(,"alg":"HS256")"), "is not a key for its algorithm");
  EXPECT_EQ(reason(kOkp + R"(,"alg":"ES256")"), "is not a key for its algorithm");
}

TEST(Jwks, SecretsOnlyWhenAsked) {
  EXPECT_EQ(reason(kOct, OctKeys::accept), "taken");
  EXPECT_EQ(reason(kOct + R"(,"alg":"HS512")", OctKeys::accept), "taken");
  EXPECT_NE(reason(kOct + R"(,"alg":"RS256")", OctKeys::accept), "taken");
  EXPECT_EQ(reason(R"("kty":"oct","k":"")", OctKeys::accept), "has fewer than 32 bytes");
  EXPECT_EQ(reason(R"("kty":"oct")", OctKeys::accept), "has a parameter that is missing or no base64url");
  const auto set = parse_jwks(set_of(kOct + R"(,"kid":"h")"), OctKeys::accept);
  ASSERT_TRUE(set && set->keys.size() == 1);
  EXPECT_TRUE(set->keys[0].is_secret());
  EXPECT_EQ(set->keys[0].algorithms(), kHmacAlgorithms);
  EXPECT_EQ(set->keys[0].kid(), "h");
}

TEST(Jwks, APublishedPrivateKeyIsNotTrusted) {
  for (const std::string part : {"d", "p", "q", "dp", "dq", "qi", "oth"}) {
    EXPECT_EQ(reason(kRsa + ",\"" + part + R"(":"AQAB")"), "has its private parts in it, so it is not secret any more");
  }
  EXPECT_NE(reason(kEc + R"(,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")"), "taken");
  EXPECT_NE(reason(kOkp + R"(,"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")"), "taken");
}

TEST(Jwks, ParametersAreChecked) {
  EXPECT_EQ(reason(R"("kty":"RSA","e":"AQAB")"), "has a parameter that is missing or no base64url");
  EXPECT_EQ(reason(R"("kty":"RSA","n":"+/==","e":"AQAB")"), "has a parameter that is missing or no base64url");
  EXPECT_EQ(reason(R"("kty":"RSA","n":")" + url64(std::string(128, '\xff')) + R"(","e":"AQAB")"),
            "is an RSA key of fewer than 2048 bits");
  EXPECT_EQ(reason(R"("kty":"RSA","n":")" + url64(std::string(256, '\xff')) + R"(","e":"AQ")"),
            "is an RSA key with an impossible exponent");
  EXPECT_EQ(reason(R"("kty":"EC","crv":"secp256k1","x":"AA","y":"AA")"),
            "is on a curve other than P-256, P-384 and P-521");
  EXPECT_EQ(reason(R"("kty":"EC","x":"AA","y":"AA")"), "is on a curve other than P-256, P-384 and P-521");
  EXPECT_EQ(reason(R"("kty":"EC","crv":"P-384","x":"AA","y":"AA")"), "has a coordinate of the wrong size");
  EXPECT_EQ(reason(R"("kty":"EC","crv":"P-256","x":"AA")"), "has a parameter that is missing or no base64url");
  EXPECT_EQ(reason(R"("kty":"EC","crv":"P-256","x":")" + url64(std::string(32, 1)) + R"(","y":")" +
                   url64(std::string(32, 2)) + "\""),
            "is no public key that can be read");
  EXPECT_EQ(reason(R"("kty":"OKP","crv":"X25519","x":"AA")"), "is on a curve other than Ed25519");
  EXPECT_EQ(reason(R"("kty":"OKP","crv":"Ed25519","x":"AA")"), "is no public key that can be read");
  EXPECT_EQ(reason(R"("kty":"OKP","crv":"Ed25519")"), "has a parameter that is missing or no base64url");
  EXPECT_EQ(reason(R"("kty":7)"), "is neither RSA, EC nor OKP (kty)");
}

TEST(Jwks, WhatIsNoSetIsAnError) {
  for (const std::string_view text : {"", "x", "[]", "{}", R"({"keys":{}})", R"({"keys":null})",
                                      R"({"keys":[],"keys":[]})", R"({"keys":[]}x)", R"([{"keys":[]}])"}) {
    EXPECT_FALSE(parse_jwks(text)) << text;
  }
  EXPECT_TRUE(parse_jwks(R"({"keys":[]})"));
}

TEST(Jwks, SizesAreBounded) {
  const auto many = [](std::size_t count) {
    std::string text = R"({"keys":[)";
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "{}" : ",{}");
    return text + "]}";
  };
  EXPECT_TRUE(parse_jwks(many(kJwksKeysMax)));
  EXPECT_EQ(parse_jwks(many(kJwksKeysMax + 1)).error(), "has more than 64 keys");
  const std::string empty = R"({"keys":[]})";
  EXPECT_TRUE(parse_jwks(empty + std::string(kJwksBytesMax - empty.size(), ' ')));
  EXPECT_EQ(parse_jwks(empty + std::string(kJwksBytesMax - empty.size() + 1, ' ')).error(), "is larger than 256 KiB");
}

}  // namespace
}  // namespace auth
