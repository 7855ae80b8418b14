#include "store/record.h"

#include <array>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "hub/limits.h"
#include "store/bytes.h"
#include "store/limits.h"

namespace store {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kCheckSumBytes = 8;

// In the order in which the fields stand. A bit that is not here makes a record of a later format.
enum Field : std::uint8_t { kTags = 1, kPublisher = 2, kEvent = 4, kKey = 8, kVersion = 16, kCause = 32 };
constexpr std::uint8_t kFields = kTags | kPublisher | kEvent | kKey | kVersion | kCause;
constexpr std::uint8_t kMarks =
    static_cast<std::uint8_t>(hub::Mark::transient) | static_cast<std::uint8_t>(hub::Mark::delta);

std::uint64_t check_sum(std::string_view content, const Place& place) {
  std::array<char, 4 * sizeof(std::uint64_t)> where;
  char* at = where.data();
  for (const std::uint64_t word :
       {place.stream, place.offset, static_cast<std::uint64_t>(place.time_ms), place.bytes_through}) {
    for (unsigned shift = 0; shift < 64; shift += 8) *at++ = static_cast<char>(word >> shift);
  }
  return base::hash64(content, base::hash64({where.data(), where.size()}, 0));
}

std::string tags_bytes(const hub::Tags& tags) {
  std::string out;
  for (const hub::Tag& tag : tags.all()) {
    put_piece(out, tag.key);
    put_piece(out, tag.value);
  }
  return out;
}

std::string publisher_bytes(const hub::ClientIdentity& publisher) {
  std::string out;
  for (const auto* part : {&publisher.user, &publisher.client, &publisher.conn_info, &publisher.chan_info}) {
    put_piece(out, part->view());
  }
  return out;
}

std::expected<hub::Tags, RecordError> read_tags(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<hub::Tag> tags;
  while (in.ok() && !in.rest().empty() && tags.size() <= hub::kTagsMax) {
    const std::string_view key = in.piece();
    tags.push_back({std::string(key), std::string(in.piece())});
  }
  if (!in.ok()) return std::unexpected(RecordError::format);
  auto made = hub::Tags::make(std::move(tags));
  if (!made) return std::unexpected(RecordError::limit);
  return std::move(*made);
}

std::expected<hub::ClientIdentity, RecordError> read_publisher(std::string_view bytes) {
  if (bytes.size() > hub::kClientIdentityBytesMax) return std::unexpected(RecordError::limit);
  ByteReader in(bytes);
  hub::ClientIdentity publisher;
  for (auto* part : {&publisher.user, &publisher.client, &publisher.conn_info, &publisher.chan_info}) {
    *part = base::SharedBytes::copy(in.piece());
  }
  if (!in.ok() || !in.rest().empty()) return std::unexpected(RecordError::format);
  return publisher;
}

}  // namespace

std::string_view to_string(RecordError error) noexcept {
  switch (error) {
    case RecordError::check_sum:
      return "check sum";
    case RecordError::format:
      return "format";
    case RecordError::limit:
      return "limit";
  }
  ASSERT(false);
}

void encode_content(const hub::Message& message, std::string_view cause, std::string& out) {
  const hub::Extras* const extras = message.extras();
  unsigned fields = 0;
  const auto has = [&](bool present, Field field) { fields |= present ? static_cast<unsigned>(field) : 0U; };
  has(!cause.empty(), kCause);
  if (extras != nullptr) {
    has(!extras->tags.empty(), kTags);
    has(!extras->publisher.empty(), kPublisher);
    has(!extras->event.empty(), kEvent);
    has(!extras->key.empty(), kKey);
    has(extras->version != 0, kVersion);
  }
  unsigned marks = 0;
  for (const hub::Mark mark : {hub::Mark::transient, hub::Mark::delta}) {
    if (message.has(mark)) marks |= static_cast<unsigned>(mark);
  }
  for (const unsigned byte : {unsigned{kFormat}, static_cast<unsigned>(message.kind()), marks, fields}) {
    out.push_back(static_cast<char>(byte));
  }
  if ((fields & kTags) != 0) put_piece(out, tags_bytes(extras->tags));
  if ((fields & kPublisher) != 0) put_piece(out, publisher_bytes(extras->publisher));
  if ((fields & kEvent) != 0) put_piece(out, extras->event);
  if ((fields & kKey) != 0) put_piece(out, extras->key);
  if ((fields & kVersion) != 0) put_varint(out, extras->version);
  if ((fields & kCause) != 0) put_piece(out, cause);
  if (!message.has(hub::Mark::transient)) out += message.payload();
}

void seal_record(std::string& out, const Place& place) { put_word(out, check_sum(out, place)); }

std::expected<Record, RecordError> decode_record(std::string_view bytes, const Place& place, base::Instant numbered) {
  if (bytes.size() < kCheckSumBytes) return std::unexpected(RecordError::check_sum);
  const std::string_view content = bytes.substr(0, bytes.size() - kCheckSumBytes);
  if (ByteReader(bytes.substr(content.size())).word() != check_sum(content, place)) {
    return std::unexpected(RecordError::check_sum);
  }
  return decode_content(content, place, numbered);
}

std::expected<Record, RecordError> decode_content(std::string_view bytes, const Place& place, base::Instant numbered) {
  ByteReader in(bytes);
  const std::uint8_t format = in.byte();
  const std::uint8_t kind = in.byte();
  const std::uint8_t marks = in.byte();
  const std::uint8_t fields = in.byte();
  if (!in.ok() || format != kFormat || kind > static_cast<std::uint8_t>(hub::Kind::binary) || (marks & ~kMarks) != 0 ||
      (fields & ~kFields) != 0) {
    return std::unexpected(RecordError::format);
  }
  Record record;
  hub::Extras extras;
  if ((fields & kTags) != 0) {
    auto tags = read_tags(in.piece());
    if (!tags) return std::unexpected(tags.error());
    extras.tags = std::move(*tags);
  }
  if ((fields & kPublisher) != 0) {
    auto publisher = read_publisher(in.piece());
    if (!publisher) return std::unexpected(publisher.error());
    extras.publisher = std::move(*publisher);
  }
  if ((fields & kEvent) != 0) extras.event = in.piece();
  if ((fields & kKey) != 0) extras.key = in.piece();
  if ((fields & kVersion) != 0) extras.version = in.varint();
  if ((fields & kCause) != 0) record.cause = in.piece();
  if (!in.ok()) return std::unexpected(RecordError::format);
  if (extras.event.size() > hub::kEventBytesMax || extras.key.size() > hub::kMessageKeyBytesMax ||
      record.cause.size() > kCauseBytesMax || in.rest().size() > kPayloadBytesMax) {
    return std::unexpected(RecordError::limit);
  }
  record.message = hub::Message::make(static_cast<hub::Kind>(kind), in.rest(), numbered, std::move(extras));
  for (const hub::Mark mark : {hub::Mark::transient, hub::Mark::delta}) {
    if ((marks & static_cast<unsigned>(mark)) != 0) record.message->set(mark);
  }
  record.message->number(place.offset, {place.time_ms}, numbered);
  return record;
}

}  // namespace store
