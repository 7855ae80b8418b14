#include "hub/map_state.h"

#include <charconv>
#include <tuple>
#include <utility>

#include "base/assert.h"

namespace hub {

std::uint64_t MapState::charge(const Message& message) {
  return message.charged_bytes() + sizeof(Entry) + 2 * sizeof(std::uint32_t);
}

SortedSlots::Place MapState::place_by_key(std::string_view key) const {
  return by_key_.find([&](std::uint32_t slot) { return mark_of(slot).key < key; });
}

SortedSlots::Place MapState::place_by_score(const Mark& mark) const {
  return by_score_.find([&](std::uint32_t slot) {
    const Mark each = mark_of(slot);
    return std::tie(each.score, each.key) > std::tie(mark.score, mark.key);
  });
}

std::uint32_t MapState::slot_of(std::string_view key) const {
  const std::uint32_t slot = by_key_.behind(place_by_key(key));
  return slot != kNone && mark_of(slot).key == key ? slot : kNone;
}

const MapState::Entry* MapState::find(std::string_view key) const {
  const std::uint32_t slot = slot_of(key);
  return slot == kNone ? nullptr : &entries_[slot];
}

Suppression MapState::check(std::string_view key, const Conditions& conditions) const {
  const Entry* entry = find(key);
  if (conditions.version > 0 && entry != nullptr && conditions.version <= entry->version) {
    const std::string_view epoch = entry->version_epoch ? std::string_view(*entry->version_epoch) : "";
    if (conditions.version_epoch.empty() || conditions.version_epoch == epoch) return Suppression::version;
  }
  if (conditions.when == MapChange::When::if_new && entry != nullptr) return Suppression::key_exists;
  if ((conditions.when == MapChange::When::if_exists || conditions.removal) && entry == nullptr) {
    return Suppression::key_not_found;
  }
  if (conditions.expected && (entry == nullptr || entry->message->offset() != *conditions.expected)) {
    return Suppression::position_mismatch;
  }
  return Suppression::none;
}

std::int64_t MapState::growth(const Message& message) const {
  const Entry* entry = find(key_of(message));
  const std::uint64_t before = entry == nullptr ? 0 : charge(*entry->message);
  return static_cast<std::int64_t>(charge(message)) - static_cast<std::int64_t>(before);
}

void MapState::put(MessageRef message, std::uint64_t version, std::string_view version_epoch) {
  const Mark mark = mark_of(*message);
  const SortedSlots::Place place = place_by_key(mark.key);
  std::uint32_t slot = by_key_.behind(place);
  const bool known = slot != kNone && mark_of(slot).key == mark.key;
  const bool stands = known && mark_of(slot).score == mark.score;  // where it stood
  if (known) {
    bytes_ -= charge(*entries_[slot].message);
    unlink(slot);
    if (sorted_ == Sorted::by_score && !stands) by_score_.erase(place_by_score(mark_of(slot)));
  } else {
    slot = entries_.take();
    by_key_.insert(place, slot);
  }
  if (sorted_ == Sorted::by_score && !stands) by_score_.insert(place_by_score(mark), slot);
  Entry& entry = entries_[slot];
  bytes_ += charge(*message);
  entry.changed = message->numbered();
  entry.message = std::move(message);
  if (version > 0) {
    entry.version = version;
    entry.version_epoch = version_epoch.empty() ? nullptr : std::make_unique<std::string>(version_epoch);
  }
  link(slot);
}

void MapState::remove(std::string_view key) {
  const SortedSlots::Place place = place_by_key(key);
  const std::uint32_t slot = by_key_.behind(place);
  ASSERT(slot != kNone && mark_of(slot).key == key);
  if (sorted_ == Sorted::by_score) by_score_.erase(place_by_score(mark_of(slot)));
  by_key_.erase(place);
  bytes_ -= charge(*entries_[slot].message);
  unlink(slot);
  entries_.give_back(slot);
}

void MapState::clear() { *this = MapState(sorted_); }

void MapState::sort(Sorted sorted) {
  if (std::exchange(sorted_, sorted) == sorted) return;
  by_score_ = {};
  if (sorted_ == Sorted::by_key) return;
  entries_.for_each([&](std::uint32_t slot, const Entry&) { by_score_.insert(place_by_score(mark_of(slot)), slot); });
}

std::optional<MapState::Page> MapState::page(std::string_view cursor, ReadState::Order order, std::size_t entries_max,
                                             std::size_t bytes_max) const {
  const bool by_score = sorted_ == Sorted::by_score;
  const bool backwards = by_score && order == ReadState::Order::ascending;
  const SortedSlots& slots = by_score ? by_score_ : by_key_;
  SortedSlots::Place place = backwards ? slots.end() : SortedSlots::Place{};
  if (!cursor.empty()) {
    const std::optional<Mark> mark = parse(cursor);
    if (!mark) return std::nullopt;
    place = by_score ? place_by_score(*mark) : place_by_key(mark->key);
    // Going up it begins behind the entry of the cursor, if that is there still; going down before it.
    const std::uint32_t at = slots.behind(place);
    if (!backwards && at != kNone && mark_of(at).key == mark->key && (!by_score || mark_of(at).score == mark->score)) {
      place = slots.next(place);
    }
  }
  Page page;
  std::size_t bytes = 0;
  std::uint32_t last = kNone;
  for (std::uint32_t slot; (slot = backwards ? slots.before(place) : slots.behind(place)) != kNone;
       place = backwards ? slots.previous(place) : slots.next(place)) {
    const MessageRef& message = entries_[slot].message;
    bytes += message->payload().size();
    if (page.entries.size() == entries_max || (bytes > bytes_max && !page.entries.empty())) {
      if (last != kNone) page.next = cursor_at(last);
      break;
    }
    page.entries.push_back(message);
    last = slot;
  }
  return page;
}

// A key; of those by score `SCORE:KEY`.
std::string MapState::cursor_at(std::uint32_t slot) const {
  const Mark mark = mark_of(slot);
  std::string text;
  if (sorted_ == Sorted::by_score) text = std::to_string(mark.score) + ':';
  return text.append(mark.key);
}

std::optional<MapState::Mark> MapState::parse(std::string_view cursor) const {
  Mark mark{.key = cursor};
  if (sorted_ == Sorted::by_key) return mark;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), mark.score);
  if (error != std::errc{} || end == cursor.data() + cursor.size() || *end != ':') return std::nullopt;
  mark.key = cursor.substr(static_cast<std::size_t>(end - cursor.data()) + 1);
  return mark;
}

void MapState::link(std::uint32_t slot) {
  Entry& entry = entries_[slot];
  entry.older = newest_;
  entry.newer = kNone;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = slot;
  newest_ = slot;
}

void MapState::unlink(std::uint32_t slot) {
  const Entry& entry = entries_[slot];
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
}

}  // namespace hub
