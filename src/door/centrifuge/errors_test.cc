#include "door/centrifuge/errors.h"

#include <gtest/gtest.h>

#include <set>

namespace door::centrifuge {
namespace {

TEST(CentrifugeErrors, Replies) {
  std::uint32_t code = 100;
  for (const ErrorRow& row : all_errors()) {
    EXPECT_EQ(static_cast<std::uint32_t>(row.code), code++);
    const ReplyError error = to_reply(row.code);
    EXPECT_EQ(error.code, static_cast<std::uint32_t>(row.code));
    EXPECT_EQ(error.message, row.message);
    EXPECT_EQ(error.temporary, error.code == 100 || error.code == 111 || error.code == 113);
  }
  EXPECT_EQ(code, 114U);
}

TEST(CentrifugeErrors, Disconnects) {
  std::set<std::uint32_t> seen;
  for (const DisconnectRow& row : all_disconnects()) {
    const DisconnectPush push = to_push(row.code);
    EXPECT_TRUE(seen.insert(push.code).second);
    EXPECT_EQ(push.reason, row.reason);
    EXPECT_EQ(push.reconnect, push.code < 3500);
    EXPECT_LE(push.reason.size(), 123U);  // RFC 6455 section 5.5
  }
  EXPECT_EQ(seen, (std::set<std::uint32_t>{3000, 3001, 3004, 3005, 3006, 3008, 3009, 3010, 3011, 3012, 3013,
                                           3014, 3500, 3501, 3502, 3503, 3504, 3505, 3506, 3507, 3508, 3509}));
}

TEST(CentrifugeErrors, WhoReconnects) {
  for (const std::uint32_t code : {0U, 1000U, 2999U, 3000U, 3499U, 4000U, 4499U, 5000U, 65535U}) {
    EXPECT_TRUE(reconnects(code)) << code;
  }
  for (const std::uint32_t code : {3500U, 3999U, 4500U, 4999U}) EXPECT_FALSE(reconnects(code)) << code;
}

TEST(CentrifugeErrors, Unsubscribes) {
  for (const UnsubscribeRow& row : all_unsubscribes()) {
    EXPECT_EQ(to_push(row.code).code, static_cast<std::uint32_t>(row.code));
    EXPECT_EQ(to_push(row.code).reason, row.reason);
    EXPECT_EQ(resubscribes(to_push(row.code).code), row.code != UnsubscribeCode::server);
  }
  EXPECT_FALSE(resubscribes(2499));
  EXPECT_TRUE(resubscribes(2500));
}

TEST(CentrifugeErrors, InsteadOfTheErrorOfAConnect) {
  for (const ErrorRow& row : all_errors()) {
    const auto code = static_cast<std::uint32_t>(row.code);
    const auto expected = code == 109 || code == 110 ? 3005U : code == 111 ? 3013U : code == 103 ? 3507U : 3004U;
    EXPECT_EQ(static_cast<std::uint32_t>(disconnect_instead_of(row.code)), expected) << code;
  }
}

}  // namespace
}  // namespace door::centrifuge
