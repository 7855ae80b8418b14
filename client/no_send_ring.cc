// loop::SendRing where there is no ring: a client writes to one socket, for which the ring is no help, and its library
// shall not need liburing.
#include "loop/send_ring.h"

namespace loop {

struct SendRing::Ring {};

std::expected<std::unique_ptr<SendRing>, std::string> SendRing::open() {
  return std::unexpected("This library was built without io_uring.");
}

SendRing::~SendRing() = default;

std::size_t SendRing::send(std::span<Send>) { return 0; }

}  // namespace loop
