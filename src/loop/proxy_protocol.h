// The PROXY protocol, version 2 (haproxy doc/proxy-protocol.txt, section 2.2): the header a load balancer sends before
// the client's first byte. A pure function over the bytes received so far; version 1 (text) is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "loop/io.h"

namespace loop {

struct ProxyHeader {
  enum class Status : std::uint8_t { need_more, done, failed };
  Status status = Status::need_more;
  std::size_t consumed = 0;        // done: length of the header, what follows belongs to the client
  std::optional<Address> address;  // done: the client; nothing if the proxy speaks for itself (LOCAL, UNSPEC)
};

// Longer headers are refused. The addresses need at most 232 bytes; the rest is for extensions (TLVs), which are
// skipped. Pre-login memory is counted, so not the 64 KiB that the length field could say.
inline constexpr std::size_t kProxyHeaderBytesMax = 2048;

// `bytes`: everything received from the start of the connection. Fails at the first byte that cannot be a header.
ProxyHeader read_proxy_header(std::string_view bytes);

}  // namespace loop
