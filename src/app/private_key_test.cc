#include "app/private_key.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/signature.h"
#include "auth/test_keys.h"

namespace app {
namespace {

using auth::Algorithm;
namespace test = auth::test;

std::string problem(std::string_view text) {
  const auto key = PrivateKey::from_pem(text);
  return key ? "read" : key.error();
}

TEST(PrivateKey, SignsWhatItsPublicHalfAccepts) {
  struct Case {
    test::PrivateKey key;
    Algorithm first;
  };
  Case cases[] = {{test::rsa_key(), Algorithm::rs256},       {test::rsa_pss_key(), Algorithm::ps256},
                  {test::ec_key("P-256"), Algorithm::es256}, {test::ec_key("P-384"), Algorithm::es384},
                  {test::ec_key("P-521"), Algorithm::es512}, {test::key_of_type("ED25519"), Algorithm::eddsa}};
  for (const Case& c : cases) {
    const auto key = PrivateKey::from_pem(test::private_pem(c.key));
    ASSERT_TRUE(key) << key.error();
    EXPECT_EQ(key->first_algorithm(), c.first);
    const auto public_key = auth::PublicKey::from_spki(test::public_der(c.key)).value();
    for (std::size_t i = 0; i < auth::kAlgorithmCount; ++i) {
      const auto algorithm = static_cast<Algorithm>(i);
      if (!key->algorithms().contains(algorithm)) continue;
      const std::string signature = key->sign(algorithm, "a.b");
      EXPECT_TRUE(auth::public_key_verifies(public_key, algorithm, "a.b", signature)) << to_string(algorithm);
      EXPECT_FALSE(auth::public_key_verifies(public_key, algorithm, "a.c", signature)) << to_string(algorithm);
    }
  }
}

TEST(PrivateKey, TakesTheOlderFormsAndRemarks) {
  const test::PrivateKey ec = test::ec_key("P-256");
  const std::string older = test::written([&](BIO* to) {
    return PEM_write_bio_PrivateKey_traditional(to, ec.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  EXPECT_TRUE(older.contains("BEGIN EC PRIVATE KEY"));
  EXPECT_EQ(problem("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + older), "read");
}

TEST(PrivateKey, RefusesWithAReason) {
  EXPECT_TRUE(problem("").contains("has no private key"));
  EXPECT_TRUE(problem(test::public_pem(test::ec_key("P-256"))).contains("has no private key"));
  EXPECT_TRUE(problem(test::private_pem(test::rsa_key(1024))).contains("fewer than 2048 bits"));
  EXPECT_TRUE(problem(test::private_pem(test::ec_key("secp256k1"))).contains("on a curve other than"));
  EXPECT_TRUE(problem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").contains("can be read"));
  const test::PrivateKey key = test::ec_key("P-256");
  const std::string pkcs8 = test::written([&](BIO* to) {
    return PEM_write_bio_PKCS8PrivateKey(to, key.get(), EVP_aes_128_cbc(), "pass", 4, nullptr, nullptr);
  });
  EXPECT_TRUE(problem(pkcs8).contains("has a passphrase"));
  const unsigned char pass[] = "pass";
  const std::string older = test::written([&](BIO* to) {
    return PEM_write_bio_PrivateKey_traditional(to, key.get(), EVP_aes_128_cbc(), pass, 4, nullptr, nullptr);
  });
  EXPECT_TRUE(problem(older).contains("a key with a passphrase is not taken"));
}

}  // namespace
}  // namespace app
