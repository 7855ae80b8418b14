#include "app/import/draft.h"

#include <gtest/gtest.h>

namespace app::import {
namespace {

using namespace std::chrono_literals;

TEST(GoDuration, AsGoWritesThem) {
  EXPECT_EQ(go_duration("0"), 0s);
  EXPECT_EQ(go_duration("25s"), 25s);
  EXPECT_EQ(go_duration("1h30m"), 90min);
  EXPECT_EQ(go_duration("1.5s"), 1500ms);
  EXPECT_EQ(go_duration(".5s"), 500ms);
  EXPECT_EQ(go_duration("300ms"), 300ms);
  EXPECT_EQ(go_duration("2us3ns"), 2003ns);
  EXPECT_EQ(go_duration("4\xc2\xb5s"), 4us);
  EXPECT_EQ(go_duration("720h"), 720h);
  for (const std::string_view wrong :
       {"", "s", "5", "5x", "-5s", "+5s", "1e3s", "5 s", "5s ", "1d", "inf", "nans", "99999999999999999999h"}) {
    EXPECT_EQ(go_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(Draft, TakesWhatTheOptionTakes) {
  Draft draft;
  EXPECT_TRUE(draft.set("limits.connections_max", Tree{std::int64_t{7}}, "client.connection_limit"));
  EXPECT_EQ(draft.settings.server.connections_max, 7U);
  EXPECT_TRUE(draft.set("limits.connections_max", Tree{std::string("8")}, "client.connection_limit"));
  EXPECT_EQ(draft.settings.server.connections_max, 8U);
  EXPECT_TRUE(draft.set("websocket.ping_interval", Tree{std::string("1m30s")}, "client.ping_interval"));
  EXPECT_EQ(draft.settings.server.ping_interval, 90s);
  EXPECT_TRUE(draft.findings().empty());
}

TEST(Draft, WhatIsNotTakenIsAFinding) {
  Draft draft;
  EXPECT_FALSE(draft.set("limits.connections_max", Tree{std::int64_t{-1}}, "a"));
  EXPECT_FALSE(draft.set("websocket.ping_interval", Tree{std::string("soon")}, "b"));
  EXPECT_FALSE(draft.set("websocket.ping_interval", Tree{Tree::List{}}, "c"));
  EXPECT_FALSE(draft.set("server.listen", Tree{Tree::Table{}}, "d"));
  EXPECT_FALSE(draft.set("websocket.ping_interval", Tree{std::string("10h")}, "e"));
  ASSERT_EQ(draft.findings().size(), 5U);
  EXPECT_EQ(draft.findings()[1], (Finding{Finding::Kind::left_out, "b", "= soon is not a duration"}));
  EXPECT_EQ(draft.findings()[2].why, "is not one value");
  EXPECT_EQ(draft.findings()[3].why, "is not a list of texts");
  EXPECT_TRUE(draft.findings()[4].why.contains("10h is out of range; take 1s to 1h")) << draft.findings()[4].why;
}

TEST(Draft, ScalarsAndLists) {
  EXPECT_EQ(text_of_scalar(Tree{true}), "true");
  EXPECT_EQ(text_of_scalar(Tree{1.5}), "1.5");
  EXPECT_EQ(text_of_scalar(Tree{}), std::nullopt);
  EXPECT_EQ(texts_of_list(Tree{std::string("a  b")}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(texts_of_list(Tree{Tree::List{Tree{}}}), std::nullopt);
  EXPECT_EQ(texts_of_list(Tree{true}), std::nullopt);
  const Tree yes{std::string("true")};
  const Tree no{std::string("no")};
  EXPECT_TRUE(is_on(&yes));
  EXPECT_FALSE(is_on(&no));
  EXPECT_FALSE(is_on(nullptr));
  EXPECT_EQ(number_of(Tree{std::string("12")}), 12);
  EXPECT_EQ(number_of(Tree{std::string("12x")}), std::nullopt);
  EXPECT_EQ(number_of(Tree{1.0}), std::nullopt);
}

}  // namespace
}  // namespace app::import
