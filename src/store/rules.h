// What the configuration says about what the ledger keeps. Values and an interface that is read on the ledger's thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace store {

// Whichever is reached first. The newest message stays however large; age takes it too.
struct Retention {
  std::uint64_t messages_max = 100'000;
  std::uint64_t bytes_max = 256ULL << 20;  // of the records
  base::Duration age_max = std::chrono::hours(24 * 7);
  // A stream without messages is forgotten, its epoch too, when its newest message was numbered so long ago.
  base::Duration forgotten_after = std::chrono::hours(24 * 30);
};

class RetentionRules {
 public:
  virtual ~RetentionRules() = default;
  virtual Retention of(std::string_view channel) const = 0;
};

}  // namespace store
