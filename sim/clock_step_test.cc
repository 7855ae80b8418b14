// The wall clock is stepped while the server works (robustness.md F16): ages, idempotency and tokens count by the clock
// that is never stepped.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "auth/token.h"
#include "sim/clients/caller.h"
#include "sim/ledger.h"
#include "sim/reconnect_run.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

TEST(ClockStep, NothingIsLostOrDoubledOrExpiresEarly) {
  std::uint64_t steps = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const ReconnectRun run = run_reconnects(stepped_options_of(seed, 400));
    for (const std::string& problem : run.verdict.problems) {
      ADD_FAILURE() << problem << "\nworld: " << run.shape << "\nreplay: sim_run --stepped-clock 1 --seed " << seed
                    << " --reconnects 400";
    }
    EXPECT_EQ(run.verdict.gaps, 0U) << "seed " << seed;
    EXPECT_GE(run.verdict.reconnects, 400U) << "seed " << seed;
    steps += run.clock_steps;
  }
  EXPECT_GT(steps, 1000U);
  std::printf("%llu steps\n", static_cast<unsigned long long>(steps));
}

struct TokenClockStep : testing::TestWithParam<std::chrono::hours> {};

TEST_P(TokenClockStep, ATokenEndsWhenItWasGoingTo) {
  const base::Secret key(std::string(32, 'k'));
  WorldOptions options{.seed = 1, .workers = 1};
  options.server.dev = true;
  options.server.token_hs256_keys = {key};
  options.server.ping_interval = 1h;  // this client answers none
  World world(options);
  Crowd crowd(world);
  const std::int64_t now_s = world.clock().wall().ms / 1000;
  const auto token =
      auth::sign_token({.issued_at_s = now_s, .expires_at_s = now_s + 60, .channels = {"news"}}, key).value();
  const std::string credentials = "Host: localhost\r\nAuthorization: Bearer " + token + "\r\n";
  Caller events(crowd, {}, "GET /sse/news HTTP/1.1\r\n" + credentials + "\r\n");
  Caller socket(crowd, {},
                "GET /ws/news HTTP/1.1\r\n" + credentials +
                    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  world.run_for(10s);
  ASSERT_EQ(events.status(), 200) << events.body();
  ASSERT_EQ(socket.status(), 101) << socket.body();
  world.clock().step_wall(GetParam());
  world.run_for(5s);
  EXPECT_FALSE(events.ended());
  EXPECT_FALSE(socket.ended());
  world.run_for(100s);  // 60 s, and 60 s of skew that are allowed
  EXPECT_FALSE(events.ended());
  const std::uint64_t turns = world.turns();
  world.run_for(20s);
  EXPECT_TRUE(events.ended());
  EXPECT_TRUE(socket.ended());
  EXPECT_EQ(world.errors(base::Error::token_expired), 2U);
  EXPECT_LT(world.turns() - turns, 5000U) << "no timer fires again and again";
  expect_nobody_left(world);
}

INSTANTIATE_TEST_SUITE_P(Hours, TokenClockStep, testing::Values(0h, 1h, -1h));

}  // namespace
}  // namespace sim
