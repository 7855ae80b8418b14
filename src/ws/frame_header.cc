#include "ws/frame_header.h"

namespace ws {
namespace {

constexpr unsigned kRsv2AndRsv3 = 0x30;

unsigned octet(std::string_view bytes, std::size_t at) noexcept { return static_cast<unsigned char>(bytes[at]); }

bool known(unsigned opcode) noexcept { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

base::Error check_first_byte(const FrameHeader& header, unsigned byte, const FrameRules& rules) noexcept {
  if ((byte & kRsv2AndRsv3) != 0) return base::Error::ws_reserved_bits;
  if (!known(byte & 0x0f)) return base::Error::ws_opcode;
  const bool starts_message = header.opcode == Opcode::text || header.opcode == Opcode::binary;
  // RFC 7692 section 6: RSV1 stands on the first frame of a message only, and never on control frames.
  if (header.compressed == Compressed::yes && !(rules.deflate && starts_message)) return base::Error::ws_reserved_bits;
  if (is_control(header.opcode)) {
    return header.fin == Fin::no ? base::Error::ws_control_frame : base::Error::none;
  }
  return starts_message == rules.inside_message ? base::Error::ws_fragment : base::Error::none;
}

base::Error check_second_byte(const FrameHeader& header, unsigned byte, const FrameRules& rules) noexcept {
  const bool masked = (byte & 0x80) != 0;
  if (rules.receiver == Role::server && !masked) return base::Error::ws_unmasked;
  if (rules.receiver == Role::client && masked) return base::Error::ws_masked;
  if (is_control(header.opcode) && (byte & 0x7f) > kControlPayloadBytesMax) return base::Error::ws_control_frame;
  return base::Error::none;
}

std::uint64_t big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value = value << 8 | octet(bytes, i);
  return value;
}

// Section 5.2: the minimal form must be used, and the top bit of the long form must be 0.
bool length_valid(std::size_t length_bytes, std::uint64_t length) noexcept {
  if (length_bytes == 2) return length >= 126;
  if (length_bytes == 8) return length > 0xffff && length >> 63 == 0;
  return true;
}

}  // namespace

HeaderReading read_header(std::string_view bytes, const FrameRules& rules) noexcept {
  HeaderReading reading;
  FrameHeader& header = reading.header;
  const auto refused = [&](base::Error error) {
    reading.error = error;
    if (error != base::Error::none) reading.status = HeaderReading::Status::failed;
    return error != base::Error::none;
  };

  if (bytes.empty()) return reading;
  const unsigned first = octet(bytes, 0);
  header.opcode = static_cast<Opcode>(first & 0x0f);
  header.fin = (first & 0x80) != 0 ? Fin::yes : Fin::no;
  header.compressed = (first & 0x40) != 0 ? Compressed::yes : Compressed::no;
  if (refused(check_first_byte(header, first, rules)) || bytes.size() < 2) return reading;

  const unsigned second = octet(bytes, 1);
  if (refused(check_second_byte(header, second, rules))) return reading;

  const unsigned code = second & 0x7f;
  const std::size_t length_bytes = code == 126 ? 2 : code == 127 ? 8 : 0;
  const std::size_t key_at = 2 + length_bytes;
  if (bytes.size() < key_at) return reading;
  header.payload_bytes = length_bytes == 0 ? code : big_endian(bytes.substr(2, length_bytes));
  if (!length_valid(length_bytes, header.payload_bytes)) {
    refused(base::Error::ws_frame_length);
    return reading;
  }

  const std::size_t key_bytes = (second & 0x80) != 0 ? header.key.size() : 0;
  if (bytes.size() < key_at + key_bytes) return reading;
  bytes.copy(header.key.data(), key_bytes, key_at);
  header.header_bytes = static_cast<std::uint8_t>(key_at + key_bytes);
  reading.status = HeaderReading::Status::done;
  return reading;
}

}  // namespace ws
