// What a home does about who is present in its channels.
#include <algorithm>
#include <utility>

#include "hub/events_channel.h"
#include "hub/home.h"
#include "hub/limits.h"

namespace hub {

void Home::handle(base::WorkerId from, Enter& enter, Now now, Post& post) {
  Entered answer{.request = enter.request};
  Channel* channel = find_or_create(enter.channel, now);
  if (channel == nullptr) {
    answer.error = base::Error::memory;
    return post.send(from, answer);
  }
  if (!channel->roster) channel->roster = std::make_unique<Roster>(channel->slot);
  const MemberId member{from, enter.member.slot, enter.member.generation};
  const bool came = presence_.enter(*channel->roster, member, enter.identity, enter.announce);
  post.send(from, answer);
  if (came && enter.announce == Announce::yes && !presence_.has_twin(*channel->roster, member)) {
    announce(*channel, kJoin, enter.identity, now, post);
  }
}

void Home::handle(base::WorkerId from, Leave& leave, Now now, Post& post) {
  const MemberId member{from, leave.member.slot, leave.member.generation};
  const std::optional<std::uint32_t> slot = presence_.channel_of(member);
  if (!slot) return;
  Channel& channel = channels_[*slot];
  const bool stays = presence_.has_twin(*channel.roster, member);
  const Presence::Left left = presence_.leave(*channel.roster, member);
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
