#include "door/centrifuge/json_in.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/json_in.h"

namespace door::centrifuge {
namespace {

// The requests of a frame, as far as it can be read: "connect", then the end of it.
struct Outcome {
  std::vector<Command> commands;
  Next end;
};

Outcome read_all(JsonReader& reader) {
  Outcome outcome;
  Command command;
  while ((outcome.end = reader.next(command)) == Next::command) outcome.commands.push_back(command);
  EXPECT_EQ(reader.next(command), outcome.end);  // it stays so
  return outcome;
}

bool malformed(std::string_view frame) {
  JsonReader reader(frame);
  return read_all(reader).end == Next::malformed;
}

// The payload of the publish in the frame; "malformed" if it has none.
std::string published(std::string_view frame) {
  JsonReader reader(frame);
  Command command;
  if (reader.next(command) != Next::command) return "malformed";
  const auto* publish = std::get_if<PublishRequest>(&command.request);
  return publish == nullptr ? "malformed" : std::string(publish->data.bytes);
}

TEST(CentrifugeJsonIn, Frames) {
  struct Row {
    std::string_view frame;
    std::size_t commands;
    Next end;
  };
  for (const Row& row : std::vector<Row>{
           {"{}", 1, Next::end},
           {"{}\n", 1, Next::end},
           {"{}\n{}", 2, Next::end},
           {"{}\n{}\n", 2, Next::end},
           {"{}\r\n{}\r\n", 2, Next::end},
           {" {} \n\t{}", 2, Next::end},
           {"{\n\"id\":\n1\n}\n{}", 2, Next::end},              // line ends between tokens do not end an object
           {"{\"ping\":{\"x\":\"}\\\"\"}}\n{}", 2, Next::end},  // nor do brackets and quotes inside strings
           {"", 0, Next::malformed},
           {"\n", 0, Next::malformed},
           {"{}\n\n", 1, Next::malformed},
           {"{}\n\n{}", 1, Next::malformed},
           {"{}{}", 0, Next::malformed},
           {"{} {}", 0, Next::malformed},
           {"{},{}", 0, Next::malformed},
           {"{}\n]\n{}", 1, Next::malformed},
           {"null", 0, Next::malformed},
           {"[]", 0, Next::malformed},
           {"[{}]", 0, Next::malformed},
           {"1", 0, Next::malformed},
           {"{\"id\":1", 0, Next::malformed},
           {"{\"id\":\"\n\"}", 0, Next::malformed},
           {"\xef\xbb\xbf{}", 0, Next::malformed},
       }) {
    JsonReader reader(row.frame);
    const Outcome outcome = read_all(reader);
    EXPECT_EQ(outcome.commands.size(), row.commands) << row.frame;
    EXPECT_EQ(outcome.end, row.end) << row.frame;
  }
}

TEST(CentrifugeJsonIn, CommandsStayValidWhileTheReaderLives) {
  std::string frame;
  for (int i = 0; i < 100; ++i) frame += "{\"subscribe\":{\"channel\":\"\\u0041" + std::to_string(i) + "\"}}\n";
  JsonReader reader(frame);
  const Outcome outcome = read_all(reader);
  ASSERT_EQ(outcome.commands.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(std::get<SubscribeRequest>(outcome.commands[static_cast<std::size_t>(i)].request).channel,
              "A" + std::to_string(i));
  }
}

TEST(CentrifugeJsonIn, PayloadsKeepTheirBytes) {
  for (const std::string_view payload : {R"({"a" : 1.10, "a":1e3})", R"("\u00e9\/")", "12345678901234567890123", "null",
                                         "[ ]", R"("")", "-0.0", "false"}) {
    EXPECT_EQ(published(R"({"publish":{"data":)" + std::string(payload) + "}}"), payload);
  }
  EXPECT_EQ(published("{\"publish\":{\"data\":  {\r\n\"a\":\n[1,\n2]\n}\n}}"), "{\"a\":[1,2]}");
  EXPECT_EQ(published(R"({"publish":{"data":"a\nb"}})"), R"("a\nb")");  // an escape is no line end
  EXPECT_EQ(published(R"({"publish":{}})"), "");
}

TEST(CentrifugeJsonIn, StringsAreUnescaped) {
  JsonReader reader(R"({"subscribe":{"channel":"a\"\\\u65b0\ud83d\ude00\n","token":"新"}})");
  const Outcome outcome = read_all(reader);
  ASSERT_EQ(outcome.commands.size(), 1U);
  const auto& request = std::get<SubscribeRequest>(outcome.commands[0].request);
  EXPECT_EQ(request.channel, "a\"\\新😀\n");
  EXPECT_EQ(request.token, "新");
  EXPECT_TRUE(malformed(R"({"subscribe":{"channel":"\ud800"}})"));
  EXPECT_TRUE(malformed("{\"subscribe\":{\"channel\":\"\xff\"}}"));
}

TEST(CentrifugeJsonIn, UnknownMembersAreIgnored) {
  JsonReader reader(R"({"x":[{"id":7}],"id":1,"Connect":{},"ping":{"a":1},"x":0,"method":5})");
  const Outcome outcome = read_all(reader);
  EXPECT_EQ(outcome.commands, (std::vector<Command>{{1, PingRequest{}}}));
}

TEST(CentrifugeJsonIn, NullIsNoMember) {
  JsonReader reader(
      R"({"id":null,"connect":null,"subscribe":{"channel":null,"offset":null,"tf":null,"recover":null},"rpc":null})");
  const Outcome outcome = read_all(reader);
  EXPECT_EQ(outcome.commands, (std::vector<Command>{{0, SubscribeRequest{}}}));
  JsonReader connect(R"({"connect":{"subs":{"a":null},"headers":{"b":null}}})");
  EXPECT_EQ(read_all(connect).commands,
            (std::vector<Command>{{0, ConnectRequest{.subs = {{"a", {}}}, .headers = {{"b", ""}}}}}));
}

TEST(CentrifugeJsonIn, OfSeveralRequestsTheLowestNumberCounts) {
  for (const std::string_view frame : {R"({"rpc":{},"publish":{"channel":"p"},"connect":null,"sub_refresh":{}})",
                                       R"({"publish":{"channel":"p"},"rpc":{},"connect":null})",
                                       R"({"rpc":{"method":"m"},"publish":{"channel":"p"}})"}) {
    JsonReader reader(frame);
    EXPECT_EQ(read_all(reader).commands, (std::vector<Command>{{0, PublishRequest{.channel = "p"}}})) << frame;
  }
  EXPECT_TRUE(malformed(R"({"publish":{},"rpc":{"method":1}})"));  // the others must be valid too
}

TEST(CentrifugeJsonIn, NothingIsDoubled) {
  EXPECT_TRUE(malformed(R"({"id":1,"id":1})"));
  EXPECT_TRUE(malformed(R"({"id":null,"id":1})"));
  EXPECT_TRUE(malformed(R"({"id":1,"\u0069d":1})"));
  EXPECT_TRUE(malformed(R"({"ping":{},"ping":{}})"));
  EXPECT_TRUE(malformed(R"({"publish":{"data":1,"data":1}})"));
  EXPECT_TRUE(malformed(R"({"connect":{"headers":{"a":"1","b":"","a":"2"}}})"));
  EXPECT_TRUE(malformed(R"({"connect":{"subs":{"a":{},"a":{}}}})"));
  EXPECT_FALSE(malformed(R"({"connect":{"headers":{"a":"1","A":"2"}}})"));
}

TEST(CentrifugeJsonIn, Types) {
  for (const std::string_view member : {R"("id":"1")",
                                        R"("id":-1)",
                                        R"("id":1.0)",
                                        R"("id":1e2)",
                                        R"("id":4294967296)",
                                        R"("id":true)",
                                        R"("id":[])",
                                        R"("connect":[])",
                                        R"("connect":"")",
                                        R"("connect":{"token":1})",
                                        R"("connect":{"subs":[]})",
                                        R"("connect":{"subs":{"a":1}})",
                                        R"("connect":{"headers":{"a":1}})",
                                        R"("connect":{"flag":9223372036854775808})",
                                        R"("subscribe":{"recover":1})",
                                        R"("subscribe":{"offset":-1})",
                                        R"("subscribe":{"offset":18446744073709551616})",
                                        R"("subscribe":{"offset":"1"})",
                                        R"("subscribe":{"limit":2147483648})",
                                        R"("subscribe":{"limit":-2147483649})",
                                        R"("subscribe":{"tf":[]})",
                                        R"("subscribe":{"tf":{"vals":"a"}})",
                                        R"("subscribe":{"tf":{"vals":[1]}})",
                                        R"("subscribe":{"tf":{"vals":[null]}})",
                                        R"("subscribe":{"tf":{"nodes":[null]}})",
                                        R"("sub_refresh":{"track":{}})",
                                        R"("sub_refresh":{"untrack":[{}]})",
                                        R"("history":{"since":"1"})"}) {
    EXPECT_TRUE(malformed("{" + std::string(member) + "}")) << member;
  }
  JsonReader reader(
      R"({"id":4294967295,"subscribe":{"offset":18446744073709551615,"flag":-9223372036854775808,"limit":-2147483648}})");
  EXPECT_EQ(read_all(reader).commands,
            (std::vector<Command>{{4294967295, SubscribeRequest{.offset = 18446744073709551615U,
                                                                .flag = std::numeric_limits<std::int64_t>::min(),
                                                                .limit = std::numeric_limits<std::int32_t>::min()}}}));
}

std::string nested(std::string_view open, std::string_view inner, std::string_view close, int times) {
  std::string text(inner);
  for (int i = 0; i < times; ++i) text = std::string(open) + text + std::string(close);
  return text;
}

TEST(CentrifugeJsonIn, DepthOfPayloads) {
  for (const auto& [front, back] : {std::pair{R"({"publish":{"data":)", "}}"}, std::pair{R"({"send":{"data":)", "}}"},
                                    std::pair{R"({"connect":{"subs":{"a":{"data":)", "}}}}"}}) {
    const auto frame = [&](int depth) { return front + nested("[", "", "]", depth) + back; };
    EXPECT_FALSE(malformed(frame(codec::kJsonDepthMax))) << front;
    EXPECT_TRUE(malformed(frame(codec::kJsonDepthMax + 1))) << front;
    EXPECT_TRUE(malformed(frame(1000))) << front;
  }
}

TEST(CentrifugeJsonIn, DepthOfFilters) {
  const auto frame = [](int depth) {
    return R"({"connect":{"subs":{"a":{"tf":)" + nested(R"({"nodes":[)", "{}", "]}", depth - 1) + "}}}}";
  };
  EXPECT_FALSE(malformed(frame(kFilterDepthMax)));
  EXPECT_TRUE(malformed(frame(kFilterDepthMax + 1)));
}

TEST(CentrifugeJsonIn, CountOfElements) {
  const auto frame = [](std::uint32_t count) {
    std::string text = R"({"sub_refresh":{"untrack":[)";
    for (std::uint32_t i = 0; i < count; ++i) text += i == 0 ? "\"\"" : ",\"\"";
    return text + "]}}\n";
  };
  EXPECT_FALSE(malformed(frame(kElementsPerCommandMax)));
  EXPECT_FALSE(malformed(frame(kElementsPerCommandMax) + frame(kElementsPerCommandMax)));  // each command has its own
  EXPECT_TRUE(malformed(frame(kElementsPerCommandMax + 1)));
}

TEST(CentrifugeJsonIn, MapsAreSorted) {
  JsonReader reader(R"({"connect":{"headers":{"c":"3","\u0061":"1","b":"2"}}})");
  EXPECT_EQ(read_all(reader).commands,
            (std::vector<Command>{{0, ConnectRequest{.headers = {{"a", "1"}, {"b", "2"}, {"c", "3"}}}}}));
}

TEST(CentrifugeJsonIn, NoCutFrameOfOneCommandIsRead) {
  const std::string frame =
      R"({"id":1,"connect":{"token":"t","data":{"a":[1,"\u0041"]},"subs":{"a":{"tf":{"vals":["x"]}}},"flag":1}})";
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_TRUE(malformed(std::string_view(frame).substr(0, size))) << size;
  }
  EXPECT_FALSE(malformed(frame));
}

}  // namespace
}  // namespace door::centrifuge
