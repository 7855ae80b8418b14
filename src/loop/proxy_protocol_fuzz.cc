// What a load balancer, or somebody who pretends to be one, may send: the verdict on a prefix never contradicts the
// verdict on the whole.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "loop/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Status = loop::ProxyHeader::Status;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const loop::ProxyHeader whole = loop::read_proxy_header(bytes);
  if (whole.status == Status::done) {
    ASSERT(whole.consumed >= 16 && whole.consumed <= size && whole.consumed <= loop::kProxyHeaderBytesMax);
    const loop::ProxyHeader exact = loop::read_proxy_header(bytes.substr(0, whole.consumed));
    ASSERT(exact.status == Status::done && exact.consumed == whole.consumed && exact.address == whole.address);
    ASSERT(loop::read_proxy_header(bytes.substr(0, whole.consumed - 1)).status == Status::need_more);
  }
  if (whole.status == Status::need_more) {
    ASSERT(size < loop::kProxyHeaderBytesMax);
    for (std::size_t cut = 0; cut < size; ++cut) {
      ASSERT(loop::read_proxy_header(bytes.substr(0, cut)).status == Status::need_more);
    }
  }
  if (whole.status == Status::failed) {
    for (std::size_t cut = 0; cut < size; ++cut) {
      ASSERT(loop::read_proxy_header(bytes.substr(0, cut)).status != Status::done);
    }
  }
  return 0;
}
