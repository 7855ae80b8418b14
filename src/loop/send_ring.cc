#include "loop/send_ring.h"

#include <liburing.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "loop/system_error.h"

namespace loop {

namespace {

constexpr std::size_t kEntries = 256;  // sends of one system call

}  // namespace

struct SendRing::Ring {
  io_uring kernel{};
  bool open = false;
  ~Ring() {
    if (open) io_uring_queue_exit(&kernel);
  }
};

SendRing::SendRing(std::unique_ptr<Ring> ring) : ring_(std::move(ring)) {}
SendRing::~SendRing() = default;

std::expected<std::unique_ptr<SendRing>, std::string> SendRing::open() {
  auto ring = std::make_unique<Ring>();
  // DEFER_TASKRUN: the kernel never interrupts this thread to finish a request. SUBMIT_ALL: one that fails does not
  // hold up those behind it.
  const unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;
  if (const int error = io_uring_queue_init(kEntries, &ring->kernel, flags); error < 0) {
    return std::unexpected("io_uring: " + error_text(-error));
  }
  ring->open = true;
  // What is the same in every entry is written once: the kernel only reads them.
  for (unsigned i = 0; i < ring->kernel.sq.ring_entries; ++i) {
    io_uring_prep_send(&ring->kernel.sq.sqes[i], -1, nullptr, 0, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  return std::unique_ptr<SendRing>(new SendRing(std::move(ring)));
}

std::size_t SendRing::send(std::span<Send> sends) {
  std::size_t made = 0;
  while (made < sends.size()) {
    const std::span<Send> part = sends.subspan(made, std::min(kEntries, sends.size() - made));
    const std::size_t submitted = submit(part);
    made += submitted;
    if (submitted < part.size()) break;
  }
  return made;
}

std::size_t SendRing::submit(std::span<Send> sends) {
  io_uring* const ring = &ring_->kernel;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    io_uring_sqe* const entry = io_uring_get_sqe(ring);
    ASSERT(entry != nullptr);
    entry->fd = sends[i].socket;
    entry->addr = reinterpret_cast<std::uintptr_t>(sends[i].bytes);
    entry->len = sends[i].size;
    entry->user_data = i;
  }
  std::size_t submitted = 0;
  while (submitted < sends.size()) {
    const int count = io_uring_submit(ring);
    if (count == -EINTR) continue;
    if (count <= 0) break;
    submitted += static_cast<std::size_t>(count);
  }
  // Every result is read: what moved less than all of its bytes is not to be known otherwise.
  std::size_t finished = 0;
  while (finished < submitted) {
    io_uring_cqe* entry;
    unsigned head, count = 0;
    io_uring_for_each_cqe(ring, head, entry) {
      const bool later = entry->res == -EAGAIN || entry->res == -EINTR;
      sends[entry->user_data].result = later ? 0 : entry->res;
      ++count;
    }
    io_uring_cq_advance(ring, count);
    finished += count;
    if (finished < submitted) static_cast<void>(io_uring_wait_cqe(ring, &entry));
  }
  return submitted;
}

}  // namespace loop
