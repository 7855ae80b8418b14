// One record of the envelope (docs/protocol.md) as a value: what the server says about a channel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "client/core/position.h"

namespace client {

enum class Kind : std::uint8_t { json, text, binary };

struct MessageRecord {
  Position position;
  base::WallTime time;
  Kind kind = Kind::text;
  std::string payload;  // JSON: exactly as it stands in the record; text: unescaped; binary: decoded
};

struct PositionRecord {
  Position position;
};

struct GapRecord {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::string reason;
  Position position;  // what comes next is the offset after it
};

struct ErrorRecord {
  std::string code;
  std::string message;
};

// A control record of a later version; readers pass over it.
struct UnknownRecord {};

struct Record {
  std::string channel;
  std::variant<MessageRecord, PositionRecord, GapRecord, ErrorRecord, UnknownRecord> content;
};

// The record as the server writes it (one line, no line end).
void append_json(std::string& out, std::string_view channel, const MessageRecord& message);
void append_json(std::string& out, std::string_view channel, const PositionRecord& started);
void append_json(std::string& out, std::string_view channel, const GapRecord& gap);
void append_json(std::string& out, std::string_view channel, const ErrorRecord& error);

// nullopt: not a record (not JSON, a member that is needed is absent, doubled or of the wrong type).
std::optional<Record> read_record(std::string_view json);

}  // namespace client
