// Who is present in the channels of one home: members with what is known of them, by channel in the order of their
// coming, and how many distinct users they are. What it is not: it sends nothing and knows no channel but its number;
// Home does the rest.
//
// No call costs more for there being many members: entering and leaving are logarithmic with moves of at most 2 KiB, a
// page costs what is on it. A member is 64 bytes, with its places in the indexes and the list some 100, and what its
// identity holds, which its connection shares (bench/hub). Threads: owned by one home.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/hash_index.h"
#include "base/ids.h"
#include "base/one_or_many.h"
#include "base/shared_bytes.h"
#include "base/slab.h"
#include "hub/extras.h"

namespace hub {

// A subscription of any worker. It belongs to one channel for as long as it lives, and ids are not used twice.
struct MemberId {
  base::WorkerId worker = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend bool operator==(const MemberId&, const MemberId&) = default;
};

// Whether others are told of a coming, and so of the going too.
enum class Announce : std::uint8_t { no, yes };

// Numbers count 1, 2, 3, ... over all channels of a home in the order of coming.
using MemberNumber = std::uint64_t;

// The members of one channel, by number: slots in blocks, so that one that leaves moves few others, and pages are found
// by searching. Belongs to one Presence.
class Roster {
 public:
  explicit Roster(std::uint32_t channel) : channel_(channel) {}

  bool empty() const { return clients_ == 0; }
  std::uint64_t clients() const { return clients_; }
  std::uint64_t users() const { return users_; }  // distinct; all without a name are one

 private:
  friend class Presence;
  using Block = base::OneOrMany<std::uint32_t>;

  std::vector<Block> blocks_;  // none is empty
  std::uint32_t channel_;
  std::uint32_t clients_ = 0;
  std::uint32_t users_ = 0;
};

class Presence {
 public:
  explicit Presence(std::uint64_t hash_seed) : hash_seed_(hash_seed) {}

  // False: it is there already, and stays as it is.
  bool enter(Roster& roster, const MemberId& id, ClientIdentity identity, Announce announce);
  // The channel of a roster that it is in, as that was made with.
  std::optional<std::uint32_t> channel_of(const MemberId& id) const;

  // Another announced member of the roster is the same client, which has subscribed anew before its old subscription
  // has left. Others need not know.
  bool has_twin(const Roster& roster, const MemberId& id) const;

  struct Left {
    ClientIdentity identity;
    Announce announce;
  };
  Left leave(Roster& roster, const MemberId& id);  // which is in it

  // Members with numbers above `after`, at most that many, and at most that many bytes of what they share unless the
  // first has more. A member that stays is on exactly one of the pages that follow each other by `next`.
  struct Listing {
    std::vector<ClientIdentity> members;
    MemberNumber next = 0;  // `after` of the next page; 0: that was the last
  };
  Listing page(const Roster& roster, MemberNumber after, std::size_t members_max, std::size_t bytes_max) const;

  std::size_t members() const { return members_.size(); }

 private:
  static constexpr std::uint32_t kNone = base::HashIndex::kNone;
  static constexpr std::size_t kBlock = 512;  // members; 2 KiB

  struct Member {
    ClientIdentity identity;
    MemberNumber number = 0;
    MemberId id;
    std::uint32_t channel = 0;
    std::uint32_t user = kNone;  // in users_
    Announce announce = Announce::no;
  };
  static_assert(sizeof(Member) <= 64);
  struct User {  // of one channel
    base::SharedBytes name;
    std::uint32_t channel = 0;
    std::uint32_t members = 0;  // > 0
  };
  static_assert(sizeof(User) == 16);

  std::uint64_t hash_of(const MemberId& id) const;
  std::uint64_t hash_of(std::uint32_t channel, const base::SharedBytes& name) const;
  bool is_indexed_by_client(const Member& member) const;
  std::uint32_t find(const MemberId& id) const;
  std::uint32_t add_user(Roster& roster, const base::SharedBytes& name);
  void remove_user(Roster& roster, std::uint32_t user);
  // Where the first member with a number of at least that stands; behind the last block: there is none.
  struct Place {
    std::size_t block;
    std::size_t item;
  };
  Place place_of(const Roster& roster, MemberNumber number) const;
  static void remove(Roster& roster, Place place);

  std::uint64_t hash_seed_;
  base::Slab<Member> members_;
  base::HashIndex by_id_;
  base::HashIndex by_client_;  // those that are announced and whose client has a name
  base::Slab<User> users_;
  base::HashIndex by_user_;
  MemberNumber newest_ = 0;
};

}  // namespace hub
