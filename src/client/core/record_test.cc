#include "client/core/record.h"

#include <gtest/gtest.h>

namespace client {
namespace {

template <class Content>
Content read(std::string_view json, std::string_view channel = "news") {
  auto record = read_record(json);
  EXPECT_TRUE(record.has_value()) << json;
  if (!record) return {};
  EXPECT_EQ(record->channel, channel);
  EXPECT_TRUE(std::holds_alternative<Content>(record->content)) << json;
  if (!std::holds_alternative<Content>(record->content)) return {};
  return std::get<Content>(record->content);
}

TEST(Record, TheExamplesOfTheProtocol) {
  auto json = read<MessageRecord>(
      R"({"channel":"news","offset":17,"epoch":"k3j9x0ab","time":1763640000123,"data":{"any":"json", "n":1.50e3}})");
  EXPECT_EQ(json.position, (Position{"k3j9x0ab", 17}));
  EXPECT_EQ(json.time.ms, 1763640000123);
  EXPECT_EQ(json.kind, Kind::json);
  EXPECT_EQ(json.payload, R"({"any":"json", "n":1.50e3})");

  auto text = read<MessageRecord>(
      R"({"channel":"news","offset":18,"epoch":"k3j9x0ab","time":1763640000125,"text":"h\u00e9llo\n"})");
  EXPECT_EQ(text.kind, Kind::text);
  EXPECT_EQ(text.payload, "h\xc3\xa9llo\n");

  auto binary =
      read<MessageRecord>(R"({"channel":"news","offset":19,"epoch":"k3j9x0ab","time":1763640000126,"base64":"AAEC"})");
  EXPECT_EQ(binary.kind, Kind::binary);
  EXPECT_EQ(binary.payload, std::string("\0\1\2", 3));

  EXPECT_EQ(read<PositionRecord>(R"({"channel":"news","position":"k3j9x0ab:16"})").position,
            (Position{"k3j9x0ab", 16}));

  auto gap =
      read<GapRecord>(R"({"channel":"news","gap":{"from":17,"to":90,"reason":"expired"},"position":"k3j9x0ab:90"})");
  EXPECT_EQ(gap.from, 17u);
  EXPECT_EQ(gap.to, 90u);
  EXPECT_EQ(gap.reason, "expired");
  EXPECT_EQ(gap.position, (Position{"k3j9x0ab", 90}));

  auto error = read<ErrorRecord>(R"({"channel":"news","error":{"code":"E_FORBIDDEN","message":"no"}})");
  EXPECT_EQ(error.code, "E_FORBIDDEN");
  EXPECT_EQ(error.message, "no");
}

TEST(Record, APayloadImitatesNothing) {
  auto message = read<MessageRecord>(
      R"({"data":{"gap":{"from":1,"to":2,"reason":"x"},"channel":"other"},"channel":"news","offset":1,)"
      R"("epoch":"k3j9x0ab","time":1})");
  EXPECT_EQ(message.payload, R"({"gap":{"from":1,"to":2,"reason":"x"},"channel":"other"})");
}

TEST(Record, APayloadMayBeAsDeepAsTheServerAllows) {
  std::string deep = std::string(32, '[') + std::string(32, ']');
  auto message =
      read<MessageRecord>(R"({"channel":"news","offset":1,"epoch":"k3j9x0ab","time":1,"data":)" + deep + "}");
  EXPECT_EQ(message.payload, deep);
}

TEST(Record, WhatALaterVersionSaysIsPassedOver) {
  read<UnknownRecord>(R"({"channel":"news","weather":"fine"})");
  read<UnknownRecord>(R"({"server":"going"})", "");
  EXPECT_EQ(read<PositionRecord>(R"({"channel":"news","position":"k3j9x0ab:16","more":[1]})").position.offset, 16u);
}

TEST(Record, RefusesWhatIsNone) {
  for (std::string_view json : {
           "",
           "x",
           "1",
           "[]",
           R"("a")",
           R"({"channel":"news","position":"k3j9x0ab:16"} x)",
           R"({"channel":1,"position":"k3j9x0ab:16"})",
           R"({"channel":"news","channel":"news","position":"k3j9x0ab:16"})",
           R"({"position":"k3j9x0ab:16"})",
           R"({"channel":"news","position":"k3j9x0ab"})",
           R"({"channel":"news","position":16})",
           R"({"channel":"news","offset":17,"time":1,"text":"a"})",
           R"({"channel":"news","offset":17,"epoch":"k3j9x0ab","text":"a"})",
           R"({"channel":"news","epoch":"k3j9x0ab","time":1,"text":"a"})",
           R"({"channel":"news","offset":0,"epoch":"k3j9x0ab","time":1,"text":"a"})",
           R"({"channel":"news","offset":-1,"epoch":"k3j9x0ab","time":1,"text":"a"})",
           R"({"channel":"news","offset":1.5,"epoch":"k3j9x0ab","time":1,"text":"a"})",
           R"({"channel":"news","offset":1,"epoch":"k3j9","time":1,"text":"a"})",
           R"({"channel":"news","offset":1,"epoch":"k3j9x0ab","time":"1","text":"a"})",
           R"({"channel":"news","offset":1,"epoch":"k3j9x0ab","time":1,"text":1})",
           R"({"channel":"news","offset":1,"epoch":"k3j9x0ab","time":1,"base64":"A"})",
           R"({"channel":"news","offset":1,"epoch":"k3j9x0ab","time":1,"text":"a","data":1})",
           R"({"channel":"news","gap":{"from":17,"to":90,"reason":"expired"}})",
           R"({"channel":"news","gap":{"from":17,"reason":"expired"},"position":"k3j9x0ab:90"})",
           R"({"channel":"news","gap":17,"position":"k3j9x0ab:90"})",
           R"({"channel":"news","error":"E_FORBIDDEN"})",
       }) {
    EXPECT_FALSE(read_record(json).has_value()) << json;
  }
}

TEST(Record, WritesWhatItReads) {
  for (std::string_view json : {
           R"({"channel":"a\"b","offset":17,"epoch":"k3j9x0ab","time":1763640000123,"data":{"any": "json"}})",
           R"({"channel":"a\"b","offset":18,"epoch":"k3j9x0ab","time":1763640000125,"text":"he\\llo"})",
           R"({"channel":"a\"b","offset":19,"epoch":"k3j9x0ab","time":-5,"base64":"AAEC"})",
           R"({"channel":"a\"b","position":"k3j9x0ab:16"})",
           R"({"channel":"a\"b","gap":{"from":17,"to":90,"reason":"expired"},"position":"k3j9x0ab:90"})",
           R"({"channel":"a\"b","error":{"code":"E_FORBIDDEN","message":"no"}})",
       }) {
    auto record = read_record(json);
    ASSERT_TRUE(record.has_value()) << json;
    std::string out;
    std::visit(
        [&](const auto& content) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(content)>, UnknownRecord>) {
            append_json(out, record->channel, content);
          }
        },
        record->content);
    EXPECT_EQ(out, json);
  }
}

}  // namespace
}  // namespace client
