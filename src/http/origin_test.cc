#include "http/origin.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "http/request_reader.h"

namespace http {
namespace {

std::string verdict(std::string_view origin_headers, const OriginRules& rules,
                    std::string_view host = "app.example.com") {
  const RequestLimits limits;
  RequestReader reader(limits);
  reader.receive("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(origin_headers) + "\r\n");
  EXPECT_EQ(reader.status(), RequestReader::Status::done) << origin_headers;
  const auto allowed = check_origin(reader.request(), rules);
  if (allowed) return "allow " + *allowed;
  return std::string(base::to_string(allowed.error()));
}

std::string verdict_of(std::string_view origin, const OriginRules& rules, std::string_view host = "app.example.com") {
  return verdict("Origin: " + std::string(origin) + "\r\n", rules, host);
}

TEST(Origin, WithoutAListOnlyTheSameOrigin) {
  const OriginRules rules;
  EXPECT_EQ(verdict("", rules), "allow ");
  EXPECT_EQ(verdict_of("http://app.example.com", rules), "allow ");
  EXPECT_EQ(verdict_of("https://app.example.com", rules), "allow ");  // TLS taken off by a proxy
  EXPECT_EQ(verdict_of("http://APP.Example.com", rules), "allow ");
  EXPECT_EQ(verdict_of("http://app.example.com:80", rules), "allow ");
  EXPECT_EQ(verdict_of("http://app.example.com", rules, "app.example.com:80"), "allow ");
  EXPECT_EQ(verdict_of("https://app.example.com", rules, "app.example.com:443"), "allow ");
  EXPECT_EQ(verdict_of("http://127.0.0.1:8000", rules, "127.0.0.1:8000"), "allow ");
  EXPECT_EQ(verdict_of("http://[::1]:8000", rules, "[::1]:8000"), "allow ");
  EXPECT_EQ(verdict_of("http://[::1]", rules, "[::1]"), "allow ");

  const OriginRules tls{.tls = true};
  EXPECT_EQ(verdict_of("https://app.example.com", tls), "allow ");
  EXPECT_EQ(verdict_of("http://app.example.com", tls), "E_ORIGIN");
}

// T30: what must never pass for https://app.example.com, whether that is the Host or on the list.
TEST(Origin, StrangersAreRefused) {
  const std::vector<std::string> list{"https://app.example.com"};
  const OriginRules same_only;
  const OriginRules listed{.allowed = list, .allow_loopback = true};
  for (const std::string_view origin : {
           "null",
           "NULL",
           "",
           "app.example.com",
           "//app.example.com",
           "https:app.example.com",
           "https:/app.example.com",
           "https://",
           "https://app.example.com.evil",
           "https://app.example.com.evil.com",
           "https://evil-app.example.com",
           "https://evilapp.example.com",
           "https://app.example.com@evil.com",
           "https://evil.com/app.example.com",
           "https://evil.com?https://app.example.com",
           "https://evil.com#https://app.example.com",
           "https://app.example.com.",
           "https://app.example.com/",
           "https://app.example.com:444",
           "https://app.example.com:80",
           "https://app.example.com:0443",
           "https://app.example.com:4430",
           "https://app.example.com:443:443",
           "https://example.com",
           "https://*.example.com",
           "*",
           "https://*",
           "https://app.example.co",
           "https://app.example.comm",
           "https://pp.example.com",
           "https://app_example.com",
           "https://app.example.com%00.evil.com",
           "https://app.example.com%2eevil.com",
           "https://xn--pp-example-com-9ej",
           "https://\xc3\xa0pp.example.com",
           "ftp://app.example.com",
           "file://",
           "file://app.example.com",
           "ws://app.example.com",
           "wss://app.example.com",
           "javascript://app.example.com",
           "chrome-extension://app.example.com",
           "https://app.example.com https://evil.com",
           "https://evil.com https://app.example.com",
           "https://app.example.com, https://evil.com",
           "https://app.example.com,https://app.example.com",
           "https://https://app.example.com",
           "httpss://app.example.com",
           "https ://app.example.com",
           "https://app.example.com\t.evil.com",
           "https://[app.example.com]",
           "https://app.example.com[::1]",
           "http://127.0.0.1.evil.com",
           "http://localhost.evil.com",
           "http://evil.localhost",
           "http://127.0.0.2",
           "http://0x7f000001",
           "http://2130706433",
           "http://127.1",
           "http://[::2]",
           "http://localhost.",
       }) {
    EXPECT_EQ(verdict_of(origin, same_only), "E_ORIGIN") << origin;
    EXPECT_EQ(verdict_of(origin, listed, "push.example.com"), "E_ORIGIN") << origin;
  }
  EXPECT_EQ(verdict("Origin: https://app.example.com\r\nOrigin: https://app.example.com\r\n", listed), "E_ORIGIN");
  EXPECT_EQ(verdict("Origin: https://app.example.com\r\norigin: https://evil.com\r\n", listed), "E_ORIGIN");
}

TEST(Origin, TheListIsExactButForCaseAndDefaultPort) {
  const std::vector<std::string> list{"https://app.example.com", "http://b.example:8080", "null"};
  const OriginRules rules{.allowed = list};
  EXPECT_EQ(verdict_of("https://app.example.com", rules, "h"), "allow https://app.example.com");
  EXPECT_EQ(verdict_of("HTTPS://App.Example.Com:443", rules, "h"), "allow HTTPS://App.Example.Com:443");
  EXPECT_EQ(verdict_of("http://b.example:8080", rules, "h"), "allow http://b.example:8080");
  EXPECT_EQ(verdict_of("http://b.example", rules, "h"), "E_ORIGIN");
  EXPECT_EQ(verdict_of("null", rules, "h"), "allow null");
  EXPECT_EQ(verdict_of("http://h", rules, "h"), "allow ");  // our own page
}

TEST(Origin, AnyAndLoopback) {
  const std::vector<std::string> any{"*"};
  EXPECT_EQ(verdict_of("https://whoever.example", {.allowed = any}), "allow *");
  EXPECT_EQ(verdict_of("null", {.allowed = any}), "allow *");
  EXPECT_EQ(verdict("Origin: https://a.example\r\nOrigin: https://b.example\r\n", {.allowed = any}), "E_ORIGIN");

  const OriginRules dev{.allow_loopback = true};
  EXPECT_EQ(verdict_of("http://localhost:5173", dev), "allow http://localhost:5173");
  EXPECT_EQ(verdict_of("https://127.0.0.1", dev), "allow https://127.0.0.1");
  EXPECT_EQ(verdict_of("http://[::1]:3000", dev), "allow http://[::1]:3000");
  EXPECT_EQ(verdict_of("http://localhost:5173", {}), "E_ORIGIN");
}

TEST(NamesOfThisMachine, AreTheOnesThatNoOtherMachineCanHave) {
  for (const std::string_view host : {"localhost", "LocalHost", "localhost:8000", "a.localhost", "a.b.localhost:1",
                                      "127.0.0.1", "127.0.0.1:8000", "127.255.3.4", "[::1]", "[::1]:8000"}) {
    EXPECT_TRUE(is_name_of_this_machine(host)) << host;
  }
  for (const std::string_view host :
       {"", "evil.example", "evil.example:8000", "localhost.evil.example", "xlocalhost", "127.0.0.1.evil.example",
        "127.0.0", "127.0.0.256", "127.0.0.1.", "128.0.0.1", "0.0.0.0", "10.0.0.1", "[::2]", "[::1", "localhost:x",
        "127.evil.example", "2130706433", ".127.0.0.1"}) {
    EXPECT_FALSE(is_name_of_this_machine(host)) << host;
  }
}

}  // namespace
}  // namespace http
