// Tokens of several issuers whose keys were fetched (threat T32): a key verifies what its own domain may say and
// nothing else.
#include <gtest/gtest.h>

#include "auth/pem.h"
#include "auth/test_keys.h"
#include "auth/token.h"

namespace auth {
namespace {

using base::Error;

constexpr base::WallTime kNow{1'700'000'000'000};

std::shared_ptr<const KeySet> keys_of(const test::PrivateKey& key, const std::string& kid) {
  KeySet set;
  const auto made = PublicKey::from_spki(test::public_der(key));
  EXPECT_TRUE(set.add(*Key::public_key(*made, kid)));
  return std::make_shared<const KeySet>(std::move(set));
}

std::string token(const test::PrivateKey& key, const std::string& kid, const std::string& issuer,
                  const std::string& more = "") {
  const std::string header = R"({"alg":"ES256","kid":")" + kid + "\"" + more + "}";
  const std::string claims = R"({"sub":"alice","exp":1700003600,"channels":["*"],"iss":")" + issuer + "\"}";
  const std::string text = codec::base64url_encode(header) + "." + codec::base64url_encode(claims);
  return text + "." + codec::base64url_encode(test::sign(key, Algorithm::es256, text));
}

struct TokenDomains : testing::Test {
  test::PrivateKey a = test::ec_key("P-256");
  test::PrivateKey b = test::ec_key("P-256");
  test::PrivateKey stranger = test::ec_key("P-256");
  TokenDomain tenant_a{.rules = {.issuer = "A"}, .keys = keys_of(a, "same")};
  TokenDomain tenant_b{.rules = {.issuer = "B"}, .keys = keys_of(b, "same")};

  static Error answer(std::vector<TokenDomain> domains, const std::string& token) {
    TokenVerifier verifier;
    verifier.set_domains(std::move(domains));
    const auto principal = verifier.verify(token, kNow);
    const auto connection = verifier.verify_connection(token, kNow);
    EXPECT_EQ(principal.has_value(), connection.has_value());
    return principal ? Error::none : principal.error().error;
  }
};

// The same kid in two tenants: in both orders each signs for itself only.
TEST_F(TokenDomains, NobodySignsForAnother) {
  for (const auto& domains : {std::vector{tenant_a, tenant_b}, std::vector{tenant_b, tenant_a}}) {
    EXPECT_EQ(answer(domains, token(a, "same", "A")), Error::none);
    EXPECT_EQ(answer(domains, token(b, "same", "B")), Error::none);
    EXPECT_EQ(answer(domains, token(a, "same", "B")), Error::token_invalid);
    EXPECT_EQ(answer(domains, token(b, "same", "A")), Error::token_invalid);
    EXPECT_EQ(answer(domains, token(stranger, "same", "A")), Error::token_invalid);
    EXPECT_EQ(answer(domains, token(a, "other", "A")), Error::token_invalid) << "no key has that name";
  }
}

// Two names of one issuer may have one set of keys.
TEST_F(TokenDomains, OneKeyMayServeSeveral) {
  const TokenDomain again{.rules = {.issuer = "https://A"}, .keys = tenant_a.keys};
  for (const auto& domains : {std::vector{tenant_a, again}, std::vector{again, tenant_a}}) {
    EXPECT_EQ(answer(domains, token(a, "same", "A")), Error::none);
    EXPECT_EQ(answer(domains, token(a, "same", "https://A")), Error::none);
    EXPECT_EQ(answer(domains, token(a, "same", "C")), Error::token_invalid);
  }
}

TEST_F(TokenDomains, TheServersOwnKeysKeepTheirRules) {
  TokenVerifier verifier = *TokenVerifier::make({}, test::public_pem(b), {.issuer = "me"});
  verifier.set_domains({tenant_a});
  EXPECT_TRUE(verifier.verify(token(b, "any", "me"), kNow));
  EXPECT_FALSE(verifier.verify(token(b, "any", "A"), kNow));
  EXPECT_TRUE(verifier.verify(token(a, "same", "A"), kNow));
  EXPECT_FALSE(verifier.verify(token(a, "same", "me"), kNow));
}

TEST_F(TokenDomains, AudienceIsTheDomains) {
  tenant_a.rules.audience = "chat";
  EXPECT_EQ(answer({tenant_a}, token(a, "same", "A")), Error::token_invalid);
  EXPECT_EQ(answer({tenant_a}, token(a, "same", R"(A","aud":"chat)")), Error::none);
}

TEST_F(TokenDomains, ExpiredStaysExpired) {
  TokenVerifier verifier;
  verifier.set_domains({tenant_a, {.rules = {.issuer = "X"}, .keys = tenant_a.keys}});
  EXPECT_EQ(verifier.verify(token(a, "same", "A"), {kNow.ms + 10'000'000}).error(), Error::token_expired);
}

TEST_F(TokenDomains, WhenFetchingIsWorthWhile) {
  TokenVerifier verifier;
  EXPECT_FALSE(verifier.names_unknown_key(token(a, "k", "A"))) << "nothing is fetched";
  EXPECT_TRUE(verifier.empty());
  verifier.set_domains({{.rules = {}, .keys = nullptr}});
  EXPECT_FALSE(verifier.empty());
  EXPECT_TRUE(verifier.names_unknown_key(token(a, "k", "A")));
  EXPECT_EQ(answer({{.rules = {}, .keys = nullptr}}, token(a, "k", "A")), Error::token_invalid);
  verifier.set_domains({tenant_a});
  EXPECT_TRUE(verifier.names_unknown_key(token(a, "k", "A")));
  EXPECT_FALSE(verifier.names_unknown_key(token(stranger, "same", "A"))) << "a wrong signature is no new key";
  for (const std::string& garbage :
       std::initializer_list<std::string>{std::string(), std::string("a.b.c"), std::string(20'000, 'a'),
                                          std::string("eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.e30.AAAA")}) {
    EXPECT_FALSE(verifier.names_unknown_key(garbage)) << garbage;
  }
}

// Nothing that a token says about where its keys are has a meaning.
TEST_F(TokenDomains, JkuAndX5uAndJwkAreNothing) {
  const std::string jwk = R"(,"jku":"http://evil/","x5u":"http://evil/","jwk":{"kty":"EC"})";
  EXPECT_EQ(answer({tenant_a}, token(stranger, "same", "A", jwk)), Error::token_invalid);
  EXPECT_EQ(answer({tenant_a}, token(a, "same", "A", jwk)), Error::none);
}

// However many domains there are, a token costs no more than kPublicTriesMax signatures.
TEST_F(TokenDomains, TriesAreBounded) {
  std::vector<TokenDomain> domains;
  for (std::size_t i = 0; i < KeySet::kPublicTriesMax; ++i) domains.push_back({.rules = {}, .keys = keys_of(b, "")});
  domains.push_back({.rules = {}, .keys = keys_of(a, "")});
  EXPECT_EQ(answer(domains, token(a, "same", "A")), Error::token_invalid);
  domains.erase(domains.begin());
  EXPECT_EQ(answer(domains, token(a, "same", "A")), Error::none);
}

}  // namespace
}  // namespace auth
