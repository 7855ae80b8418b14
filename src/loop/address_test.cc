#include "loop/address.h"

#include <gtest/gtest.h>

namespace loop {
namespace {

std::string shown(std::string_view text) {
  const std::optional<Address> address = parse_address(text);
  return address ? to_string(*address) : "nothing";
}

TEST(Address, Text) {
  EXPECT_EQ(to_string(Address{}), "unix");
  EXPECT_EQ(shown("1.2.3.4:5"), "1.2.3.4:5");
  EXPECT_EQ(shown("1.2.3.4"), "1.2.3.4:0");
  EXPECT_EQ(shown("::1"), "[::1]:0");
  EXPECT_EQ(shown("[::1]"), "[::1]:0");
  EXPECT_EQ(shown("[::1]:65535"), "[::1]:65535");
  EXPECT_EQ(shown("2001:DB8:0:0:0:0:0:1"), "[2001:db8::1]:0");
  EXPECT_EQ(shown("::ffff:1.2.3.4"), "1.2.3.4:0");
  EXPECT_EQ(shown("[::ffff:1.2.3.4]:9"), "1.2.3.4:9");
  EXPECT_EQ(ip_to_string(*parse_address("[fe80::1]:80")), "fe80::1");
}

TEST(Address, RefusesWhatIsNotExactlyAnAddress) {
  for (const std::string_view text : {"",
                                      ":",
                                      "1.2.3",
                                      "1.2.3.4:",
                                      "1.2.3.4:65536",
                                      "1.2.3.4:-1",
                                      "1.2.3.4:+1",
                                      "1.2.3.4:1x",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "01.2.3.4",
                                      "0x1.2.3.4",
                                      "1.2.3.256",
                                      "[1.2.3.4]",
                                      "[1.2.3.4]:5",
                                      "[::1",
                                      "::1]",
                                      "[::1]x",
                                      "[::1]:",
                                      "[]:5",
                                      "[]",
                                      "::",
                                      "[::]:0",
                                      "[::]:5",
                                      "::1%lo",
                                      "localhost",
                                      "unknown",
                                      "_hidden",
                                      "1.2.3.4, 5.6.7.8",
                                      "unix",
                                      "::1::2",
                                      "12345::1",
                                      "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_EQ(shown(text), "nothing") << text;
  }
  EXPECT_EQ(shown(std::string_view("1.2.3.4\0", 8)), "nothing");
  EXPECT_EQ(shown(std::string(1000, '1')), "nothing");
}

TEST(Address, ParseIpTakesNoPort) {
  EXPECT_TRUE(parse_ip("1.2.3.4"));
  EXPECT_TRUE(parse_ip("::1"));
  EXPECT_FALSE(parse_ip("1.2.3.4:5"));
  EXPECT_FALSE(parse_ip("[::1]"));
}

bool in(const std::vector<std::string>& texts, std::string_view address) {
  const auto list = NetworkList::parse(texts);
  EXPECT_TRUE(list) << list.error();
  return list->contains(*parse_address(address));
}

TEST(NetworkList, Contains) {
  EXPECT_TRUE(in({"10.0.0.0/8"}, "10.255.255.255"));
  EXPECT_FALSE(in({"10.0.0.0/8"}, "11.0.0.0"));
  EXPECT_FALSE(in({"10.0.0.0/8"}, "9.255.255.255"));
  EXPECT_TRUE(in({"10.0.0.0/8"}, "::ffff:10.1.2.3"));
  EXPECT_TRUE(in({"127.0.0.1"}, "127.0.0.1:5000"));
  EXPECT_FALSE(in({"127.0.0.1"}, "127.0.0.2"));
  EXPECT_TRUE(in({"192.168.4.0/22"}, "192.168.7.255"));
  EXPECT_FALSE(in({"192.168.4.0/22"}, "192.168.8.0"));
  EXPECT_TRUE(in({"0.0.0.0/0"}, "1.2.3.4"));
  EXPECT_FALSE(in({"0.0.0.0/0"}, "::1"));
  EXPECT_TRUE(in({"::/0"}, "1.2.3.4"));
  EXPECT_TRUE(in({"fd00::/8"}, "fdff::1"));
  EXPECT_FALSE(in({"fd00::/8"}, "fc00::1"));
  EXPECT_TRUE(in({"2001:db8::/33"}, "2001:db8:7fff::1"));
  EXPECT_FALSE(in({"2001:db8::/33"}, "2001:db8:8000::1"));
  EXPECT_TRUE(in({"::1", "10.0.0.0/8"}, "10.0.0.1"));
}

TEST(NetworkList, UnixPeersOnlyByName) {
  const std::vector<std::string> all{"::/0", "0.0.0.0/0"};
  EXPECT_FALSE(NetworkList::parse(all)->contains(Address{}));
  const std::vector<std::string> named{"unix"};
  EXPECT_TRUE(NetworkList::parse(named)->contains(Address{}));
  EXPECT_FALSE(NetworkList::parse(named)->empty());
  EXPECT_FALSE(NetworkList::parse(named)->contains(*parse_ip("::1")));
  EXPECT_FALSE(NetworkList().contains(Address{}));
  EXPECT_TRUE(NetworkList().empty());
}

TEST(NetworkList, ErrorsNameTheEntry) {
  const std::pair<std::string, std::string> cases[] = {
      {"10.0.0.0/33", "\"10.0.0.0/33\": the prefix length must be a number from 0 to 32"},
      {"fd00::/129", "\"fd00::/129\": the prefix length must be a number from 0 to 128"},
      {"10.0.0.0/", "\"10.0.0.0/\": the prefix length must be a number from 0 to 32"},
      {"10.0.0.0/8 ", "\"10.0.0.0/8 \": the prefix length must be a number from 0 to 32"},
      {"10.1.2.3/8", "\"10.1.2.3/8\" has bits set behind its prefix; did you mean 10.0.0.0/8?"},
      {"fd00::1/64", "\"fd00::1/64\" has bits set behind its prefix; did you mean fd00::/64?"},
      {"proxy", "\"proxy\" is not a network; write 10.0.0.0/8, fd00::/8 or one address"},
      {"", "\"\" is not a network; write 10.0.0.0/8, fd00::/8 or one address"},
      {"1.2.3.4:80", "\"1.2.3.4:80\" is not a network; write 10.0.0.0/8, fd00::/8 or one address"},
  };
  for (const auto& [text, error] : cases) {
    const std::vector<std::string> texts{"127.0.0.1", text};
    const auto list = NetworkList::parse(texts);
    ASSERT_FALSE(list) << text;
    EXPECT_EQ(list.error(), error);
  }
}

// Every prefix length against a bit-by-bit comparison.
TEST(NetworkList, EveryPrefixLength) {
  const Address address = *parse_ip("a5a5:5a5a:ffff::1234");
  for (unsigned bits = 1; bits <= 128; ++bits) {
    Address network = address;
    for (unsigned bit = bits; bit < 128; ++bit) {
      network.ip[bit / 8] = static_cast<std::uint8_t>(network.ip[bit / 8] & ~(0x80u >> (bit % 8)));
    }
    const std::vector<std::string> texts{ip_to_string(network) + "/" + std::to_string(bits)};
    const auto list = NetworkList::parse(texts);
    ASSERT_TRUE(list) << list.error();
    for (unsigned bit = 0; bit < 128; ++bit) {
      Address flipped = address;
      flipped.ip[bit / 8] = static_cast<std::uint8_t>(flipped.ip[bit / 8] ^ (0x80u >> (bit % 8)));
      EXPECT_EQ(list->contains(flipped), bit >= bits) << bits << " " << bit;
    }
  }
}

}  // namespace
}  // namespace loop
