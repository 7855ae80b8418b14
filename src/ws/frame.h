// Frames as bytes (RFC 6455 section 5.2): opcodes, close codes and the header encoder. Doors use it to encode a message
// once for every subscriber: server frames are not masked, so their bytes are the same for everybody. Stateless.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/shared_bytes.h"
#include "codec/mask.h"

namespace ws {

enum class Role : std::uint8_t { server, client };
enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
enum class Compressed : std::uint8_t { no, yes };
enum class Fin : std::uint8_t { no, yes };

inline constexpr std::size_t kHeaderBytesMax = 14;
inline constexpr std::size_t kControlPayloadBytesMax = 125;  // section 5.5

constexpr bool is_control(Opcode opcode) noexcept { return opcode >= Opcode::close; }

// A whole unmasked, unfragmented server frame.
base::SharedBytes encode_server_frame(Opcode opcode, std::string_view payload, Compressed compressed = Compressed::no);
// The same, appended to out.
void append_server_frame(std::string& out, Opcode opcode, std::string_view payload,
                         Compressed compressed = Compressed::no);
// The same in place, for a server that sends back what it has just received: puts the header right before `payload`,
// where the client's header was, which is longer by its mask. Empty if `payload` does not stand in `received` behind
// that much.
std::string_view frame_in_place(Opcode opcode, std::span<char> received, std::string_view payload) noexcept;
// A whole masked client frame. The key must be unpredictable (section 10.3).
void append_client_frame(std::string& out, Opcode opcode, std::string_view payload, codec::MaskKey key,
                         Compressed compressed = Compressed::no);
// True for codes that may stand in a Close frame on the wire (RFC 6455 section 7.4).
bool close_code_valid_on_wire(std::uint16_t code) noexcept;

}  // namespace ws
