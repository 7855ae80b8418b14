#include "client/core/centrifuge/subscription.h"

#include <utility>

#include "codec/delta.h"
#include "codec/json_in.h"

namespace client::centrifuge {
namespace {

namespace wire = door::centrifuge;

// A publication is at most as large as the frame that could have brought it whole.
constexpr std::size_t kPublicationBytesMax = 64 << 20;

wire::FilterNode to_wire(const wirebird::TagsFilter& filter) {
  wire::FilterNode node{
      .op = filter.op, .key = filter.key, .cmp = filter.cmp, .val = filter.val, .vals = {}, .nodes = {}};
  node.vals.assign(filter.vals.begin(), filter.vals.end());
  for (const wirebird::TagsFilter& each : filter.nodes) node.nodes.push_back(to_wire(each));
  return node;
}

}  // namespace

std::optional<std::string> DeltaChain::whole(const wire::Publication& publication, Encoding encoding) {
  std::string_view bytes = publication.data.bytes;
  if (!granted_) {
    if (publication.delta) return std::nullopt;
    return std::string(bytes);
  }
  std::string unescaped;
  // The frame was validated when it was read, so parsing finds what it found.
  if (encoding == Encoding::json_string) {
    const auto value = codec::JsonValue::parse(bytes);
    const auto text = value ? value->string() : std::nullopt;
    if (!text) return std::nullopt;
    unescaped = *text;
    bytes = unescaped;
  }
  if (!publication.delta) {
    before_ = std::string(bytes);
    return before_;
  }
  if (!before_) return std::nullopt;
  auto made = codec::apply_delta(*before_, bytes, kPublicationBytesMax);
  if (!made) return std::nullopt;
  before_ = std::move(*made);
  return before_;
}

wire::SubscribeRequest Subscription::request(wire::Payload data, std::optional<wire::FilterNode>& filter) const {
  filter.reset();
  if (settings.tags_filter) filter = to_wire(*settings.tags_filter);
  wire::SubscribeRequest request{.channel = settings.channel,
                                 .token = settings.token,
                                 .data = data,
                                 .positioned = settings.positioned,
                                 .recoverable = settings.recoverable,
                                 .join_leave = settings.join_leave,
                                 .tf = filter};
  if (settings.delta == wirebird::SubscriptionOptions::Delta::fossil) request.delta = "fossil";
  if (recover) {
    request.recover = true;
    request.offset = position.offset;
    request.epoch = position.epoch;
  }
  return request;
}

wirebird::SubscribedEvent Subscription::take(const wire::SubscribeResult& result) {
  delta.restart(result.delta);
  if (result.recoverable) {
    recover = true;
    position = {result.offset, std::string(result.epoch)};
  }
  wirebird::SubscribedEvent event;
  event.recoverable = result.recoverable;
  event.positioned = result.positioned;
  event.was_recovering = result.was_recovering;
  event.recovered = result.recovered;
  event.has_recovered_publications = result.recovered && !result.publications.empty();
  if (result.recoverable || result.positioned) event.position = {result.offset, std::string(result.epoch)};
  event.data = result.data.bytes;
  return event;
}

void Subscription::forget_state() {
  if (settings.tokens == SubscriptionSettings::Tokens::asked_for) settings.token.clear();
  if (recover) position = {0, "_"};
}

wirebird::ClientInfo to_public(const wire::ClientInfo& info) {
  return {std::string(info.user), std::string(info.client), std::string(info.conn_info.bytes),
          std::string(info.chan_info.bytes)};
}

wirebird::Publication to_public(const wire::Publication& publication) {
  wirebird::Publication result;
  if (publication.info) result.info = to_public(*publication.info);
  result.offset = publication.offset;
  for (const auto& [key, value] : publication.tags) result.tags.emplace(key, value);
  result.time_ms = publication.time;
  result.channel = publication.channel;
  result.key = publication.key;
  result.removed = publication.removed;
  result.score = publication.score;
  result.version = publication.version;
  return result;
}

}  // namespace client::centrifuge
