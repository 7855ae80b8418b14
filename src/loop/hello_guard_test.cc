#include "loop/hello_guard.h"

#include <gtest/gtest.h>

#include <string>

#include "base/entropy.h"

namespace loop {
namespace {

std::string message(std::uint8_t type, std::size_t size) {
  std::string bytes{static_cast<char>(type), static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                    static_cast<char>(size)};
  return bytes + std::string(size, 'x');
}

std::string record(std::uint8_t type, std::string_view body) {
  std::string bytes{static_cast<char>(type), 3, 1, static_cast<char>(body.size() >> 8), static_cast<char>(body.size())};
  return bytes += body;
}

std::string records(std::uint8_t type, std::string_view body, std::size_t each) {
  std::string bytes;
  for (; !body.empty(); body.remove_prefix(std::min(each, body.size()))) bytes += record(type, body.substr(0, each));
  return bytes;
}

// Where the hello was complete (0: it was not), or -1 if it was refused.
int end_of_hello(std::string_view bytes) {
  HelloGuard guard;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (!guard.accepts(bytes.substr(i, 1))) {
      EXPECT_FALSE(guard.accepts("x"));
      return -1;
    }
    if (!guard.incomplete()) return static_cast<int>(i + 1);
  }
  return 0;
}

TEST(HelloGuard, CompleteAtTheLastByteInAnyRecords) {
  const std::string hello = message(1, 500);
  for (const std::size_t each : {std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{5}, std::size_t{500}}) {
    const std::string bytes = records(22, hello, each);
    EXPECT_EQ(end_of_hello(bytes), static_cast<int>(bytes.size())) << each;
    EXPECT_EQ(end_of_hello(bytes.substr(0, bytes.size() - 1)), 0) << each;
  }
  EXPECT_EQ(end_of_hello(record(22, message(1, 0))), 9);
}

TEST(HelloGuard, WhatIsNoHelloGoesToOpensslAtOnce) {
  EXPECT_EQ(end_of_hello("GET / HTTP/1.1\r\n"), 1);
  EXPECT_EQ(end_of_hello(record(23, "data")), 1);
  EXPECT_EQ(end_of_hello(record(22, message(2, 10))), 6);
}

TEST(HelloGuard, SizeLimit) {
  const std::string largest = records(22, message(1, HelloGuard::kHelloBytesMax), 16384);
  EXPECT_EQ(end_of_hello(largest), static_cast<int>(largest.size()));
  for (const std::size_t size : {HelloGuard::kHelloBytesMax + 1, 131'396u, 0xff'ffffu}) {
    const std::string header = message(1, size).substr(0, 4);
    EXPECT_EQ(end_of_hello(record(22, header + "abc")), -1) << size;
    EXPECT_EQ(end_of_hello(records(22, header, 1)), -1) << size;
  }
  EXPECT_EQ(end_of_hello(record(22, message(11, 100'000).substr(0, 100))), 6);  // a certificate: OpenSSL's business
}

TEST(HelloGuard, TheSecondHelloIsWatchedToo) {
  HelloGuard guard;
  ASSERT_TRUE(guard.accepts(record(22, message(1, 200))));
  ASSERT_FALSE(guard.incomplete());
  ASSERT_TRUE(guard.accepts(record(20, "\x01")));
  EXPECT_EQ(guard.record_type(), 20);
  HelloGuard stopped = guard;
  EXPECT_FALSE(guard.accepts(record(22, message(1, 50'000).substr(0, 10))));
  stopped.stop();
  EXPECT_TRUE(stopped.accepts(record(22, message(1, 50'000).substr(0, 10))));
}

TEST(HelloGuard, EmptyRecordsAndOtherTypesBetween) {
  const std::string hello = message(1, 100);
  const std::string bytes = record(22, hello.substr(0, 2)) + record(22, "") + record(20, "\x01") +
                            record(22, hello.substr(2, 50)) + record(23, "") + record(22, hello.substr(52));
  EXPECT_EQ(end_of_hello(record(22, hello.substr(0, 2)) + record(22, "") + record(22, hello.substr(2))),
            static_cast<int>(hello.size() + 15));
  EXPECT_NE(end_of_hello(bytes), 0);  // a foreign record inside a message: OpenSSL says what it thinks of it
}

// Same bytes, many cuts: the verdict and its place do not depend on how they arrive.
TEST(HelloGuard, ManyWays) {
  base::SeededEntropy entropy(1);
  for (int round = 0; round < 300; ++round) {
    std::string flight;
    for (std::uint32_t i = 0; i <= entropy.below(3); ++i) {
      const std::size_t size = entropy.below(8) == 0 ? 16'000 + entropy.below(800) : entropy.below(300);
      flight += message(entropy.below(4) == 0 ? 20 : 1, size);
    }
    const std::string bytes = records(22, flight, 1 + entropy.below(2000));
    HelloGuard whole;
    const bool accepted = whole.accepts(bytes);
    for (int way = 0; way < 10; ++way) {
      HelloGuard cut;
      bool still = true;
      for (std::string_view rest = bytes; still && !rest.empty();) {
        const std::size_t size = std::min<std::size_t>(rest.size(), 1 + entropy.below(way == 0 ? 1 : 4000));
        still = cut.accepts(rest.substr(0, size));
        rest.remove_prefix(size);
      }
      ASSERT_EQ(still, accepted);
      ASSERT_EQ(cut.incomplete(), whole.incomplete());
    }
  }
}

}  // namespace
}  // namespace loop
