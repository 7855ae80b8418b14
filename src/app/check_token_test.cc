#include "app/check_token.h"

#include <gtest/gtest.h>

#include <string>

#include "app/gen_token.h"
#include "auth/test_keys.h"
#include "auth/token.h"
#include "codec/base64.h"

namespace app {
namespace {

using namespace std::chrono_literals;
using Verdict = TokenReport::Verdict;

constexpr base::WallTime kNow{1'700'000'000'500};
constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";

const auth::test::PrivateKey& private_key() {
  static const auth::test::PrivateKey made = auth::test::ec_key("P-256");
  return made;
}

class KeyFiles final : public Files {
 public:
  std::expected<std::string, std::string> read(const std::string& path) const override {
    if (path == "keys") return std::string(kKey) + "\n";
    if (path == "public.pem") return auth::test::public_pem(private_key());
    if (path == "private.pem") return auth::test::private_pem(private_key());
    if (path == "w.toml") {
      return "[auth]\ntoken_keys = [\"" + std::string(kKey) +
             "\"]\ntoken_public_keys_file = \"public.pem\"\ntoken_issuer = \"me\"\ntoken_user_claim = \"user_id\"\n";
    }
    if (path == "/dev/stdin") return " \n" + token(R"({"exp":1700003600})") + "\n";
    return std::unexpected("cannot be opened");
  }

  static std::string token(std::string_view claims, std::string_view key = kKey) {
    const std::string text = auth::test::text_to_sign("HS256", claims);
    return text + "." + codec::base64url_encode(auth::test::hmac(auth::Algorithm::hs256, key, text));
  }
};

TokenReport report(const CheckTokenCommand& command) { return check_token(command, KeyFiles{}, kNow).value(); }

TEST(CheckToken, PrintsAndJudgesAGoodToken) {
  const auto good =
      report({.token = KeyFiles::token(R"({"sub":"alice","exp":1700003600,"iat":1700000000,"channels":["news"]})"),
              .key_file = "keys"});
  EXPECT_EQ(good.verdict, Verdict::good);
  EXPECT_EQ(good.text,
            "header:       {\"alg\":\"HS256\"}\n"
            "claims:       {\"sub\":\"alice\",\"exp\":1700003600,\"iat\":1700000000,\"channels\":[\"news\"]}\n"
            "iat:          2023-11-14T22:13:20.000Z (0s ago)\n"
            "exp:          2023-11-14T23:13:20.000Z (in 3599s)\n"
            "signature:    HS256, fits key number 1 (a secret)\n"
            "every door:   good until 2023-11-14T23:14:20.000Z (in 3659s), skew included\n"
            "Centrifuge:   good until 2023-11-14T23:14:20.000Z (in 3659s), skew included\n");
}

TEST(CheckToken, SaysWhatIsWrong) {
  struct Case {
    std::string token;
    std::string_view text;
  };
  const Case cases[] = {
      {"nonsense", "signature:    It is malformed"},
      {"a.b.c", "header:       no base64url\n"},
      {KeyFiles::token(R"({"exp":1600000000})"), "every door:   no: The token has expired.\n"},
      {KeyFiles::token(R"({"exp":"x"})"), "every door:   no: A claim of it (exp"},
      {KeyFiles::token(R"({"exp":1700003600})", "another-key-another-key-another-key"), "HS256, fits no key\n"},
      {auth::test::text_to_sign("ES384", "{}") + ".AAAA", "ES384, and no key is for that\n"},
      {auth::test::text_to_sign("none", "{}") + ".", "must say an alg that is known here"},
      {KeyFiles::token("{"), "claims:       no JSON\n"},
  };
  for (const Case& c : cases) {
    const auto bad = report({.token = c.token, .key_file = "keys"});
    EXPECT_EQ(bad.verdict, Verdict::bad) << c.token;
    EXPECT_TRUE(bad.text.contains(c.text)) << bad.text;
  }
}

TEST(CheckToken, JudgesEachKind) {
  const auto lasting = report({.token = KeyFiles::token(R"({"sub":"a"})"), .key_file = "keys"});
  EXPECT_EQ(lasting.verdict, Verdict::good);
  EXPECT_TRUE(lasting.text.contains("every door:   no: It has no exp.\n")) << lasting.text;
  EXPECT_TRUE(lasting.text.contains("Centrifuge:   good, and never expires\n")) << lasting.text;
  const auto subscription = report({.token = KeyFiles::token(R"({"channel":"a","exp":1})"), .key_file = "keys"});
  EXPECT_EQ(subscription.verdict, Verdict::bad);
  EXPECT_TRUE(subscription.text.contains("subscription: no: The token has expired.\n")) << subscription.text;
  EXPECT_FALSE(subscription.text.contains("every door"));
}

TEST(CheckToken, WithoutAKeyNothingIsBelieved) {
  const auto unchecked = report({.token = KeyFiles::token(R"({"exp":1700003600})")});
  EXPECT_EQ(unchecked.verdict, Verdict::bad);
  EXPECT_TRUE(unchecked.text.contains("not checked: there is no key")) << unchecked.text;
  EXPECT_TRUE(unchecked.text.contains("claims:       {\"exp\":1700003600}\n"));
}

TEST(CheckToken, TakesTheRulesOfTheConfiguration) {
  const auto token =
      gen_token({.sources = {.file = "w.toml"}, .subject = "alice", .channels = {"x"}}, KeyFiles{}, kNow);
  ASSERT_TRUE(token);
  const auto good = report({.sources = {.file = "w.toml"}, .token = *token});
  EXPECT_EQ(good.verdict, Verdict::good) << good.text;
  EXPECT_TRUE(good.text.contains(R"("user_id":"alice","iss":"me")")) << good.text;
  const auto other = gen_token({.key_file = "keys", .issuer = "you", .channels = {"x"}}, KeyFiles{}, kNow);
  EXPECT_TRUE(report({.sources = {.file = "w.toml"}, .token = *other}).text.contains("another issuer"));
}

TEST(CheckToken, TakesPublicKeys) {
  const auto token = gen_token({.private_key_file = "private.pem", .kid = "k", .channels = {"x"}}, KeyFiles{}, kNow);
  ASSERT_TRUE(token);
  const auto good = report({.token = *token, .public_keys_file = "public.pem"});
  EXPECT_EQ(good.verdict, Verdict::good) << good.text;
  EXPECT_TRUE(good.text.contains(R"(header:       {"alg":"ES256","typ":"JWT","kid":"k"})")) << good.text;
  EXPECT_TRUE(good.text.contains("ES256, fits key number 1 (a public key)"));
  EXPECT_EQ(report({.token = *token, .key_file = "keys"}).verdict, Verdict::bad);
}

TEST(CheckToken, ReadsTheStandardInput) {
  EXPECT_EQ(report({.token = "-", .key_file = "keys"}).verdict, Verdict::good);
  EXPECT_FALSE(check_token({.token = "", .key_file = "keys"}, KeyFiles{}, kNow));
  EXPECT_FALSE(check_token({.token = " \n", .key_file = "keys"}, KeyFiles{}, kNow));
  EXPECT_FALSE(check_token({.token = "x", .key_file = "gone"}, KeyFiles{}, kNow));
  EXPECT_FALSE(check_token({.token = "x", .public_keys_file = "private.pem"}, KeyFiles{}, kNow));
}

TEST(CheckToken, NothingInATokenReachesTheTerminalAsACommand) {
  const auto text =
      report({.token = KeyFiles::token("{\"a\":\"\x7f\xc2\x9b\xc2\xa0\",\r\n\t\"b\":1}"), .key_file = "keys"}).text;
  EXPECT_TRUE(text.contains("claims:       {\"a\":\"\\u007f\\u009b\xc2\xa0\",   \"b\":1}\n")) << text;
}

}  // namespace
}  // namespace app
