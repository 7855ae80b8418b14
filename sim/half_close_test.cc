// Clients that send FIN behind their request and wait for the answer, over links that take it in small bites: the
// answer comes whole.
#include <gtest/gtest.h>

#include "sim/clients/caller.h"
#include "sim/clients/publisher.h"
#include "sim/ledger.h"

namespace sim {
namespace {

using namespace std::chrono_literals;

struct HalfClose : testing::TestWithParam<std::uint64_t> {};

TEST_P(HalfClose, StillGetsTheWholeAnswer) {
  const std::uint64_t seed = GetParam();
  WorldOptions options{.seed = seed, .workers = static_cast<std::uint16_t>(1 + seed % 4)};
  options.server.dev = true;
  options.server.namespaces = {{}};
  World world(options);
  Crowd crowd(world);
  Log log;
  HttpPublisher publisher(crowd, {.channels = {"news"}, .payload_bytes_max = 2000, .cut_percent = 0}, log, seed);
  ASSERT_TRUE(world.run_until([&] { return log.publications.size() == 500; }, 60s));
  publisher.stop();
  ASSERT_TRUE(world.run_until([&] { return publisher.finished(); }, 10s));
  publisher.close();

  const Link thin{.window_bytes = 1000};
  for (const std::string_view request : {
           "GET /api/history?channel=news&since=-400&limit=400 HTTP/1.1\r\nHost: localhost\r\n\r\n",
           "POST /pub/other HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi",
           "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n",
       }) {
    Caller caller(crowd, thin, request, Caller::Then::finish);
    EXPECT_TRUE(world.run_until([&] { return caller.ended(); }, 20s)) << request;
    EXPECT_TRUE(caller.answered()) << request;
    EXPECT_EQ(caller.status(), 200) << request;
    world.run_for(10s);
    expect_nobody_left(world);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HalfClose, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace sim
