#include "loop/kernel_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "base/assert.h"
#include "loop/endpoint.h"

namespace loop {

namespace {

constexpr std::size_t kSlicesMax = 64;

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

int accept_one(SocketId listener, Endpoint& peer) {
  peer.size = sizeof peer.storage;
  return ::accept4(listener, peer.address(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// accept(2), "Error handling": what went wrong with one connection before it was accepted comes back as the result of
// accept, and the next connection may be fine.
bool concerns_one_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT:
    case EPERM:
      return true;
    default:
      return false;
  }
}

IoResult result_of(ssize_t moved) {
  if (moved > 0) return {IoStatus::ok, static_cast<std::size_t>(moved)};
  if (moved == 0) return {IoStatus::eof};
  if (errno == EAGAIN) return {IoStatus::would_block};
  return {IoStatus::failed, 0, errno};
}

// Most writes of a server that pushes: one block. Not send(3), which may be a cancellation point and then costs more
// than all of our own work for a delivery.
long send_one(SocketId socket, const char* bytes, std::size_t size) {
  long moved;
  do {
    moved = ::syscall(SYS_sendto, socket, bytes, size, MSG_NOSIGNAL, nullptr, 0);
  } while (moved < 0 && errno == EINTR);
  return moved;
}

}  // namespace

KernelSockets::KernelSockets() : spare_(open_spare()) {}

KernelSockets::~KernelSockets() {
  if (spare_ >= 0) ::close(spare_);
}

Accepted KernelSockets::accept(SocketId listener) {
  // Sixteen, so that a flood of aborted connections cannot hold the worker here; level-triggered polling comes back.
  for (int attempt = 0; attempt < 16; ++attempt) {
    Endpoint peer;
    const int socket = accept_one(listener, peer);
    if (socket >= 0) return {socket, to_address(peer)};
    const int error = errno;
    if (error == EAGAIN) return {};
    if (concerns_one_connection(error)) continue;
    if (error == EMFILE || error == ENFILE) {
      if (spare_ >= 0) ::close(spare_);
      const int refused = accept_one(listener, peer);
      if (refused >= 0) close(refused, CloseMode::reset);
      spare_ = open_spare();
    }
    return {kNoSocket, to_address(peer), error};
  }
  return {};
}

IoResult KernelSockets::read(SocketId socket, std::span<char> into) {
  ASSERT(!into.empty());
  ssize_t moved;
  do {
    moved = ::recv(socket, into.data(), into.size(), 0);
  } while (moved < 0 && errno == EINTR);
  return result_of(moved);
}

IoResult KernelSockets::write(SocketId socket, std::span<const std::string_view> slices) {
  ASSERT(!slices.empty() && slices.size() <= kSlicesMax);
  if (slices.size() == 1) return result_of(send_one(socket, slices.front().data(), slices.front().size()));
  iovec vectors[kSlicesMax];
  std::size_t count = 0;
  for (const std::string_view slice : slices) {
    if (slice.empty()) continue;
    vectors[count++] = {const_cast<char*>(slice.data()), slice.size()};
  }
  ASSERT(count > 0);

  ssize_t moved;
  do {
    msghdr message{};
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    moved = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (moved < 0 && errno == EINTR);
  return result_of(moved);
}

void KernelSockets::send_many(std::span<Send> sends) {
  if (ring_wanted_ && sends.size() >= SendRing::kSendsMin) {
    if (!ring_) ring_ = SendRing::open().value_or(nullptr);
    const std::size_t made = ring_ ? ring_->send(sends) : 0;
    sends = sends.subspan(made);
    if (sends.empty()) return;
    ring_.reset();
    ring_wanted_ = false;
  }
  for (Send& each : sends) {
    const long moved = send_one(each.socket, each.bytes, each.size);
    each.result = static_cast<std::int32_t>(moved >= 0 ? moved : errno == EAGAIN ? 0 : -errno);
  }
}

void KernelSockets::shutdown_write(SocketId socket) {
  // ENOTCONN: the peer has reset the connection; the next read says so.
  static_cast<void>(::shutdown(socket, SHUT_WR));
}

void KernelSockets::close(SocketId socket, CloseMode mode) {
  if (mode == CloseMode::reset) {
    const linger now{1, 0};
    static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now));
  }
  // Linux frees the descriptor whatever close(2) returns.
  const int result = ::close(socket);
  ASSERT(result == 0 || errno != EBADF);
}

}  // namespace loop
