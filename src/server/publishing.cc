#include "server/publishing.h"

#include <utility>

#include "door/payload_format.h"

namespace server {

std::expected<hub::Publish, base::Refusal> make_publish(const Desk& desk, std::string channel,
                                                        const door::server_api::Publication& publication) {
  if (desk.shared.overload.at_least(Overload::Level::no_publishing)) return std::unexpected(base::Error::memory);
  const door::Content& content = publication.content;
  if (content.payload.size() > desk.options().message_bytes_max) return std::unexpected(base::Error::payload_too_big);
  bool delta = publication.delta;
  if (const NamespaceOptions* const channels = desk.snapshot->options_of(channel)) {
    const auto fits = door::check_payload(channels->payload_format, content.kind, content.payload);
    if (!fits) return std::unexpected(fits.error());
    delta = delta || channels->delta_publish;
  }
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

}  // namespace server
