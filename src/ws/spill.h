// What a session holds while something is incomplete: the first bytes of a header, a frame whose payload is still
// arriving, a message whose last frame has not come. Private to the session; gone when everything is complete.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "ws/deflate.h"
#include "ws/frame_header.h"
#include "ws/partial_message.h"

namespace ws {

struct Spill {
  std::array<char, kHeaderBytesMax> head;  // of a header, from the frame's first byte
  std::uint8_t head_bytes = 0;

  bool inside_frame = false;
  FrameHeader frame;                                  // when inside_frame
  std::uint64_t frame_taken = 0;                      // bytes of its payload
  std::array<char, kControlPayloadBytesMax> control;  // its payload, when it is a control frame

  std::optional<PartialMessage> message;
  std::uint64_t message_wire_bytes = 0;  // payloads of its frames, as declared and admitted
  std::uint16_t fragments = 0;

  base::Instant deadline = base::kNever;

  bool idle() const noexcept { return head_bytes == 0 && !inside_frame && !message.has_value(); }
};

// Compression state that lives as long as the session: each is made at first use, so a silent peer costs nothing (T04).
struct Contexts {
  std::unique_ptr<Inflater> inflater;
  std::unique_ptr<Deflater> deflater;
};

}  // namespace ws
