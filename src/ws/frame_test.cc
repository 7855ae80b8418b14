#include "ws/frame.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>
#include <string>

#include "ws/frame_header.h"
#include "ws/session_rig.h"

namespace ws {
namespace {

using Status = HeaderReading::Status;

// RFC 6455 section 5.7.
TEST(Frame, ExamplesOfTheStandard) {
  EXPECT_EQ(encode_server_frame(Opcode::text, "Hello").view(), "\x81\x05Hello");
  std::string masked;
  append_client_frame(masked, Opcode::text, "Hello", {'\x37', '\xfa', '\x21', '\x3d'});
  EXPECT_EQ(masked, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
  EXPECT_EQ(encode_server_frame(Opcode::ping, "Hello").view(), "\x89\x05Hello");
  const std::string b256(256, 'x');
  const std::string b64k(65536, 'y');
  EXPECT_EQ(encode_server_frame(Opcode::binary, b256).view(), std::string("\x82\x7e\x01\x00", 4) + b256);
  EXPECT_EQ(encode_server_frame(Opcode::binary, b64k).view(), std::string("\x82\x7f\0\0\0\0\0\1\0\0", 10) + b64k);
}

TEST(Frame, CompressedSetsTheFirstReservedBit) {
  EXPECT_EQ(encode_server_frame(Opcode::text, "x", Compressed::yes).view(), "\xc1\x01x");
  std::string appended = "before";
  append_server_frame(appended, Opcode::text, "x", Compressed::yes);
  EXPECT_EQ(appended, "before\xc1\x01x");
}

TEST(Frame, EmptyPayload) { EXPECT_EQ(encode_server_frame(Opcode::text, "").view(), std::string("\x81\x00", 2)); }

// RFC 6455 section 7.4 and IANA's registry: every code there is.
TEST(Frame, EveryCloseCode) {
  const std::set<int> defined = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014};
  for (int code = 0; code <= 0xffff; ++code) {
    const bool expected = defined.contains(code) || (code >= 3000 && code <= 4999);
    EXPECT_EQ(close_code_valid_on_wire(static_cast<std::uint16_t>(code)), expected) << code;
  }
}

// What we write is what we read, for both roles and every form of length.
TEST(Frame, WhatIsWrittenIsRead) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 65535U, 65536U, 65537U, 1U << 20}) {
    const std::string payload(size, 'p');
    std::string client;
    append_client_frame(client, Opcode::binary, payload, {1, 2, 3, 4});
    const auto from_client = read_header(client, {.receiver = Role::server});
    ASSERT_EQ(from_client.status, Status::done);
    EXPECT_EQ(from_client.header.payload_bytes, size);
    EXPECT_EQ(from_client.header.key, (codec::MaskKey{1, 2, 3, 4}));
    EXPECT_EQ(client.size() - from_client.header.header_bytes, size);

    const auto server = encode_server_frame(Opcode::binary, payload);
    const auto from_server = read_header(server.view(), {.receiver = Role::client});
    ASSERT_EQ(from_server.status, Status::done);
    EXPECT_EQ(from_server.header.payload_bytes, size);
    EXPECT_EQ(server.size() - from_server.header.header_bytes, size);
  }
}

base::Error expected_of_first_byte(unsigned byte, const FrameRules& rules) {
  const bool fin = (byte & 0x80) != 0;
  const unsigned rsv = byte >> 4 & 7;
  const unsigned opcode = byte & 15;
  const bool starts = opcode == 1 || opcode == 2;
  if ((rsv & 3) != 0) return base::Error::ws_reserved_bits;
  if (std::set<unsigned>{0, 1, 2, 8, 9, 10}.count(opcode) == 0) return base::Error::ws_opcode;
  if (rsv == 4 && (!rules.deflate || !starts)) return base::Error::ws_reserved_bits;
  if (opcode >= 8) return fin ? base::Error::none : base::Error::ws_control_frame;
  if (opcode == 0 && !rules.inside_message) return base::Error::ws_fragment;
  if (starts && rules.inside_message) return base::Error::ws_fragment;
  return base::Error::none;
}

// All 256 first bytes (16 opcodes, reserved bits, FIN) under every rule; an error needs no further byte.
TEST(FrameHeader, EveryFirstByte) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (const bool deflate : {false, true}) {
      for (const bool inside_message : {false, true}) {
        const FrameRules rules{.receiver = Role::client, .deflate = deflate, .inside_message = inside_message};
        const std::string first(1, static_cast<char>(byte));
        const base::Error expected = expected_of_first_byte(byte, rules);
        const HeaderReading one = read_header(first, rules);
        EXPECT_EQ(one.error, expected) << byte;
        EXPECT_EQ(one.status, expected == base::Error::none ? Status::need_more : Status::failed) << byte;
        const HeaderReading two = read_header(first + '\0', rules);
        EXPECT_EQ(two.error, expected) << byte;
        if (expected != base::Error::none) continue;
        ASSERT_EQ(two.status, Status::done) << byte;
        EXPECT_EQ(static_cast<unsigned>(two.header.opcode), byte & 15);
        EXPECT_EQ(two.header.fin == Fin::yes, byte >= 0x80);
        EXPECT_EQ(two.header.compressed == Compressed::yes, (byte & 0x40) != 0);
      }
    }
  }
}

// T23: on every opcode.
TEST(FrameHeader, MaskingRule) {
  for (const unsigned opcode : {1U, 2U, 8U, 9U, 10U}) {
    const std::string masked = spell({.opcode = opcode, .payload = "ab", .masked = true});
    const std::string plain = spell({.opcode = opcode, .payload = "ab", .masked = false});
    EXPECT_EQ(read_header(masked, {.receiver = Role::server}).status, Status::done);
    EXPECT_EQ(read_header(plain, {.receiver = Role::client}).status, Status::done);
    EXPECT_EQ(read_header(plain, {.receiver = Role::server}).error, base::Error::ws_unmasked);
    EXPECT_EQ(read_header(masked, {.receiver = Role::client}).error, base::Error::ws_masked);
  }
}

TEST(FrameHeader, ControlFramesAreShort) {
  for (const unsigned opcode : {8U, 9U, 10U}) {
    for (unsigned code = 0; code < 128; ++code) {
      const std::string bytes = {static_cast<char>(0x80 | opcode), static_cast<char>(code)};
      const HeaderReading reading = read_header(bytes, {.receiver = Role::client});
      EXPECT_EQ(reading.error, code > 125 ? base::Error::ws_control_frame : base::Error::none) << code;
    }
  }
}

// T02: every power of two and its neighbours in every form.
TEST(FrameHeader, EveryLengthInEveryForm) {
  for (int power = 0; power < 64; ++power) {
    for (const int neighbour : {-1, 0, 1}) {
      const std::uint64_t length = (std::uint64_t{1} << power) + static_cast<std::uint64_t>(neighbour);
      for (const int length_bytes : {0, 2, 8}) {
        if (length_bytes == 0 && length > 125) continue;
        if (length_bytes == 2 && length > 0xffff) continue;
        const std::string bytes =
            spell({.opcode = 2, .masked = false, .length_bytes = length_bytes, .declared = length});
        const HeaderReading reading = read_header(bytes, {.receiver = Role::client});
        const bool minimal = length_bytes == (length < 126 ? 0 : length <= 0xffff ? 2 : 8);
        const bool valid = minimal && length >> 63 == 0;
        EXPECT_EQ(reading.error, valid ? base::Error::none : base::Error::ws_frame_length) << length;
        EXPECT_EQ(reading.status, valid ? Status::done : Status::failed) << length;
        EXPECT_EQ(reading.header.payload_bytes, length);
      }
    }
  }
  const std::string all_ones = spell(
      {.opcode = 2, .masked = false, .length_bytes = 8, .declared = std::numeric_limits<std::uint64_t>::max() - 1});
  EXPECT_EQ(read_header(all_ones, {.receiver = Role::client}).error, base::Error::ws_frame_length);
}

// A prefix never says more than "not yet", and says "failed" exactly where the whole does.
TEST(FrameHeader, EveryPrefix) {
  for (const std::uint64_t length : {5U, 300U, 70000U}) {
    const std::string bytes = spell({.opcode = 2, .declared = length});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(read_header(std::string_view(bytes).substr(0, size), {}).status, Status::need_more);
    }
    EXPECT_EQ(read_header(bytes, {}).status, Status::done);
    EXPECT_EQ(read_header(bytes + "payload", {}).header.header_bytes, bytes.size());
  }
}

TEST(FrameInPlace, PutsTheServersHeaderBeforeAPayloadThatWasReceived) {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u, 100000u}) {
    const std::string payload(size, 'p');
    std::string wire;
    append_client_frame(wire, Opcode::binary, payload, {'k', 'e', 'y', '!'});
    const std::size_t place = wire.size() - size;
    codec::apply_mask(std::span(wire).subspan(place), {'k', 'e', 'y', '!'}, 0);
    const std::string_view frame = frame_in_place(Opcode::binary, wire, std::string_view(wire).substr(place));
    EXPECT_EQ(frame, encode_server_frame(Opcode::binary, payload).view()) << size;
  }
}

TEST(FrameInPlace, IsEmptyForAPayloadThatStandsElsewhere) {
  std::string wire(64, 'x');
  const std::string other(16, 'y');
  const std::string before = wire;
  EXPECT_TRUE(frame_in_place(Opcode::text, wire, other).empty());
  EXPECT_TRUE(
      frame_in_place(Opcode::text, wire, std::string_view(wire).substr(5, 10)).empty());  // no room for a header
  EXPECT_TRUE(frame_in_place(Opcode::text, std::span(wire).first(32), std::string_view(wire).substr(30, 10)).empty());
  EXPECT_TRUE(frame_in_place(Opcode::text, {}, other).empty());
  EXPECT_EQ(wire, before);
}

}  // namespace
}  // namespace ws
