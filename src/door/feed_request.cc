#include "door/feed_request.h"

#include <algorithm>
#include <utility>

#include "door/channel_name.h"
#include "door/parameters.h"
#include "door/since.h"

namespace door {
namespace {

using base::Error;
using base::Refusal;

std::unexpected<Refusal> refuse(std::string_view hint) { return std::unexpected(Refusal(Error::bad_parameter, hint)); }

std::expected<std::vector<std::string>, Refusal> parse_channels(std::string_view path_channel,
                                                                const codec::Query& query, std::size_t channels_max) {
  const std::vector<std::string_view> named = query.values("channel");
  std::vector<std::string> channels;
  if (!path_channel.empty()) {
    if (!named.empty()) return refuse("channel: in the path or as a parameter, not both");
    std::expected<std::string, Refusal> channel = channel_from_path(path_channel);
    if (!channel) return std::unexpected(channel.error());
    channels.push_back(*std::move(channel));
    return channels;
  }
  if (named.empty()) return refuse("channel: name one, in the path or as a parameter");
  if (named.size() > channels_max) return std::unexpected(Error::too_many_channels);
  for (const std::string_view name : named) {
    if (const auto checked = check_channel_name(name); !checked) return std::unexpected(checked.error());
    // Quadratic, but a query has at most Query::kParametersMax parameters.
    if (std::ranges::find(channels, name) != channels.end()) return refuse("channel: one is named twice");
    channels.emplace_back(name);
  }
  return channels;
}

}  // namespace

std::expected<FeedRequest, Refusal> parse_feed_request(std::string_view path_channel, const codec::Query& query,
                                                       std::string_view last_event_id, std::size_t channels_max) {
  std::expected<std::vector<std::string>, Refusal> channels = parse_channels(path_channel, query, channels_max);
  if (!channels) return std::unexpected(channels.error());
  if (query.count("since") > 1) return refuse("since: given twice");
  const std::string_view since_text = last_event_id.empty() ? query.find("since").value_or("") : last_event_id;
  std::expected<std::vector<hub::Since>, Refusal> since = parse_since(since_text, channels->size());
  if (!since) return std::unexpected(since.error());
  const std::expected<std::optional<bool>, Refusal> meta = parse_switch(query, "meta", "meta: 0 or 1");
  if (!meta) return std::unexpected(meta.error());
  return FeedRequest{
      .channels = *std::move(channels), .since = *std::move(since), .since_given = !since_text.empty(), .meta = *meta};
}

}  // namespace door
