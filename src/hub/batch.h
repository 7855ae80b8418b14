// Messages of one channel on their way to subscribers of one worker, with the bytes they become on the wire: encoded
// once per format by whoever needs them first, shared by all others. Lives on one worker, for the time of one fan-out
// slice.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/shared_bytes.h"
#include "hub/message.h"
#include "hub/position.h"

namespace hub {

inline constexpr std::size_t kFormatsMax = 8;

struct Batch {
  const std::string& channel;
  Epoch epoch;
  enum class Source : std::uint8_t { live, replay } source;  // replay is paced by the reader and never counts as slow
  std::span<const MessageRef> messages;                      // not empty, contiguous offsets
  std::array<std::optional<base::SharedBytes>, kFormatsMax> encoded;

  Offset first() const { return messages.front()->offset(); }
  Offset last() const { return messages.back()->offset(); }
};

}  // namespace hub
