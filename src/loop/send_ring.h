// Many sends handed to the kernel with one system call, by io_uring. Only that: readiness, reading and every other
// write stay with epoll and send(2), which are cheaper for idle connections (a request armed on an idle socket costs
// the kernel some 860 bytes) and work everywhere.
//
// Source: io_uring_setup(2), io_uring_enter(2). Each send is made with MSG_DONTWAIT, so that it succeeds or fails while
// it is submitted: when send() returns, the kernel refers to none of the bytes any more. Threads: opened and used by
// one thread (IORING_SETUP_SINGLE_ISSUER).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "loop/io.h"

namespace loop {

class SendRing {
 public:
  // Fewer sends than this are not worth a ring.
  static constexpr std::size_t kSendsMin = 16;

  // The error is a text for the operator: old kernels (before 6.1), containers and sysctl kernel.io_uring_disabled do
  // not allow it.
  static std::expected<std::unique_ptr<SendRing>, std::string> open();
  ~SendRing();
  SendRing(const SendRing&) = delete;
  SendRing& operator=(const SendRing&) = delete;

  // Makes sends in their order and fills in their results; a short one is normal. Returns how many were made: less than
  // all of them if the kernel refuses to go on. The ring is then of no use any more; the rest was not tried.
  std::size_t send(std::span<Send> sends);

 private:
  struct Ring;
  explicit SendRing(std::unique_ptr<Ring> ring);
  std::size_t submit(std::span<Send> sends);

  std::unique_ptr<Ring> ring_;
};

}  // namespace loop
