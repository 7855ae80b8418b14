// How one client comes to a map (docs/centrifuge.md, Maps): pages of its state, pages of what was published meanwhile,
// then live. The server leads: it answers the last page of either kind with "live" as soon as the rest fits into one
// answer. A client that was away asks for changes at once (recovery).
//
// Every answer counts from the position at which the first page was read: later pages leave out what is newer, since
// the client gets that as a change. So whatever is published while it pages, it ends with the state of one position.
//
// Calling order: begins() for a request without a paging; construct; ask() for every request, the first too; after each
// ReadState or ReadChanges exactly one state_read() or changes_read() with what was read. An ErrorCode or a
// DisconnectCode, but for concurrent_pagination, ends it; so does Join.
// Pure values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "base/time.h"
#include "door/centrifuge/errors.h"
#include "door/centrifuge/protocol.h"
#include "hub/position.h"

namespace door::centrifuge {

// Entries of one page, of state and of changes.
struct MapPageSizes {
  std::uint32_t usual = 100;  // where the client does not say
  std::uint32_t min = 100;    // fewer make too many round trips
  std::uint32_t max = 1000;
  std::uint32_t of(std::int32_t asked) const;
};

struct MapPagingRules {
  bool recoverable = true;  // false: ephemeral, of which clients know no positions
  MapPageSizes page_sizes;
  base::Duration catch_up_max = std::chrono::seconds(5);  // from the first page to live
};

class MapPaging {
 public:
  struct ReadState {
    std::uint32_t entries_max = 0;  // behind the request's cursor
  };
  struct ReadChanges {
    hub::Position after;
    std::uint32_t messages_max = 0;
  };
  struct Join {
    hub::Position after;      // what came since is part of the answer
    bool recovering = false;  // the client says that it has the state of `after`
    bool from_now = false;    // ephemeral, and no page was read: `after` means nothing
  };
  struct Page {
    hub::Position position;  // where the next page begins, as the client says it again
  };
  using Asked = std::variant<ErrorCode, DisconnectCode, ReadState, ReadChanges, Join>;
  using Read = std::variant<ErrorCode, Page, Join>;

  // Why a request cannot be the first; none: it can.
  static std::optional<ErrorCode> begins(const SubscribeRequest& request, const MapPagingRules& rules);

  MapPaging(const MapPagingRules& rules, base::Instant now) : rules_(rules), started_(now) {}

  Asked ask(const SubscribeRequest& request, base::Instant now);
  // `head`: where the map stood when the page was read.
  Read state_read(const hub::Position& head, bool last);
  // `lost`: what follows `after` is not held any more.
  Read changes_read(const hub::Position& head, hub::Offset end, bool lost);

  // Whether a page of state has to bring an entry that was published at that offset.
  bool brings(hub::Offset offset) const { return offset <= from_.offset; }
  bool reading() const { return reading_; }
  bool late(base::Instant now) const { return now - started_ > rules_.catch_up_max; }

 private:
  Asked ask_state(const SubscribeRequest& request);
  Asked ask_changes(const SubscribeRequest& request);
  Asked join(const SubscribeRequest& request) const;
  bool of_another_epoch(const SubscribeRequest& request) const;

  MapPagingRules rules_;
  base::Instant started_;
  hub::Position from_;               // of the first page; without an epoch: none was read
  std::optional<hub::Offset> goal_;  // who has come within a page of it goes live
  hub::Position asked_;              // of the page of changes that is being read
  std::uint32_t entries_max_ = 0;    // of the page that is being read
  bool reading_ = false;
  bool recovering_ = false;
};

}  // namespace door::centrifuge
