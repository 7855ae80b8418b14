#include "client/bench/dialect.h"

#include <gtest/gtest.h>

namespace client::bench {
namespace {

using Mode = BenchOptions::Mode;

std::expected<Dialect, std::string> dialect(const BenchOptions& options, std::string_view url = "ws://host") {
  return Dialect::from(options, *parse_server_url(url));
}

TEST(Dialect, OursByItself) {
  EXPECT_EQ(dialect({.mode = Mode::echo})->target("c"), "/echo");
  EXPECT_EQ(dialect({.mode = Mode::echo}, "ws://host/a?b=c")->target("c"), "/a?b=c");
  EXPECT_EQ(dialect({.mode = Mode::connect}, "ws://host/?b=c")->target("c"), "/?b=c");
  auto fan_out = dialect({.mode = Mode::fan_out}, "ws://host/push");
  EXPECT_EQ(fan_out->target("a b"), "/push/ws/a%20b");
  EXPECT_EQ(fan_out->publish_target("c"), "/push/ws/c");
  EXPECT_FALSE(fan_out->publishes_by_post());
  EXPECT_EQ(fan_out->wrapping(), Wrapping::bare);
  std::string text;
  fan_out->hello(text, "c");
  fan_out->subscription(text, "c");
  EXPECT_EQ(text, "");
  fan_out->publication(text, "c", "payload");
  EXPECT_EQ(text, "payload");
}

TEST(Dialect, FanInPublishesByPostBecauseOurWebSocketsHearWhatTheyPublishTo) {
  auto ours = dialect({.mode = Mode::fan_in}, "ws://host/push");
  EXPECT_TRUE(ours->publishes_by_post());
  EXPECT_EQ(ours->publish_target("c"), "/push/pub/c");
  auto foreign = dialect({.mode = Mode::fan_in, .path = "/all"});
  EXPECT_FALSE(foreign->publishes_by_post());
  EXPECT_EQ(foreign->publish_target("c"), "/all");
}

TEST(Dialect, WordsOfAnotherServer) {
  BenchOptions options{.mode = Mode::fan_out,
                       .path = "/sub/{channel}",
                       .publish_path = "/pub?id={channel}",
                       .subprotocol = "p",
                       .hello_text = "hi\\n",
                       .subscribe_text = R"({"join":"{channel}"})",
                       .publish_text = R"({"to":"{channel}","say":"{payload}"})"};
  auto foreign = dialect(options);
  ASSERT_TRUE(foreign);
  EXPECT_EQ(foreign->target("a/b"), "/sub/a%2Fb");
  EXPECT_EQ(foreign->publish_target("c"), "/pub?id=c");
  EXPECT_EQ(foreign->subprotocol(), "p");
  EXPECT_EQ(foreign->wrapping(), Wrapping::wrapped);
  std::string text;
  foreign->hello(text, "c");
  foreign->subscription(text, "c");
  foreign->publication(text, "c", "x");
  EXPECT_EQ(text, R"(hi\n{"join":"c"}{"to":"c","say":"x"})");
  options.frames = BenchOptions::Frames::binary;  // now backslashes mean something
  text.clear();
  dialect(options)->hello(text, "c");
  EXPECT_EQ(text, "hi\n");
}

TEST(Dialect, RefusesWhatMakesNoSense) {
  EXPECT_TRUE(dialect({.path = "sub"}).error().contains("--path"));
  EXPECT_TRUE(dialect({.publish_path = "/a b"}).error().contains("--publish-path"));
  EXPECT_TRUE(dialect({.publish_text = "hello"}).error().contains("{payload}"));
  EXPECT_TRUE(dialect({.mode = Mode::mixed, .publish = BenchOptions::Publish::post}).error().contains("--post"));
  EXPECT_TRUE(
      dialect({.hello_text = "\\q", .frames = BenchOptions::Frames::binary}).error().contains("--hello-text: "));
}

}  // namespace
}  // namespace client::bench
