#include "hub/message.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hub/limits.h"

namespace hub {
namespace {

Tags tags_of(std::vector<Tag> tags) { return Tags::make(std::move(tags)).value(); }

TEST(Message, HasNoExtrasUnlessGivenSome) {
  EXPECT_EQ(Message(Kind::text, "abc", {}).extras(), nullptr);
  const auto made = Message::make(Kind::text, "abc", {}, {});
  EXPECT_EQ(made->extras(), nullptr);
  EXPECT_EQ(made->charged_bytes(), Message(Kind::text, "abc", {}).charged_bytes());
  EXPECT_EQ(made->charged_bytes(), sizeof(Message) + 3 + 32);
}

// Each part alone makes a message with extras, keeps its payload, and is charged.
TEST(Message, CarriesEveryPart) {
  const auto check = [](Extras extras, auto equal) {
    const std::size_t charge = extras.charged_bytes();
    const auto made = Message::make(Kind::json, "[1]", {}, std::move(extras));
    made->number(7, {5}, {});
    EXPECT_EQ(made->payload(), "[1]");
    EXPECT_EQ(made->kind(), Kind::json);
    EXPECT_EQ(made->offset(), 7U);
    ASSERT_NE(made->extras(), nullptr);
    EXPECT_TRUE(equal(*made->extras()));
    const std::size_t plain = Message(Kind::json, "[1]", {}).charged_bytes();
    EXPECT_GE(made->charged_bytes(), plain + charge);
    EXPECT_LT(made->charged_bytes(), plain + charge + 16);
  };
  const std::string text(100, 'x');
  check({.tags = tags_of({{"k", text}})}, [&](const Extras& got) { return *got.tags.find("k") == text; });
  check({.publisher = {.user = base::SharedBytes::copy(text)}},
        [&](const Extras& got) { return got.publisher.user.view() == text; });
  check({.publisher = {.client = base::SharedBytes::copy("c")}},
        [&](const Extras& got) { return got.publisher.client.view() == "c"; });
  check({.publisher = {.conn_info = base::SharedBytes::copy("{}")}},
        [&](const Extras& got) { return got.publisher.conn_info.view() == "{}"; });
  check({.publisher = {.chan_info = base::SharedBytes::copy("1")}},
        [&](const Extras& got) { return got.publisher.chan_info.view() == "1"; });
  check({.event = text}, [&](const Extras& got) { return got.event == text; });
  check({.key = text}, [&](const Extras& got) { return got.key == text; });
  check({.version = 1}, [&](const Extras& got) { return got.version == 1; });
}

TEST(Message, TakesTheLargestExtras) {
  std::vector<Tag> tags;
  for (std::size_t i = 0; i < kTagsMax; ++i) {
    std::string key(kTagKeyBytesMax, 'k');
    key[0] = static_cast<char>('a' + i);
    tags.push_back({key, std::string(kTagValueBytesMax, 'v')});
  }
  Extras extras{.tags = tags_of(std::move(tags)),
                .publisher = {.conn_info = base::SharedBytes::copy(std::string(kClientIdentityBytesMax, 'i'))},
                .event = std::string(kEventBytesMax, 'e'),
                .key = std::string(kMessageKeyBytesMax, 'k'),
                .version = UINT64_MAX};
  const auto made = Message::make(Kind::text, "", {}, std::move(extras));
  EXPECT_GT(made->charged_bytes(), 80 * 1024U);
  EXPECT_EQ(made->extras()->tags.all().size(), kTagsMax);
}

// Shared as all workers share it; leak and size checkers see whether the whole of it is freed.
TEST(Message, IsFreedAsAWhole) {
  const base::SharedBytes user = base::SharedBytes::copy("somebody");
  MessageRef kept;
  {
    Extras extras{.tags = tags_of({{"k", std::string(500, 'v')}}), .publisher = {.user = user}};
    MessageRef shared = Message::make(Kind::text, "payload", {}, std::move(extras));
    kept = shared;
  }
  EXPECT_EQ(kept->extras()->publisher.user.view().data(), user.view().data());  // shared, not copied
  EXPECT_EQ(*kept->extras()->tags.find("k"), std::string(500, 'v'));
  kept.reset();
  MessageRef(Message::make(Kind::text, "payload", {}, {})).reset();
}

}  // namespace
}  // namespace hub
