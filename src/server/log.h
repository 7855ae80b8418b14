// What the server says to its operator, one line of `key="value"` fields per event (logfmt; docs/operations.md, Logs)
// and never one per message. A line begins with the event's name; whoever writes it puts time and level before it. Text
// that comes from a peer is escaped and cut, so that a line stays one line and no terminal obeys it (threat T43). Any
// thread.
#pragma once

#include <cstddef>
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
// \x.. or \u....; at most `bytes_max` bytes of the value.
inline constexpr std::size_t kFieldBytesMax = 256;  // of what a peer sent
void append_field(std::string& line, std::string_view key, std::string_view value,
                  std::size_t bytes_max = kFieldBytesMax);

}  // namespace server
