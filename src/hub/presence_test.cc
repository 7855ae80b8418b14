#include "hub/presence.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/entropy.h"

namespace hub {
namespace {

constexpr std::size_t kAll = SIZE_MAX;

ClientIdentity who(std::string_view client, std::string_view user = {}) {
  return {.user = base::SharedBytes::copy(user),
          .client = base::SharedBytes::copy(client),
          .conn_info = {},
          .chan_info = {}};
}

MemberId id(std::uint32_t slot, std::uint32_t generation = 1, base::WorkerId worker = 0) {
  return {worker, slot, generation};
}

// All pages of at most that many members.
std::vector<std::string> listed(const Presence& presence, const Roster& roster, std::size_t members_max) {
  std::vector<std::string> clients;
  MemberNumber after = 0;
  do {
    const Presence::Listing page = presence.page(roster, after, members_max, kAll);
    EXPECT_LE(page.members.size(), members_max);
    for (const ClientIdentity& each : page.members) clients.emplace_back(each.client.view());
    after = page.next;
  } while (after != 0);
  return clients;
}

TEST(Presence, AMemberIsThereFromEnteringToLeaving) {
  Presence presence(1);
  Roster roster(5);
  EXPECT_TRUE(presence.enter(roster, id(1), who("a", "ann"), Announce::yes));
  EXPECT_EQ(presence.channel_of(id(1)), 5U);
  EXPECT_EQ(listed(presence, roster, 10), std::vector<std::string>{"a"});
  const Presence::Left left = presence.leave(roster, id(1));
  EXPECT_EQ(left.identity.client.view(), "a");
  EXPECT_EQ(left.identity.user.view(), "ann");
  EXPECT_EQ(left.announce, Announce::yes);
  EXPECT_EQ(presence.channel_of(id(1)), std::nullopt);
  EXPECT_TRUE(roster.empty());
  EXPECT_EQ(roster.users(), 0U);
  EXPECT_EQ(presence.members(), 0U);
  EXPECT_TRUE(listed(presence, roster, 10).empty());
}

TEST(Presence, TwinsAreAnnouncedMembersOfOneClientAndChannel) {
  Presence presence(1);
  Roster roster(5), other(6);
  presence.enter(roster, id(1), who("a"), Announce::yes);
  presence.enter(roster, id(2), who("b"), Announce::yes);
  presence.enter(other, id(3), who("a"), Announce::yes);
  presence.enter(roster, id(4), who("a"), Announce::no);
  EXPECT_FALSE(presence.has_twin(roster, id(1)));
  EXPECT_TRUE(presence.has_twin(roster, id(4)));  // whom nobody was told of
  presence.enter(roster, id(5), who("a"), Announce::yes);
  EXPECT_TRUE(presence.has_twin(roster, id(1)));
  EXPECT_TRUE(presence.has_twin(roster, id(5)));
  EXPECT_FALSE(presence.has_twin(roster, id(2)));
  EXPECT_FALSE(presence.has_twin(other, id(3)));
  presence.leave(roster, id(1));
  EXPECT_FALSE(presence.has_twin(roster, id(5)));
  presence.enter(roster, id(6), who(""), Announce::yes);
  presence.enter(roster, id(7), who(""), Announce::yes);
  EXPECT_FALSE(presence.has_twin(roster, id(6)));  // without a name nobody is anybody's twin
}

TEST(Presence, EnteringTwiceChangesNothing) {
  Presence presence(1);
  Roster roster(0);
  EXPECT_TRUE(presence.enter(roster, id(1), who("first"), Announce::no));
  EXPECT_FALSE(presence.enter(roster, id(1), who("second"), Announce::yes));
  EXPECT_EQ(roster.clients(), 1U);
  EXPECT_EQ(listed(presence, roster, 10), std::vector<std::string>{"first"});
  EXPECT_EQ(presence.leave(roster, id(1)).announce, Announce::no);
}

TEST(Presence, EachPartOfAnIdCounts) {
  Presence presence(1);
  Roster roster(0);
  EXPECT_TRUE(presence.enter(roster, id(1, 1, 0), who("a"), Announce::no));
  EXPECT_TRUE(presence.enter(roster, id(2, 1, 0), who("b"), Announce::no));
  EXPECT_TRUE(presence.enter(roster, id(1, 2, 0), who("c"), Announce::no));
  EXPECT_TRUE(presence.enter(roster, id(1, 1, 1), who("d"), Announce::no));
  EXPECT_EQ(presence.leave(roster, id(1, 2, 0)).identity.client.view(), "c");
  EXPECT_EQ(listed(presence, roster, 10), (std::vector<std::string>{"a", "b", "d"}));
}

TEST(Presence, UsersCountOncePerChannelAndTheNamelessAreOne) {
  Presence presence(1);
  Roster one(0), other(1);
  presence.enter(one, id(1), who("a", "ann"), Announce::no);
  presence.enter(one, id(2), who("b", "ann"), Announce::no);
  presence.enter(one, id(3), who("c", "bob"), Announce::no);
  presence.enter(other, id(4), who("d", "ann"), Announce::no);
  EXPECT_EQ(one.clients(), 3U);
  EXPECT_EQ(one.users(), 2U);
  EXPECT_EQ(other.users(), 1U);
  presence.leave(one, id(1));
  EXPECT_EQ(one.users(), 2U) << "ann has another connection";
  presence.leave(one, id(2));
  EXPECT_EQ(one.users(), 1U);
  EXPECT_EQ(other.users(), 1U);
  presence.enter(other, id(5), who("e"), Announce::no);
  presence.enter(other, id(6), who("f"), Announce::no);
  EXPECT_EQ(other.users(), 2U);
}

TEST(Presence, APageEndsAtItsBytesButHasOneMember) {
  Presence presence(1);
  Roster roster(0);
  for (std::uint32_t i = 0; i < 5; ++i) presence.enter(roster, id(i), who(std::string(100, 'x')), Announce::no);
  EXPECT_EQ(presence.page(roster, 0, 10, 250).members.size(), 2U);
  EXPECT_EQ(presence.page(roster, 0, 10, 300).members.size(), 3U);
  const Presence::Listing page = presence.page(roster, 0, 10, 1);
  EXPECT_EQ(page.members.size(), 1U);
  EXPECT_EQ(presence.page(roster, page.next, 10, 400).members.size(), 4U);
  EXPECT_EQ(presence.page(roster, page.next, 10, 400).next, 0U);
  EXPECT_TRUE(presence.page(roster, 0, 0, 400).members.empty());
  EXPECT_EQ(presence.page(roster, 0, 0, 400).next, 0U) << "who wants no member is not told to go on";
}

TEST(Presence, ACursorBeyondEverythingIsTheEnd) {
  Presence presence(1);
  Roster roster(0), nobody(1);
  presence.enter(roster, id(1), who("a"), Announce::no);
  for (const MemberNumber after : {MemberNumber{1}, MemberNumber{2}, MemberNumber{UINT64_MAX}}) {
    EXPECT_TRUE(presence.page(roster, after, 10, kAll).members.empty());
    EXPECT_EQ(presence.page(roster, after, 10, kAll).next, 0U);
  }
  EXPECT_TRUE(presence.page(nobody, 0, 10, kAll).members.empty());
}

// Against a plain model: several channels, thousands that come and go, so that blocks fill, empty and merge.
TEST(Presence, IsWhatTheModelSays) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    base::SeededEntropy entropy(seed);
    Presence presence(seed);
    std::vector<Roster> rosters;
    struct Known {
      MemberId id;
      std::string client, user;
    };
    std::vector<std::vector<Known>> model(3);  // in the order of their coming
    for (std::uint32_t channel = 0; channel < model.size(); ++channel) rosters.emplace_back(channel);
    std::uint32_t next = 0;
    for (int phase = 0; phase < 6; ++phase) {
      const std::uint32_t entering_of_ten = phase % 2 == 0 ? 8 : 1;
      for (int step = 0; step < 1500; ++step) {
        const std::uint32_t channel = entropy.below(10) == 0 ? 1 + entropy.below(2) : 0;
        auto& members = model[channel];
        if (entropy.below(10) < entering_of_ten) {
          const MemberId each = id(next, 1 + next % 3, static_cast<base::WorkerId>(next % 4));
          const std::string client = std::to_string(next++);
          const std::string user = entropy.below(4) == 0 ? "" : "u" + std::to_string(entropy.below(200));
          ASSERT_TRUE(presence.enter(rosters[channel], each, who(client, user), Announce::no));
          members.push_back({each, client, user});
        } else if (!members.empty()) {
          const std::size_t which = entropy.below(static_cast<std::uint32_t>(members.size()));
          ASSERT_EQ(presence.channel_of(members[which].id), channel);
          ASSERT_EQ(presence.leave(rosters[channel], members[which].id).identity.client.view(), members[which].client);
          members.erase(members.begin() + static_cast<std::ptrdiff_t>(which));
        }
      }
      std::size_t all = 0;
      for (std::size_t channel = 0; channel < model.size(); ++channel) {
        std::vector<std::string> expected;
        std::set<std::string> users;
        for (const Known& each : model[channel]) {
          expected.push_back(each.client);
          users.insert(each.user);
        }
        all += expected.size();
        EXPECT_EQ(rosters[channel].clients(), expected.size());
        EXPECT_EQ(rosters[channel].users(), users.size());
        for (const std::size_t page : {1U, 7U, 512U, 100000U}) {
          EXPECT_EQ(listed(presence, rosters[channel], page), expected) << "seed " << seed << " pages of " << page;
        }
      }
      EXPECT_EQ(presence.members(), all);
    }
  }
}

// While others come and go between the pages.
TEST(Presence, WhoStaysIsOnExactlyOnePage) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::SeededEntropy entropy(seed);
    Presence presence(seed);
    Roster roster(0);
    std::vector<std::uint32_t> restless;
    std::set<std::string> staying;
    std::uint32_t next = 0;
    const auto enter = [&] {
      presence.enter(roster, id(next), who(std::to_string(next)), Announce::no);
      return next++;
    };
    for (int i = 0; i < 3000; ++i) {
      const std::uint32_t slot = enter();
      if (entropy.below(2) == 0) {
        restless.push_back(slot);
      } else {
        staying.insert(std::to_string(slot));
      }
    }
    std::map<std::string, int> shown;
    MemberNumber after = 0;
    do {
      const Presence::Listing page = presence.page(roster, after, 1 + entropy.below(100), kAll);
      for (const ClientIdentity& each : page.members) ++shown[std::string(each.client.view())];
      after = page.next;
      for (std::uint32_t leaving = entropy.below(60); leaving > 0 && !restless.empty(); --leaving) {
        std::swap(restless[entropy.below(static_cast<std::uint32_t>(restless.size()))], restless.back());
        presence.leave(roster, id(restless.back()));
        restless.pop_back();
      }
      for (std::uint32_t coming = entropy.below(20); coming > 0; --coming) restless.push_back(enter());
    } while (after != 0);
    for (const std::string& each : staying) EXPECT_EQ(shown[each], 1) << each;
    for (const auto& [client, times] : shown) EXPECT_LE(times, 1) << client;
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
std::size_t bytes_in_use() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

// 100,000 connections that are there anyway, in one channel: what their presence adds. And nothing stays.
TEST(Presence, CostsLittlePerMember) {
  constexpr std::uint32_t kMembers = 100'000;
  std::vector<ClientIdentity> connections;
  for (std::uint32_t i = 0; i < kMembers; ++i) {
    connections.push_back(who("client-" + std::to_string(i), "user-" + std::to_string(i)));
  }
  Presence presence(1);
  const std::size_t before = bytes_in_use();
  Roster roster(0);
  for (std::uint32_t i = 0; i < kMembers; ++i) presence.enter(roster, id(i), connections[i], Announce::yes);
  const std::size_t after = bytes_in_use();
  EXPECT_LE((after - before) / kMembers, 120U);
  for (std::uint32_t i = 0; i < kMembers; ++i) presence.leave(roster, id((i * 7919) % kMembers));
  EXPECT_TRUE(roster.empty());
  // The tables of the slabs remember how many there were.
  EXPECT_LE(bytes_in_use() - std::min(before, bytes_in_use()), 2 * kMembers);
}

// Rooms of two are the many: the roster of one is small.
TEST(Presence, ASmallChannelCostsLittle) {
  constexpr std::uint32_t kChannels = 10'000;
  const ClientIdentity ann = who("a", "ann"), bob = who("b", "bob");
  Presence presence(1);
  std::vector<std::unique_ptr<Roster>> rosters(kChannels);
  const std::size_t before = bytes_in_use();
  for (std::uint32_t i = 0; i < kChannels; ++i) {
    rosters[i] = std::make_unique<Roster>(i);
    presence.enter(*rosters[i], id(i, 1), ann, Announce::yes);
    presence.enter(*rosters[i], id(i, 2), bob, Announce::yes);
  }
  EXPECT_LE((bytes_in_use() - before) / kChannels, 360U);
}
#endif

}  // namespace
}  // namespace hub
