#include "auth/signature.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>
#include <vector>

#include "auth/test_keys.h"
#include "codec/base64.h"

namespace auth {
namespace {

using enum Algorithm;

constexpr Algorithm kAll[] = {hs256, hs384, hs512, rs256, rs384, rs512, ps256,
                              ps384, ps512, es256, es384, es512, eddsa};
constexpr std::string_view kText = "header.claims";

std::string bytes_of(std::string_view base64url) { return codec::base64url_decode(base64url).value(); }

struct Pair {
  const char* name;
  test::PrivateKey secret;
  std::vector<Algorithm> algorithms;
  PublicKey key;

  Pair(const char* its_name, test::PrivateKey made, std::vector<Algorithm> can)
      : name(its_name),
        secret(std::move(made)),
        algorithms(std::move(can)),
        key(PublicKey::from_spki(test::public_der(secret)).value()) {}
};

const std::vector<Pair>& pairs() {
  static const std::vector<Pair> made = [] {
    std::vector<Pair> all;
    all.emplace_back("RSA", test::rsa_key(), std::vector{rs256, rs384, rs512, ps256, ps384, ps512});
    all.emplace_back("RSA-PSS", test::rsa_pss_key(), std::vector{ps256, ps384, ps512});
    all.emplace_back("P-256", test::ec_key("P-256"), std::vector{es256});
    all.emplace_back("P-384", test::ec_key("P-384"), std::vector{es384});
    all.emplace_back("P-521", test::ec_key("P-521"), std::vector{es512});
    all.emplace_back("Ed25519", test::key_of_type("ED25519"), std::vector{eddsa});
    return all;
  }();
  return made;
}

// Each signature under each algorithm by each key: only the right cell of the table verifies.
TEST(Signature, OnlyTheRightKeyWithTheRightAlgorithmVerifies) {
  int accepted = 0;
  for (const Pair& signer : pairs()) {
    for (const Algorithm made_with : signer.algorithms) {
      const std::string signature = test::sign(signer.secret, made_with, kText);
      for (const Pair& checker : pairs()) {
        for (const Algorithm checked_with : kAll) {
          const bool right = &signer == &checker && made_with == checked_with;
          EXPECT_EQ(public_key_verifies(checker.key, checked_with, kText, signature), right)
              << signer.name << " " << to_string(made_with) << " checked by " << checker.name << " as "
              << to_string(checked_with);
          accepted += right ? 1 : 0;
        }
      }
    }
  }
  EXPECT_EQ(accepted, 6 + 3 + 1 + 1 + 1 + 1);
}

TEST(Signature, EveryAlteredOneIsRefused) {
  for (const Pair& pair : pairs()) {
    const Algorithm algorithm = pair.algorithms.front();
    const std::string good = test::sign(pair.secret, algorithm, kText);
    ASSERT_TRUE(public_key_verifies(pair.key, algorithm, kText, good)) << pair.name;
    EXPECT_FALSE(public_key_verifies(pair.key, algorithm, "header.claimS", good)) << pair.name;
    for (std::size_t i = 0; i < good.size(); i += 7) {
      std::string altered = good;
      altered[i] = static_cast<char>(altered[i] ^ 1);
      EXPECT_FALSE(public_key_verifies(pair.key, algorithm, kText, altered)) << pair.name << " byte " << i;
    }
    const std::string lengths[] = {
        "",          good.substr(1),     good.substr(0, good.size() - 1), good + '\0', '\0' + good,
        good + good, std::string(1, 'x')};
    for (const std::string& wrong : lengths) {
      EXPECT_FALSE(public_key_verifies(pair.key, algorithm, kText, wrong)) << pair.name << " " << wrong.size();
    }
    // All zeros: r = s = 0 is valid under every key where the range is not checked (CVE-2022-21449).
    EXPECT_FALSE(public_key_verifies(pair.key, algorithm, kText, std::string(good.size(), '\0'))) << pair.name;
    EXPECT_FALSE(public_key_verifies(pair.key, algorithm, kText, std::string(good.size(), '\xff'))) << pair.name;
  }
}

TEST(Signature, EcdsaInDerIsNoJws) {
  for (const Pair& pair : pairs()) {
    const Algorithm algorithm = pair.algorithms.front();
    if (algorithm != es256 && algorithm != es384 && algorithm != es512) continue;
    EXPECT_FALSE(public_key_verifies(pair.key, algorithm, kText, test::sign_as_is(pair.secret, algorithm, kText)));
  }
}

TEST(Signature, PssTakesASaltOfTheHashsSizeOnly) {
  const Pair& rsa = pairs().front();
  for (const int salt : {0, 20, 64, RSA_PSS_SALTLEN_MAX}) {
    EXPECT_FALSE(public_key_verifies(rsa.key, ps256, kText, test::sign_as_is(rsa.secret, ps256, kText, salt))) << salt;
  }
  EXPECT_TRUE(public_key_verifies(rsa.key, ps256, kText, test::sign_as_is(rsa.secret, ps256, kText, 32)));
}

// OpenSSL's queue of errors belongs to the thread, and TLS looks at it.
TEST(Signature, AFailureLeavesNothingInTheQueueOfErrors) {
  ERR_clear_error();
  for (const Pair& pair : pairs()) {
    const Algorithm algorithm = pair.algorithms.front();
    const std::size_t size = test::sign(pair.secret, algorithm, kText).size();
    EXPECT_FALSE(public_key_verifies(pair.key, algorithm, kText, std::string(size, 'x')));
    EXPECT_EQ(ERR_peek_error(), 0U) << pair.name;
  }
  EXPECT_FALSE(PublicKey::from_spki("nonsense"));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(Signature, Hmac) {
  const std::string secret(64, 's');
  for (const Algorithm algorithm : {hs256, hs384, hs512}) {
    const std::string good = test::hmac(algorithm, secret, kText);
    EXPECT_EQ(hmac_signature(algorithm, secret, kText), good);
    EXPECT_TRUE(hmac_verifies(algorithm, secret, kText, good));
    EXPECT_FALSE(hmac_verifies(algorithm, std::string(64, 'S'), kText, good));
    EXPECT_FALSE(hmac_verifies(algorithm, secret, "other", good));
    EXPECT_FALSE(hmac_verifies(algorithm, secret, kText, good.substr(1)));
    EXPECT_FALSE(hmac_verifies(algorithm, secret, kText, good + "x"));
    EXPECT_FALSE(hmac_verifies(algorithm, secret, kText, ""));
  }
  EXPECT_FALSE(hmac_verifies(hs512, secret, kText, test::hmac(hs256, secret, kText)));
}

constexpr std::string_view kClaimsOfRfc7515 =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

TEST(Signature, Rs256ExampleOfRfc7515) {  // appendix A.2
  const auto key = PublicKey::rsa(
      bytes_of(
          "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-"
          "SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
          "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2eth"
          "FkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"),
      bytes_of("AQAB"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(public_key_verifies(
      *key, rs256, "eyJhbGciOiJSUzI1NiJ9." + std::string(kClaimsOfRfc7515),
      bytes_of(
          "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ"
          "dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN93"
          "83LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWk"
          "WywlVmtVrBp0igcN_IoypGlUPQGe77Rw")));
}

TEST(Signature, Es256ExampleOfRfc7515) {  // appendix A.3
  const auto key = PublicKey::ec(PublicKey::Type::p256, bytes_of("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                                 bytes_of("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(public_key_verifies(
      *key, es256, "eyJhbGciOiJFUzI1NiJ9." + std::string(kClaimsOfRfc7515),
      bytes_of("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")));
}

TEST(Signature, Es512ExampleOfRfc7515) {  // appendix A.4
  const auto key = PublicKey::ec(
      PublicKey::Type::p521,
      bytes_of("AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk"),
      bytes_of("ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(public_key_verifies(
      *key, es512, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
      bytes_of(
          "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgo"
          "XD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn")));
}

TEST(Signature, Ps384ExampleOfRfc7520) {  // section 4.2
  const auto key = PublicKey::rsa(
      bytes_of(
          "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKr"
          "Kb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5l"
          "FHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__"
          "kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"),
      bytes_of("AQAB"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(public_key_verifies(
      *key, ps384,
      "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
      "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5k"
      "IGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4",
      bytes_of(
          "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6"
          "_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3"
          "lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6G"
          "YmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw")));
}

TEST(Signature, Ed25519ExampleOfRfc8037) {  // appendix A.4
  const auto key = PublicKey::ed25519(bytes_of("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
  ASSERT_TRUE(key);
  EXPECT_TRUE(public_key_verifies(
      *key, eddsa, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      bytes_of("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")));
}

}  // namespace
}  // namespace auth
