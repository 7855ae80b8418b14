#include "app/value_text.h"

#include <gtest/gtest.h>

#include "base/entropy.h"

namespace app {
namespace {

using namespace std::chrono_literals;

TEST(Duration, Texts) {
  struct Case {
    std::string_view text;
    base::Duration duration;
  };
  const Case cases[] = {{"0s", 0s},
                        {"1ns", 1ns},
                        {"250ms", 250ms},
                        {"10s", 10s},
                        {"5m", 5min},
                        {"1h30m", 90min},
                        {"2d", 48h},
                        {"90m", 90min},
                        {"1m1m", 2min},
                        {"007s", 7s},
                        {"3us", 3us},
                        {"106751d", 24h * 106751},
                        {"1h2m3s4ms5us6ns", 1h + 2min + 3s + 4ms + 5us + 6ns}};
  for (const Case& c : cases) EXPECT_EQ(parse_duration(c.text), c.duration) << c.text;
  for (const std::string_view text :
       {"", "10", "s", "10 s", " 10s", "10s ", "-1s", "+1s", "1.5s", "10S", "10sec", "1s2", "1h-1m",
        "99999999999999999999s", "106752d", "9223372036854775807ns1ns", "auto"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, FormatsToOneExactUnit) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(75s), "75s");
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(24h), "24h");
  EXPECT_EQ(format_duration(48h), "2d");
  EXPECT_EQ(format_duration(1ns), "1ns");
}

TEST(Size, Texts) {
  struct Case {
    std::string_view text;
    std::uint64_t bytes;
  };
  const Case cases[] = {{"0", 0},
                        {"17", 17},
                        {"17B", 17},
                        {"1KiB", 1024},
                        {"1kib", 1024},
                        {"64KiB", 65536},
                        {"1MiB", 1 << 20},
                        {"1 MiB", 1 << 20},
                        {"1GB", 1'000'000'000},
                        {"2kB", 2000},
                        {"3MB", 3'000'000},
                        {"1TiB", std::uint64_t{1} << 40},
                        {"1tb", 1'000'000'000'000},
                        {"18446744073709551615", UINT64_MAX}};
  for (const Case& c : cases) EXPECT_EQ(parse_size(c.text), c.bytes) << c.text;
  for (const std::string_view text : {"", "KiB", "-1", "+1", "1.5MiB", "1M", "1 K", "1  KiB", "1KiB ", "0x10",
                                      "18446744073709551616", "16777216TiB", "1PiB", "unlimited"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Count, Texts) {
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_count("4000"), 4000U);
  for (const std::string_view text :
       {"", "-1", "+1", "1.0", "1e3", "1_000", "1 ", " 1", "0x1", "99999999999999999999"}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
}

TEST(Switch, Texts) {
  for (const std::string_view text : {"true", "True", "yes", "on", "1"}) EXPECT_EQ(parse_switch(text), true) << text;
  for (const std::string_view text : {"false", "FALSE", "no", "off", "0"}) EXPECT_EQ(parse_switch(text), false) << text;
  for (const std::string_view text : {"", "2", "y", "truth", " true"}) EXPECT_FALSE(parse_switch(text)) << text;
}

TEST(ValueText, WhatIsWrittenIsReadBack) {
  base::SeededEntropy entropy(3);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t number = entropy.next() >> (1 + entropy.below(62));
    const base::Duration duration{static_cast<base::Duration::rep>(number)};
    ASSERT_EQ(parse_duration(format_duration(duration)), duration);
    ASSERT_EQ(parse_size(format_size(number)), number);
    const std::uint64_t round = number >> 40 << 30;
    ASSERT_EQ(parse_size(format_size(round)), round);
  }
}

}  // namespace
}  // namespace app
