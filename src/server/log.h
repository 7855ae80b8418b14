// What the server says to its operator, one structured line per event and never one per message. Text that comes from a
// peer is escaped and cut, so that a line stays one line and no terminal obeys it (threat T43). Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace server {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

class Log {
 public:
  virtual ~Log() = default;
  virtual bool wants(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view line) = 0;
};

class SilentLog final : public Log {
 public:
  bool wants(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view) override {}
};

// Appends ` key="value"`: control characters, invalid UTF-8, line and paragraph separators and bidirectional controls
// become
// \x.. or \u....; at most 256 bytes of the value.
void append_field(std::string& line, std::string_view key, std::string_view value);

}  // namespace server
