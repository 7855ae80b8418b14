// Reads a frame header (RFC 6455 section 5.2) and refuses what no valid peer sends. Stateless: the verdict depends on
// the bytes and the rules only, and an error is found at the first byte that makes it, so cuts change nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "codec/mask.h"
#include "ws/frame.h"

namespace ws {

struct FrameHeader {
  Opcode opcode = Opcode::continuation;
  Fin fin = Fin::yes;
  Compressed compressed = Compressed::no;  // RSV1, on the first frame of a message
  codec::MaskKey key{};                    // zero if the frame is not masked: applying it changes nothing
  std::uint64_t payload_bytes = 0;         // as declared: nothing may be allocated for it (T02)
  std::uint8_t header_bytes = 0;
};

// What the receiver allows at this place of the stream.
struct FrameRules {
  Role receiver = Role::server;
  bool deflate = false;         // permessage-deflate was agreed: RSV1 may be set on the first frame of a message
  bool inside_message = false;  // a fragmented message is open
};

struct HeaderReading {
  enum class Status : std::uint8_t { need_more, done, failed };
  Status status = Status::need_more;
  base::Error error = base::Error::none;  // when failed
  FrameHeader header;                     // when done
};

HeaderReading read_header(std::string_view bytes, const FrameRules& rules) noexcept;

}  // namespace ws
