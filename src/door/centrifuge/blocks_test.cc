#include "door/centrifuge/blocks.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace door::centrifuge {
namespace {

constexpr Way kSocket{};
constexpr Way kStream{{.transport = Carrier::Transport::stream}};
constexpr Way kSse{{.transport = Carrier::Transport::sse}};
constexpr Way kUniSse{{.transport = Carrier::Transport::sse, .unidirectional = true}};
constexpr Way kProtobufSocket{{.format = Carrier::Format::protobuf}};
constexpr Way kNumbered{{}, true};

const std::string kFiller(200, 'x');
enum class Delta : std::uint8_t { no, yes };

hub::MessageRef message(hub::Offset offset, const std::string& word, Delta delta = Delta::no) {
  auto made = hub::Message::make(hub::Kind::json, "\"" + word + kFiller + "\"", base::Instant{}, {});
  if (delta == Delta::yes) made->set(hub::Mark::delta);
  made->number(offset, {}, {});
  return made;
}

struct Fixture {
  explicit Fixture(std::vector<hub::MessageRef> all) : messages(std::move(all)) { batch.messages = messages; }
  std::vector<hub::MessageRef> messages;
  hub::Batch batch{"c", hub::parse_position("abcdefgh:1")->epoch, hub::Batch::Source::live, {}, {}, {}};
  Blocks blocks{batch, true, 7};
};

bool same(const base::SharedBytes& a, const base::SharedBytes& b) { return a.view().data() == b.view().data(); }

std::size_t count(std::string_view bytes, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = bytes.find(part); at != std::string_view::npos; at = bytes.find(part, at + 1)) ++found;
  return found;
}

TEST(Blocks, OneForAllOfACarrier) {
  Fixture f({message(1, "a"), message(2, "b")});
  const base::SharedBytes whole = f.blocks.whole(kSocket);
  EXPECT_TRUE(same(whole, f.blocks.whole(kSocket)));
  EXPECT_FALSE(same(whole, f.blocks.whole(kProtobufSocket)));
  EXPECT_EQ(f.blocks.encodings(), 2U);
  EXPECT_EQ(count(whole.view(), "\n"), 1U) << "both in one frame";

  const base::SharedBytes stream = f.blocks.whole(kStream), sse = f.blocks.whole(kSse), uni = f.blocks.whole(kUniSse);
  EXPECT_EQ(count(stream.view(), "\n"), 2U);
  EXPECT_EQ(count(sse.view(), "data: {\"push\":"), 2U);
  EXPECT_EQ(count(uni.view(), "data: {\"channel\":\"c\""), 2U) << "bare pushes";
  for (const Way& way : {kStream, kSse, kUniSse}) f.blocks.whole(way);
  EXPECT_EQ(f.blocks.encodings(), 5U);
}

TEST(Blocks, WhoHadTheSameMessageSharesTheDeltas) {
  const hub::MessageRef before = message(1, "before"), older = message(9, "older");
  Fixture f({message(10, "a", Delta::yes), message(11, "b", Delta::yes)});
  const base::SharedBytes both = f.blocks.deltas(kSocket, before);
  EXPECT_EQ(count(both.view(), "\"delta\":true"), 2U);
  EXPECT_TRUE(same(both, f.blocks.deltas(kSocket, before)));
  EXPECT_EQ(f.blocks.encodings(), 1U);

  const base::SharedBytes other = f.blocks.deltas(kSocket, older), first = f.blocks.deltas(kSocket, nullptr);
  EXPECT_FALSE(same(both, other));
  EXPECT_EQ(count(first.view(), "\"delta\":true"), 1U) << "the first is whole, the second a delta to it";
  EXPECT_TRUE(same(first, f.blocks.deltas(kSocket, nullptr)));
  EXPECT_FALSE(same(both, f.blocks.deltas(kSse, before)));
  EXPECT_EQ(f.blocks.encodings(), 4U);
}

TEST(Blocks, DeltasPassOverWhatIsLeftOut) {
  const hub::MessageRef before = message(1, "before");
  Fixture f({message(10, "a", Delta::yes), message(11, "b", Delta::yes), message(12, "c", Delta::yes)});
  const std::vector<std::uint32_t> all{0, 1, 2}, last{2}, first{0};
  EXPECT_TRUE(f.blocks.deltas(kSocket, before, {}).empty());
  EXPECT_TRUE(same(f.blocks.deltas(kSocket, before, all), f.blocks.deltas(kSocket, before)));

  Fixture alone({f.messages[2]});
  EXPECT_EQ(f.blocks.deltas(kSocket, before, last).view(), alone.blocks.deltas(kSocket, before).view())
      << "to what the client had, not to what it did not get";
  EXPECT_NE(f.blocks.deltas(kSocket, before, last).view(), f.blocks.deltas(kSocket, f.messages[1], last).view());
  EXPECT_EQ(count(f.blocks.deltas(kSocket, nullptr, first).view(), "\"delta\":true"), 0U);
}

TEST(Blocks, WhatGoesWholeDoesNotDependOnWhatWasBefore) {
  Fixture f({message(10, "a"), message(11, "b", Delta::yes)});
  const base::SharedBytes one = f.blocks.deltas(kSocket, message(1, "x"));
  EXPECT_TRUE(same(one, f.blocks.deltas(kSocket, message(2, "y"))));
  EXPECT_TRUE(same(one, f.blocks.deltas(kSocket, nullptr)));
  EXPECT_EQ(count(one.view(), "\"delta\":true"), 1U);
}

TEST(Blocks, ManyDifferentBasesAreServedAndNotKept) {
  Fixture f({message(100, "a", Delta::yes)});
  std::vector<hub::MessageRef> bases;
  for (hub::Offset i = 1; i <= 20; ++i) bases.push_back(message(i, std::to_string(i)));
  const long free = bases[0].use_count();
  for (const hub::MessageRef& base : bases) {
    EXPECT_EQ(count(f.blocks.deltas(kSocket, base).view(), "\"delta\":true"), 1U);
  }
  std::size_t held = 0;
  for (const hub::MessageRef& base : bases) held += base.use_count() > free ? 1U : 0U;
  EXPECT_EQ(held, 8U);
  EXPECT_TRUE(same(f.blocks.deltas(kSocket, bases[7]), f.blocks.deltas(kSocket, bases[7])));
}

TEST(Blocks, AFilterTakesFromWhatIsShared) {
  Fixture f({message(1, "a"), message(2, "b"), message(3, "c")});
  const std::vector<std::uint32_t> all{0, 1, 2}, second{1}, two{0, 1};
  EXPECT_TRUE(f.blocks.some(kSocket, {}).empty());
  EXPECT_TRUE(same(f.blocks.some(kSocket, all), f.blocks.whole(kSocket)));
  EXPECT_EQ(f.blocks.encodings(), 1U);
  const base::SharedBytes one = f.blocks.some(kSocket, second);
  EXPECT_TRUE(same(one, f.blocks.some(kSocket, second)));
  EXPECT_EQ(f.blocks.encodings(), 2U);
  const base::SharedBytes pair = f.blocks.some(kSocket, two);
  EXPECT_EQ(f.blocks.encodings(), 3U) << "only the first was new";
  EXPECT_EQ(pair.size(), f.blocks.some(kSocket, std::vector<std::uint32_t>{0}).size() + one.size());
  EXPECT_TRUE(pair.view().ends_with(one.view()));
}

TEST(Blocks, ByNumberOrByName) {
  Fixture f({message(1, "a", Delta::yes), message(2, "b", Delta::yes)});
  const base::SharedBytes whole = f.blocks.whole(kNumbered), deltas = f.blocks.deltas(kNumbered, nullptr);
  for (const base::SharedBytes& bytes : {whole, deltas, f.blocks.some(kNumbered, std::vector<std::uint32_t>{0, 1})}) {
    EXPECT_EQ(count(bytes.view(), "{\"push\":{\"id\":7,\"pub\":{"), 2U);
    EXPECT_EQ(count(bytes.view(), "channel"), 0U);
  }
  EXPECT_TRUE(same(whole, f.blocks.whole(kNumbered)));
  EXPECT_EQ(count(f.blocks.whole(kSocket).view(), "{\"push\":{\"channel\":\"c\",\"pub\":{"), 2U);
  EXPECT_EQ(count(f.blocks.deltas(kSocket, nullptr).view(), "{\"push\":{\"channel\":\"c\",\"pub\":{"), 2U);
  EXPECT_EQ(f.blocks.encodings(), 4U);
}

}  // namespace
}  // namespace door::centrifuge
