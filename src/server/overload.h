// Steps in which a server that runs out of memory does less, the cheapest first. One worker measures ten times a
// second; all ask level() at the places that the steps name. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace server {

class Overload {
 public:
  // In order; each includes those before it.
  enum class Level : std::uint8_t {
    none,
    no_compression,  // 80 % of the limit: new connections are not compressed
    no_connections,  // 90 %: new connections and large bodies are refused; not ready
    close_slow,      // 92 %: readers that are behind are closed
    no_publishing,   // 95 %: publishes are refused
    count,
  };

  // A step ends 5 % of the limit below the point where it began, so that it does not flutter. True if the level moved.
  bool measure(std::uint64_t bytes, std::uint64_t limit_bytes);

  Level level() const { return level_.load(std::memory_order_relaxed); }
  bool at_least(Level level) const { return this->level() >= level; }

 private:
  std::atomic<Level> level_{Level::none};
};

std::string_view to_string(Overload::Level level);

}  // namespace server
