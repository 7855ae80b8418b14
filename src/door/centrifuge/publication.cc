#include "door/centrifuge/publication.h"

#include <utility>

#include "codec/base64.h"
#include "codec/delta.h"
#include "codec/json_out.h"
#include "hub/wildcard.h"

namespace door::centrifuge {
namespace {

// What a JSON client parses, whatever the kind: deltas are made of these texts.
std::string json_text_of(const hub::Message& message) {
  std::string text;
  switch (message.kind()) {
    case hub::Kind::json:
      text = message.payload();
      break;
    case hub::Kind::text:
      codec::append_json_string(text, message.payload());
      break;
    case hub::Kind::binary:
      text.append("{\"base64\":\"").append(codec::base64_encode(message.payload())).append("\"}");
      break;
  }
  return text;
}

}  // namespace

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

Publication publication_as_delta(const hub::Message& message, const hub::Message* base, Carrier::Format format,
                                 const PublicationScope& scope, std::forward_list<std::string>& made) {
  Publication publication = publication_of(message, scope);
  const bool json = format == Carrier::Format::json;
  std::string data = json ? json_text_of(message) : std::string(message.payload());
  if (base != nullptr && message.has(hub::Mark::delta)) {
    std::string delta = json ? codec::make_delta(json_text_of(*base), data, codec::Utf8::whole_code_points)
                             : codec::make_delta(base->payload(), data);
    if (delta.size() < data.size()) {
      data = std::move(delta);
      publication.delta = true;
    }
  }
  made.push_front(std::move(data));
  publication.data = {made.front(), json ? hub::Kind::text : hub::Kind::binary};
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
