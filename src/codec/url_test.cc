#include "codec/url.h"

#include <gtest/gtest.h>

#include <string>

namespace codec {
namespace {

TEST(Url, DecodesOnce) {
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("a%2Fb%20c"), "a/b c");
  EXPECT_EQ(percent_decode("%252e"), "%2e");
  EXPECT_EQ(percent_decode("%E6%96%B0%e9%97%bb"), "新闻");
  EXPECT_EQ(query_decode("a+b%2B"), "a b+");
}

TEST(Url, RefusesHalfAnEscape) {
  for (const char* text : {"%", "a%", "%2", "%g0", "%0g", "%%41", "%-1", "% 1", "%+1", "%u0041"}) {
    EXPECT_FALSE(percent_decode(text)) << text;
    EXPECT_FALSE(query_decode(text)) << text;
  }
}

TEST(Url, EncodeThenDecodeIsTheSameForEveryByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string encoded;
  append_percent_encoded(encoded, all);
  EXPECT_EQ(percent_decode(encoded), all);
  EXPECT_EQ(query_decode(encoded), all);
  std::string plain;
  append_percent_encoded(plain, "Az09-._~/ %");
  EXPECT_EQ(plain, "Az09-._~%2F%20%25");
}

TEST(Query, KeepsOrderAndDoubles) {
  const auto query = Query::parse("channel=a&since=-5&channel=b%26c&&flag&x=&channel=d=e");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->values("channel"), (std::vector<std::string_view>{"a", "b&c", "d=e"}));
  EXPECT_EQ(query->find("since"), "-5");
  EXPECT_EQ(query->find("flag"), "");
  EXPECT_EQ(query->find("x"), "");
  EXPECT_FALSE(query->find("channel"));
  EXPECT_EQ(query->count("channel"), 3U);
  EXPECT_FALSE(query->find("absent"));
  EXPECT_EQ(query->all().size(), 6U);
}

TEST(Query, InvalidInput) {
  for (const char* raw : {"a=%", "%=1", "a=1&b=%zz", "a%4=1"}) {
    const auto query = Query::parse(raw);
    ASSERT_FALSE(query) << raw;
    EXPECT_EQ(query.error(), base::Error::bad_parameter);
  }
}

TEST(Query, CapsTheNumberOfParameters) {
  std::string raw;
  for (std::size_t i = 0; i < Query::kParametersMax; ++i) raw += "a=1&";
  EXPECT_TRUE(Query::parse(raw));
  raw += "b";
  const auto query = Query::parse(raw);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error(), base::Error::bad_parameter);
}

}  // namespace
}  // namespace codec
