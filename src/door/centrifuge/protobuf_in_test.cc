#include "door/centrifuge/protobuf_in.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "door/centrifuge/protobuf_out.h"
#include "door/centrifuge/protobuf_wire.h"

namespace door::centrifuge {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>(value | 0x80);
  return text + static_cast<char>(value);
}

std::string prefixed(const std::string& text) { return varint(text.size()) + text; }
std::string field(unsigned number, const std::string& value) { return varint(number << 3 | 2) + prefixed(value); }
std::string field(unsigned number, std::uint64_t value) { return varint(number << 3) + varint(value); }

struct Outcome {
  std::vector<Command> commands;
  Next end;
};

Outcome read_all(std::string_view frame) {
  ProtobufReader reader(frame);
  Outcome outcome;
  Command command;
  while ((outcome.end = reader.next(command)) == Next::command) outcome.commands.push_back(command);
  EXPECT_EQ(reader.next(command), outcome.end);  // it stays so
  return outcome;
}

// The one command that these fields make; nullopt if they are malformed.
std::optional<Command> read(const std::string& message) {
  static std::string frame;  // views of the answer point into it
  frame = prefixed(message);
  const Outcome outcome = read_all(frame);
  if (outcome.end == Next::malformed) return std::nullopt;
  EXPECT_EQ(outcome.commands.size(), 1U);
  return outcome.commands.at(0);
}

TEST(CentrifugeProtobufIn, Frames) {
  struct Row {
    std::string frame;
    std::size_t commands;
    Next end;
  };
  for (const Row& row : std::vector<Row>{
           {bytes({0}), 1, Next::end},
           {bytes({0, 0}), 2, Next::end},
           {bytes({2, 8, 1, 0}), 2, Next::end},
           {bytes({0x80, 0}), 1, Next::end},  // a length that could be shorter
           {"", 0, Next::malformed},
           {bytes({1}), 0, Next::malformed},
           {bytes({0, 3, 8, 1}), 1, Next::malformed},
           {bytes({0x80}), 0, Next::malformed},
           {bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}), 0, Next::malformed},
           {bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}), 0, Next::malformed},
           {bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), 0, Next::malformed},
       }) {
    const Outcome outcome = read_all(row.frame);
    EXPECT_EQ(outcome.commands.size(), row.commands) << testing::PrintToString(row.frame);
    EXPECT_EQ(outcome.end, row.end) << testing::PrintToString(row.frame);
  }
}

TEST(CentrifugeProtobufIn, UnknownFieldsAreSkipped) {
  const Command expected{1, PingRequest{}};
  const std::string known = field(1, 1) + field(11, "");
  for (const std::string& unknown : {field(2, 300), field(3, "abc"), field(100'000, "x"), field(536'870'911, 1),
                                     bytes({0x81, 1, 1, 2, 3, 4, 5, 6, 7, 8}), bytes({3 << 3 | 5, 1, 2, 3, 4})}) {
    EXPECT_EQ(read(unknown + known), expected) << testing::PrintToString(unknown);
    EXPECT_EQ(read(known + unknown), expected) << testing::PrintToString(unknown);
    EXPECT_EQ(read(field(1, 1) + field(11, unknown)), expected) << testing::PrintToString(unknown);
    EXPECT_EQ(read(known + unknown.substr(0, unknown.size() - 1)), std::nullopt) << testing::PrintToString(unknown);
  }
}

TEST(CentrifugeProtobufIn, WhatIsNoField) {
  for (const std::string& wrong : {bytes({0}), bytes({0, 0}), bytes({2, 0}),           // number 0
                                   bytes({0x13}), bytes({0x13, 0x14}), bytes({0x14}),  // groups
                                   bytes({0x16, 0}), bytes({0x17, 0}),                 // wire types 6 and 7
                                   varint(std::uint64_t{536'870'912} << 3) + bytes({0}), bytes({0x80})}) {
    EXPECT_EQ(read(wrong), std::nullopt) << testing::PrintToString(wrong);
  }
}

TEST(CentrifugeProtobufIn, WireTypesOfKnownFields) {
  const std::string fixed32 = bytes({1, 2, 3, 4});
  const std::string fixed64 = fixed32 + fixed32;
  for (const std::string& wrong :
       {field(1, "1"), varint(1 << 3 | 5) + fixed32, varint(1 << 3 | 1) + fixed64, field(4, 0),
        varint(4 << 3 | 1) + fixed64, field(4, field(1, 5)), field(4, field(2, 5)), field(4, field(3, 5)),
        field(4, field(3, field(1, 5))), field(4, field(7, "x")), field(5, field(3, "")), field(5, field(7, "1")),
        field(5, field(13, 1)), field(5, field(13, field(5, 1))), field(5, field(15, "1")), field(15, field(4, 1))}) {
    EXPECT_EQ(read(wrong), std::nullopt) << testing::PrintToString(wrong);
  }
}

TEST(CentrifugeProtobufIn, Numbers) {
  const auto subscribe = [](const SubscribeRequest& request) { return Command{0, request}; };
  EXPECT_EQ(read(field(1, 4294967295)), (Command{4294967295, {}}));
  EXPECT_EQ(read(field(1, 4294967296)), std::nullopt);
  EXPECT_EQ(read(field(5, field(7, std::numeric_limits<std::uint64_t>::max()))),
            subscribe({.offset = std::numeric_limits<std::uint64_t>::max()}));
  EXPECT_EQ(read(field(5, field(14, std::uint64_t{1} << 63))),
            subscribe({.flag = std::numeric_limits<std::int64_t>::min()}));
  EXPECT_EQ(read(field(5, field(18, ~std::uint64_t{0}))), subscribe({.limit = -1}));
  EXPECT_EQ(read(field(5, field(18, 2147483647))), subscribe({.limit = 2147483647}));
  EXPECT_EQ(read(field(5, field(18, 2147483648))), std::nullopt);
  EXPECT_EQ(read(field(5, field(18, 0xffffffff7fffffff))), std::nullopt);  // one below int32
  EXPECT_EQ(read(field(5, field(3, 2))), subscribe({.recover = true}));
  EXPECT_EQ(read(field(5, field(3, 0))), subscribe({}));
}

TEST(CentrifugeProtobufIn, StringsAreUtf8AndBytesAreNot) {
  EXPECT_EQ(read(field(5, field(1, "\xff"))), std::nullopt);
  EXPECT_EQ(read(field(4, field(6, field(1, "\xff")))), std::nullopt);
  EXPECT_EQ(read(field(15, field(5, "\xc3"))), std::nullopt);
  EXPECT_EQ(read(field(12, field(1, "\xff\x0a"))), (Command{0, SendRequest{{"\xff\x0a", hub::Kind::binary}}}));
  EXPECT_EQ(read(field(12, field(1, ""))), (Command{0, SendRequest{}}));
}

TEST(CentrifugeProtobufIn, DoubledFields) {
  EXPECT_EQ(read(field(1, 1) + field(1, 2)), (Command{2, {}}));
  // Messages are merged, lists go on, of a map's key the last counts.
  EXPECT_EQ(read(field(5, field(1, "a") + field(7, 1)) + field(5, field(7, 2) + field(2, "t"))),
            (Command{0, SubscribeRequest{.channel = "a", .token = "t", .offset = 2}}));
  EXPECT_EQ(read(field(5, field(13, field(1, "and"))) + field(5, field(13, field(5, "x")))),
            (Command{0, SubscribeRequest{.tf = FilterNode{.op = "and", .vals = {"x"}}}}));
  const auto header = [](const std::string& key, const std::string& value) {
    return field(6, field(1, key) + field(2, value));
  };
  EXPECT_EQ(read(field(4, header("b", "1") + header("a", "2") + header("b", "3") + header("a", "4"))),
            (Command{0, ConnectRequest{.headers = {{"a", "4"}, {"b", "3"}}}}));
  EXPECT_EQ(read(field(4, header("a", "1")) + field(4, header("a", "2"))),
            (Command{0, ConnectRequest{.headers = {{"a", "2"}}}}));
}

TEST(CentrifugeProtobufIn, EntriesOfMapsMayLackTheirHalves) {
  EXPECT_EQ(read(field(4, field(6, ""))), (Command{0, ConnectRequest{.headers = {{"", ""}}}}));
  EXPECT_EQ(read(field(4, field(6, field(2, "v")))), (Command{0, ConnectRequest{.headers = {{"", "v"}}}}));
  EXPECT_EQ(read(field(4, field(6, field(2, "v") + field(3, "?") + field(1, "k")))),
            (Command{0, ConnectRequest{.headers = {{"k", "v"}}}}));
  EXPECT_EQ(read(field(4, field(3, field(1, "k")))), (Command{0, ConnectRequest{.subs = {{"k", {}}}}}));
}

TEST(CentrifugeProtobufIn, OfSeveralRequestsTheLowestNumberCounts) {
  const Command expected{0, PublishRequest{.channel = "p"}};
  const std::string publish = field(7, field(1, "p"));
  const std::string rpc = field(13, field(2, "m"));
  EXPECT_EQ(read(publish + rpc), expected);
  EXPECT_EQ(read(rpc + publish), expected);
  EXPECT_EQ(read(rpc + publish + rpc), expected);
  EXPECT_EQ(read(publish + field(13, field(2, 1))), std::nullopt);  // the others must be valid too
}

TEST(CentrifugeProtobufIn, DepthOfFilters) {
  const auto filter = [](int depth) {
    std::string node;
    for (int i = 1; i < depth; ++i) node = field(6, node);
    return field(5, field(13, node));
  };
  EXPECT_TRUE(read(filter(kFilterDepthMax)));
  EXPECT_EQ(read(filter(kFilterDepthMax + 1)), std::nullopt);
  EXPECT_EQ(read(filter(1000)), std::nullopt);
}

TEST(CentrifugeProtobufIn, CountOfElements) {
  const auto repeat = [](const std::string& text, std::uint32_t count) {
    std::string all;
    for (std::uint32_t i = 0; i < count; ++i) all += text;
    return all;
  };
  for (const auto& [request, element] : {std::pair{15U, field(5, "")}, std::pair{15U, field(4, "")},
                                         std::pair{4U, field(3, "")}, std::pair{4U, field(6, "")}}) {
    EXPECT_TRUE(read(field(request, repeat(element, kElementsPerCommandMax))));
    EXPECT_EQ(read(field(request, repeat(element, kElementsPerCommandMax + 1))), std::nullopt);
  }
  EXPECT_EQ(read(field(5, field(13, repeat(field(6, ""), kElementsPerCommandMax + 1)))), std::nullopt);
}

TEST(CentrifugeProtobufIn, NoCutCommandIsRead) {
  std::string frame;
  append_protobuf(frame, Command{1, ConnectRequest{.token = "t",
                                                   .data = {"{}"},
                                                   .subs = {{"a", {.offset = 1000, .tf = FilterNode{.vals = {"x"}}}}},
                                                   .flag = -1}});
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(read_all(std::string_view(frame).substr(0, size)).end, Next::malformed) << size;
  }
  EXPECT_EQ(read_all(frame).end, Next::end);
}

TEST(CentrifugeProtobufWire, Zigzag) {
  EXPECT_EQ(to_zigzag(0), 0U);
  EXPECT_EQ(to_zigzag(-1), 1U);
  EXPECT_EQ(to_zigzag(1), 2U);
  EXPECT_EQ(to_zigzag(std::numeric_limits<std::int64_t>::min()), std::numeric_limits<std::uint64_t>::max());
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{77}, std::int64_t{-1} << 40,
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(from_zigzag(to_zigzag(value)), value);
  }
}

TEST(CentrifugeProtobufWire, VarintSize) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    const std::uint64_t value = std::uint64_t{1} << bits;
    EXPECT_EQ(varint_size(value), varint(value).size());
    EXPECT_EQ(varint_size(value - 1), varint(value - 1).size());
  }
}

}  // namespace
}  // namespace door::centrifuge
