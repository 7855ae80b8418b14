// One message while its frames arrive: put together, checked as UTF-8 at the first byte that breaks it, inflated at its
// end. The same bytes give the same verdict however they are cut: inflated text is judged before a failure of the
// inflater is reported.
//
// Compressed bytes wait for the last one, because what is not finished may cost no more than what was received (T01):
// an inflater costs 40 KB per message, and 1 KB of bomb would already pin 1 MB. One call inflates one message at a
// time, so the inflated copy exists once per worker (T03).
//
// Calling order: append() for every piece but the last, then finish() or inflate() with the last; after an error
// nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "codec/utf8.h"
#include "ws/deflate.h"
#include "ws/frame.h"
#include "ws/growing_bytes.h"

namespace ws {

class PartialMessage {
 public:
  PartialMessage(Opcode opcode, Compressed compressed) : opcode_(opcode), compressed_(compressed) {}

  // What is appended must fit (the frame's length was admitted before).
  base::Error append(std::string_view piece, std::size_t bytes_max);
  // The end of a plain message.
  base::Error finish(std::string_view last_piece, std::size_t bytes_max);
  // The end of a compressed one. `inflater` has the context or was reset; `blank` becomes the payload.
  base::Error inflate(std::string_view last_piece, std::size_t bytes_max, Inflater& inflater, GrowingBytes blank);

  Opcode opcode() const noexcept { return opcode_; }
  Compressed compressed() const noexcept { return compressed_; }
  GrowingBytes take_payload() { return std::move(bytes_); }  // after the end
  std::size_t held_bytes() const noexcept { return bytes_.capacity(); }

 private:
  base::Error judge_text(std::string_view text);

  Opcode opcode_;
  Compressed compressed_;
  codec::Utf8Check text_;
  GrowingBytes bytes_;  // as on the wire, unmasked; the payload in the end
};

}  // namespace ws
