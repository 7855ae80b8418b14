#include "ws/frame.h"

#include <array>
#include <cstring>
#include <functional>

#include "base/assert.h"

namespace ws {
namespace {

constexpr unsigned kFin = 0x80;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kMask = 0x80;

struct Header {
  std::array<char, kHeaderBytesMax> bytes;
  std::size_t size = 0;
  void put(std::uint64_t byte) { bytes[size++] = static_cast<char>(byte); }
  std::string_view view() const { return {bytes.data(), size}; }
};

Header make_header(Opcode opcode, std::uint64_t payload_bytes, Compressed compressed, unsigned mask_bit) {
  ASSERT(!is_control(opcode) || (payload_bytes <= kControlPayloadBytesMax && compressed == Compressed::no));
  Header header;
  header.put(kFin | (compressed == Compressed::yes ? kRsv1 : 0) | static_cast<unsigned>(opcode));
  const auto put_length = [&](unsigned code, int bytes) {
    header.put(mask_bit | code);
    while (bytes-- > 0) header.put(payload_bytes >> (8 * bytes));
  };
  if (payload_bytes < 126) {
    put_length(static_cast<unsigned>(payload_bytes), 0);
  } else if (payload_bytes <= 0xffff) {
    put_length(126, 2);
  } else {
    put_length(127, 8);
  }
  return header;
}

}  // namespace

base::SharedBytes encode_server_frame(Opcode opcode, std::string_view payload, Compressed compressed) {
  return base::SharedBytes::concat(make_header(opcode, payload.size(), compressed, 0).view(), payload);
}

void append_server_frame(std::string& out, Opcode opcode, std::string_view payload, Compressed compressed) {
  out.append(make_header(opcode, payload.size(), compressed, 0).view());
  out.append(payload);
}

std::string_view frame_in_place(Opcode opcode, std::span<char> received, std::string_view payload) noexcept {
  const std::less<> before;
  if (before(payload.data(), received.data()) ||
      before(received.data() + received.size(), payload.data() + payload.size())) {
    return {};
  }
  const Header header = make_header(opcode, payload.size(), Compressed::no, 0);
  const auto place = static_cast<std::size_t>(payload.data() - received.data());
  const std::string_view head = header.view();
  if (place < head.size() + codec::MaskKey().size()) return {};
  char* const start = received.data() + place - head.size();
  std::memcpy(start, head.data(), head.size());
  return {start, head.size() + payload.size()};
}

void append_client_frame(std::string& out, Opcode opcode, std::string_view payload, codec::MaskKey key,
                         Compressed compressed) {
  out.append(make_header(opcode, payload.size(), compressed, kMask).view());
  out.append(key.data(), key.size());
  const std::size_t start = out.size();
  out.append(payload);
  codec::apply_mask(std::span(out).subspan(start), key, 0);
}

bool close_code_valid_on_wire(std::uint16_t code) noexcept {
  // 1004 has no meaning; 1005, 1006 and 1015 only describe what was not on the wire; 1012 to 1014 are registered at
  // IANA.
  if (code < 1000 || code == 1004 || code == 1005 || code == 1006) return false;
  return code <= 1014 || (code >= 3000 && code <= 4999);
}

}  // namespace ws
