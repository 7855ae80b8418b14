#include "door/hook/circuit_breaker.h"

#include <algorithm>
#include <utility>

namespace door::hook {

Permit CircuitBreaker::ask(base::Instant now) {
  if (!tripped_) return Permit::normal;
  if (now < open_until_ || probing_) return Permit::refused;
  probing_ = true;
  return Permit::probe;
}

void CircuitBreaker::note(Permit permit, Outcome outcome, base::Instant now) {
  if (permit == Permit::probe) {
    probing_ = false;
    if (outcome == Outcome::unknown) return;
    if (outcome == Outcome::success) {
      *this = CircuitBreaker();
      return;
    }
    open_for_ = std::min(open_for_ * 2, kOpenMax);
    return open(now);
  }
  // What was sent before it opened says nothing that the probe will not say better.
  if (permit == Permit::refused || outcome == Outcome::unknown || tripped_) return;
  turn_window(now);
  ++(outcome == Outcome::failure ? current_.failures : current_.successes);
  const std::uint32_t failures = current_.failures + previous_.failures;
  const std::uint32_t successes = current_.successes + previous_.successes;
  if (failures >= kFailuresMin && failures >= successes) open(now);
}

void CircuitBreaker::turn_window(base::Instant now) {
  if (now - half_began_ < kWindow / 2) return;
  previous_ = now - half_began_ < kWindow ? std::exchange(current_, Count()) : Count();
  current_ = Count();
  half_began_ = now;
}

void CircuitBreaker::open(base::Instant now) {
  tripped_ = true;
  open_until_ = now + open_for_;
}

CircuitBreaker::State CircuitBreaker::state(base::Instant now) const {
  return !tripped_ ? State::closed : now < open_until_ ? State::open : State::half_open;
}

}  // namespace door::hook
