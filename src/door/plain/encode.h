// Messages as unmasked server frames, the same bytes for every subscriber. Pure: appends to `out`.
#pragma once

#include <string>
#include <string_view>

#include "hub/message.h"
#include "ws/frame.h"

namespace door::plain {

// binary for Kind::binary, else text.
ws::Opcode raw_opcode(const hub::Message& message) noexcept;
void append_raw(std::string& out, const hub::Message& message);
void append_envelope(std::string& out, std::string_view channel, const hub::Epoch& epoch, const hub::Message& message);

}  // namespace door::plain
