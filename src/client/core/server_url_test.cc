#include "client/core/server_url.h"

#include <gtest/gtest.h>

namespace client {
namespace {

using Transport = ServerUrl::Transport;

TEST(ServerUrl, EverySchemeAndItsDefaultPort) {
  struct Case {
    std::string_view url;
    Transport transport;
    std::string_view host;
    std::uint16_t port;
    std::string_view authority;
    std::string_view path;
    std::string_view query;
  };
  const Case cases[] = {
      {"http://a", Transport::tcp, "a", 80, "a", "", ""},
      {"ws://a:80/", Transport::tcp, "a", 80, "a", "", ""},
      {"ws://a.example:8000/echo", Transport::tcp, "a.example", 8000, "a.example:8000", "/echo", ""},
      {"https://a", Transport::tls, "a", 443, "a", "", ""},
      {"wss://a:80/p/q/?x=1&y", Transport::tls, "a", 80, "a:80", "/p/q", "x=1&y"},
      {"https://a?x", Transport::tls, "a", 443, "a", "", "x"},
      {"http://[::1]:8000/p", Transport::tcp, "::1", 8000, "[::1]:8000", "/p", ""},
      {"wss://[2001:db8::1]", Transport::tls, "2001:db8::1", 443, "[2001:db8::1]", "", ""},
      {"localhost:8000", Transport::tcp, "localhost", 8000, "localhost:8000", "", ""},
      {"127.0.0.1", Transport::tcp, "127.0.0.1", 80, "127.0.0.1", "", ""},
      {"unix:/run/w.sock", Transport::unix_socket, "", 0, "localhost", "", ""},
      {"unix:///run/w.sock:/echo?a=b", Transport::unix_socket, "", 0, "localhost", "/echo", "a=b"},
  };
  for (const Case& c : cases) {
    auto url = parse_server_url(c.url);
    ASSERT_TRUE(url.has_value()) << c.url << ": " << url.error();
    EXPECT_EQ(url->transport, c.transport) << c.url;
    EXPECT_EQ(url->host, c.host) << c.url;
    EXPECT_EQ(url->port, c.port) << c.url;
    EXPECT_EQ(url->authority, c.authority) << c.url;
    EXPECT_EQ(url->path, c.path) << c.url;
    EXPECT_EQ(url->query, c.query) << c.url;
  }
  EXPECT_EQ(parse_server_url("unix:/run/w.sock")->socket_path, "/run/w.sock");
}

TEST(ServerUrl, RefusesWhatCannotBeAServer) {
  for (std::string_view url :
       {"", "ftp://a", "http://", "http:///x", "http://a:0", "http://a:65536", "http://a:x", "http://a:", "http://u@a",
        "http://a/#x", "http://a/b c", "http://a\r\nX: y", "http://[::1", "http://[x]", "http://[::1]x",
        "unix:", "unix:/a:b", "http://a\x80", "http://a_b c"}) {
    auto parsed = parse_server_url(url);
    ASSERT_FALSE(parsed.has_value()) << url;
    EXPECT_TRUE(parsed.error().ends_with('.')) << parsed.error();
  }
  EXPECT_FALSE(parse_server_url("unix:/" + std::string(107, 'x')).has_value());
}

}  // namespace
}  // namespace client
