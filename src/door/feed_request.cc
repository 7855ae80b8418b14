#include "door/feed_request.h"

#include <algorithm>
#include <utility>

#include "door/channel_name.h"
#include "door/parameters.h"
#include "door/since.h"

namespace door {
namespace {

using base::Error;

std::expected<std::vector<std::string>, Error> parse_channels(std::string_view path_channel, const codec::Query& query,
                                                              std::size_t channels_max) {
  const std::vector<std::string_view> named = query.values("channel");
  std::vector<std::string> channels;
  if (!path_channel.empty()) {
    if (!named.empty()) return std::unexpected(Error::bad_parameter);
    std::expected<std::string, Error> channel = channel_from_path(path_channel);
    if (!channel) return std::unexpected(channel.error());
    channels.push_back(*std::move(channel));
    return channels;
  }
  if (named.empty()) return std::unexpected(Error::bad_parameter);
  if (named.size() > channels_max) return std::unexpected(Error::too_many_channels);
  for (const std::string_view name : named) {
    if (!is_valid_channel_name(name)) return std::unexpected(Error::bad_channel);
    // Quadratic, but a query has at most Query::kParametersMax parameters.
    if (std::ranges::find(channels, name) != channels.end()) return std::unexpected(Error::bad_parameter);
    channels.emplace_back(name);
  }
  return channels;
}

}  // namespace

std::expected<FeedRequest, Error> parse_feed_request(std::string_view path_channel, const codec::Query& query,
                                                     std::string_view last_event_id, std::size_t channels_max) {
  std::expected<std::vector<std::string>, Error> channels = parse_channels(path_channel, query, channels_max);
  if (!channels) return std::unexpected(channels.error());
  if (query.count("since") > 1) return std::unexpected(Error::bad_parameter);
  const std::string_view since_text = last_event_id.empty() ? query.find("since").value_or("") : last_event_id;
  std::expected<std::vector<hub::Since>, Error> since = parse_since(since_text, channels->size());
  if (!since) return std::unexpected(since.error());
  const std::expected<std::optional<bool>, Error> meta = parse_switch(query, "meta");
  if (!meta) return std::unexpected(meta.error());
  return FeedRequest{
      .channels = *std::move(channels), .since = *std::move(since), .since_given = !since_text.empty(), .meta = *meta};
}

}  // namespace door
