#include "server/key_fetcher.h"

#include <gtest/gtest.h>

#include "auth/jwks.h"
#include "auth/test_keys.h"
#include "codec/base64.h"
#include "server/test_outside.h"

namespace server {
namespace {

using namespace std::chrono_literals;
using auth::Algorithm;

std::string hex_to_bytes_of(const auth::test::PrivateKey& key, const char* name) {
  BIGNUM* number = nullptr;
  ASSERT(EVP_PKEY_get_bn_param(key.get(), name, &number) == 1);
  std::string bytes(32, '\0');
  ASSERT(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), 32) == 32);
  BN_free(number);
  return bytes;
}

// A P-256 key and what its issuer publishes.
struct Issuer {
  explicit Issuer(std::string name) : kid(std::move(name)) {}
  std::string jwk() const {
    return R"({"kty":"EC","crv":"P-256","kid":")" + kid + R"(","x":")" +
           codec::base64url_encode(hex_to_bytes_of(key, OSSL_PKEY_PARAM_EC_PUB_X)) + R"(","y":")" +
           codec::base64url_encode(hex_to_bytes_of(key, OSSL_PKEY_PARAM_EC_PUB_Y)) + "\"}";
  }
  std::string document() const { return R"({"keys":[)" + jwk() + "]}"; }
  std::string token(std::string_view iss = "A") const {
    const std::string text =
        codec::base64url_encode(R"({"alg":"ES256","kid":")" + kid + "\"}") + "." +
        codec::base64url_encode(R"({"sub":"u","exp":1800000000,"iss":")" + std::string(iss) + "\"}");
    return text + "." + codec::base64url_encode(auth::test::sign(key, Algorithm::es256, text));
  }
  std::string kid;
  auth::test::PrivateKey key = auth::test::ec_key("P-256");
};

struct KeyFetcherTest : testing::Test {
  KeyFetcherTest() {
    options.memory_bytes_max = 1 << 30;
    options.issuers = {{.name = "a", .jwks_url = "https://a.example/jwks", .issuer = "A"}};
  }
  void start() {
    shared.emplace(snapshot(), 1, 7, clock.time, log);
    fetcher.emplace(*shared, outside, wakeup);
    fetcher->follow(*shared->snapshot(), clock.time);
    step();
  }
  SnapshotRef snapshot() { return *Snapshot::make(options, 1, loop::TicketKeys{}); }
  void reload() {
    shared->replace(snapshot());
    fetcher->follow(*shared->snapshot(), clock.time);
    step();
  }
  void step(base::Duration later = 0s) {
    clock.time += later;
    fetcher->step(*shared->snapshot(), clock.time);
  }
  bool accepted(const std::string& token) {
    return shared->snapshot()->tokens().verify(token, {1'700'000'000'000}).has_value();
  }
  bool want() { return shared->key_wishes.want(clock.time); }

  Options options;
  test::LinesLog log;
  test::Clock clock;
  test::Outside outside;
  test::Wakeup wakeup;
  std::optional<Shared> shared;
  std::optional<KeyFetcher> fetcher;
  Issuer first{"one"};
  Issuer second{"two"};
};

TEST_F(KeyFetcherTest, FetchesAtOnceAndAgainLater) {
  start();
  ASSERT_EQ(outside.sent.size(), 1U);
  auto sent = outside.take();
  EXPECT_EQ(sent.request.method, egress::Request::Method::get);
  EXPECT_EQ(sent.request.url, "https://a.example/jwks");
  EXPECT_EQ(sent.request.response_bytes_max, auth::kJwksBytesMax);
  EXPECT_FALSE(accepted(first.token()));
  EXPECT_TRUE(want()) << "in a moment it may be there";
  const std::uint64_t generation = shared->generation();
  sent.answer(200, first.document());
  step();
  EXPECT_TRUE(accepted(first.token()));
  EXPECT_FALSE(accepted(first.token("B"))) << "it signs for its issuer only";
  EXPECT_GT(shared->generation(), generation) << "every worker sees it";

  step(59min);
  EXPECT_TRUE(outside.sent.empty());
  step(1min);
  ASSERT_EQ(outside.sent.size(), 1U);
  const std::uint64_t before = shared->generation();
  outside.take().answer(200, first.document());
  step();
  EXPECT_EQ(shared->generation(), before) << "nothing has changed";
}

TEST_F(KeyFetcherTest, AnUnknownKeyMakesItFetchButNotOften) {
  start();
  outside.take().answer(200, first.document());
  step();
  EXPECT_FALSE(accepted(second.token()));
  EXPECT_TRUE(shared->snapshot()->tokens().names_unknown_key(second.token()));
  EXPECT_FALSE(want()) << "fetched just now";
  step(KeyFetcher::kIntervalMin);
  EXPECT_TRUE(want());
  step();
  ASSERT_EQ(outside.sent.size(), 1U);
  EXPECT_TRUE(want()) << "it is on its way";
  outside.take().answer(200, R"({"keys":[)" + first.jwk() + "," + second.jwk() + "]}");
  step();
  EXPECT_TRUE(accepted(second.token()));
  EXPECT_TRUE(accepted(first.token()));
  for (int i = 0; i < 1000; ++i) {
    want();
    step(1ms);
  }
  EXPECT_LE(outside.sent.size(), 1U);
}

TEST_F(KeyFetcherTest, WhileItFailsTheOldKeysStay) {
  start();
  outside.take().answer(200, first.document());
  step();
  step(1h);
  std::vector<base::Duration> waits;
  const auto still = [&] {
    step();
    EXPECT_TRUE(accepted(first.token()));
    base::Duration waited{0};
    while (outside.sent.empty() && waited < 1h) {
      step(1s);
      waited += 1s;
    }
    waits.push_back(waited);
  };
  outside.take().fail(egress::Failure::timeout);
  still();
  outside.take().answer(500, "");
  still();
  outside.take().answer(200, "<html>");
  still();
  outside.take().answer(200, R"({"keys":[]})");
  still();
  outside.take().answer(302, "");
  still();
  outside.full = true;
  outside.take().fail(egress::Failure::denied);
  step();
  EXPECT_EQ(waits, (std::vector<base::Duration>{10s, 20s, 40s, 80s, 160s}));
  EXPECT_EQ(log.count("keys_not_fetched issuer=\"a\""), 6U);
  EXPECT_EQ(log.count("keys_fetched issuer=\"a\" keys=\"1\" left_out=\"0\""), 1U);
  step(5min);
  EXPECT_EQ(log.count("keys_not_fetched"), 7U) << "busy is a failure too";
  outside.full = false;
  step(5min);
  outside.take().answer(200, second.document());
  step();
  EXPECT_TRUE(accepted(second.token()));
  EXPECT_FALSE(accepted(first.token())) << "it is not published any more";
}

// An issuer that was never reached: nobody is told that the token is wrong.
TEST_F(KeyFetcherTest, WithoutAnyKeysItIsWorthWaiting) {
  start();
  outside.take().fail(egress::Failure::unresolved);
  step();
  EXPECT_TRUE(want());
  EXPECT_FALSE(accepted(first.token()));
}

TEST_F(KeyFetcherTest, SeveralIssuersWithTheSameKid) {
  options.issuers.push_back({.name = "b", .jwks_url = "https://b.example/jwks", .issuer = "B"});
  Issuer other("one");
  start();
  ASSERT_EQ(outside.sent.size(), 2U);
  while (!outside.sent.empty()) {
    auto sent = outside.take();
    sent.answer(200, sent.request.url.starts_with("https://a") ? first.document() : other.document());
  }
  step();
  EXPECT_TRUE(accepted(first.token("A")));
  EXPECT_TRUE(accepted(other.token("B")));
  EXPECT_FALSE(accepted(first.token("B")));
  EXPECT_FALSE(accepted(other.token("A")));
}

TEST_F(KeyFetcherTest, Reloads) {
  start();
  outside.take().answer(200, first.document());
  step();
  options.token_in_query = true;
  reload();
  EXPECT_TRUE(accepted(first.token())) << "keys are kept";
  EXPECT_TRUE(outside.sent.empty());
  options.issuers[0].issuer = "B";
  reload();
  EXPECT_TRUE(accepted(first.token("B"))) << "rules count at once";
  EXPECT_FALSE(accepted(first.token("A")));
  options.issuers[0].jwks_url = "https://elsewhere.example/";
  reload();
  EXPECT_FALSE(accepted(first.token("B"))) << "these keys came from another place";
  ASSERT_EQ(outside.sent.size(), 1U);
  auto sent = outside.take();
  options.issuers.clear();
  reload();
  sent.answer(200, first.document());
  step();
  EXPECT_FALSE(accepted(first.token("B")));
  EXPECT_FALSE(want());
}

TEST_F(KeyFetcherTest, NothingToDoWithoutIssuers) {
  options.issuers.clear();
  start();
  EXPECT_TRUE(outside.sent.empty());
  EXPECT_FALSE(want());
}

}  // namespace
}  // namespace server
