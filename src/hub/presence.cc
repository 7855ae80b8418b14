#include "hub/presence.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace hub {

bool Presence::enter(Roster& roster, const MemberId& id, ClientIdentity identity, Announce announce) {
  if (find(id) != kNone) return false;
  const std::uint32_t user = add_user(roster, identity.user);
  const std::uint32_t slot = members_.take();
  members_[slot] = {std::move(identity), ++newest_, id, roster.channel_, user, announce};
  by_id_.insert(hash_of(id), slot);
  const Member& member = members_[slot];
  if (is_indexed_by_client(member)) by_client_.insert(hash_of(member.channel, member.identity.client), slot);
  if (roster.blocks_.empty() || roster.blocks_.back().size() == kBlock) roster.blocks_.emplace_back();
  roster.blocks_.back().push_back(slot);
  ++roster.clients_;
  return true;
}

std::optional<std::uint32_t> Presence::channel_of(const MemberId& id) const {
  const std::uint32_t slot = find(id);
  return slot == kNone ? std::nullopt : std::optional(members_[slot].channel);
}

bool Presence::is_indexed_by_client(const Member& member) const {
  return member.announce == Announce::yes && !member.identity.client.view().empty();
}

bool Presence::has_twin(const Roster& roster, const MemberId& id) const {
  const std::uint32_t slot = find(id);
  ASSERT(slot != kNone);
  const base::SharedBytes& client = members_[slot].identity.client;
  return by_client_.find(hash_of(roster.channel_, client), [&](std::uint32_t each) {
    return each != slot && members_[each].channel == roster.channel_ &&
           members_[each].identity.client.view() == client.view();
  }) != kNone;
}

Presence::Left Presence::leave(Roster& roster, const MemberId& id) {
  const std::uint32_t slot = find(id);
  ASSERT(slot != kNone);
  Member& member = members_[slot];
  ASSERT(member.channel == roster.channel_);
  if (is_indexed_by_client(member)) by_client_.erase(hash_of(member.channel, member.identity.client), slot);
  Left left{std::move(member.identity), member.announce};
  remove(roster, place_of(roster, member.number));
  --roster.clients_;
  remove_user(roster, member.user);
  by_id_.erase(hash_of(id), slot);
  members_.give_back(slot);
  return left;
}

Presence::Listing Presence::page(const Roster& roster, MemberNumber after, std::size_t members_max,
                                 std::size_t bytes_max) const {
  Listing listing;
  if (after >= newest_ || members_max == 0) return listing;
  std::size_t bytes = 0;
  MemberNumber last = after;
  for (Place at = place_of(roster, after + 1); at.block < roster.blocks_.size(); ++at.block, at.item = 0) {
    const Roster::Block& block = roster.blocks_[at.block];
    for (; at.item < block.size(); ++at.item) {
      const Member& member = members_[block[at.item]];
      bytes += member.identity.charged_bytes();
      if (listing.members.size() == members_max || (bytes > bytes_max && !listing.members.empty())) {
        listing.next = last;
        return listing;
      }
      listing.members.push_back(member.identity);
      last = member.number;
    }
  }
  return listing;
}

std::uint64_t Presence::hash_of(const MemberId& id) const {
  const std::array<std::uint32_t, 3> words{id.worker, id.slot, id.generation};
  return base::hash64({reinterpret_cast<const char*>(words.data()), sizeof(words)}, hash_seed_);
}

std::uint64_t Presence::hash_of(std::uint32_t channel, const base::SharedBytes& name) const {
  // An odd factor: channels far apart in the space of seeds.
  return base::hash64(name.view(), hash_seed_ + channel * 0x9e3779b97f4a7c15ULL);
}

std::uint32_t Presence::find(const MemberId& id) const {
  return by_id_.find(hash_of(id), [&](std::uint32_t slot) { return members_[slot].id == id; });
}

std::uint32_t Presence::add_user(Roster& roster, const base::SharedBytes& name) {
  const std::uint64_t hash = hash_of(roster.channel_, name);
  std::uint32_t slot = by_user_.find(hash, [&](std::uint32_t each) {
    return users_[each].channel == roster.channel_ && users_[each].name.view() == name.view();
  });
  if (slot == kNone) {
    slot = users_.take();
    users_[slot] = {name, roster.channel_, 0};
    by_user_.insert(hash, slot);
    ++roster.users_;
  }
  ++users_[slot].members;
  return slot;
}

void Presence::remove_user(Roster& roster, std::uint32_t user) {
  User& each = users_[user];
  if (--each.members > 0) return;
  by_user_.erase(hash_of(each.channel, each.name), user);
  users_.give_back(user);
  --roster.users_;
}

Presence::Place Presence::place_of(const Roster& roster, MemberNumber number) const {
  const auto& blocks = roster.blocks_;
  const auto below = [&](std::uint32_t slot) { return members_[slot].number < number; };
  // It stands in the last of the blocks that begin below it, or else first in the one behind.
  std::size_t block = static_cast<std::size_t>(
      std::ranges::partition_point(blocks, [&](const Roster::Block& each) { return below(each[0]); }) - blocks.begin());
  if (block == 0) return {0, 0};
  const Roster::Block& before = blocks[block - 1];
  const auto item =
      static_cast<std::size_t>(std::partition_point(before.begin(), before.end(), below) - before.begin());
  return item < before.size() ? Place{block - 1, item} : Place{block, 0};
}

// Two neighbours that have become small are one again, so that memory follows the members.
void Presence::remove(Roster& roster, Place place) {
  auto& blocks = roster.blocks_;
  Roster::Block& block = blocks[place.block];
  std::copy(block.begin() + place.item + 1, block.end(), block.begin() + place.item);
  block.pop_back();
  const auto erase = [&](std::size_t which) { blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(which)); };
  if (block.empty()) {
    erase(place.block);
  } else {
    const auto fit = [&](std::size_t first) {
      return first + 1 < blocks.size() && blocks[first].size() + blocks[first + 1].size() <= kBlock / 2;
    };
    std::size_t first = place.block;
    if (!fit(first) && first > 0) --first;
    if (fit(first)) {
      for (const std::uint32_t slot : std::as_const(blocks[first + 1])) blocks[first].push_back(slot);
      erase(first + 1);
    }
  }
  if (blocks.capacity() > 8 && blocks.size() * 4 < blocks.capacity()) blocks.shrink_to_fit();
}

}  // namespace hub
