// What the two readers have in common: their answer, their limits, and the order of maps. Pure; any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "door/centrifuge/protocol.h"

namespace door::centrifuge {

// malformed is the only error there is: the door answers it with disconnect 3501, a client gives the connection up. It
// is sticky. Of replies we say `reply`, which is the same as `command`: one more was read.
enum class Next : std::uint8_t { command, reply = command, end, malformed };

// The depth of a tree of FilterNodes. Nobody writes such filters by hand, and whoever walks one recurses.
inline constexpr int kFilterDepthMax = 16;

// All elements of all lists and maps of one command together: more than the channels a client recovers at once, the
// keys it tracks or the nodes of its filters. A list of empty elements takes two bytes of the frame for each and far
// more of memory, at most sizeof(SubscribeRequest) and the slack of a growing vector: 8192 of them are under 8 MiB.
inline constexpr std::uint32_t kElementsPerCommandMax = 8192;
static_assert(sizeof(SubscribeRequest) <= 448);

// The same for a reply: everybody who is present in a large channel, or all that is kept of its history. A client reads
// what the server it chose sends, in frames that it bounds itself.
inline constexpr std::uint32_t kElementsPerReplyMax = 1 << 18;

// Sorts the maps of a message by key, of equal keys keeps the last (as Protobuf demands), and says whether there were
// any. A visitor of schema.h.
class SettleMaps {
 public:
  template <typename Value, typename... Tags>
  void operator()(int, const char*, Map<Value>& map, Tags...) {
    const auto not_before = [](const auto& a, const auto& b) { return a.first >= b.first; };
    if (std::adjacent_find(map.begin(), map.end(), not_before) == map.end()) return;
    std::vector<std::uint32_t> order(map.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto key = [&map](std::uint32_t i) { return map[i].first; };
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return std::pair(key(a), a) < std::pair(key(b), b); });
    Map<Value> settled;
    settled.reserve(map.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i + 1 < order.size() && key(order[i]) == key(order[i + 1])) {
        doubled_ = true;
      } else {
        settled.push_back(std::move(map[order[i]]));
      }
    }
    map = std::move(settled);
  }
  template <typename Field, typename... Tags>
  void operator()(int, const char*, Field&, Tags...) {}
  template <typename Field>
  void zigzag(int, const char*, Field&) {}
  template <typename Field>
  void bytes(int, const char*, Field&) {}
  template <typename Message, typename Variant>
  void one_of(int, const char*, Variant&) {}

  bool doubled() const { return doubled_; }

 private:
  bool doubled_ = false;
};

// Of several requests in one command the one with the lowest number counts. Where Message goes to in `variant`; null if
// what is there has a lower number. Called again for the same message it gives the same place.
template <typename Message, typename Variant>
Message* place_for(Variant& variant) {
  if (auto* held = std::get_if<Message>(&variant)) return held;
  constexpr std::size_t kIndex = Variant(Message{}).index();
  if (variant.index() != 0 && variant.index() < kIndex) return nullptr;
  return &variant.template emplace<Message>();
}

}  // namespace door::centrifuge
