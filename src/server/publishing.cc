#include "server/publishing.h"

#include <utility>

#include "base/hash.h"
#include "door/payload_format.h"

namespace server {
namespace {

// Both ways of publishing with the same key are the same.
base::Hash128 key_of(std::string_view channel, std::string_view key, std::uint64_t seed) {
  std::string scope(channel);
  scope += '\0';  // cannot occur in either
  scope += key;
  return base::hash128(scope, seed);
}

}  // namespace

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
    const std::uint64_t seed = desk.shared.secret();
    publish.idempotency_key = key_of(channel, *publication.idempotency_key, seed);
    publish.content = door::content_hash(content, publication.tags, seed);
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
