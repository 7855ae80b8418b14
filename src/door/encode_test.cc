// One message through every door's encoder, compared with docs/protocol.md.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "codec/base64.h"
#include "codec/json_in.h"
#include "door/envelope.h"
#include "door/plain/encode.h"
#include "door/sse/encode.h"

namespace door {
namespace {

constexpr hub::Epoch kEpoch{{'k', '3', 'j', '9', 'x', '0', 'a', 'b'}};

hub::MessageRef message(hub::Kind kind, std::string_view payload, hub::Offset offset = 17, hub::Extras extras = {}) {
  auto made = hub::Message::make(kind, payload, base::Instant{}, std::move(extras));
  made->number(offset, base::WallTime{1763640000123}, {});
  return made;
}

std::string envelope(hub::Kind kind, std::string_view payload, std::string_view channel = "news") {
  std::string out;
  append_envelope(out, channel, kEpoch, *message(kind, payload));
  EXPECT_EQ(codec::check_json(out), base::Error::none) << out;
  return out;
}

TEST(Envelope, EveryKindOfPayload) {
  EXPECT_EQ(envelope(hub::Kind::json, R"({"any":1.10})"),
            R"({"channel":"news","offset":17,"epoch":"k3j9x0ab","time":1763640000123,"data":{"any":1.10}})");
  EXPECT_EQ(envelope(hub::Kind::text, "he\"llo\n"),
            R"({"channel":"news","offset":17,"epoch":"k3j9x0ab","time":1763640000123,"text":"he\"llo\n"})");
  EXPECT_EQ(envelope(hub::Kind::binary, std::string_view("\0\1\2", 3)),
            R"({"channel":"news","offset":17,"epoch":"k3j9x0ab","time":1763640000123,"base64":"AAEC"})");
  EXPECT_EQ(envelope(hub::Kind::text, "", "a\"\\新"),
            R"({"channel":"a\"\\新","offset":17,"epoch":"k3j9x0ab","time":1763640000123,"text":""})");
}

TEST(Envelope, TagsOnlyIfThereAreSome) {
  const auto with = [](hub::Kind kind, std::string_view payload, std::vector<hub::Tag> tags) {
    hub::Extras extras{.tags = hub::Tags::make(std::move(tags)).value()};
    std::string out;
    append_envelope(out, "news", kEpoch, *message(kind, payload, 17, std::move(extras)));
    EXPECT_EQ(codec::check_json(out), base::Error::none) << out;
    return out;
  };
  const std::string head = R"({"channel":"news","offset":17,"epoch":"k3j9x0ab","time":1763640000123,)";
  EXPECT_EQ(with(hub::Kind::json, "[1]", {{"side", "buy"}}), head + R"("data":[1],"tags":{"side":"buy"}})");
  EXPECT_EQ(with(hub::Kind::text, "a", {{"b", "2"}, {"a\"\\", "1\n"}, {"新", ""}}),
            head + R"("text":"a","tags":{"a\"\\":"1\n","b":"2","新":""}})");
  EXPECT_EQ(with(hub::Kind::binary, "x", {{"gap", "{}"}}), head + R"("base64":"eA==","tags":{"gap":"{}"}})");
  EXPECT_EQ(with(hub::Kind::text, "a", {}), envelope(hub::Kind::text, "a"));

  std::string other_extras;
  append_envelope(other_extras, "news", kEpoch, *message(hub::Kind::text, "a", 17, {.event = "e", .version = 1}));
  EXPECT_EQ(other_extras, envelope(hub::Kind::text, "a"));
}

TEST(Envelope, NoPayloadLooksLikeAControlRecord) {
  for (const char* payload :
       {R"({"gap":{"from":1,"to":2}})", R"({"position":"k3j9x0ab:1"})", R"({"error":{"code":"E_GAP"}})"}) {
    for (const hub::Kind kind : {hub::Kind::json, hub::Kind::text, hub::Kind::binary}) {
      const std::string text = envelope(kind, payload);
      const auto record = codec::JsonValue::parse(text);
      ASSERT_TRUE(record);
      EXPECT_FALSE(record->find("gap") || record->find("position") || record->find("error"));
    }
  }
}

TEST(Envelope, ControlRecords) {
  std::string out;
  append_position_record(out, "news", {kEpoch, 16});
  EXPECT_EQ(out, R"({"channel":"news","position":"k3j9x0ab:16"})");

  constexpr std::array kReasons = {
      std::pair{hub::GapReason::expired, "expired"}, std::pair{hub::GapReason::epoch_changed, "epoch_changed"},
      std::pair{hub::GapReason::too_far, "too_far"}, std::pair{hub::GapReason::overload, "overload"}};
  for (const auto& [reason, text] : kReasons) {
    out.clear();
    append_gap_record(out, "news", {17, 90, reason}, {kEpoch, 90});
    EXPECT_EQ(out, R"({"channel":"news","gap":{"from":17,"to":90,"reason":")" + std::string(text) +
                       R"("},"position":"k3j9x0ab:90"})");
  }

  for (const base::ErrorEntry& entry : base::all_errors()) {
    out.clear();
    append_error_record(out, "news", entry.error);
    EXPECT_EQ(out, R"({"channel":"news","error":{"code":")" + std::string(entry.code) + R"(","message":")" +
                       std::string(entry.text) + "\"}}");
  }
  out.clear();
  append_error_record(out, "", base::Error::rate);
  EXPECT_TRUE(out.starts_with(R"({"error":{"code":"E_RATE",)")) << out;
}

TEST(Plain, Frames) {
  std::string out;
  plain::append_raw(out, *message(hub::Kind::json, "[1]"));
  plain::append_raw(out, *message(hub::Kind::text, ""));
  plain::append_raw(out, *message(hub::Kind::binary, "\xff"));
  EXPECT_EQ(out, std::string("\x81\x03[1]\x81\x00\x82\x01\xff", 10));

  out.clear();
  plain::append_envelope(out, "news", kEpoch, *message(hub::Kind::binary, "x"));
  const std::string record = envelope(hub::Kind::binary, "x");
  ASSERT_LT(record.size(), 126U);
  EXPECT_EQ(out, "\x81" + std::string(1, static_cast<char>(record.size())) + record);
}

TEST(Sse, Head) {
  std::string out;
  sse::append_head(out, "", 2000);
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\nCache-Control: no-store, "
            "no-transform\r\n"
            "X-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\n\r\nretry: 2000\n\n");
  out.clear();
  sse::append_head(out, "https://a.example", 2000);
  EXPECT_NE(out.find("\r\nAccess-Control-Allow-Origin: https://a.example\r\n"), std::string::npos);
}

// Reads a stream as the HTML standard tells browsers to (section 9.2.6), to see what arrives.
struct Event {
  std::string type = "message";
  std::string data;
  std::string last_event_id;
  friend bool operator==(const Event&, const Event&) = default;
};

std::vector<Event> read_stream(std::string stream) {
  std::vector<Event> events;
  std::string id;
  Event event;
  bool has_data = false;
  // CR, LF and CRLF all end a line.
  for (std::size_t at = 0; (at = stream.find("\r\n", at)) != std::string::npos;) stream.erase(at, 1);
  std::replace(stream.begin(), stream.end(), '\r', '\n');
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t end = stream.find('\n', at);
    const std::string line = stream.substr(at, end - at);
    at = end + 1;
    if (line.empty()) {
      event.last_event_id = id;
      if (has_data) {
        event.data.pop_back();
        events.push_back(event);
      }
      event = {};
      has_data = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (field == "id") id = value;
    if (field == "event") event.type = value;
    if (field == "data") {
      event.data += value + "\n";
      has_data = true;
    }
  }
  return events;
}

TEST(Sse, RawPayloadsArriveAsTheyWere) {
  for (const char* payload : {"", "hello", " leading space", "two\nlines", "\n", "\n\n", "end\n", "\nstart", "a: b",
                              ": c", "data: x\n\nevent: gap\ndata: y", "id: 1", "新闻"}) {
    for (const hub::Kind kind : {hub::Kind::text, hub::Kind::json}) {
      std::string out;
      sse::append_raw(out, "k3j9x0ab:17", *message(kind, payload));
      EXPECT_EQ(read_stream(out), (std::vector<Event>{{"message", payload, "k3j9x0ab:17"}})) << payload;
    }
  }
}

TEST(Sse, WhatLinesCannotCarryIsBase64) {
  for (const char* payload : {"a\rb", "a\r\nb", "\r"}) {
    std::string out;
    sse::append_raw(out, "k3j9x0ab:17", *message(hub::Kind::text, payload));
    EXPECT_EQ(read_stream(out), (std::vector<Event>{{"base64", codec::base64_encode(payload), "k3j9x0ab:17"}}));
  }
  std::string out;
  sse::append_raw(out, "", *message(hub::Kind::binary, "x"));
  EXPECT_EQ(out, "event: base64\ndata: eA==\n\n");
}

TEST(Sse, EnvelopesAndControl) {
  std::string out;
  sse::append_cursor(out, "k3j9x0ab:16,");
  sse::append_envelope(out, "k3j9x0ab:17,", "news", kEpoch, *message(hub::Kind::text, "a\r\n\r\nb"));
  sse::append_heartbeat(out);
  sse::append_gap(out, "k3j9x0ab:90,", R"({"gap":1})");
  sse::append_error(out, R"({"code":"E_BUSY"})");
  EXPECT_EQ(read_stream(out), (std::vector<Event>{{"message", envelope(hub::Kind::text, "a\r\n\r\nb"), "k3j9x0ab:17,"},
                                                  {"gap", R"({"gap":1})", "k3j9x0ab:90,"},
                                                  {"error", R"({"code":"E_BUSY"})", "k3j9x0ab:90,"}}));
  EXPECT_TRUE(out.starts_with("id: k3j9x0ab:16,\n\n"));
}

}  // namespace
}  // namespace door
