#include "hub/occupancy.h"

#include "base/hash.h"
#include "hub/limits.h"

namespace hub {
namespace {

constexpr int kExpiredPerCall = 1024;  // some 200 microseconds

}  // namespace

void Occupancy::came(const base::SharedBytes& channel) {
  if (!remove(channel)) events_.push_back({OccupancyEvent::Kind::occupied, channel});
}

void Occupancy::left(const base::SharedBytes& channel, base::Instant now) {
  if (find(channel) != by_name_.kNone) return;
  const std::uint32_t slot = vacating_.take();
  vacating_[slot].channel = channel;
  by_name_.insert(base::hash64(channel.view(), hash_seed_), slot);
  due_.push_back({now + kVacatedAfter, slot, ++vacating_[slot].generation});
  while (due_.size() > kVacatingMax) vacate_first();  // those that wait longest are said early
}

void Occupancy::forget(const base::SharedBytes& channel) { remove(channel); }

bool Occupancy::expire(base::Instant now) {
  for (int count = 0; count < kExpiredPerCall; ++count) {
    if (due_.empty() || due_.front().at > now) return false;
    vacate_first();
  }
  return true;
}

void Occupancy::vacate_first() {
  const Due due = due_.front();
  due_.pop_front();
  if (!vacating_.taken(due.slot) || vacating_[due.slot].generation != due.generation) return;  // somebody came back
  const base::SharedBytes channel = vacating_[due.slot].channel;
  remove(channel);
  events_.push_back({OccupancyEvent::Kind::vacated, channel});
}

std::uint32_t Occupancy::find(const base::SharedBytes& channel) const {
  return by_name_.find(base::hash64(channel.view(), hash_seed_),
                       [&](std::uint32_t slot) { return vacating_[slot].channel.view() == channel.view(); });
}

bool Occupancy::remove(const base::SharedBytes& channel) {
  const std::uint32_t slot = find(channel);
  if (slot == by_name_.kNone) return false;
  by_name_.erase(base::hash64(channel.view(), hash_seed_), slot);
  vacating_.give_back(slot);
  return true;
}

}  // namespace hub
