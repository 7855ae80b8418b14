// Replies, pushes and commands as JSON objects. Each call appends one object without a newline in or after it; a frame
// is such objects with a newline between them. Strings must be valid UTF-8. Encode once, share the bytes. Pure; any
// thread.
#pragma once

#include <string>

#include "door/centrifuge/protocol.h"

namespace door::centrifuge {

void append_json(std::string& out, const Reply& reply);
// Bare, as unidirectional clients get it.
void append_json(std::string& out, const Push& push);
void append_json(std::string& out, const Command& command);

}  // namespace door::centrifuge
