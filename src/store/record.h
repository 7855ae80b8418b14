// What a row of the database holds of a message, as bytes: everything of hub::Message and the cause, behind them a
// check sum that also covers where the row stands. Described in docs/formats/ledger.md. Values; any thread.
//
//   format (1) kind (1) marks (1) fields (1) [field]... payload... check sum (8, little-endian)
//   field = length (varint) bytes, in the order of the bits of `fields`
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "hub/message.h"

namespace store {

// Of a row, and so that a row that got into another's place is found out.
struct Place {
  std::uint64_t stream = 0;
  hub::Offset offset = 0;
  std::int64_t time_ms = 0;
  std::uint64_t bytes_through = 0;  // of the stream's messages from the first ever to this one
};

enum class RecordError : std::uint8_t {
  check_sum = 1,  // the bytes are not what was written there
  format = 2,     // of a later version, or no record at all
  limit = 3,      // larger than a message may be
};
std::string_view to_string(RecordError error) noexcept;

// The content of a record, without check sum, appended to `out`. Of a transient message the payload is left out: it was
// for those who watched.
void encode_content(const hub::Message& message, std::string_view cause, std::string& out);
// Makes a record of content: `out` holds nothing else.
void seal_record(std::string& out, const Place& place);

struct Record {
  std::unique_ptr<hub::Message> message;  // numbered with the place; its age counts from `numbered`
  std::string cause;
};
std::expected<Record, RecordError> decode_record(std::string_view bytes, const Place& place, base::Instant numbered);

// The same for content.
std::expected<Record, RecordError> decode_content(std::string_view bytes, const Place& place, base::Instant numbered);

}  // namespace store
