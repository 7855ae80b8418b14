#include "server/retention.h"

namespace server {
namespace {

// Somebody may be subscribed to a channel that nobody publishes on; if it were forgotten its epoch would change under
// them.
constexpr base::Duration kNever = std::chrono::days(365 * 100);

}  // namespace

store::Retention NamespaceRetention::of(std::string_view channel) const {
  store::Retention retention{.forgotten_after = kNever};
  const NamespaceOptions* const options = snapshot_->options_of(channel);
  if (options == nullptr) return retention;  // its namespace is gone from the configuration: the defaults
  retention.messages_max = options->retention_messages_max;
  retention.bytes_max = options->retention_bytes_max;
  retention.age_max = options->retention_age_max;
  return retention;
}

}  // namespace server
