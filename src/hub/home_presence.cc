// What a home does about who is present in its channels.
#include <algorithm>
#include <utility>

#include "hub/events_channel.h"
#include "hub/home.h"
#include "hub/limits.h"

namespace hub {
namespace {

// The key of a member in a map that the server keeps; empty: none.
std::string_view key_of(const ChannelRules& rules, const ClientIdentity& member) {
  if (!rules.map || rules.map->type == SubscriptionType::map) return {};
  const base::SharedBytes& name = rules.map->type == SubscriptionType::map_clients ? member.client : member.user;
  return name.size() <= kMessageKeyBytesMax ? name.view() : std::string_view{};
}

}  // namespace

void Home::handle(base::WorkerId from, Enter& enter, Now now, Post& post) {
  Entered answer{.request = enter.request};
  Channel* channel = find_or_create(enter.channel, now);
  if (channel == nullptr) {
    answer.error = base::Error::memory;
    return post.send(from, answer);
  }
  if (!channel->roster) channel->roster = std::make_unique<Roster>(channel->slot);
  const MemberId member{from, enter.member.slot, enter.member.generation};
  const std::uint64_t users_before = channel->roster->users();
  const bool came = presence_.enter(*channel->roster, member, enter.identity, enter.announce);
  post.send(from, answer);
  const bool news = came && !presence_.has_twin(*channel->roster, member);
  const std::string_view key = key_of(*channel->rules, enter.identity);
  const bool by_user = !key.empty() && channel->rules->map->type == SubscriptionType::map_users;
  if (news && !key.empty() && (!by_user || channel->roster->users() > users_before)) {
    Extras extras{.key = std::string(key)};
    if (!by_user) extras.publisher = enter.identity;
    auto made = Message::make(Kind::json, {}, now.instant, std::move(extras));
    if (!channel->map)
      channel->map = std::make_unique<MapState>(channel->rules->map->ordered ? MapState::Sorted::by_score
                                                                             : MapState::Sorted::by_key);
    if (room_for(*channel, *made) == base::Error::none) {
      const MessageRef message = append(*channel, std::move(made), now);
      change_map(*channel, [&](MapState& state) { state.put(message, 0, {}); });
      if (interested_in(*channel) > 0) send_out(*channel, message, now, post);
    } else if (channel->map->keys() == 0) {
      channel->map.reset();
    }
  }
  if (news && enter.announce == Announce::yes) announce(*channel, kJoin, enter.identity, now, post);
}

void Home::handle(base::WorkerId from, Leave& leave, Now now, Post& post) {
  const MemberId member{from, leave.member.slot, leave.member.generation};
  const std::optional<std::uint32_t> slot = presence_.channel_of(member);
  if (!slot) return;
  Channel& channel = channels_[*slot];
  const bool stays = presence_.has_twin(*channel.roster, member);
  const std::uint64_t users_before = channel.roster->users();
  const Presence::Left left = presence_.leave(*channel.roster, member);
  const std::string_view key = key_of(*channel.rules, left.identity);
  const bool by_user = !key.empty() && channel.rules->map->type == SubscriptionType::map_users;
  // A map that was full when it came, or was cleared since, does not have the key.
  if (!stays && channel.map && channel.map->find(key) != nullptr &&
      (!by_user || channel.roster->users() < users_before)) {
    remove_key(channel, std::string(key), now, post);
  }
  if (channel.roster->empty()) {
    channel.roster.reset();
    channel.idle_since = now.instant;
  }
  if (left.announce == Announce::yes && !stays) announce(channel, kLeave, left.identity, now, post);
}

void Home::handle(base::WorkerId from, Who& who, Now, Post& post) {
  Present answer{.request = who.request};
  if (const Channel* channel = find(who.channel); channel != nullptr && channel->roster) {
    const Roster& roster = *channel->roster;
    auto [members, next] =
        presence_.page(roster, who.after, std::min(who.members_max, kPresentMembersMax), kPageBytesMax);
    answer.clients = roster.clients();
    answer.users = roster.users();
    answer.members = std::move(members);
    answer.next = next;
  }
  post.send(from, std::move(answer));
}

}  // namespace hub
