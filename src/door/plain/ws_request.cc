#include "door/plain/ws_request.h"

#include <optional>
#include <utility>

#include "door/parameters.h"

namespace door::plain {

using base::Error;
using base::Refusal;

std::expected<WsRequest, Refusal> parse_ws_request(std::string_view path_channel, const codec::Query& query,
                                                   std::size_t channels_max) {
  std::expected<FeedRequest, Refusal> feed = parse_feed_request(path_channel, query, {}, channels_max);
  if (!feed) return std::unexpected(feed.error());
  WsRequest request{.feed = *std::move(feed)};

  const bool several = request.feed.channels.size() > 1;
  request.envelope = request.feed.meta.value_or(several);
  // Raw frames do not say which channel they are of.
  if (several && !request.envelope) return std::unexpected(Refusal(Error::bad_parameter, "meta=0 takes one channel"));

  if (query.count("kind") > 0) {
    const std::optional<std::string_view> kind = query.find("kind");
    if (kind != "json" && kind != "text") {
      return std::unexpected(Refusal(Error::bad_parameter, "kind: json or text"));
    }
    request.json_input = kind == "json";
  }
  const std::expected<std::optional<bool>, Refusal> publish = parse_switch(query, "publish", "publish: 0 or 1");
  if (!publish) return std::unexpected(publish.error());
  request.may_publish = publish->value_or(true);
  return request;
}

}  // namespace door::plain
