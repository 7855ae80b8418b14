#include "door/publish/publish.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace door::publish {
namespace {

std::string content(std::optional<std::string_view> type, std::string_view body) {
  const auto made = content_of(type, body);
  if (!made) return std::string(base::to_string(made.error()));
  const std::string_view kind = made->kind == hub::Kind::json   ? "json "
                                : made->kind == hub::Kind::text ? "text "
                                                                : "binary ";
  return std::string(kind) + made->payload;
}

TEST(Content, KindByTypeAndBytes) {
  EXPECT_EQ(content("application/json", "{\"a\" :\n1}"), "json {\"a\" :1}");
  EXPECT_EQ(content("Application/JSON; charset=utf-8", "1"), "json 1");
  EXPECT_EQ(content("application/json ;x", "1"), "json 1");
  EXPECT_EQ(content("application/ld+json", "[]"), "json []");
  EXPECT_EQ(content("application/octet-stream", "text"), "binary text");
  EXPECT_EQ(content("text/plain", "{"), "text {");
  EXPECT_EQ(content("text/json", "{"), "text {");
  EXPECT_EQ(content("application/x-www-form-urlencoded", "hello"), "text hello");
  EXPECT_EQ(content("text/plain", "\xff"), "binary \xff");
  EXPECT_EQ(content("", "新闻"), "text 新闻");
  EXPECT_EQ(content({}, ""), "text ");
  EXPECT_EQ(content({}, "\xc0\x80"), "binary \xc0\x80");
  EXPECT_EQ(content("application/json", ""), "E_JSON");
  EXPECT_EQ(content("application/json", "{"), "E_JSON");
  EXPECT_EQ(content("application/json", std::string(100, '[')), "E_JSON_DEPTH");
}

TEST(IdempotencyKey, Grammar) {
  EXPECT_TRUE(is_valid_idempotency_key("a"));
  EXPECT_TRUE(is_valid_idempotency_key("\"8e03978e-40d5-43dd-bc93-6894a57f9324\""));
  EXPECT_TRUE(is_valid_idempotency_key(std::string(255, '~')));
  for (const std::string& key : {std::string(), std::string(256, 'a'), std::string("a b"), std::string("a\t"),
                                 std::string("\x7f"), std::string("\xc3\xa9"), std::string("\0", 1)}) {
    EXPECT_FALSE(is_valid_idempotency_key(key)) << key;
  }
}

TEST(ContentHash, CountsAllThatIsSaid) {
  const auto hash = [](hub::Kind kind, std::string payload, std::vector<hub::Tag> tags) {
    return content_hash({kind, std::move(payload)}, hub::Tags::make(std::move(tags)).value(), 7);
  };
  const auto first = hash(hub::Kind::text, "x", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(first, hash(hub::Kind::text, "x", {{"b", "2"}, {"a", "1"}}));
  EXPECT_EQ(hash(hub::Kind::text, "x", {}), base::hash128("x", 7 + static_cast<std::uint64_t>(hub::Kind::text)));
  const base::Hash128 others[] = {
      hash(hub::Kind::text, "x", {}),
      hash(hub::Kind::json, "x", {{"a", "1"}, {"b", "2"}}),
      hash(hub::Kind::text, "y", {{"a", "1"}, {"b", "2"}}),
      hash(hub::Kind::text, "x", {{"a", "1"}}),
      hash(hub::Kind::text, "x", {{"a", "1"}, {"b", "3"}}),
      hash(hub::Kind::text, "x", {{"a", "1"}, {"c", "2"}}),
      hash(hub::Kind::text, "x", {{"a", "11:b1:2"}}),
  };
  for (const base::Hash128& each : others) EXPECT_FALSE(each == first);
}

}  // namespace
}  // namespace door::publish
