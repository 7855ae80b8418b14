// The state of one map channel: for each key the message of its last change, in the order of keys or of scores, with
// what the conditions of changes are compared with. What it is not: it numbers nothing, tells nobody, and knows no
// clock; removals of keys that have expired are for its owner to publish. A value owned by one home.
//
// Keys are those of Extras::key, scores those of Extras::score. A cursor says behind which key and score a page begins,
// as text, so it counts whatever comes and goes meanwhile.
//
// No call costs more for there being many keys than a search among them, and moves of at most 2 KiB. An entry is 48
// bytes and 4 per order, 2 KiB for the first 64, beside its message.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/slab.h"
#include "base/time.h"
#include "hub/mail.h"
#include "hub/message.h"
#include "hub/sorted_slots.h"

namespace hub {

class MapState {
 public:
  enum class Sorted : std::uint8_t { by_key, by_score };
  explicit MapState(Sorted sorted) : sorted_(sorted) {}
  MapState(MapState&&) = default;
  MapState& operator=(MapState&&) = default;

  struct Entry {
    MessageRef message;
    std::uint64_t version = 0;                   // 0: none was ever told
    std::unique_ptr<std::string> version_epoch;  // null: empty
    base::Instant changed;
    std::uint32_t older = base::Slab<Entry>::kNone;  // in the order of changes
    std::uint32_t newer = base::Slab<Entry>::kNone;
  };

  std::size_t keys() const { return entries_.size(); }
  // What the limit of MapRules is compared with: messages as they are charged, and what holds them here.
  std::uint64_t bytes() const { return bytes_; }
  Sorted sorted() const { return sorted_; }

  const Entry* find(std::string_view key) const;  // valid until the next change
  // The one whose last change is the longest ago; null if there is none. The same.
  const Entry* oldest() const { return oldest_ == kNone ? nullptr : &entries_[oldest_]; }

  // What is asked of a change, and why it must not be; none: it may.
  struct Conditions {
    std::uint64_t version = 0;
    std::string_view version_epoch;
    MapChange::When when = MapChange::When::always;
    std::optional<Offset> expected;  // of the last change of the key
    bool removal = false;
  };
  Suppression check(std::string_view key, const Conditions& conditions) const;

  // What bytes() would grow by (or shrink) if the key got this message.
  std::int64_t growth(const Message& message) const;
  // The message is numbered and has a key. Without a version the key keeps the one it has.
  void put(MessageRef message, std::uint64_t version, std::string_view version_epoch);
  void remove(std::string_view key);  // which is there
  void clear();
  // In another order from now on: cursors of the old one are not valid any more.
  void sort(Sorted sorted);

  struct Page {
    std::vector<MessageRef> entries;
    std::string next;  // empty: that was the last
  };
  // Entries behind the cursor (empty: from the first on), at most that many, and at most that many bytes of payloads
  // unless the first has more. None: nullopt, the cursor is none of ours.
  std::optional<Page> page(std::string_view cursor, ReadState::Order order, std::size_t entries_max,
                           std::size_t bytes_max) const;

 private:
  static constexpr std::uint32_t kNone = base::Slab<Entry>::kNone;

  struct Mark {  // a key among those that are sorted
    std::int64_t score = 0;
    std::string_view key;
  };
  static std::string_view key_of(const Message& message) { return message.extras()->key; }
  static Mark mark_of(const Message& message) { return {message.extras()->score, message.extras()->key}; }
  Mark mark_of(std::uint32_t slot) const { return mark_of(*entries_[slot].message); }
  static std::uint64_t charge(const Message& message);

  std::uint32_t slot_of(std::string_view key) const;
  SortedSlots::Place place_by_key(std::string_view key) const;
  SortedSlots::Place place_by_score(const Mark& mark) const;
  std::string cursor_at(std::uint32_t slot) const;
  std::optional<Mark> parse(std::string_view cursor) const;
  void link(std::uint32_t slot);
  void unlink(std::uint32_t slot);

  Sorted sorted_;
  base::Slab<Entry> entries_;
  SortedSlots by_key_;
  SortedSlots by_score_;  // by_score only: the highest score first, and of the same score the highest key
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint64_t bytes_ = 0;
};

}  // namespace hub
