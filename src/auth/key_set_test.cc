#include "auth/key_set.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/signature.h"
#include "auth/test_keys.h"

namespace auth {
namespace {

using base::Secret;
using enum Algorithm;
using Outcome = KeySet::Outcome;

constexpr std::string_view kText = "header.claims";

Key public_key(const test::PrivateKey& key, std::string kid = {}, std::optional<AlgorithmSet> only = {}) {
  return Key::public_key(PublicKey::from_spki(test::public_der(key)).value(), std::move(kid), only).value();
}
Key secret(char filler, std::size_t size = 32, std::string kid = {}) {
  return Key::secret(Secret(std::string(size, filler)), std::move(kid)).value();
}
std::string_view problem(const Key::Made& made) { return made ? "made" : made.error(); }
std::string_view problem(const PublicKey::Made& made) { return made ? "made" : made.error(); }
PublicKey::Made read(const test::PrivateKey& key) { return PublicKey::from_spki(test::public_der(key)); }

TEST(Key, ASecretIsAtLeastAsLongAsItsHash) {
  EXPECT_EQ(secret('k', 32).algorithms(), AlgorithmSet{hs256});
  EXPECT_EQ(secret('k', 47).algorithms(), AlgorithmSet{hs256});
  EXPECT_EQ(secret('k', 48).algorithms(), (AlgorithmSet{hs256, hs384}));
  EXPECT_EQ(secret('k', 63).algorithms(), (AlgorithmSet{hs256, hs384}));
  EXPECT_EQ(secret('k', 64).algorithms(), kHmacAlgorithms);
  EXPECT_EQ(problem(Key::secret(Secret(""))), "has fewer than 32 bytes");
  EXPECT_EQ(problem(Key::secret(Secret(std::string(31, 'k')))), "has fewer than 32 bytes");
  EXPECT_EQ(problem(Key::secret(Secret(""), {}, kHmacAlgorithms, SecretLength::any)), "has fewer than 32 bytes");
  EXPECT_EQ(Key::secret(Secret("k"), {}, kHmacAlgorithms, SecretLength::any)->algorithms(), kHmacAlgorithms);
  EXPECT_FALSE(Key::secret(Secret(std::string(32, 'k')), "", {hs512}));
  EXPECT_FALSE(Key::secret(Secret(std::string(64, 'k')), "", {rs256, eddsa}));
  EXPECT_EQ(Key::secret(Secret(std::string(64, 'k')), "", {hs512, rs256})->algorithms(), AlgorithmSet{hs512});
  EXPECT_FALSE(Key::secret(Secret(std::string(64, 'k')), std::string(256, 'i')));
}

TEST(Key, APublicKeyIsNoSecret) {
  EXPECT_EQ(problem(Key::secret(Secret(test::public_pem(test::rsa_key())))), "is a PEM text and no secret");
}

TEST(Key, APublicKeyHasTheAlgorithmsOfItsKind) {
  EXPECT_EQ(public_key(test::ec_key("P-256")).algorithms(), AlgorithmSet{es256});
  EXPECT_EQ(public_key(test::ec_key("P-384")).algorithms(), AlgorithmSet{es384});
  EXPECT_EQ(public_key(test::ec_key("P-521")).algorithms(), AlgorithmSet{es512});
  EXPECT_EQ(public_key(test::key_of_type("ED25519")).algorithms(), AlgorithmSet{eddsa});
  const test::PrivateKey rsa = test::rsa_key();
  EXPECT_EQ(public_key(rsa).algorithms(), (AlgorithmSet{rs256, rs384, rs512, ps256, ps384, ps512}));
  EXPECT_EQ(public_key(rsa, "", AlgorithmSet{rs256}).algorithms(), AlgorithmSet{rs256});
  EXPECT_FALSE(Key::public_key(read(rsa).value(), "", AlgorithmSet{hs256, es256}));
  EXPECT_FALSE(Key::public_key(read(test::ec_key("P-256")).value(), "", AlgorithmSet{es384}));

  const Key only_rs256 = public_key(rsa, "", AlgorithmSet{rs256});
  EXPECT_TRUE(only_rs256.verifies(rs256, kText, test::sign(rsa, rs256, kText)));
  EXPECT_FALSE(only_rs256.verifies(rs512, kText, test::sign(rsa, rs512, kText)));
}

TEST(PublicKey, WeakAndUnknownKindsAreRefused) {
  EXPECT_EQ(problem(read(test::rsa_key(1024))), "is an RSA key of fewer than 2048 bits");
  EXPECT_EQ(problem(read(test::rsa_key(2040))), "is an RSA key of fewer than 2048 bits");
  EXPECT_EQ(problem(read(test::ec_key("secp256k1"))), "is on a curve other than P-256, P-384 and P-521");
  EXPECT_EQ(problem(read(test::ec_key("P-224"))), "is on a curve other than P-256, P-384 and P-521");
  EXPECT_EQ(problem(read(test::explicit_ec_key())), "is on a curve other than P-256, P-384 and P-521");
  EXPECT_EQ(problem(read(test::key_of_type("ED448"))), "is neither RSA, ECDSA nor Ed25519");
  EXPECT_EQ(problem(read(test::key_of_type("X25519"))), "is neither RSA, ECDSA nor Ed25519");
  const std::string good = test::public_der(test::ec_key("P-256"));
  EXPECT_TRUE(PublicKey::from_spki(good));
  EXPECT_FALSE(PublicKey::from_spki(good + '\0'));
  EXPECT_FALSE(PublicKey::from_spki(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(PublicKey::from_spki(""));
  EXPECT_FALSE(PublicKey::from_pkcs1(""));
  EXPECT_FALSE(PublicKey::from_pkcs1(good));
}

TEST(PublicKey, RsaOfNumbers) {
  const std::string three(1, 3);
  std::string modulus(256, '\xff');
  EXPECT_TRUE(PublicKey::rsa(modulus, three));
  EXPECT_TRUE(PublicKey::rsa('\0' + modulus, '\0' + three)) << "zeros in front";
  EXPECT_EQ(problem(PublicKey::rsa(modulus.substr(1), three)), "is an RSA key of fewer than 2048 bits");
  EXPECT_EQ(problem(PublicKey::rsa(std::string(10, '\0') + modulus.substr(1), three)),
            "is an RSA key of fewer than 2048 bits");
  EXPECT_TRUE(PublicKey::rsa(std::string(1024, '\xff'), three));
  EXPECT_EQ(problem(PublicKey::rsa(std::string(1025, '\xff'), three)), "is an RSA key of more than 8192 bits");
  constexpr std::string_view kExponent = "is an RSA key with an impossible exponent";
  for (const std::string_view exponent :
       {std::string_view("\x01"), std::string_view("\x02"), std::string_view("\x01\x00", 2),
        std::string_view("\x01\x00\x00\x00\x01", 5), std::string_view("\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9)}) {
    EXPECT_EQ(problem(PublicKey::rsa(modulus, exponent)), kExponent) << exponent.size();
  }
  EXPECT_FALSE(PublicKey::rsa(modulus, ""));
  EXPECT_FALSE(PublicKey::rsa(modulus, std::string(1, '\0')));
  EXPECT_FALSE(PublicKey::rsa("", three));
}

TEST(PublicKey, APointMustBeOnTheCurve) {
  EXPECT_FALSE(PublicKey::ec(PublicKey::Type::p256, std::string(32, '\x01'), std::string(32, '\x02')));
  EXPECT_FALSE(PublicKey::ec(PublicKey::Type::p256, std::string(32, '\0'), std::string(32, '\0')));
  EXPECT_FALSE(PublicKey::ec(PublicKey::Type::p256, std::string(32, '\xff'), std::string(32, '\xff')));
  EXPECT_EQ(problem(PublicKey::ec(PublicKey::Type::p256, std::string(31, '\x01'), std::string(32, '\x02'))),
            "has a coordinate of the wrong size");
  EXPECT_FALSE(PublicKey::ed25519(std::string(31, 'x')));
  EXPECT_FALSE(PublicKey::ed25519(std::string(33, 'x')));
}

TEST(PublicKey, ComparesByValue) {
  const test::PrivateKey key = test::ec_key("P-256");
  EXPECT_EQ(*read(key), *read(key));
  PublicKey copy = *read(test::ec_key("P-256"));
  EXPECT_NE(copy, *read(key));
  copy = *read(key);
  const PublicKey& itself = copy;
  copy = itself;
  EXPECT_EQ(copy, *read(key));
}

TEST(KeySet, FindsTheKeyThatSigned) {
  const test::PrivateKey old_key = test::ec_key("P-256");
  const test::PrivateKey new_key = test::ec_key("P-256");
  const test::PrivateKey rsa = test::rsa_key();
  KeySet set;
  EXPECT_TRUE(set.add(public_key(new_key)));
  EXPECT_TRUE(set.add(secret('a')));
  EXPECT_TRUE(set.add(public_key(old_key)));
  EXPECT_TRUE(set.add(public_key(rsa)));
  const auto find = [&](Algorithm algorithm, const std::string& signature) {
    return set.find_signer(algorithm, {}, kText, signature);
  };
  EXPECT_EQ(find(es256, test::sign(new_key, es256, kText)).key, 0U);
  EXPECT_EQ(find(hs256, test::hmac(hs256, std::string(32, 'a'), kText)).key, 1U);
  EXPECT_EQ(find(es256, test::sign(old_key, es256, kText)).key, 2U);
  EXPECT_EQ(find(es256, test::sign(old_key, es256, kText)).outcome, Outcome::signed_by_key);
  EXPECT_EQ(find(ps256, test::sign(rsa, ps256, kText)).key, 3U);
  EXPECT_EQ(find(es256, std::string(64, 'x')).outcome, Outcome::bad_signature);
  EXPECT_EQ(find(es384, std::string(96, 'x')).outcome, Outcome::no_key);
  EXPECT_EQ(find(hs512, test::hmac(hs512, std::string(32, 'a'), kText)).outcome, Outcome::no_key);
  EXPECT_EQ(KeySet().find_signer(hs256, {}, kText, "").outcome, Outcome::no_key);
}

TEST(KeySet, ANameChoosesAmongNamedKeys) {
  const std::string signature = test::hmac(hs256, std::string(32, 'a'), kText);
  KeySet set;
  set.add(secret('b', 32, "b"));
  set.add(secret('a', 32, "a"));
  EXPECT_EQ(set.find_signer(hs256, "a", kText, signature).key, 1U);
  EXPECT_EQ(set.find_signer(hs256, "b", kText, signature).outcome, Outcome::bad_signature);
  EXPECT_EQ(set.find_signer(hs256, "c", kText, signature).outcome, Outcome::no_key);
  EXPECT_EQ(set.find_signer(hs256, "", kText, signature).outcome, Outcome::no_key);
  EXPECT_EQ(set.find_signer(hs256, {}, kText, signature).key, 1U) << "a token without a name is tried with all";
  // A key without a name is tried whatever the token calls it; one name may be that of several keys.
  set.add(secret('c'));
  set.add(secret('d', 32, "a"));
  EXPECT_EQ(set.find_signer(hs256, "b", kText, test::hmac(hs256, std::string(32, 'c'), kText)).key, 2U);
  EXPECT_EQ(set.find_signer(hs256, "a", kText, test::hmac(hs256, std::string(32, 'd'), kText)).key, 3U);
}

TEST(KeySet, TriesAreBounded) {
  const test::PrivateKey other = test::ec_key("P-256");
  const test::PrivateKey key = test::ec_key("P-256");
  KeySet set;
  for (std::size_t i = 0; i < KeySet::kPublicTriesMax; ++i) set.add(public_key(other));
  set.add(public_key(key));
  set.add(public_key(key, "last"));
  const std::string signature = test::sign(key, es256, kText);
  EXPECT_EQ(set.find_signer(es256, {}, kText, signature).outcome, Outcome::bad_signature);
  // The last of all secrets is reached, and keys of other algorithms do not count.
  for (std::size_t i = set.keys().size(); i < KeySet::kKeysMax; ++i) {
    EXPECT_TRUE(set.add(secret(static_cast<char>('0' + i))));
  }
  EXPECT_FALSE(set.add(secret('x')));
  const char last = static_cast<char>('0' + KeySet::kKeysMax - 1);
  EXPECT_EQ(set.find_signer(hs256, {}, kText, test::hmac(hs256, std::string(32, last), kText)).key,
            KeySet::kKeysMax - 1);
}

TEST(PublicKeysOfPem, TakesABundle) {
  const test::PrivateKey rsa = test::rsa_key();
  const test::PrivateKey ec = test::ec_key("P-384");
  const auto keys = public_keys_of_pem(test::public_pem(rsa) + "\n# the next one\n" + test::public_pem(ec) +
                                       test::pkcs1_public_pem(rsa));
  ASSERT_TRUE(keys) << keys.error();
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_TRUE((*keys)[0].verifies(rs256, kText, test::sign(rsa, rs256, kText)));
  EXPECT_TRUE((*keys)[1].verifies(es384, kText, test::sign(ec, es384, kText)));
  EXPECT_EQ((*keys)[0], (*keys)[2]);
}

TEST(PublicKeysOfPem, RefusesWithAReason) {
  const auto refusal = [](const std::string& text) {
    const auto keys = public_keys_of_pem(text);
    return keys ? std::string("made") : keys.error();
  };
  const std::string good = test::public_pem(test::ec_key("P-256"));
  EXPECT_TRUE(refusal("").contains("has no public key in PEM form"));
  EXPECT_TRUE(refusal("secret").contains("has no public key in PEM form"));
  EXPECT_TRUE(refusal(good + test::private_pem(test::ec_key("P-256"))).contains("block number 2 is a private key"));
  EXPECT_TRUE(
      refusal(test::public_pem(test::rsa_key(1024))).contains("number 1 is an RSA key of fewer than 2048 bits"));
  EXPECT_TRUE(refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("is a certificate"));
  EXPECT_TRUE(refusal("-----BEGIN X-----\nAAAA\n-----END X-----\n").contains("label other than PUBLIC KEY"));
  EXPECT_TRUE(refusal("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").contains("no public key that"));
  EXPECT_TRUE(refusal("-----BEGIN PUBLIC KEY-----\n").contains("without its end"));
  std::string many;
  for (std::size_t i = 0; i <= KeySet::kPublicTriesMax; ++i) many += good;
  EXPECT_TRUE(refusal(many).contains("more than 8 keys"));
}

}  // namespace
}  // namespace auth
