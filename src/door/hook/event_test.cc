#include "door/hook/event.h"

#include <gtest/gtest.h>

namespace door::hook {
namespace {

TEST(Event, AsJson) {
  std::string out;
  append_event(out, "a-1", {.type = EventType::connected, .time = {5}, .client = "c", .user = "u", .transport = "sse"});
  append_event(out, "a-2",
               {.type = EventType::disconnected, .time = {6}, .client = "c", .code = 3000, .reason = "a \"b\""});
  append_event(out, "a-3", {.type = EventType::vacated, .time = {7}, .channel = "ch"});
  append_dropped(out, "a-4", {8}, 9);
  EXPECT_EQ(out, R"({"id":"a-1","time":5,"type":"connected","client":"c","user":"u","transport":"sse"})"
                 R"({"id":"a-2","time":6,"type":"disconnected","client":"c","code":3000,"reason":"a \"b\""})"
                 R"({"id":"a-3","time":7,"type":"vacated","channel":"ch"})"
                 R"({"id":"a-4","time":8,"type":"dropped","count":9})");
}

TEST(Event, Types) {
  for (const std::string_view name : kEventTypes) {
    const auto type = event_type_named(name);
    ASSERT_TRUE(type) << name;
    EXPECT_EQ(to_string(*type), name);
  }
  EXPECT_FALSE(event_type_named("dropped"));
  EXPECT_FALSE(event_type_named(""));
}

// The digests are those of `printf '1700000000.[1]' | openssl dgst -sha256 -hmac KEY`.
TEST(Event, Signature) {
  const base::Secret keys[] = {base::Secret("first"), base::Secret("second")};
  EXPECT_EQ(signature_of({keys, 1}, {1'700'000'000'999}, "[1]"),
            "t=1700000000,v1=2819369bb774eacfc63c65bf653ad968a5443c55ba72d730f1c6470a6d7219d2");
  EXPECT_EQ(signature_of(keys, {1'700'000'000'000}, "[1]"),
            "t=1700000000,v1=2819369bb774eacfc63c65bf653ad968a5443c55ba72d730f1c6470a6d7219d2,v1="
            "4738cc6877e3ac83df6d7e1a7cce930620127933f680701e2fef8ad2f8a0484a");
  EXPECT_EQ(signature_of({}, {0}, "[1]"), "");
}

}  // namespace
}  // namespace door::hook
