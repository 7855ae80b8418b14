// Circuit breaker: spares a back end that fails, and those who would wait for it. A value; time is an argument.
//
//   closed     everything is sent. kFailuresMin failures within kWindow that are at least half of all outcomes: open
//   open       nothing is sent for open_time(): 1 s at first, doubled each time the probe fails, 30 s at most
//   half open  one request, the probe, is sent. It succeeds: closed. It fails: open. Its outcome is never known: half
//              open again
//
//   Permit permit = breaker.ask(now);
//   if (permit != Permit::refused) ... later, exactly once: breaker.note(permit, outcome, now);
#pragma once

#include <cstdint>

#include "base/time.h"

namespace door::hook {

enum class Permit : std::uint8_t { refused, normal, probe };
enum class Outcome : std::uint8_t {
  success,  // the back end answered, whatever it said
  failure,  // it did not, or said that it is broken
  unknown,  // the request was never sent
};

class CircuitBreaker {
 public:
  static constexpr std::uint32_t kFailuresMin = 5;  // fewer are an accident
  static constexpr base::Duration kWindow = std::chrono::seconds(10);
  static constexpr base::Duration kOpenFirst = std::chrono::seconds(1);
  static constexpr base::Duration kOpenMax = std::chrono::seconds(30);

  enum class State : std::uint8_t { closed, open, half_open };

  Permit ask(base::Instant now);
  void note(Permit permit, Outcome outcome, base::Instant now);

  State state(base::Instant now) const;
  base::Duration open_time() const { return open_for_; }

 private:
  void open(base::Instant now);

  // Outcomes while closed, in two halves of the window, so that old ones are forgotten.
  struct Count {
    std::uint32_t failures = 0;
    std::uint32_t successes = 0;
  };
  void turn_window(base::Instant now);

  Count current_;
  Count previous_;
  base::Instant half_began_{};
  base::Instant open_until_{};
  base::Duration open_for_ = kOpenFirst;
  bool tripped_ = false;  // open or half open
  bool probing_ = false;
};

}  // namespace door::hook
