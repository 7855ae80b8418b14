#include "app/gen_token.h"

#include <gtest/gtest.h>

#include <map>

#include "auth/test_keys.h"
#include "auth/token.h"

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr base::WallTime kNow{1'700'000'000'500};
constexpr std::string_view kOldKey = "old-old-old-old-old-old-old-old-";
constexpr std::string_view kNewKey = "new-new-new-new-new-new-new-new-";

const auth::test::PrivateKey& rsa() {
  static const auth::test::PrivateKey made = auth::test::rsa_key();
  return made;
}

class KeyFiles final : public Files {
 public:
  std::expected<std::string, std::string> read(const std::string& path) const override {
    if (path == "keys") return std::string(kNewKey) + "\n" + std::string(kOldKey) + "\n";
    if (path == "long") return std::string(64, 'k') + "\n";
    if (path == "rsa.pem") return auth::test::private_pem(rsa());
    if (path == "short") return "short\n";
    if (path == "w.toml") return "[auth]\ntoken_keys = [\"" + std::string(kOldKey) + "\"]\n";
    return std::unexpected("cannot be opened");
  }
};

std::expected<std::string, std::vector<ConfigError>> make(const GenTokenCommand& command) {
  return gen_token(command, KeyFiles{}, kNow);
}

std::expected<auth::Principal, base::Refusal> check(const std::string& token, std::string_view key) {
  return auth::TokenVerifier({base::Secret(std::string(key))}).verify(token, kNow);
}

TEST(GenToken, MakesATokenThatTheServerAccepts) {
  const auto token = make({.key_file = "keys",
                           .subject = "alice",
                           .lifetime = 2h,
                           .channels = {"news", "chat:*"},
                           .subscribe = {"in"},
                           .publish = {"out"}});
  ASSERT_TRUE(token);
  EXPECT_FALSE(check(*token, kOldKey)) << "the first key of the file signs";
  const auto principal = check(*token, kNewKey);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->subject, "alice");
  EXPECT_EQ(principal->subscribe, (std::vector<std::string>{"news", "chat:*", "in"}));
  EXPECT_EQ(principal->publish, (std::vector<std::string>{"news", "chat:*", "out"}));
  EXPECT_EQ(principal->expires.ms, 1'700'007'200'000 + auth::kSkewMs);
}

TEST(GenToken, TakesTheKeyOfTheConfigurationOrTheEnvironment) {
  const auto from_file = make({.sources = {.file = "w.toml"}, .channels = {"x"}});
  ASSERT_TRUE(from_file);
  EXPECT_TRUE(check(*from_file, kOldKey));
  const auto from_environment =
      make({.sources = {.file = "w.toml", .environment = {{"WIREBIRD_AUTH_TOKEN_KEYS", std::string(kNewKey)}}},
            .channels = {"x"}});
  ASSERT_TRUE(from_environment);
  EXPECT_TRUE(check(*from_environment, kNewKey));
  // A key file is what was meant, whatever else is broken.
  EXPECT_TRUE(make({.sources = {.file = "gone.toml"}, .key_file = "keys", .channels = {"x"}}));
}

TEST(GenToken, SignsWithEveryAlgorithmOfItsKey) {
  const auto accepted = [](const std::expected<std::string, std::vector<ConfigError>>& token) {
    const auto verifier =
        auth::TokenVerifier::make({base::Secret(std::string(64, 'k'))}, auth::test::public_pem(rsa()), {}).value();
    return token && verifier.verify(*token, kNow).has_value();
  };
  for (const std::string algorithm : {"", "HS256", "HS384", "HS512"}) {
    EXPECT_TRUE(accepted(make({.key_file = "long", .algorithm = algorithm, .channels = {"x"}}))) << algorithm;
  }
  for (const std::string algorithm : {"", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}) {
    EXPECT_TRUE(accepted(make({.private_key_file = "rsa.pem", .algorithm = algorithm, .channels = {"x"}})))
        << algorithm;
  }
  for (const std::string algorithm : {"HS256", "ES256", "EdDSA", "none", "rs256"}) {
    EXPECT_FALSE(make({.private_key_file = "rsa.pem", .algorithm = algorithm, .channels = {"x"}})) << algorithm;
  }
  EXPECT_FALSE(make({.key_file = "keys", .algorithm = "HS512", .channels = {"x"}})) << "32 characters";
  EXPECT_FALSE(make({.private_key_file = "keys", .channels = {"x"}}));
  EXPECT_FALSE(make({.private_key_file = "gone", .channels = {"x"}}));
}

TEST(GenToken, RefusesWithAReason) {
  const auto refusal = [](const GenTokenCommand& command) {
    const auto token = make(command);
    return token ? std::string("made") : to_string(token.error().front());
  };
  EXPECT_TRUE(refusal({.channels = {"x"}}).contains("there is no key to sign with"));
  EXPECT_TRUE(refusal({.key_file = "gone", .channels = {"x"}}).contains("gone cannot be opened"));
  EXPECT_TRUE(refusal({.key_file = "short", .channels = {"x"}}).contains("has 5 characters"));
  EXPECT_FALSE(refusal({.key_file = "short", .channels = {"x"}}).contains("= short:"));
  EXPECT_TRUE(refusal({.key_file = "keys"}).contains("good for nothing"));
  EXPECT_TRUE(refusal({.key_file = "keys", .lifetime = 0s, .channels = {"x"}}).contains("--ttl: 0s is out of range"));
  EXPECT_TRUE(refusal({.key_file = "keys", .lifetime = 24h * 5000, .channels = {"x"}}).contains("out of range"));
  EXPECT_TRUE(refusal({.key_file = "keys", .channels = {""}}).contains("1 to 255 bytes"));
  EXPECT_TRUE(refusal({.key_file = "keys", .channels = {"\xff"}}).contains("not UTF-8"));
  EXPECT_TRUE(refusal({.key_file = "keys", .subject = "\xff", .channels = {"x"}}).contains("not UTF-8"));
  EXPECT_TRUE(
      refusal({.key_file = "keys", .subject = std::string(256, 's'), .channels = {"x"}}).contains("longer than 255"));
  EXPECT_TRUE(refusal({.key_file = "keys", .channels = std::vector<std::string>(300, "a-long-name")})
                  .contains("longer than 4096"));
}

}  // namespace
}  // namespace app
