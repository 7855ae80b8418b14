// What a subscriber of a map that takes deltas was sent last, by key: the next change of a key comes as the difference
// to it. A key that is not here is sent whole, which is always right. Values; owned by one subscription.
//
// Messages are shared with the map's home, so a key costs some 100 bytes. At most kKeyBasesMax keys, those that came
// first.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "hub/message.h"

namespace door::centrifuge {

inline constexpr std::size_t kKeyBasesMax = 1024;

class KeyBases {
 public:
  // What was sent before this message, which has a key; null: nothing that is known. From now on it is this one, or
  // nothing if it says that the key is no more.
  hub::MessageRef exchange(const hub::MessageRef& message);
  std::size_t size() const { return sent_.size(); }

 private:
  std::unordered_map<std::string_view, hub::MessageRef> sent_;  // keys lie in the messages
};

}  // namespace door::centrifuge
