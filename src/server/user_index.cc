#include "server/user_index.h"

#include <iterator>

namespace server {
namespace {

std::uint64_t number_of(base::PeerId peer) { return std::uint64_t{peer.slot} << 32 | peer.generation; }

}  // namespace

void UserIndex::add(std::string_view name, base::PeerId peer) {
  const auto [entry, added] = entries_.insert({std::string(name), number_of(peer)});
  if (added && is_alone(entry)) ++names_;
}

void UserIndex::remove(std::string_view name, base::PeerId peer) {
  const auto entry = entries_.find(Key{name, number_of(peer)});
  if (entry == entries_.end()) return;
  if (is_alone(entry)) --names_;
  entries_.erase(entry);
}

std::vector<base::PeerId> UserIndex::find(std::string_view name) const {
  std::vector<base::PeerId> peers;
  for (auto entry = entries_.lower_bound(Key{name, 0}); entry != entries_.end() && entry->name == name; ++entry) {
    peers.push_back({static_cast<std::uint32_t>(entry->peer >> 32), static_cast<std::uint32_t>(entry->peer)});
  }
  return peers;
}

bool UserIndex::is_alone(Entries::const_iterator entry) const {
  if (entry != entries_.begin() && std::prev(entry)->name == entry->name) return false;
  const auto next = std::next(entry);
  return next == entries_.end() || next->name != entry->name;
}

}  // namespace server
