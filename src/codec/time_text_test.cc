#include "codec/time_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace codec {
namespace {

std::string rfc3339(std::int64_t ms) {
  std::string out;
  append_rfc3339(out, base::WallTime{ms});
  return out;
}

TEST(TimeText, KnownTimes) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(-86'400'000), "1969-12-31T00:00:00.000Z");
  EXPECT_EQ(rfc3339(1763640000123), "2025-11-20T12:00:00.123Z");
  EXPECT_EQ(rfc3339(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(-62'135'596'800'000), "0001-01-01T00:00:00.000Z");
  std::string date;
  append_http_date(date, base::WallTime{784111777000});
  EXPECT_EQ(date, "Sun, 06 Nov 1994 08:49:37 GMT");  // the example of RFC 9110
}

TEST(TimeText, WrittenTimesAreReadBack) {
  for (std::int64_t ms = -62'135'596'800'000; ms < 253'402'300'800'000; ms += 1'234'567'890'123) {
    EXPECT_EQ(parse_rfc3339(rfc3339(ms)), base::WallTime{ms});
  }
}

TEST(TimeText, ReadsZonesAndFractions) {
  const base::WallTime noon{1763640000000};
  for (const char* text : {"2025-11-20T12:00:00Z", "2025-11-20t12:00:00z", "2025-11-20T12:00:00.0Z",
                           "2025-11-20T13:30:00+01:30", "2025-11-20T11:59:00-00:01", "2025-11-19T13:00:00-23:00",
                           "2025-11-20T12:00:00.0009999Z", "2025-11-20T11:59:60Z"}) {
    EXPECT_EQ(parse_rfc3339(text), noon) << text;
  }
  EXPECT_EQ(parse_rfc3339("2025-11-20T12:00:00.5Z"), base::WallTime{noon.ms + 500});
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
}

TEST(TimeText, InvalidInput) {
  for (const char* text : {"",
                           "2025",
                           "2025-11-20",
                           "2025-11-20T12:00Z",
                           "2025-11-20T12:00:00",
                           "2025-11-20 12:00:00Z",
                           "2025-13-01T00:00:00Z",
                           "2025-00-01T00:00:00Z",
                           "2025-02-29T00:00:00Z",
                           "2025-01-32T00:00:00Z",
                           "2025-01-00T00:00:00Z",
                           "2025-01-01T24:00:00Z",
                           "2025-01-01T00:60:00Z",
                           "2025-01-01T00:00:61Z",
                           "2025-01-01T00:00:00.Z",
                           "2025-01-01T00:00:00,5Z",
                           "2025-01-01T00:00:00Z ",
                           " 2025-01-01T00:00:00Z",
                           "2025-01-01T00:00:00+24:00",
                           "2025-01-01T00:00:00+0100",
                           "2025-01-01T00:00:00+01:60",
                           "0000-01-01T00:00:00Z",
                           "2025-01-01T00:00:00.123",
                           "+025-01-01T00:00:00Z",
                           "2025-1-1T0:0:0Z",
                           "2025-01-01T00:00:00ZZ"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

}  // namespace
}  // namespace codec
