// Long polling: its query and its answer (docs/protocol.md). Values.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "base/refusal.h"
#include "base/time.h"
#include "codec/url.h"
#include "door/feed_request.h"

namespace door::poll {

struct PollRequest {
  FeedRequest feed;
  base::Duration timeout = std::chrono::seconds(25);  // 1 s to 60 s
  std::uint32_t limit = 256;                          // 1 to 1000
};

std::expected<PollRequest, base::Refusal> parse_poll_request(std::string_view path_channel, const codec::Query& query,
                                                             std::size_t channels_max);
// {"messages":[...],"cursor":"..."}; each record is JSON already.
void append_answer(std::string& out, std::span<const std::string> records, std::string_view cursor);

}  // namespace door::poll
