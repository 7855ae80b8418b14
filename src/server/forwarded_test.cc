#include "server/forwarded.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/admission.h"
#include "server/log.h"

namespace server {
namespace {

const std::vector<std::string> kProxies = {"10.0.0.0/8", "127.0.0.1"};

std::string client_of(std::vector<http::Header> headers, std::string_view from = "127.0.0.1") {
  const auto trusted = loop::NetworkList::parse(kProxies);
  http::Request request;
  request.headers = std::move(headers);
  const auto address = forwarded_address(request, *loop::parse_ip(from), *trusted);
  return address ? loop::ip_to_string(*address) : "";
}

TEST(Forwarded, OnlyTrustedProxiesAreBelieved) {
  EXPECT_EQ(client_of({{"X-Forwarded-For", "192.0.2.1"}}, "198.51.100.1"), "");
  EXPECT_EQ(client_of({{"X-Forwarded-For", "192.0.2.1"}}), "192.0.2.1");
}

TEST(Forwarded, WhatTheClientClaimsItselfIsNotBelieved) {
  EXPECT_EQ(client_of({{"X-Forwarded-For", "1.1.1.1, 192.0.2.1, 10.0.0.7"}}), "192.0.2.1");
  EXPECT_EQ(client_of({{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "192.0.2.1"}}), "192.0.2.1");
  EXPECT_EQ(client_of({{"X-Forwarded-For", "192.0.2.1, rubbish"}}), "");
}

TEST(Forwarded, TheStandardHeaderWins) {
  EXPECT_EQ(client_of({{"X-Forwarded-For", "192.0.2.1"}, {"Forwarded", "for=192.0.2.9;proto=https"}}), "192.0.2.9");
  EXPECT_EQ(client_of({{"Forwarded", "for=\"[2001:db8::1]:4711\""}}), "2001:db8::1");
  EXPECT_EQ(client_of({{"Forwarded", "for=unknown"}}), "");
}

TEST(Admission, CountsAllAndEachAddress) {
  Admission admission(7);
  const loop::Address a = *loop::parse_ip("192.0.2.1");
  const loop::Address b = *loop::parse_ip("192.0.2.2");
  EXPECT_EQ(admission.admit(a, 3, 2), base::Error::none);
  EXPECT_EQ(admission.admit(a, 3, 2), base::Error::none);
  EXPECT_EQ(admission.admit(a, 3, 2), base::Error::too_many_from_address);
  EXPECT_EQ(admission.admit(b, 3, 2), base::Error::none);
  EXPECT_EQ(admission.admit(b, 3, 2), base::Error::too_many_connections);
  admission.release(a);
  EXPECT_EQ(admission.admit(a, 3, 2), base::Error::none);
  EXPECT_EQ(admission.connections(), 3U);
}

TEST(Log, AFieldIsOneHarmlessLine) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string line;
    append_field(line, "path", std::string(1, static_cast<char>(byte)));
    for (const char each : line) EXPECT_TRUE(each >= 0x20 && each < 0x7f) << byte;
  }
  std::string line;
  append_field(line, "path",
               "a\xe2\x80\xa8"
               "b\xe2\x80\xae"
               "c\"\xc3\xa9");
  EXPECT_EQ(line, " path=\"a\\u2028b\\u202ec\\\"\xc3\xa9\"");
  line.clear();
  append_field(line, "path", std::string(1000, 'x'));
  EXPECT_LT(line.size(), 280U);
}

}  // namespace
}  // namespace server
