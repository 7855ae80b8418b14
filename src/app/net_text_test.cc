#include "app/net_text.h"

#include <gtest/gtest.h>

namespace app {
namespace {

TEST(ParseListener, Forms) {
  struct Case {
    std::string_view text;
    std::string_view address;
    bool tls;
  };
  const std::string longest = "unix:/" + std::string(106, 's');
  const Case cases[] = {{"127.0.0.1:8000", "127.0.0.1:8000", false},
                        {"0.0.0.0:80", "0.0.0.0:80", false},
                        {"[::]:8000", "[::]:8000", false},
                        {"[::1]:0", "[::1]:0", false},
                        {"[2001:db8::1]:443", "[2001:db8::1]:443", false},
                        {"localhost:8000", "127.0.0.1:8000", false},
                        {"http://127.0.0.1:8000", "127.0.0.1:8000", false},
                        {"http://127.0.0.1:8000/", "127.0.0.1:8000", false},
                        {"https://0.0.0.0:8443", "0.0.0.0:8443", true},
                        {"https://[::]:8443", "[::]:8443", true},
                        {"unix:/run/wirebird.sock", "unix:/run/wirebird.sock", false},
                        {"https://unix:/run/wirebird.sock", "unix:/run/wirebird.sock", true},
                        {longest, longest, false},
                        {"127.0.0.1:65535", "127.0.0.1:65535", false},
                        {"127.0.0.1:008000", "127.0.0.1:8000", false}};
  for (const Case& c : cases) {
    const auto listener = parse_listener(c.text);
    ASSERT_TRUE(listener) << c.text << " " << listener.error();
    EXPECT_EQ(listener->address, c.address) << c.text;
    EXPECT_EQ(listener->tls, c.tls) << c.text;
    EXPECT_FALSE(listener->admin || listener->proxy_protocol);
  }
  const std::string refused[] = {"",
                                 "8000",
                                 ":8000",
                                 "*:8000",
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:-1",
                                 "127.0.0.1:http",
                                 "127.0.0.1:80 ",
                                 " 127.0.0.1:80",
                                 "127.0.0:80",
                                 "127.0.0.1.1:80",
                                 "::1:8000",
                                 "[::1]",
                                 "[127.0.0.1]:80",
                                 "[localhost]:80",
                                 "example.com:80",
                                 "ftp://127.0.0.1:80",
                                 "https://",
                                 "https://127.0.0.1:80/path",
                                 "unix:",
                                 "unix:run/x",
                                 "unix:/" + std::string(107, 's'),
                                 std::string("unix:/a\0b", 9),
                                 std::string("127.0.0.1\0:80", 13)};
  for (const std::string& text : refused) EXPECT_FALSE(parse_listener(text)) << text;
}

TEST(IsLoopback, IsThisMachineOnly) {
  for (const std::string_view address : {"127.0.0.1:80", "127.1.2.3:0", "[::1]:80", "unix:/run/x"}) {
    EXPECT_TRUE(is_loopback(address)) << address;
  }
  for (const std::string_view address : {"0.0.0.0:80", "[::]:80", "128.0.0.1:80", "10.0.0.1:80", "[::2]:80",
                                         "[::ffff:127.0.0.1]:80", "[1::1]:80", "", "x"}) {
    EXPECT_FALSE(is_loopback(address)) << address;
  }
}

TEST(CheckNetwork, Forms) {
  for (const std::string_view text : {"10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "0.0.0.0/0", "::1", "fd00::/8", "::/0",
                                      "2001:db8::/127", "192.168.1.128/25"}) {
    EXPECT_TRUE(check_network(text)) << text;
  }
  for (const std::string_view text :
       {"", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0/8", "fd00::1/8", "::/129",
        "192.168.1.129/25", "example.com", "10.0.0.0/8/8", " 10.0.0.1"}) {
    EXPECT_FALSE(check_network(text)) << text;
  }
}

TEST(CheckOrigin, IsWhatBrowsersSend) {
  for (const std::string_view text : {"*", "https://app.example.com", "http://localhost:3000", "https://[::1]:8443",
                                      "capacitor://localhost", "http://x:443", "https://xn--bcher-kva.example"}) {
    EXPECT_TRUE(check_origin(text)) << text;
  }
  for (const std::string_view text :
       {"", "app.example.com", "https://", "://x", "https://app.example.com/", "https://app.example.com/path",
        "https://*.example.com", "https://App.example.com", "HTTPS://x", "https://x y", "https://user@x", "https://x?y",
        "https://x#y", "https://x:443", "http://x:80", "https://a,https://b", "null",
        "https://b\xc3\xbc"
        "cher.example"}) {
    EXPECT_FALSE(check_origin(text)) << text;
  }
}

}  // namespace
}  // namespace app
