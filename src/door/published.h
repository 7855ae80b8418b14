// The answer to a publish (docs/protocol.md), of POST /pub and of the server's API. Pure: appends to `out`.
#pragma once

#include <string_view>

#include "codec/json_out.h"
#include "hub/mail.h"

namespace door {

// "channel","epoch","offset","time","level","workers", inside an object that the caller has begun.
void append_published_members(codec::JsonWriter& json, std::string_view channel, const hub::Published& published);

}  // namespace door
