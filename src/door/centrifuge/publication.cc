#include "door/centrifuge/publication.h"

#include "hub/wildcard.h"

namespace door::centrifuge {

ClientInfo info_of(const hub::ClientIdentity& identity) {
  return {.user = identity.user.view(),
          .client = identity.client.view(),
          .conn_info = {identity.conn_info.view()},
          .chan_info = {identity.chan_info.view()}};
}

Publication publication_of(const hub::Message& message, const PublicationScope& scope) {
  Publication publication{.data = {message.payload(), message.kind()}};
  if (scope.with_position) {
    publication.offset = message.offset();
    if (message.offset() == 1) publication.epoch = scope.epoch;
  }
  const hub::Extras* extras = message.extras();
  if (extras == nullptr) return publication;
  if (!extras->publisher.empty()) publication.info = info_of(extras->publisher);
  for (const hub::Tag& tag : extras->tags.all()) publication.tags.emplace_back(tag.key, tag.value);
  publication.key = extras->key;
  publication.removed = extras->removed;
  publication.score = extras->score;
  publication.version = extras->version;
  publication.channel = extras->channel.view();
  return publication;
}

Push push_of(std::string_view channel, const hub::Message& message, const PublicationScope& scope) {
  const std::size_t end = channel.find('\0');
  if (end == std::string_view::npos)
    return {.channel = hub::wildcard_of(channel), .body = publication_of(message, scope)};
  Push push{.channel = channel.substr(0, end)};
  const hub::Extras& extras = *message.extras();
  if (extras.event == "join") {
    push.body = JoinPush{info_of(extras.publisher)};
  } else {
    push.body = LeavePush{info_of(extras.publisher)};
  }
  return push;
}

}  // namespace door::centrifuge
