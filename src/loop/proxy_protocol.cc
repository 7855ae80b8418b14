#include "loop/proxy_protocol.h"

#include <algorithm>

#include "loop/address.h"

namespace loop {

// The header (section 2.2):
//
//    0           12        13       14       16
//   +-----------+---------+--------+--------+---------------------------------+--------+
//   | signature | 2 | cmd | fam|tr | length | source, destination, both ports | TLVs   |
//   +-----------+---------+--------+--------+---------------------------------+--------+
//                                           |<--------------- length ----------------->|

namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedBytes = 16;

enum class Command : std::uint8_t { local = 0, proxy = 1 };

// Family and transport. Datagrams do not come over a stream, so those values are refused.
constexpr std::uint8_t kUnspecified = 0x00;
constexpr std::uint8_t kTcp4 = 0x11;
constexpr std::uint8_t kTcp6 = 0x21;
constexpr std::uint8_t kUnixStream = 0x31;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// What the addresses of a family take; nothing if the family is not known.
std::optional<std::size_t> address_bytes(std::uint8_t family) {
  switch (family) {
    case kUnspecified:
      return 0;
    case kTcp4:
      return 2 * 4 + 2 * 2;
    case kTcp6:
      return 2 * 16 + 2 * 2;
    case kUnixStream:
      return 2 * 108;
    default:
      return std::nullopt;
  }
}

Address source_of(std::uint8_t family, std::string_view body) {
  Address address;
  const auto copy_ip = [&](std::size_t size) {
    std::transform(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size), address.ip.end() - size,
                   [](char byte) { return static_cast<std::uint8_t>(byte); });
  };
  if (family == kTcp4) {
    address.ip[10] = 0xff;
    address.ip[11] = 0xff;
    copy_ip(4);
    address.port = number_at(body, 2 * 4);
  } else if (family == kTcp6) {
    copy_ip(16);
    address.port = number_at(body, 2 * 16);
  }
  return address;
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) {
  const ProxyHeader failed{Status::failed, 0, {}};
  const std::size_t common = std::min(bytes.size(), kSignature.size());
  if (bytes.substr(0, common) != kSignature.substr(0, common)) return failed;

  if (bytes.size() <= 12) return {};
  if (byte_at(bytes, 12) >> 4 != 2) return failed;
  const auto command = static_cast<Command>(byte_at(bytes, 12) & 0x0f);
  if (command > Command::proxy) return failed;

  if (bytes.size() <= 13) return {};
  const std::uint8_t family = byte_at(bytes, 13);
  // A health check says nothing about a client, whatever family it claims.
  const std::optional<std::size_t> needed = command == Command::local ? 0 : address_bytes(family);
  if (!needed) return failed;

  if (bytes.size() < kFixedBytes) return {};
  const std::size_t body_size = number_at(bytes, 14);
  if (body_size < *needed || body_size > kProxyHeaderBytesMax - kFixedBytes) return failed;
  if (bytes.size() - kFixedBytes < body_size) return {};

  ProxyHeader header{Status::done, kFixedBytes + body_size, {}};
  if (*needed > 0) {
    header.address = source_of(family, bytes.substr(kFixedBytes, body_size));
    // "::" without a port is nobody, and would pass for a Unix peer.
    if (family != kUnixStream && is_unix(*header.address)) return failed;
  }
  return header;
}

}  // namespace loop
