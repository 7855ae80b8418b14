#include "client/bench/post_session.h"

#include <gtest/gtest.h>

namespace client::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kDone = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

TEST(PostSession, OneRequestAfterTheOther) {
  const http::ResponseLimits limits;
  PostSession session(limits, "/pub/c", "Host: h\r\n");
  for (int round = 0; round < 3; ++round) {
    std::string out;
    EXPECT_FALSE(session.waiting());
    session.request(out, "hello", base::Instant(1s));
    EXPECT_EQ(out, "POST /pub/c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_TRUE(session.waiting());
    for (std::size_t i = 0; i + 1 < kDone.size(); ++i) {
      auto answered = session.receive(kDone.substr(i, 1), base::Instant(2s));
      ASSERT_TRUE(answered);
      EXPECT_FALSE(*answered);
    }
    EXPECT_EQ(session.receive(kDone.substr(kDone.size() - 1), base::Instant(3s)), base::Duration(2s));
  }
}

TEST(PostSession, WhatEndsIt) {
  const http::ResponseLimits limits;
  const auto why = [&limits](std::string_view answer) {
    PostSession session(limits, "/pub/c", "");
    std::string out;
    session.request(out, "hello", base::Instant(1s));
    const auto answered = session.receive(answer, base::Instant(2s));
    return answered ? std::string("nothing") : answered.error();
  };
  EXPECT_EQ(why(kDone), "nothing");
  EXPECT_TRUE(why("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").contains("403"));
  EXPECT_TRUE(why("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").contains("closes"));
  EXPECT_TRUE(why("nonsense\r\n\r\n").contains("not HTTP"));
  EXPECT_TRUE(why(std::string(kDone) + std::string(kDone)).contains("not asked"));
  PostSession session(limits, "/pub/c", "");
  EXPECT_FALSE(session.receive(kDone, base::Instant(1s)));
}

}  // namespace
}  // namespace client::bench
