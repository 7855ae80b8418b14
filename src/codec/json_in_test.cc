#include "codec/json_in.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <limits>
#include <string>

#include "base/entropy.h"
#include "codec/json_out.h"

namespace codec {
namespace {

using base::Error;

TEST(JsonIn, KeepsTextButItsLineEnds) {
  EXPECT_EQ(validate_json("{\r\n \"a\":\t1.10 ,\n\"b\":[ ]}\n"), "{ \"a\":\t1.10 ,\"b\":[ ]}");
  EXPECT_EQ(validate_json("123456789012345678901234567890.00001"), "123456789012345678901234567890.00001");
  EXPECT_EQ(validate_json(R"("a\nb")"), R"("a\nb")");
}

TEST(JsonIn, ValidInput) {
  for (const char* text : {"0",
                           "-0",
                           "1",
                           "-1.5e-10",
                           "1E+2",
                           "0.0",
                           "0e999",
                           "1e308",
                           "1.7976931348623157e308",
                           "1e-400",
                           "0.1e309",
                           "true",
                           "false",
                           "null",
                           "\"\"",
                           "[]",
                           "{}",
                           " [ ] ",
                           "[1,2]",
                           "{\"a\":{}}",
                           R"("\"\\\/\b\f\n\r\t\u0000\uD83D\ude00")",
                           "\"\x7f\xE2\x80\xA8\"",
                           "{\"a\":1,\"a\":2}",
                           "18446744073709551616",
                           "[[[[1]]]]"}) {
    EXPECT_EQ(check_json(text), Error::none) << text;
  }
}

TEST(JsonIn, InvalidInputHasAnExactError) {
  for (const char* text : {"",
                           " ",
                           "a",
                           "tru",
                           "truex",
                           "nul",
                           "True",
                           "NaN",
                           "Infinity",
                           "-",
                           "+1",
                           "01",
                           "-01",
                           "1.",
                           ".5",
                           "1e",
                           "1e+",
                           "0x10",
                           "1 2",
                           "1,",
                           "\"",
                           "\"\\\"",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\u12g4\"",
                           "\"\t\"",
                           "\"a\nb\"",
                           "'a'",
                           "[",
                           "]",
                           "[1",
                           "[1,",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "[1}",
                           "{",
                           "}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1",
                           "{\"a\":1,}",
                           "{,}",
                           "{a:1}",
                           "{1:1}",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":1]",
                           "[]]",
                           "{}{}",
                           "// a\n1",
                           "\xEF\xBB\xBF"
                           "1",
                           "\"\xff\"",
                           "\"\xed\xa0\x80\"",
                           "\"\xc0\x80\"",
                           "1e400",
                           "-1e400",
                           "1e99999999999999999999",
                           "1.8e308",
                           R"("\ud800")",
                           R"("\udc00")",
                           R"("\ud800\ud800")",
                           R"("\ud800a")",
                           R"("\ud800\n")",
                           R"("\ud83d\u0041")"}) {
    EXPECT_EQ(check_json(text), Error::bad_json) << text;
    EXPECT_FALSE(validate_json(text)) << text;
  }
}

TEST(JsonIn, NumbersAtTheEdgeOfDouble) {
  EXPECT_EQ(check_json(std::string(309, '1')), Error::none);  // 1.1e308
  EXPECT_EQ(check_json(std::string(310, '1')), Error::bad_json);
  EXPECT_EQ(check_json("0." + std::string(400, '0') + "1e709"), Error::none);  // 1e308
  EXPECT_EQ(check_json("0." + std::string(400, '0') + "1e710"), Error::bad_json);
  EXPECT_EQ(check_json("1" + std::string(400, '0') + "e-200"), Error::none);
}

TEST(JsonIn, DepthIsBounded) {
  const std::string brackets(kJsonDepthMax, '[');
  EXPECT_EQ(check_json(brackets + std::string(kJsonDepthMax, ']')), Error::none);
  EXPECT_EQ(check_json(brackets + "[" + std::string(kJsonDepthMax + 1, ']')), Error::json_depth);
  EXPECT_EQ(check_json(std::string(1'000'000, '[')), Error::json_depth);
  std::string objects;
  for (int i = 0; i < 100; ++i) objects += "{\"a\":";
  EXPECT_EQ(check_json(objects), Error::json_depth);
  EXPECT_EQ(check_json("[[1],{\"a\":[2]},3]"), Error::none);
}

TEST(JsonValue, Accessors) {
  const std::string text = R"( {"s":"a\u00e9\ud83d\ude00\n\"","u":18446744073709551615,"i":-9223372036854775808,
      "d":-1.5e3,"t":true,"f":false,"n":null,"o":{"x":[1,"],}",{"y":2}],"z":1.10},"e":{ },"tiny":1e-400} )";
  const auto value = JsonValue::parse(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->type(), JsonValue::Type::object);
  EXPECT_EQ(value->find("s")->string(), "aé😀\n\"");
  EXPECT_EQ(value->find("u")->unsigned_integer(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(value->find("u")->integer());
  EXPECT_EQ(value->find("i")->integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(value->find("i")->unsigned_integer());
  EXPECT_EQ(value->find("d")->number(), -1500.0);
  EXPECT_FALSE(value->find("d")->integer());
  EXPECT_EQ(value->find("t")->boolean(), true);
  EXPECT_EQ(value->find("f")->boolean(), false);
  EXPECT_EQ(value->find("n")->type(), JsonValue::Type::null);
  EXPECT_EQ(value->find("o")->raw(), R"({"x":[1,"],}",{"y":2}],"z":1.10})");
  EXPECT_EQ(value->find("o")->find("z")->raw(), "1.10");
  EXPECT_EQ(value->find("tiny")->number(), 0.0);
  EXPECT_FALSE(value->find("absent"));
  EXPECT_FALSE(value->find("s")->number());
  EXPECT_FALSE(value->find("s")->boolean());
  EXPECT_FALSE(value->find("t")->string());
  EXPECT_FALSE(value->find("s")->find("s"));
  EXPECT_FALSE(JsonMembers(*value->find("e")).next());

  JsonElements elements(*value->find("o")->find("x"));
  EXPECT_EQ(elements.next()->unsigned_integer(), 1U);
  EXPECT_EQ(elements.next()->string(), "],}");
  EXPECT_EQ(elements.next()->find("y")->unsigned_integer(), 2U);
  EXPECT_FALSE(elements.next());
}

TEST(JsonValue, ADoubledMemberIsNotFound) {
  const auto value = JsonValue::parse(R"({"a":1,"\u0061":2,"b":3})");
  ASSERT_TRUE(value);
  EXPECT_FALSE(value->find("a"));
  EXPECT_EQ(value->find("b")->unsigned_integer(), 3U);
}

TEST(JsonValue, WhatJsonOutWroteIsReadBack) {
  for (unsigned code_point = 0; code_point < 0x20; ++code_point) {
    const std::string text(1, static_cast<char>(code_point));
    std::string json;
    append_json_string(json, text);
    EXPECT_EQ(JsonValue::parse(json)->string(), text);
  }
}

// Random text near JSON, judged by us and by simdjson. They may differ only where json_in.h says so.
TEST(JsonIn, AgreesWithSimdjson) {
  const std::string_view pieces[] = {"{",  "}",   "[",    "]",        ",",    ":",       "\"a\"", "\"",   "\\",
                                     "1",  "-",   "0",    ".",        "e",    "9e307",   "true",  "null", " ",
                                     "\n", "\\u", "d800", "\xc3\xa9", "\xff", "{\"a\":", "[1,"};
  base::SeededEntropy entropy(3);
  simdjson::dom::parser parser;
  ASSERT_EQ(parser.allocate(4096, kJsonDepthMax + 1), simdjson::SUCCESS);
  int valid = 0;
  for (int round = 0; round < 300'000; ++round) {
    std::string text;
    for (std::uint32_t i = entropy.below(10) + 1; i > 0; --i) text += pieces[entropy.below(std::size(pieces))];
    const bool ours = check_json(text) == Error::none;
    const bool theirs = parser.parse(text).error() == simdjson::SUCCESS;
    ASSERT_EQ(ours, theirs) << text;
    valid += ours ? 1 : 0;
  }
  EXPECT_GT(valid, 1000);
}

}  // namespace
}  // namespace codec
