// Server-sent events (HTML Living Standard section 9.2). Pure: appends to `out`. `id` is a cursor; empty: no id line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hub/message.h"

namespace door::sse {

// Status line and headers of the stream, ended by the end of the connection, then the `retry:` line. `allow_origin`:
// value of Access-Control-Allow-Origin, empty: none.
void append_head(std::string& out, std::string_view allow_origin, std::uint32_t retry_ms);
void append_envelope(std::string& out, std::string_view id, std::string_view channel, const hub::Epoch& epoch,
                     const hub::Message& message);
void append_raw(std::string& out, std::string_view id, const hub::Message& message);
void append_gap(std::string& out, std::string_view id, std::string_view gap_record);  // event: gap
void append_error(std::string& out, std::string_view error_json);                     // event: error
void append_cursor(std::string& out, std::string_view id);                            // an event with an id only
void append_retry(std::string& out, std::uint32_t retry_ms);                          // how long a client waits
void append_heartbeat(std::string& out);                                              // a comment line

}  // namespace door::sse
