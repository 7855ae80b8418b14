#include "client/bench/text_template.h"

#include <gtest/gtest.h>

namespace client::bench {
namespace {

std::string filled(std::string_view text) {
  std::string out = ">";
  TextTemplate(text).fill(out, "news", "hello");
  return out;
}

TEST(TextTemplate, FillsItsPlacesAndLeavesOtherBraces) {
  EXPECT_EQ(filled(""), ">");
  EXPECT_EQ(filled("plain"), ">plain");
  EXPECT_EQ(filled("{payload}"), ">hello");
  EXPECT_EQ(filled("{channel}{payload}{channel}"), ">newshellonews");
  EXPECT_EQ(filled(R"({"a":{"b":"{channel}"},"c":"{payload}"})"), R"(>{"a":{"b":"news"},"c":"hello"})");
  EXPECT_EQ(filled("{{payload}} {Payload} {payload"), ">{hello} {Payload} {payload");
  EXPECT_TRUE(TextTemplate("").empty());
  EXPECT_TRUE(TextTemplate("a{payload}b").has_payload());
  EXPECT_FALSE(TextTemplate("a{channel}b").has_payload());
}

TEST(Unescape, TakesBytesThatCannotBeTyped) {
  EXPECT_EQ(unescape(R"(plain \\ \r\n\t)"), "plain \\ \r\n\t");
  EXPECT_EQ(unescape(R"(\x10\x0c\0a\xFf)"), std::string("\x10\x0c\0a\xff", 5));
  for (const std::string_view wrong : {"\\", "\\q", "\\x", "\\x1", "\\xg0", "\\x+1", "a\\x1"}) {
    EXPECT_FALSE(unescape(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace client::bench
