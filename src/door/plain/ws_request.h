// The query of a plain WebSocket (docs/protocol.md, WebSocket). A value.
#pragma once

#include <expected>
#include <string_view>

#include "base/refusal.h"
#include "codec/url.h"
#include "door/feed_request.h"

namespace door::plain {

struct WsRequest {
  FeedRequest feed;
  bool envelope = false;    // meta=1, or several channels; meta=0 with several is bad_parameter
  bool json_input = false;  // kind=json (kind=text: false; anything else bad_parameter)
  bool may_publish = true;  // publish=0: false (publish=1: true; anything else bad_parameter)
};

std::expected<WsRequest, base::Refusal> parse_ws_request(std::string_view path_channel, const codec::Query& query,
                                                         std::size_t channels_max);

}  // namespace door::plain
