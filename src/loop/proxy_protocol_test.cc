#include "loop/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

#include "loop/address.h"

namespace loop {
namespace {

using Status = ProxyHeader::Status;

std::string header(unsigned version_and_command, unsigned family, std::string_view body) {
  std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
  bytes += static_cast<char>(version_and_command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(body.size() >> 8);
  bytes += static_cast<char>(body.size());
  return bytes += body;
}

const std::string kV4("\x0a\x01\x02\x03\x7f\x00\x00\x01\xc3\x50\x1f\x40", 12);  // 10.1.2.3:50000 to 127.0.0.1:8000
const std::string kV6 = std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16) + std::string(15, '\0') + "\x01" +
                        std::string("\x12\x34\x1f\x40", 4);
const std::string kUnix(216, '/');
const std::string kTlv(
    "\x03\x00\x04"
    "\xde\xad\xbe\xef",
    7);

// Every way to cut the bytes gives the same: need_more until the last byte of the header, then done at the same place.
void expect_done(const std::string& bytes, std::optional<std::string_view> address) {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(read_proxy_header(std::string_view(bytes).substr(0, size)).status, Status::need_more) << size;
  }
  for (const std::string& after : {std::string(), std::string("G"), std::string("GET / HTTP/1.1\r\n"), bytes}) {
    const ProxyHeader result = read_proxy_header(bytes + after);
    ASSERT_EQ(result.status, Status::done);
    EXPECT_EQ(result.consumed, bytes.size());
    ASSERT_EQ(result.address.has_value(), address.has_value());
    EXPECT_TRUE(!address || to_string(*result.address) == *address);
  }
}

// Fails, and from `at` bytes on, not later.
void expect_failed(const std::string& bytes, std::size_t at) {
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(read_proxy_header(std::string_view(bytes).substr(0, size)).status,
              size < at ? Status::need_more : Status::failed)
        << size;
  }
}

TEST(ProxyProtocol, Addresses) {
  expect_done(header(0x21, 0x11, kV4), "10.1.2.3:50000");
  expect_done(header(0x21, 0x21, kV6), "[2001:db8::7]:4660");
  expect_done(header(0x21, 0x31, kUnix), "unix");
}

TEST(ProxyProtocol, ExtensionsAreSkipped) {
  expect_done(header(0x21, 0x11, kV4 + kTlv), "10.1.2.3:50000");
  expect_done(header(0x21, 0x21, kV6 + kTlv + kTlv), "[2001:db8::7]:4660");
  expect_done(header(0x21, 0x31, kUnix + kTlv), "unix");
}

TEST(ProxyProtocol, TheProxysOwnConnections) {
  expect_done(header(0x20, 0x00, ""), std::nullopt);
  expect_done(header(0x20, 0x11, kV4), std::nullopt);
  expect_done(header(0x20, 0xff, "anything"), std::nullopt);
  expect_done(header(0x21, 0x00, ""), std::nullopt);
  expect_done(header(0x21, 0x00, kTlv), std::nullopt);
}

TEST(ProxyProtocol, EveryVersionAndCommand) {
  for (unsigned value = 0; value < 256; ++value) {
    const std::string bytes = header(value, 0x11, kV4);
    if (value == 0x20) {
      expect_done(bytes, std::nullopt);
    } else if (value == 0x21) {
      expect_done(bytes, "10.1.2.3:50000");
    } else {
      expect_failed(bytes, 13);
    }
  }
}

TEST(ProxyProtocol, EveryFamily) {
  for (unsigned value = 0; value < 256; ++value) {
    const std::string bytes = header(0x21, value, kUnix);
    if (value == 0x11 || value == 0x21 || value == 0x31 || value == 0x00) {
      EXPECT_EQ(read_proxy_header(bytes).status, Status::done);
    } else {
      expect_failed(bytes, 14);
    }
  }
}

TEST(ProxyProtocol, BodiesTooShortForTheirFamily) {
  for (std::size_t size = 0; size < 12; ++size) {
    expect_failed(header(0x21, 0x11, kV4.substr(0, size)), 16);
  }
  for (std::size_t size = 0; size < 36; ++size) {
    expect_failed(header(0x21, 0x21, kV6.substr(0, size)), 16);
  }
  expect_failed(header(0x21, 0x31, kUnix.substr(1)), 16);
}

TEST(ProxyProtocol, TheLengthIsCapped) {
  const std::size_t body_max = kProxyHeaderBytesMax - 16;
  expect_done(header(0x21, 0x11, kV4 + std::string(body_max - 12, 't')), "10.1.2.3:50000");
  expect_failed(header(0x21, 0x11, kV4 + std::string(body_max - 11, 't')), 16);
  expect_failed(header(0x20, 0x00, std::string(65'535, 't')), 16);
}

TEST(ProxyProtocol, AnythingElseFailsAtItsFirstByte) {
  expect_failed("GET / HTTP/1.1\r\n", 1);
  expect_failed("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", 1);
  expect_failed("\x16\x03\x01", 1);
  std::string bytes = header(0x21, 0x11, kV4);
  for (std::size_t at = 0; at < 12; ++at) {
    std::string spoiled = bytes;
    spoiled[at] = static_cast<char>(spoiled[at] ^ 0x20);
    expect_failed(spoiled, at + 1);
  }
}

TEST(ProxyProtocol, NobodyIsNotAUnixPeer) { expect_failed(header(0x21, 0x21, std::string(36, '\0')), 16 + 36); }

}  // namespace
}  // namespace loop
