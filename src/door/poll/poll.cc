#include "door/poll/poll.h"

#include <utility>

#include "codec/json_out.h"
#include "door/parameters.h"

namespace door::poll {

using base::Error;
using base::Refusal;

std::expected<PollRequest, Refusal> parse_poll_request(std::string_view path_channel, const codec::Query& query,
                                                       std::size_t channels_max) {
  std::expected<FeedRequest, Refusal> feed = parse_feed_request(path_channel, query, {}, channels_max);
  if (!feed) return std::unexpected(feed.error());
  if (feed->meta == false) {
    return std::unexpected(Refusal(Error::bad_parameter, "meta: the answer to a poll is envelopes, always"));
  }
  const auto timeout_s = parse_number(query, {"timeout", 1, 60, 25, "timeout: 1 to 60 (seconds)"});
  if (!timeout_s) return std::unexpected(timeout_s.error());
  const auto limit = parse_number(query, {"limit", 1, 1000, 256, "limit: 1 to 1000"});
  if (!limit) return std::unexpected(limit.error());
  return PollRequest{.feed = *std::move(feed), .timeout = std::chrono::seconds(*timeout_s), .limit = *limit};
}

void append_answer(std::string& out, std::span<const std::string> records, std::string_view cursor) {
  codec::JsonWriter json(out);
  json.begin_object().key("messages").begin_array();
  for (const std::string& record : records) json.raw(record);
  json.end_array().key("cursor").string(cursor).end_object();
}

}  // namespace door::poll
