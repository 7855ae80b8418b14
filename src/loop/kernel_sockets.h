// loop::Sockets of the kernel: a SocketId is a non-blocking file descriptor. One per worker, because it holds that
// worker's spare descriptor. Listeners come from loop/listen.h, outgoing connections from loop/connect.h.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "loop/io.h"
#include "loop/send_ring.h"

namespace loop {

class KernelSockets final : public Sockets {
 public:
  KernelSockets();
  ~KernelSockets() override;
  KernelSockets(const KernelSockets&) = delete;
  KernelSockets& operator=(const KernelSockets&) = delete;

  // Lets send_many() use io_uring from now on. The ring is made when it is first worth one, on the thread that sends;
  // where it cannot be made, or the kernel refuses to go on, each send is a system call, as without.
  void use_ring() { ring_wanted_ = true; }

  // When the process is out of descriptors the connection is taken with the spare one and reset at once: the peer
  // learns it now and the listener does not stay readable for ever. `error` is then EMFILE or ENFILE; the owner should
  // leave the listener alone for a moment.
  Accepted accept(SocketId listener) override;
  IoResult read(SocketId socket, std::span<char> into) override;
  // Never raises SIGPIPE. The slices must hold at least one byte.
  IoResult write(SocketId socket, std::span<const std::string_view> slices) override;
  void send_many(std::span<Send> sends) override;
  void shutdown_write(SocketId socket) override;
  // Graceful: bytes already written still arrive, unless the peer's own bytes were left unread (then the kernel sends
  // RST; read to the end first). Reset: both directions are dropped now.
  void close(SocketId socket, CloseMode mode) override;

 private:
  int spare_;  // -1: none could be opened
  bool ring_wanted_ = false;
  std::unique_ptr<SendRing> ring_;
};

}  // namespace loop
