#include "auth/operation_limits.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant kStart{1'000'000s};
constexpr Operation kAll[] = {Operation::publish, Operation::subscribe, Operation::history, Operation::presence,
                              Operation::rpc};

OperationRates different_rates() {
  return OperationRates({.publish = 2, .subscribe = 3, .history = 4, .presence = 5, .rpc = 6, .subscribe_burst = 8});
}

std::uint32_t taken_at_once(OperationLimits& limits, const OperationRates& rates, Operation operation,
                            base::Instant now) {
  std::uint32_t taken = 0;
  while (limits.take(rates, operation, now)) ++taken;
  return taken;
}

TEST(OperationLimits, EachOperationHasItsOwn) {
  const OperationRates rates = different_rates();
  OperationLimits limits;
  const std::uint32_t bursts[] = {2, 8, 4, 5, 6};
  for (std::size_t i = 0; i < kOperations; ++i) {
    EXPECT_EQ(taken_at_once(limits, rates, kAll[i], kStart), bursts[i]) << i;
  }
}

TEST(OperationLimits, ASecondBringsASecondsWorth) {
  const OperationRates rates = different_rates();
  OperationLimits limits;
  const std::uint32_t per_second[] = {2, 3, 4, 5, 6};
  for (std::size_t i = 0; i < kOperations; ++i) {
    taken_at_once(limits, rates, kAll[i], kStart);
    EXPECT_EQ(taken_at_once(limits, rates, kAll[i], kStart + 1s), per_second[i]) << i;
  }
}

TEST(OperationLimits, AReconnectThatSubscribesToAllItsChannelsPasses) {
  const OperationRates rates(
      {.publish = 1, .subscribe = 1, .history = 1, .presence = 1, .rpc = 1, .subscribe_burst = 128});
  OperationLimits limits;
  EXPECT_EQ(taken_at_once(limits, rates, Operation::subscribe, kStart), 128U);
  // A burst below the rate does not shrink it.
  const OperationRates fast(
      {.publish = 1, .subscribe = 500, .history = 1, .presence = 1, .rpc = 1, .subscribe_burst = 128});
  OperationLimits others;
  EXPECT_EQ(taken_at_once(others, fast, Operation::subscribe, kStart), 500U);
}

TEST(OperationLimits, ConnectionsDoNotShare) {
  const OperationRates rates = different_rates();
  OperationLimits one;
  OperationLimits other;
  taken_at_once(one, rates, Operation::publish, kStart);
  EXPECT_TRUE(other.take(rates, Operation::publish, kStart));
}

}  // namespace
}  // namespace auth
