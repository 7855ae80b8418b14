// The wildcards that are watched at one home, and which channels each of them has been held against: once. So a publish
// on a channel that has seen all of them costs the wildcards that match it, and nothing where there are none.
//
// A feed is a channel of the home, named by its slot and generation there. Owned by one worker.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hub/wildcard.h"

namespace hub {

struct FeedId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

// Of one channel: what is known of wildcards that match it.
struct MatchedFeeds {
  std::uint64_t seen = 0;     // number of the newest wildcard that it was held against
  std::vector<FeedId> feeds;  // some may be gone
};

class WildcardIndex {
 public:
  bool empty() const { return watched_.empty(); }
  std::size_t size() const { return watched_.size(); }

  void add(std::string_view wildcard, FeedId feed) { watched_.push_back({++newest_, std::string(wildcard), feed}); }
  void remove(std::uint32_t slot) {
    std::erase_if(watched_, [&](const Watched& each) { return each.feed.slot == slot; });
  }

  // Brings `known` up to date.
  void match(std::string_view channel, MatchedFeeds& known) const {
    if (known.seen == newest_) return;
    auto next = std::ranges::upper_bound(watched_, known.seen, {}, &Watched::number);
    for (; next != watched_.end(); ++next) {
      if (matches_wildcard(next->wildcard, channel)) known.feeds.push_back(next->feed);
    }
    known.seen = newest_;
  }

 private:
  struct Watched {
    std::uint64_t number;
    std::string wildcard;
    FeedId feed;
  };
  std::vector<Watched> watched_;  // in the order of their numbers
  std::uint64_t newest_ = 0;
};

}  // namespace hub
