#include "auth/ecdsa_form.h"

#include <gtest/gtest.h>

#include "auth/test_keys.h"

namespace auth {
namespace {

TEST(EcdsaForm, DerIsWhatOpensslMakes) {
  struct Case {
    const char* curve;
    Algorithm algorithm;
    std::size_t half;
  };
  for (const Case& c : {Case{"P-256", Algorithm::es256, 32}, Case{"P-384", Algorithm::es384, 48},
                        Case{"P-521", Algorithm::es512, 66}}) {
    const test::PrivateKey key = test::ec_key(c.curve);
    for (int i = 0; i < 40; ++i) {  // short numbers and such with a high bit come up
      const std::string der = test::sign_as_is(key, c.algorithm, std::to_string(i));
      const std::string raw = test::raw_of(der, static_cast<int>(c.half));
      EXPECT_EQ(ecdsa_der_of(raw), der);
      EXPECT_EQ(ecdsa_raw_of(der, c.half), raw);
    }
  }
}

TEST(EcdsaForm, IntegersAreAsShortAsPossible) {
  EXPECT_EQ(ecdsa_der_of(std::string("\0\0\0\0", 4)), std::string("\x30\x06\x02\x01\0\x02\x01\0", 8));
  EXPECT_EQ(ecdsa_der_of(std::string("\0\x7f\0\x80", 4)), std::string("\x30\x07\x02\x01\x7f\x02\x02\0\x80", 9));
  EXPECT_EQ(ecdsa_raw_of(std::string("\x30\x07\x02\x01\x7f\x02\x02\0\x80", 9), 2), std::string("\0\x7f\0\x80", 4));
}

TEST(EcdsaForm, OtherDerIsRefused) {
  const std::string good("\x30\x07\x02\x01\x7f\x02\x02\0\x80", 9);
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(ecdsa_raw_of(good.substr(0, size), 2)) << size;
  EXPECT_FALSE(ecdsa_raw_of(good + "x", 2));
  EXPECT_FALSE(ecdsa_raw_of(std::string("\x30\x06\x02\x01\x7f\x02\x01\x80", 8), 2)) << "negative";
  EXPECT_FALSE(ecdsa_raw_of(std::string("\x30\x08\x02\x02\0\x7f\x02\x02\0\x80", 10), 2)) << "a zero too many";
  EXPECT_FALSE(ecdsa_raw_of(std::string("\x30\x08\x02\x01\x7f\x02\x03\x01\x00\x80", 10), 2)) << "too large";
  EXPECT_FALSE(ecdsa_raw_of(std::string("\x30\x05\x02\x00\x02\x01\x01", 7), 2)) << "empty";
  EXPECT_FALSE(ecdsa_raw_of(std::string("\x31") + good.substr(1), 2)) << "no sequence";
}

}  // namespace
}  // namespace auth
