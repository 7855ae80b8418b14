#include "door/hook/circuit_breaker.h"

#include <gtest/gtest.h>

namespace door::hook {
namespace {

using namespace std::chrono_literals;
using State = CircuitBreaker::State;

struct CircuitBreakerTest : testing::Test {
  CircuitBreaker breaker;
  base::Instant now{1h};

  Permit asked(Outcome outcome) {
    const Permit permit = breaker.ask(now);
    breaker.note(permit, outcome, now);
    return permit;
  }
  void trip() {
    for (std::uint32_t i = 0; i < CircuitBreaker::kFailuresMin; ++i) asked(Outcome::failure);
    ASSERT_EQ(breaker.state(now), State::open);
  }
};

TEST_F(CircuitBreakerTest, OpensAfterSoManyFailures) {
  for (std::uint32_t i = 0; i + 1 < CircuitBreaker::kFailuresMin; ++i)
    EXPECT_EQ(asked(Outcome::failure), Permit::normal);
  EXPECT_EQ(breaker.state(now), State::closed);
  asked(Outcome::failure);
  EXPECT_EQ(breaker.state(now), State::open);
  EXPECT_EQ(breaker.ask(now), Permit::refused);
  EXPECT_EQ(breaker.ask(now + 999ms), Permit::refused);
}

TEST_F(CircuitBreakerTest, SuccessesOutweighFailures) {
  for (int i = 0; i < 6; ++i) asked(Outcome::success);
  for (int i = 0; i < 5; ++i) asked(Outcome::failure);
  EXPECT_EQ(breaker.state(now), State::closed) << "5 of 11";
  asked(Outcome::failure);
  EXPECT_EQ(breaker.state(now), State::open) << "6 of 12";
}

TEST_F(CircuitBreakerTest, FailuresAreForgotten) {
  for (int i = 0; i < 200; ++i) {
    asked(Outcome::failure);
    now += 3s;
    ASSERT_EQ(breaker.state(now), State::closed) << i << ": at most four within any window of 10 s";
  }
  for (int i = 0; i < 4; ++i) asked(Outcome::failure);
  EXPECT_EQ(breaker.state(now), State::open);
}

TEST_F(CircuitBreakerTest, OneProbeDecides) {
  trip();
  now += CircuitBreaker::kOpenFirst;
  EXPECT_EQ(breaker.state(now), State::half_open);
  EXPECT_EQ(breaker.ask(now), Permit::probe);
  EXPECT_EQ(breaker.ask(now), Permit::refused) << "one at a time";
  EXPECT_EQ(breaker.ask(now + 1h), Permit::refused);
  breaker.note(Permit::probe, Outcome::success, now);
  EXPECT_EQ(breaker.state(now), State::closed);
  EXPECT_EQ(asked(Outcome::failure), Permit::normal);
  EXPECT_EQ(breaker.state(now), State::closed) << "what was before is forgotten";
}

TEST_F(CircuitBreakerTest, EachFailedProbeDoublesTheWait) {
  trip();
  base::Duration wait = CircuitBreaker::kOpenFirst;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(breaker.open_time(), wait);
    now += wait - 1ns;
    EXPECT_EQ(breaker.ask(now), Permit::refused);
    now += 1ns;
    EXPECT_EQ(asked(Outcome::failure), Permit::probe);
    wait = std::min(wait * 2, CircuitBreaker::kOpenMax);
  }
  EXPECT_EQ(breaker.open_time(), 30s);
  now += 30s;
  EXPECT_EQ(asked(Outcome::success), Permit::probe);
  trip();
  EXPECT_EQ(breaker.open_time(), CircuitBreaker::kOpenFirst);
}

TEST_F(CircuitBreakerTest, AProbeThatWasNeverSentSaysNothing) {
  trip();
  now += 1s;
  EXPECT_EQ(asked(Outcome::unknown), Permit::probe);
  EXPECT_EQ(breaker.state(now), State::half_open);
  EXPECT_EQ(asked(Outcome::success), Permit::probe);
  EXPECT_EQ(breaker.state(now), State::closed);
}

TEST_F(CircuitBreakerTest, LateOutcomesDoNotCount) {
  const Permit slow = breaker.ask(now);
  trip();
  breaker.note(slow, Outcome::success, now);
  EXPECT_EQ(breaker.state(now), State::open);
  now += 1s;
  EXPECT_EQ(breaker.ask(now), Permit::probe);
  breaker.note(slow, Outcome::failure, now);
  breaker.note(slow, Outcome::success, now);
  EXPECT_EQ(breaker.ask(now), Permit::refused) << "the probe is still on its way";
}

}  // namespace
}  // namespace door::hook
