// The three signals an operator sends, as values read from a descriptor (signalfd) instead of a handler.
//
// open() blocks them in the calling thread; threads started later inherit that, so open it first thing in main, before
// any thread. It also ignores SIGPIPE. One per process; used on one thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "loop/io.h"

namespace loop {

enum class Signal : std::uint8_t {
  terminate,  // SIGTERM: drain, then exit 0
  interrupt,  // SIGINT: the same, from a terminal
  reload,     // SIGHUP
};

class Signals {
 public:
  static std::expected<std::unique_ptr<Signals>, std::string> open();
  ~Signals();  // unblocks them again
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The next signal, waiting at most `timeout` (0: does not wait; max: no limit). The same signal sent twice before it
  // is read comes once.
  std::optional<Signal> wait(base::Duration timeout);

  // Readable when a signal is pending: for a Poller.
  SocketId descriptor() const { return descriptor_; }

 private:
  explicit Signals(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;
};

}  // namespace loop
