#include "hub/attendance.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "hub/home.h"

namespace hub {

Attendance::Attendance(std::uint16_t workers, std::uint64_t hash_seed)
    : workers_(workers), hash_seed_(hash_seed), leaving_(workers) {}

void Attendance::enter(SubscriptionId id, const base::SharedBytes& channel, ClientIdentity identity, Announce announce,
                       Post& post) {
  if (find(id) != kNone) return;
  const std::uint32_t slot = members_.take();
  members_[slot] = {id, home_of(channel.view(), workers_, hash_seed_)};
  by_id_.insert(hash_of(id), slot);
  post.send(
      members_[slot].home,
      Enter{.request = slot, .channel = channel, .member = id, .identity = std::move(identity), .announce = announce});
}

void Attendance::leave(SubscriptionId id) {
  if (members_.empty()) return;
  const std::uint32_t slot = find(id);
  if (slot == kNone) return;
  Member& member = members_[slot];
  if (member.state == State::entering) {
    member.state = State::recalled;
  } else if (member.state == State::present) {
    member.state = State::leaving;
    leaving_[member.home].push_back(slot);
  }
}

void Attendance::receive(const Entered& entered) {
  const auto slot = static_cast<std::uint32_t>(entered.request);
  Member& member = members_[slot];
  ASSERT(member.state == State::entering || member.state == State::recalled);
  if (entered.error != base::Error::none) return forget(slot);  // it never was a member
  const bool recalled = member.state == State::recalled;
  member.state = recalled ? State::leaving : State::present;
  if (recalled) leaving_[member.home].push_back(slot);
}

void Attendance::pump(Post& post) {
  for (base::WorkerId home = 0; home < workers_; ++home) {
    auto& queue = leaving_[home];
    while (!queue.empty() && post.has_room(home)) {
      const std::uint32_t slot = queue.front();
      queue.pop_front();
      post.send(home, Leave{members_[slot].id});
      forget(slot);
    }
  }
}

bool Attendance::holds(SubscriptionId id) const {
  const std::uint32_t slot = find(id);
  return slot != kNone && (members_[slot].state == State::entering || members_[slot].state == State::present);
}

bool Attendance::has_backlog() const {
  return std::any_of(leaving_.begin(), leaving_.end(), [](const auto& each) { return !each.empty(); });
}

std::uint64_t Attendance::hash_of(SubscriptionId id) const {
  const std::array<std::uint32_t, 2> words{id.slot, id.generation};
  return base::hash64({reinterpret_cast<const char*>(words.data()), sizeof(words)}, hash_seed_);
}

std::uint32_t Attendance::find(SubscriptionId id) const {
  return by_id_.find(hash_of(id), [&](std::uint32_t slot) { return members_[slot].id == id; });
}

void Attendance::forget(std::uint32_t slot) {
  by_id_.erase(hash_of(members_[slot].id), slot);
  members_.give_back(slot);
}

}  // namespace hub
