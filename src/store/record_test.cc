#include "store/record.h"

#include <gtest/gtest.h>

#include "hub/limits.h"
#include "store/bytes.h"
#include "store/limits.h"

namespace store {
namespace {

const Place kPlace{.stream = 3, .offset = 17, .time_ms = 1'763'640'000'123, .bytes_through = 4711};
const base::Instant kNow{std::chrono::hours(5)};

std::unique_ptr<hub::Message> full_message() {
  hub::Extras extras;
  extras.tags = *hub::Tags::make({{"city", "Wien"}, {"empty", ""}});
  extras.publisher = {base::SharedBytes::copy("u1"), base::SharedBytes::copy("c1"), {}, base::SharedBytes::copy("{}")};
  extras.event = "alarm";
  extras.key = "k";
  extras.version = UINT64_MAX;
  auto message = hub::Message::make(hub::Kind::json, R"({"a":1})", kNow, std::move(extras));
  message->set(hub::Mark::delta);
  return message;
}

std::string record_of(const hub::Message& message, std::string_view cause = {}, const Place& place = kPlace) {
  std::string bytes;
  encode_content(message, cause, bytes);
  seal_record(bytes, place);
  return bytes;
}

TEST(RecordTest, EveryFieldComesBack) {
  const auto message = full_message();
  const auto record = decode_record(record_of(*message, "c-88a1"), kPlace, kNow);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->cause, "c-88a1");
  const hub::Message& read = *record->message;
  EXPECT_EQ(read.kind(), hub::Kind::json);
  EXPECT_EQ(read.payload(), R"({"a":1})");
  EXPECT_TRUE(read.has(hub::Mark::delta));
  EXPECT_FALSE(read.has(hub::Mark::transient));
  EXPECT_EQ(read.offset(), 17U);
  EXPECT_EQ(read.time().ms, kPlace.time_ms);
  EXPECT_EQ(read.numbered(), kNow);
  ASSERT_NE(read.extras(), nullptr);
  EXPECT_EQ(read.extras()->tags, message->extras()->tags);
  EXPECT_EQ(read.extras()->publisher.user.view(), "u1");
  EXPECT_EQ(read.extras()->publisher.client.view(), "c1");
  EXPECT_EQ(read.extras()->publisher.conn_info.view(), "");
  EXPECT_EQ(read.extras()->publisher.chan_info.view(), "{}");
  EXPECT_EQ(read.extras()->event, "alarm");
  EXPECT_EQ(read.extras()->key, "k");
  EXPECT_EQ(read.extras()->version, UINT64_MAX);
}

TEST(RecordTest, APlainMessageIsTwelveBytesLonger) {
  for (const hub::Kind kind : {hub::Kind::json, hub::Kind::text, hub::Kind::binary}) {
    const hub::Message message(kind, std::string_view("a\0b", 3), kNow);
    const std::string bytes = record_of(message);
    EXPECT_EQ(bytes.size(), 3U + 12);
    const auto record = decode_record(bytes, kPlace, kNow);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->message->kind(), kind);
    EXPECT_EQ(record->message->payload(), std::string_view("a\0b", 3));
    EXPECT_EQ(record->message->extras(), nullptr);
    EXPECT_EQ(record->cause, "");
  }
}

TEST(RecordTest, OfATransientMessageOnlyItsPlaceIsKept) {
  hub::Message message(hub::Kind::text, "for those who watch", kNow);
  message.set(hub::Mark::transient);
  const auto record = decode_record(record_of(message), kPlace, kNow);
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->message->has(hub::Mark::transient));
  EXPECT_EQ(record->message->payload(), "");
}

TEST(RecordTest, EveryFlippedBitIsFoundOut) {
  const std::string bytes = record_of(*full_message(), "cause");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto record = decode_record(flipped, kPlace, kNow);
    ASSERT_FALSE(record) << bit;
    ASSERT_EQ(record.error(), RecordError::check_sum) << bit;
  }
}

TEST(RecordTest, ARecordAtAnotherPlaceIsFoundOut) {
  const std::string bytes = record_of(*full_message());
  for (const Place& other : {Place{4, 17, kPlace.time_ms, 4711}, Place{3, 18, kPlace.time_ms, 4711},
                             Place{3, 17, kPlace.time_ms + 1, 4711}, Place{3, 17, kPlace.time_ms, 4712}}) {
    EXPECT_EQ(decode_record(bytes, other, kNow).error(), RecordError::check_sum);
  }
}

TEST(RecordTest, EveryCutIsFoundOut) {
  const std::string bytes = record_of(*full_message(), "cause");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_record(std::string_view(bytes).substr(0, size), kPlace, kNow)) << size;
  }
}

TEST(RecordTest, ContentOfALaterFormatIsRefused) {
  std::string content;
  encode_content(hub::Message(hub::Kind::text, "x", kNow), {}, content);
  for (const auto& [at, byte] : {std::pair{0, '\2'}, {1, '\3'}, {2, '\4'}, {3, '\x40'}}) {
    std::string later = content;
    later[static_cast<std::size_t>(at)] = byte;
    EXPECT_EQ(decode_content(later, kPlace, kNow).error(), RecordError::format) << at;
  }
}

TEST(RecordTest, FieldsAreHeldToTheLimitsOfMessages) {
  const auto with_field = [](int field, std::string_view bytes) {
    std::string content = {1, 1, 0, static_cast<char>(field)};
    put_piece(content, bytes);
    return decode_content(content, kPlace, kNow);
  };
  EXPECT_TRUE(with_field(4, std::string(hub::kEventBytesMax, 'e')));
  EXPECT_EQ(with_field(4, std::string(hub::kEventBytesMax + 1, 'e')).error(), RecordError::limit);
  EXPECT_EQ(with_field(8, std::string(hub::kMessageKeyBytesMax + 1, 'k')).error(), RecordError::limit);
  EXPECT_EQ(with_field(32, std::string(kCauseBytesMax + 1, 'c')).error(), RecordError::limit);
  EXPECT_EQ(with_field(2, std::string(hub::kClientIdentityBytesMax + 1, 'p')).error(), RecordError::limit);
  EXPECT_EQ(with_field(1, std::string("\1a\0\1a\0", 6)).error(), RecordError::limit) << "a key twice";
  EXPECT_EQ(with_field(1, "\5a").error(), RecordError::format);
  EXPECT_EQ(with_field(2, std::string("\0\0\0", 3)).error(), RecordError::format);
}

}  // namespace
}  // namespace store
