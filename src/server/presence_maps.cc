#include "server/presence_maps.h"

#include <string>

#include "hub/limits.h"

namespace server {
namespace {

// Slots of subscriptions are far below these bits.
constexpr std::uint32_t kInClients = 1U << 31;
constexpr std::uint32_t kInUsers = 1U << 30;

hub::SubscriptionId membership_of(hub::SubscriptionId id, std::uint32_t map) { return {id.slot | map, id.generation}; }

}  // namespace

void enter_presence_maps(Desk& desk, hub::SubscriptionId id, std::string_view channel,
                         const hub::ClientIdentity& identity) {
  const NamespaceOptions* options = desk.snapshot->options_of(channel);
  if (options == nullptr) return;
  const auto enter = [&](std::uint32_t map, const std::string& prefix) {
    if (prefix.empty() || prefix.size() + channel.size() > hub::kChannelNameBytesMax) return;
    desk.attendance.enter(membership_of(id, map), base::SharedBytes::copy(prefix + std::string(channel)), identity,
                          hub::Announce::no, desk.post);
  };
  enter(kInClients, options->map_clients_presence_prefix);
  if (!identity.user.view().empty()) enter(kInUsers, options->map_users_presence_prefix);
}

void leave_presence_maps(Desk& desk, hub::SubscriptionId id) {
  for (const std::uint32_t map : {kInClients, kInUsers}) desk.attendance.leave(membership_of(id, map));
}

}  // namespace server
