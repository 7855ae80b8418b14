// loop::Sockets between two ends in memory, for tests that decide how bytes arrive: in pieces, late, cut off, failing
// at the n-th call. Sockets 0 and 1 are the ends of one connection.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "loop/io.h"

namespace loop::test {

class MemorySockets final : public Sockets {
 public:
  static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

  std::size_t read_max = kUnlimited;    // bytes per read
  std::size_t write_max = kUnlimited;   // bytes per write
  std::size_t capacity = kUnlimited;    // bytes in flight per direction
  std::size_t fail_after = kUnlimited;  // so many calls go well, all later ones fail
  std::size_t flip_at = kUnlimited;     // this byte of all that is written arrives with one bit flipped
  bool stutter = false;                 // every second call would block
  std::size_t calls = 0;
  std::array<std::size_t, 2> read_calls{};

  // What is on its way to an end.
  std::string& incoming(SocketId end) { return ends_.at(static_cast<std::size_t>(end)).incoming; }
  void close_write(SocketId end) { ends_.at(static_cast<std::size_t>(1 - end)).finished = true; }

  Accepted accept(SocketId) override { return {}; }

  IoResult read(SocketId socket, std::span<char> into) override {
    ++read_calls.at(static_cast<std::size_t>(socket));
    if (++calls > fail_after) return {IoStatus::failed, 0, ECONNRESET};
    if (stutter && entropy_.below(2) == 0) return {IoStatus::would_block};
    End& end = ends_.at(static_cast<std::size_t>(socket));
    const std::size_t count = std::min({into.size(), read_max, end.incoming.size()});
    if (count == 0) return {end.finished ? IoStatus::eof : IoStatus::would_block};
    std::copy_n(end.incoming.begin(), count, into.begin());
    end.incoming.erase(0, count);
    return {IoStatus::ok, count};
  }

  IoResult write(SocketId socket, std::span<const std::string_view> slices) override {
    if (++calls > fail_after) return {IoStatus::failed, 0, EPIPE};
    if (stutter && entropy_.below(2) == 0) return {IoStatus::would_block};
    std::string& queue = incoming(1 - socket);
    std::size_t room = std::min(write_max, capacity - std::min(capacity, queue.size()));
    std::size_t total = 0;
    for (const std::string_view slice : slices) {
      const std::string_view part = slice.substr(0, room);
      queue += part;
      if (flip_at >= written_ && flip_at - written_ < part.size()) {
        char& victim = queue[queue.size() - part.size() + (flip_at - written_)];
        victim = static_cast<char>(victim ^ (1 << entropy_.below(8)));
      }
      written_ += part.size();
      room -= part.size();
      total += part.size();
    }
    if (total == 0) return {IoStatus::would_block};
    return {IoStatus::ok, total};
  }

  void shutdown_write(SocketId socket) override { close_write(socket); }
  void close(SocketId socket, CloseMode) override { close_write(socket); }

 private:
  struct End {
    std::string incoming;
    bool finished = false;
  };
  std::array<End, 2> ends_;
  std::size_t written_ = 0;
  base::SeededEntropy entropy_{1};  // in a fixed rhythm the two ends can miss each other for ever
};

}  // namespace loop::test
