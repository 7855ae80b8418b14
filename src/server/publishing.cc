#include "server/publishing.h"

#include <utility>

#include "door/payload_format.h"

namespace server {
namespace {

std::expected<void, base::Refusal> check(const Desk& desk, const NamespaceOptions* channels,
                                         const door::Content& content) {
  if (content.payload.size() > desk.options().message_bytes_max) return std::unexpected(base::Error::payload_too_big);
  if (channels == nullptr) return {};
  const auto fits = door::check_payload(channels->payload_format, content.kind, content.payload);
  if (!fits) return std::unexpected(fits.error());
  return {};
}

// All that makes a change of a map another one, as one text.
door::Content identity_of(const door::server_api::MapPublish& command) {
  door::Content all{command.publication.content.kind, {}};
  const auto add = [&](std::string_view part) {
    all.payload += std::to_string(part.size());
    all.payload += ':';
    all.payload += part;
  };
  add(command.key);
  add(std::to_string(command.score));
  add(std::to_string(static_cast<int>(command.when)));
  add(command.publication.content.payload);
  if (command.stream_data) add(command.stream_data->payload);
  return all;
}

}  // namespace

std::expected<hub::Publish, base::Refusal> make_publish(const Desk& desk, std::string channel,
                                                        const door::server_api::Publication& publication) {
  if (desk.shared.overload.at_least(Overload::Level::no_publishing)) return std::unexpected(base::Error::memory);
  const door::Content& content = publication.content;
  const NamespaceOptions* const channels = desk.snapshot->options_of(channel);
  if (const auto fits = check(desk, channels, content); !fits) return std::unexpected(fits.error());
  if (publication.durable && !desk.snapshot->rules_of(channel)->durable) {
    return std::unexpected(base::Error::not_durable);
  }
  const bool delta = publication.delta || (channels != nullptr && channels->delta_publish);
  hub::Publish publish;
  if (publication.idempotency_key) {
    publish.idempotency_key = desk.idempotency_key(channel, *publication.idempotency_key);
    publish.content = door::content_hash(content, publication.tags, desk.shared.secret());
  }
  publish.message = hub::Message::make(content.kind, content.payload, desk.clock.now(), {.tags = publication.tags});
  if (publication.skip_history) publish.message->set(hub::Mark::transient);
  if (delta) publish.message->set(hub::Mark::delta);
  publish.version = publication.version;
  publish.version_epoch = publication.version_epoch;
  publish.channel = std::move(channel);
  return publish;
}

std::expected<hub::Publish, base::Refusal> make_map_publish(const Desk& desk,
                                                            const door::server_api::MapPublish& command) {
  if (desk.shared.overload.at_least(Overload::Level::no_publishing)) return std::unexpected(base::Error::memory);
  const door::server_api::Publication& publication = command.publication;
  const NamespaceOptions* const channels = desk.snapshot->options_of(command.channel);
  const auto make = [&](const door::Content& content) -> std::expected<std::unique_ptr<hub::Message>, base::Refusal> {
    if (const auto fits = check(desk, channels, content); !fits) return std::unexpected(fits.error());
    hub::Extras extras;
    extras.tags = publication.tags;
    extras.key = command.key;
    extras.score = command.score;
    return hub::Message::make(content.kind, content.payload, desk.clock.now(), std::move(extras));
  };
  auto told = make(command.stream_data ? *command.stream_data : publication.content);
  if (!told) return std::unexpected(told.error());
  hub::Publish publish;
  publish.channel = command.channel;
  publish.message = *std::move(told);
  publish.change = std::make_unique<hub::MapChange>();
  publish.change->when = command.when;
  publish.change->expected = command.expected;
  if (command.stream_data) {
    auto kept = make(publication.content);
    if (!kept) return std::unexpected(kept.error());
    publish.change->state = *std::move(kept);
  } else if (publication.delta || (channels != nullptr && channels->delta_publish)) {
    publish.message->set(hub::Mark::delta);
  }
  if (publication.idempotency_key) {
    publish.idempotency_key = desk.idempotency_key(command.channel, *publication.idempotency_key);
    publish.content = door::content_hash(identity_of(command), publication.tags, desk.shared.secret());
  }
  publish.version = publication.version;
  publish.version_epoch = publication.version_epoch;
  return publish;
}

std::expected<hub::Publish, base::Refusal> make_map_remove(const Desk& desk,
                                                           const door::server_api::MapRemove& command) {
  hub::Extras extras;
  extras.tags = command.tags;
  extras.key = command.key;
  extras.removed = true;
  hub::Publish publish;
  publish.channel = command.channel;
  publish.message = hub::Message::make(hub::Kind::json, {}, desk.clock.now(), std::move(extras));
  publish.change = std::make_unique<hub::MapChange>();
  publish.change->expected = command.expected;
  if (command.idempotency_key) {
    publish.idempotency_key = desk.idempotency_key(command.channel, *command.idempotency_key);
    publish.content = door::content_hash({hub::Kind::text, "-" + command.key}, command.tags, desk.shared.secret());
  }
  return publish;
}

}  // namespace server
