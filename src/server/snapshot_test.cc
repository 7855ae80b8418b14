#include "server/snapshot.h"

#include <gtest/gtest.h>

namespace server {
namespace {

SnapshotRef made(Options options) {
  auto snapshot = Snapshot::make(std::move(options), 1, loop::TicketKeys{});
  EXPECT_TRUE(snapshot) << snapshot.error();
  return *snapshot;
}

TEST(Snapshot, OptionsOfAChannelAreThoseOfItsNamespace) {
  const SnapshotRef snapshot =
      made({.namespaces = {{.name = "", .presence = true}, {.name = "chat", .join_leave = true}}});
  EXPECT_TRUE(snapshot->options_of("news")->presence);
  EXPECT_TRUE(snapshot->options_of("other:1")->presence);
  EXPECT_FALSE(snapshot->options_of("news")->join_leave);
  EXPECT_TRUE(snapshot->options_of("chat:1")->join_leave);
  EXPECT_FALSE(snapshot->options_of("chat:1")->presence);
  EXPECT_EQ(snapshot->options_of("$chat:1")->name, "");
}

TEST(Snapshot, StrictAndPrivateNamesAreLookedUpAsThePolicyDoes) {
  const SnapshotRef snapshot =
      made({.strict_namespaces = true, .private_channels = true, .namespaces = {{.name = ""}, {.name = "chat"}}});
  EXPECT_EQ(snapshot->options_of("other:1"), nullptr);
  EXPECT_EQ(snapshot->options_of("$other:1"), nullptr);
  EXPECT_EQ(snapshot->options_of("$chat:1")->name, "chat");
  EXPECT_EQ(snapshot->options_of("plain")->name, "");
}

TEST(Snapshot, WithoutNamespacesThereIsTheDefaultOne) {
  const SnapshotRef snapshot = made({});
  EXPECT_EQ(*snapshot->options_of("news"), NamespaceOptions{});
  EXPECT_EQ(snapshot->rules_of("news")->log.messages_max, 1000U);
}

TEST(Snapshot, CacheRecoveryKeepsTheLastMessage) {
  const SnapshotRef snapshot =
      made({.namespaces = {{.name = ""}, {.name = "rates", .recovery_mode = RecoveryMode::cache}}});
  EXPECT_TRUE(snapshot->rules_of("rates:eur")->last_value);
  EXPECT_FALSE(snapshot->rules_of("news")->last_value);
}

TEST(Snapshot, APatternCountsOnEveryDoorAndABadOneIsNotTaken) {
  const SnapshotRef snapshot =
      made({.dev = true, .namespaces = {{.name = ""}, {.name = "chat", .channel_pattern = "[0-9]+"}}});
  const auth::Principal anybody;
  EXPECT_TRUE(snapshot->policy().authorize(anybody, auth::Verb::subscribe, "chat:1", {}));
  EXPECT_EQ(snapshot->policy().authorize(anybody, auth::Verb::subscribe, "chat:x", {}),
            std::unexpected(base::Error::bad_channel));
  EXPECT_FALSE(Snapshot::make({.namespaces = {{.name = "", .channel_pattern = "["}}}, 1, loop::TicketKeys{}));
}

TEST(Snapshot, AllChannelsOfAConnectionMayBeSubscribedToAtOnce) {
  const SnapshotRef snapshot = made({.channels_per_peer_max = 50, .subscribes_per_s_max = 1});
  auth::OperationLimits limits;
  int taken = 0;
  while (limits.take(snapshot->operation_rates(), auth::Operation::subscribe, base::Instant{})) ++taken;
  EXPECT_EQ(taken, 50);
}

}  // namespace
}  // namespace server
