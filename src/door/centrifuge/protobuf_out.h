// Replies, pushes and commands as Protobuf. A frame is such messages after each other, each behind its length. Encode
// once, share the bytes. Strings must be valid UTF-8. Pure; any thread.
#pragma once

#include <string>

#include "door/centrifuge/protocol.h"

namespace door::centrifuge {

// Each with its length in front.
void append_protobuf(std::string& out, const Reply& reply);
void append_protobuf(std::string& out, const Command& command);
void append_protobuf(std::string& out, const Push& push);
// The message alone, for what frames it itself.
void append_protobuf_bare(std::string& out, const Push& push);

}  // namespace door::centrifuge
