// Whether a token whose key nobody knows is worth waiting for: shared by the workers, which say that they saw one, and
// the KeyFetcher, which fetches. Atomics only; any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace server {

class KeyWishes {
 public:
  // Somebody came with a token that names an unknown key. True: keys are on their way, or will be right away, so it may
  // be good in a moment. False: they were fetched just now, and it is not among them.
  bool want(base::Instant now) {
    if (state_.load(std::memory_order_acquire) != State::settled) return true;
    if (now.time_since_epoch().count() < allowed_from_.load(std::memory_order_acquire)) return false;
    wanted_.store(true, std::memory_order_release);
    return true;
  }

  // For the fetcher. `missing`: an issuer's keys have never been seen.
  enum class State : std::uint8_t { settled, fetching, missing };
  void say(State state, base::Instant allowed_from) {
    allowed_from_.store(allowed_from.time_since_epoch().count(), std::memory_order_release);
    state_.store(state, std::memory_order_release);
  }
  bool take() { return wanted_.exchange(false, std::memory_order_acq_rel); }

 private:
  std::atomic<State> state_{State::settled};
  std::atomic<std::int64_t> allowed_from_{0};  // ns
  std::atomic<bool> wanted_{false};
};

}  // namespace server
