// What the server needs from the outside world, as interfaces: sockets, readiness, time and wake-up. The kernel's
// implementation is in loop/, the simulated one in sim/. One Io belongs to one worker and is used on its thread only,
// except Wakeup::wake(), which any thread may call.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/time.h"

namespace loop {

// A connected socket or a listener. Kernel: the file descriptor. Ids are reused after close().
using SocketId = std::int32_t;
inline constexpr SocketId kNoSocket = -1;

enum class IoStatus : std::uint8_t {
  ok,           // `bytes` moved, at least 1
  would_block,  // nothing moved; a readiness event will follow
  eof,          // read: the peer has finished sending
  failed,       // the connection is gone; `error` is an errno value
};

struct IoResult {
  IoStatus status;
  std::size_t bytes = 0;
  int error = 0;
};

// Address of a peer. v4 addresses are kept v4-mapped; a Unix peer is all zero with port 0.
struct Address {
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;
  friend bool operator==(const Address&, const Address&) = default;
};
std::string to_string(const Address& address);  // "1.2.3.4:5", "[::1]:5", "unix"

struct Accepted {
  SocketId socket = kNoSocket;  // kNoSocket: nothing to accept (would_block) or `error`
  Address address;
  int error = 0;  // EMFILE and the like; 0 = would block
};

enum class CloseMode : std::uint8_t { graceful, reset };  // FIN or RST

// One block for one socket, as part of many (Sockets::send_many).
struct Send {
  SocketId socket;
  std::uint32_t key;        // the caller's own
  const char* bytes;        // must live until the call returns
  std::uint32_t size;       // at least 1
  std::int32_t result = 0;  // filled in by the call: bytes that moved, 0 for would_block, or -errno
};

class Sockets {
 public:
  virtual ~Sockets() = default;
  virtual Accepted accept(SocketId listener) = 0;
  virtual IoResult read(SocketId socket, std::span<char> into) = 0;
  // Gather write; at most 64 slices. A short write is normal.
  virtual IoResult write(SocketId socket, std::span<const std::string_view> slices) = 0;
  // The same for many sockets, one block each: what a fan-out ends in. Each fails or succeeds for itself.
  virtual void send_many(std::span<Send> sends) {
    for (Send& each : sends) {
      const std::string_view bytes(each.bytes, each.size);
      const IoResult result = write(each.socket, {&bytes, 1});
      each.result = result.status == IoStatus::failed ? -result.error : static_cast<std::int32_t>(result.bytes);
    }
  }
  virtual void shutdown_write(SocketId socket) = 0;
  virtual void close(SocketId socket, CloseMode mode) = 0;
};

enum class Interest : std::uint8_t { read = 1, write = 2, read_write = 3, none = 0 };

struct Ready {
  std::uint64_t token;
  bool readable;
  bool writable;
  bool hang_up;  // error or full hang-up; a read will say what
};

// Level-triggered readiness.
class Poller {
 public:
  virtual ~Poller() = default;
  virtual void add(SocketId socket, std::uint64_t token, Interest interest) = 0;
  virtual void modify(SocketId socket, std::uint64_t token, Interest interest) = 0;
  virtual void remove(SocketId socket) = 0;  // before close()
  // Waits until something is ready, wake() was called or `timeout` has passed (0: does not wait; kNever-like
  // max: no limit). The span is valid until the next call.
  virtual std::span<const Ready> wait(base::Duration timeout) = 0;
};

class Wakeup {
 public:
  virtual ~Wakeup() = default;
  // Any thread; cheap when the worker is awake. True: it slept, and this is the call that ends it.
  virtual bool wake() = 0;
};

// What the process holds.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual std::uint64_t resident_bytes() = 0;
  virtual void return_free() = 0;  // what the allocator keeps for later; may take milliseconds
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual base::Instant now() = 0;
  virtual base::WallTime wall() = 0;
};

}  // namespace loop
