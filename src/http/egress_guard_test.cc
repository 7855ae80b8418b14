#include "http/egress_guard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

namespace http {
namespace {

using enum EgressDenial;

std::string parsed(std::string_view text) {
  const auto url = parse_egress_url(text);
  return url ? url->text() : "refused: it " + std::string(to_string(url.error()));
}

TEST(EgressUrl, TakesWhatPeopleWrite) {
  EXPECT_EQ(parsed("http://backend/hooks"), "http://backend:80/hooks");
  EXPECT_EQ(parsed("https://api.example.com"), "https://api.example.com:443/");
  EXPECT_EQ(parsed("HTTPS://API.Example.COM:8443/A/b?x=1&y=%20"), "https://api.example.com:8443/A/b?x=1&y=%20");
  EXPECT_EQ(parsed("http://web_1:3000?now"), "http://web_1:3000/?now");
  EXPECT_EQ(parsed("http://192.0.2.1:1/"), "http://192.0.2.1:1/");
  EXPECT_EQ(parsed("http://[2001:DB8::1]:9/"), "http://[2001:db8::1]:9/");
  EXPECT_EQ(parsed("http://[::1]"), "http://[::1]:80/");
  EXPECT_EQ(parsed("http://xn--bcher-kva.example/"), "http://xn--bcher-kva.example:80/");
  EXPECT_EQ(parsed("http://0x7f.example/"), "http://0x7f.example:80/");
  EXPECT_EQ(parsed("http://1.2.3.example/"), "http://1.2.3.example:80/");
}

TEST(EgressUrl, AddressesInIt) {
  EXPECT_FALSE(parse_egress_url("http://localhost/")->ip);
  EXPECT_EQ(parse_egress_url("http://1.2.3.4/")->ip, parse_ipv4("1.2.3.4"));
  EXPECT_EQ(parse_egress_url("http://[::ffff:1.2.3.4]/")->ip, parse_ipv4("1.2.3.4"));
}

TEST(EgressUrl, Ipv6Spellings) {
  const IpBytes one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  for (const auto* text : {"::1", "0:0:0:0:0:0:0:1", "0::1", "::0001", "0:0::0:1", "::0.0.0.1"}) {
    EXPECT_EQ(parse_ipv6(text), one) << text;
  }
  EXPECT_EQ(parse_ipv6("::"), IpBytes{});
  EXPECT_EQ(parse_ipv6("1::"), (IpBytes{0, 1}));
  EXPECT_EQ(parse_ipv6("1:2:3:4:5:6:7::"), (IpBytes{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0}));
  EXPECT_EQ(parse_ipv6("::2:3:4:5:6:7:8"), (IpBytes{0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}));
  for (const auto* text : {"", ":", ":1", "1:", "1:::2", "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
                           "12345::", "g::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1.2.3.4", "::1.2.3",
                           "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::256.1.1.1", "::1%eth0", "::1%25eth0"}) {
    EXPECT_FALSE(parse_ipv6(text)) << text;
  }
}

// T44: URLs of people who want to be somewhere else than the text says. Each is refused when it is read.
TEST(EgressUrl, RefusesEveryTrickOfTheTrade) {
  struct Row {
    EgressDenial denial;
    std::vector<std::string> urls;
  };
  const Row rows[] = {
      {scheme,
       {"",
        "http",
        "http:",
        "http:/",
        "//127.0.0.1/",
        "/etc/passwd",
        "127.0.0.1",
        "localhost:80",
        "gopher://127.0.0.1:70/_x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "dict://127.0.0.1:11211/stat",
        "ldap://127.0.0.1/",
        "tftp://127.0.0.1/",
        "smtp://127.0.0.1/",
        "telnet://127.0.0.1/",
        "jar:http://x!/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "ws://127.0.0.1/",
        "httpx://a/",
        "shttp://a/",
        "http:127.0.0.1/",
        "http:/127.0.0.1/",
        "h%74tp://a/",
        "url:http://127.0.0.1/",
        "phar://x",
        "expect://id",
        "netdoc:///etc/passwd",
        "unix:/run/x.sock",
        "view-source:http://127.0.0.1/"}},
      {characters,
       {" http://a/",
        "http://a/ ",
        "http://a b/",
        "http://a:8 0/",
        "http://a\t/",
        "http://a\n/",
        "http://a/\r\nHost: b",
        "http:\\\\127.0.0.1\\",
        "http://a\\@127.0.0.1/",
        "http://a\\.b/",
        "http://127.0.0.1\\.a.example/",
        "http://\u2460\u2461\u2466.0.0.1/",
        "http://127\u30020\u30020\u30021/",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://loc\u00adalhost/",
        "http://\u202elocalhost/",
        "http://a/\x01",
        "http://a/\x7f",
        "http://a/<x>",
        "http://a/\"x\"",
        "http://a/{x}",
        "http://a/|x",
        "http://a/^x",
        "http://a/`x`",
        "http://\u24d4xample.com/",
        std::string("http://a\0.b/", 12),
        "http://a/[x]",
        "http://a/?[x]"}},
      {user,
       {"http://a@127.0.0.1/", "http://a:b@c/", "http://@a/", "http://:@a/", "http://a:80@127.0.0.1/",
        "http://127.0.0.1:80@evil.example/", "http://good.example%40127.0.0.1@b/", "http://a@b@c/",
        "http://good.example&@127.0.0.1/", "http://[::1]@a/"}},
      {fragment, {"http://a/#", "http://a#@127.0.0.1/", "http://a/x#y", "http://127.0.0.1#.good.example/"}},
      {host,
       {"http://",
        "http:///",
        "http:///path",
        "http://:80/",
        "http://?x",
        "http://.",
        "http://../",
        "http://a..b/",
        "http://.a/",
        "http://a./",
        "http://-a/",
        "http://a-/",
        "http://127.0.0.%31/",
        "http://loc%61lhost/",
        "http://a%00.b/",
        "http://a%2eb/",
        "http://a!b/",
        "http://a*b/",
        "http://a,b/",
        "http://a;b/",
        "http://a=b/",
        "http://a'b/",
        "http://(a)/",
        "http://$a/",
        "http://a&b/",
        "http://a+b/",
        "http://~a/",
        "http://[",
        "http://[]",
        "http://[]/",
        "http://[::1",
        "http://::1/",
        "http://[::1]x/",
        "http://[::1%25lo]/",
        "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://[a]/",
        "http://[v1.x]/",
        "http://[::ffff:127.1]/",
        "http://[::ffff:0177.0.0.1]/",
        "http://[0:0:0:0:0:0:0:0:1]/",
        "http://x[::1]/",
        "http://[::1][::1]/"}},
      {number,
       {"http://2130706433/",
        "http://%31%32%37.0.0.1/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://0/",
        "http://1/",
        "http://00/",
        "http://0x/",
        "http://0x0/",
        "http://0.0/",
        "http://127.0.0.01/",
        "http://127.0.0.001/",
        "http://127.000.000.001/",
        "http://127.0.0.0x1/",
        "http://0x7F.1/",
        "http://127.0.0.1.2/",
        "http://127.0.0.256/",
        "http://256.256.256.256/",
        "http://4294967296/",
        "http://425.510.425.510/",
        "http://127.0.0.1./",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://169.16689662/",
        "http://0xA9.0xFE.0xA9.0xFE/",
        "http://a.1/",
        "http://a.0x1/",
        "http://999999999999999999999/",
        "http://1.2.3.4.5/",
        "http://.1/",
        "http://127..1/",
        "http://a.0x./"}},
      {port,
       {"http://a:/", "http://a:0/", "http://a:65536/", "http://a:-1/", "http://a:+80/", "http://a:0x50/",
        "http://a:80:80/", "http://a:80a/", "http://127.0.0.1:99999999999/", "http://[::1]:/", "http://a:000000/"}},
  };
  std::size_t urls = 0;
  for (const Row& row : rows) {
    for (const std::string& url : row.urls) {
      ++urls;
      const auto read = parse_egress_url(url);
      ASSERT_FALSE(read) << url << " was read as " << read->text();
      EXPECT_EQ(read.error(), row.denial) << url;
    }
  }
  EXPECT_GE(urls, 150U);
  EXPECT_EQ(parse_egress_url("http://a/" + std::string(2048, 'x')).error(), too_long);
}

EgressDenial judged(std::string_view text, const EgressRules& rules, std::uint16_t port_number = 80) {
  const auto ip = text.find(':') == std::string_view::npos ? parse_ipv4(text) : parse_ipv6(text);
  EXPECT_TRUE(ip) << text;
  return check_egress(*ip, port_number, rules);
}

// T44: the addresses, with the first and the last of each network and their neighbours.
TEST(EgressAddress, NetworksAndTheirEdges) {
  struct Row {
    const char* ip;
    EgressDenial with_public_only;
    EgressDenial with_private_too;
  };
  const Row rows[] = {
      {"0.0.0.0", unspecified, unspecified},
      {"0.255.255.255", unspecified, unspecified},
      {"1.0.0.0", none, none},
      {"9.255.255.255", none, none},
      {"10.0.0.0", private_network, none},
      {"10.255.255.255", private_network, none},
      {"11.0.0.0", none, none},
      {"100.63.255.255", none, none},
      {"100.64.0.0", shared, none},
      {"100.100.100.200", metadata, metadata},
      {"100.127.255.255", shared, none},
      {"100.128.0.0", none, none},
      {"126.255.255.255", none, none},
      {"127.0.0.0", loopback, none},
      {"127.0.0.1", loopback, none},
      {"127.255.255.255", loopback, none},
      {"128.0.0.0", none, none},
      {"168.63.129.16", metadata, metadata},
      {"169.253.255.255", none, none},
      {"169.254.0.0", link_local, link_local},
      {"169.254.169.254", metadata, metadata},
      {"169.254.170.2", metadata, metadata},
      {"169.254.255.255", link_local, link_local},
      {"169.255.0.0", none, none},
      {"172.15.255.255", none, none},
      {"172.16.0.0", private_network, none},
      {"172.31.255.255", private_network, none},
      {"172.32.0.0", none, none},
      {"192.0.0.0", reserved, reserved},
      {"192.0.0.192", metadata, metadata},
      {"192.0.1.0", none, none},
      {"192.0.2.255", reserved, reserved},
      {"192.88.99.1", reserved, reserved},
      {"192.167.255.255", none, none},
      {"192.168.0.0", private_network, none},
      {"192.168.255.255", private_network, none},
      {"192.169.0.0", none, none},
      {"198.17.255.255", none, none},
      {"198.18.0.0", reserved, reserved},
      {"198.19.255.255", reserved, reserved},
      {"198.20.0.0", none, none},
      {"198.51.100.1", reserved, reserved},
      {"203.0.113.1", reserved, reserved},
      {"223.255.255.255", none, none},
      {"224.0.0.0", multicast, multicast},
      {"239.255.255.255", multicast, multicast},
      {"240.0.0.0", reserved, reserved},
      {"255.255.255.254", reserved, reserved},
      {"255.255.255.255", multicast, multicast},
      // IPv4 in IPv6: mapped is IPv4 itself, NAT64 is judged by where it ends, the others are closed.
      {"::ffff:169.254.169.254", metadata, metadata},
      {"::ffff:127.0.0.1", loopback, none},
      {"::ffff:8.8.8.8", none, none},
      {"64:ff9b::169.254.169.254", metadata, metadata},
      {"64:ff9b::127.0.0.1", loopback, none},
      {"64:ff9b::10.1.2.3", private_network, none},
      {"64:ff9b::8.8.8.8", none, none},
      {"64:ff9b:1::8.8.8.8", translated, translated},
      {"::127.0.0.1", translated, translated},
      {"::8.8.8.8", translated, translated},
      {"::ffff:0:127.0.0.1", translated, translated},
      {"2002:7f00:1::", translated, translated},
      {"2002:808:808::1", translated, translated},
      {"2001:0:5ef5:79fd::1", translated, translated},
      {"2600:1f18::5efe:7f00:1", translated, translated},
      {"2600:1f18::200:5efe:a9fe:a9fe", translated, translated},
      {"::", unspecified, unspecified},
      {"::1", loopback, none},
      {"::2", translated, translated},
      {"100::1", reserved, reserved},
      {"1fff:ffff::1", reserved, reserved},
      {"2000::1", none, none},
      {"2001:1ff::1", reserved, reserved},
      {"2001:200::1", none, none},
      {"2001:db7:ffff::1", none, none},
      {"2001:db8::1", reserved, reserved},
      {"2001:db9::1", none, none},
      {"2606:4700::1111", none, none},
      {"3ffe::1", none, none},
      {"3fff::1", reserved, reserved},
      {"3fff:1000::1", none, none},
      {"4000::1", reserved, reserved},
      {"5f00::1", reserved, reserved},
      {"fbff::1", reserved, reserved},
      {"fc00::1", private_network, none},
      {"fd00::1", private_network, none},
      {"fd00:ec2::254", metadata, metadata},
      {"fd00:ec2::23", metadata, metadata},
      {"fd20:ce::254", metadata, metadata},
      {"fdff:ffff::1", private_network, none},
      {"fe00::1", reserved, reserved},
      {"fe80::1", link_local, link_local},
      {"febf::1", link_local, link_local},
      {"fec0::1", private_network, none},
      {"ff02::1", multicast, multicast},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", multicast, multicast},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(judged(row.ip, {}), row.with_public_only) << row.ip;
    EXPECT_EQ(judged(row.ip, {.private_too = true}), row.with_private_too) << row.ip;
  }
}

TEST(EgressAddress, PortsAndOwnListeners) {
  const OwnListener own[] = {{*parse_ipv4("127.0.0.1"), 8000}, {*parse_ipv6("2606::1"), 443}};
  const EgressRules operators{.private_too = true, .own = own};
  EXPECT_EQ(judged("127.0.0.1", operators, 8000), own_listener);
  EXPECT_EQ(judged("64:ff9b::127.0.0.1", operators, 8000), own_listener);
  EXPECT_EQ(judged("127.0.0.1", operators, 8001), none);
  EXPECT_EQ(judged("127.0.0.1", operators, 0), port);
  const EgressRules web{.ports = kWebPorts, .own = own};
  EXPECT_EQ(judged("2606::1", web, 443), own_listener);
  EXPECT_EQ(judged("2606::2", web, 443), none);
  for (const std::uint16_t closed : std::initializer_list<std::uint16_t>{0, 22, 25, 6379, 9200, 11211, 65535}) {
    EXPECT_EQ(judged("2606::2", web, closed), port) << closed;
  }
}

// Every denial has its own words.
TEST(EgressAddress, Texts) {
  std::vector<std::string_view> texts;
  for (auto each = static_cast<int>(none); each <= static_cast<int>(own_listener); ++each) {
    texts.push_back(to_string(static_cast<EgressDenial>(each)));
  }
  std::ranges::sort(texts);
  EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end());
}

}  // namespace
}  // namespace http
