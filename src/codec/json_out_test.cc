#include "codec/json_out.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "codec/json_run.h"

namespace codec {
namespace {

std::string as_json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonOut, EscapesOnlyWhatItMust) {
  EXPECT_EQ(as_json(""), "\"\"");
  EXPECT_EQ(as_json("plain / text"), "\"plain / text\"");
  EXPECT_EQ(as_json("\"\\"), R"("\"\\")");
  EXPECT_EQ(as_json("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(as_json(std::string("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(as_json("a\nb"), R"("a\nb")");
  EXPECT_EQ(as_json("新闻 \xE2\x80\xA8 😀"), "\"新闻 \xE2\x80\xA8 😀\"");
}

TEST(JsonRun, TheWideWayIsTheScalarWay) {
  for (std::size_t length = 0; length <= 40; ++length) {
    for (std::size_t at = 0; at <= length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(length, 'x');
        if (at < length) text[at] = static_cast<char>(byte);
        if (at + 2 < length) text[at + 2] = '\xff';
        ASSERT_EQ(json_run(text), json_run_scalar(text)) << length << " " << at << " " << byte;
      }
    }
  }
}

TEST(JsonOut, NumbersAreExact) {
  std::string out;
  append_json_number(out, std::numeric_limits<std::uint64_t>::max());
  out += ' ';
  append_json_number(out, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(out, "18446744073709551615 -9223372036854775808");
}

TEST(JsonWriter, SetsCommas) {
  std::string out = "before ";
  JsonWriter json(out);
  json.begin_object().key("a").number(1).key("b").begin_array().end_array();
  json.key("c").begin_array().string("{").string("[").string(":").begin_object().end_object().raw("1.50").end_array();
  json.key("d").boolean(JsonWriter::Truth::yes).key("e").number(-2).end_object();
  EXPECT_EQ(out, R"(before {"a":1,"b":[],"c":["{","[",":",{},1.50],"d":true,"e":-2})");
}

}  // namespace
}  // namespace codec
