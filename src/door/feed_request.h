// What a client asks for when it starts to watch: the same grammar for WebSocket, SSE and long polling. A value.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/refusal.h"
#include "codec/url.h"
#include "hub/since.h"

namespace door {

struct FeedRequest {
  std::vector<std::string> channels;  // valid names, at least one, none twice
  std::vector<hub::Since> since;      // one per channel
  bool since_given = false;           // `since` or Last-Event-ID was there and not empty
  std::optional<bool> meta;           // meta=0, meta=1 or absent
};

// `path_channel` is what stands behind "/ws/" and the like, raw; empty: the channels are `channel` parameters.
// `last_event_id` (SSE) wins over `since`. bad_channel, bad_cursor, bad_parameter (both path and parameters, none at
// all, a channel twice, a malformed meta), too_many_channels.
std::expected<FeedRequest, base::Refusal> parse_feed_request(std::string_view path_channel, const codec::Query& query,
                                                             std::string_view last_event_id, std::size_t channels_max);

}  // namespace door
