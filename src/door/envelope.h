// The JSON envelope of docs/protocol.md. Pure: appends to `out`.
#pragma once

#include <string>
#include <string_view>

#include "base/refusal.h"
#include "hub/message.h"
#include "hub/position.h"
#include "hub/since.h"

namespace door {

void append_envelope(std::string& out, std::string_view channel, const hub::Epoch& epoch, const hub::Message& message);
void append_position_record(std::string& out, std::string_view channel, const hub::Position& position);
// `after`: the position from which things go on.
void append_gap_record(std::string& out, std::string_view channel, const hub::Gap& gap, const hub::Position& after);
// An empty channel is left out.
void append_error_record(std::string& out, std::string_view channel, const base::Refusal& refusal);
std::string_view to_string(hub::GapReason reason);  // as the wire and /metrics name it
// The gap object alone: {"from":..,"to":..,"reason":".."}.
void append_gap(std::string& out, const hub::Gap& gap);

}  // namespace door
