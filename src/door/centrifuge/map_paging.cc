#include "door/centrifuge/map_paging.h"

#include <algorithm>
#include <string>

#include "base/assert.h"

namespace door::centrifuge {

namespace {

bool is(const SubscribeRequest& request, SubscriptionPhase phase) {
  return request.phase == static_cast<std::int32_t>(phase);
}

std::optional<hub::Epoch> epoch_in(std::string_view text) {
  const auto position = hub::parse_position(std::string(text) + ":0");
  return position ? std::optional(position->epoch) : std::nullopt;
}

}  // namespace

std::uint32_t MapPageSizes::of(std::int32_t asked) const {
  const std::uint32_t wanted = asked <= 0 ? usual : static_cast<std::uint32_t>(asked);
  return std::min(std::max(wanted, min), max);
}

std::optional<ErrorCode> MapPaging::begins(const SubscribeRequest& request, const MapPagingRules& rules) {
  if (is(request, SubscriptionPhase::state)) {
    if (!request.cursor.empty()) return ErrorCode::permission_denied;
  } else if (is(request, SubscriptionPhase::stream)) {
    if (!rules.recoverable) return ErrorCode::bad_request;
    if (!request.recover) return ErrorCode::permission_denied;
  } else if (!is(request, SubscriptionPhase::live)) {
    return ErrorCode::bad_request;
  }
  return std::nullopt;
}

MapPaging::Asked MapPaging::ask(const SubscribeRequest& request, base::Instant now) {
  if (reading_) return ErrorCode::concurrent_pagination;
  if (late(now)) return DisconnectCode::slow;
  if (of_another_epoch(request)) return ErrorCode::unrecoverable_position;
  if (is(request, SubscriptionPhase::state)) return ask_state(request);
  if (is(request, SubscriptionPhase::stream)) return ask_changes(request);
  if (is(request, SubscriptionPhase::live)) return join(request);
  return ErrorCode::bad_request;
}

MapPaging::Asked MapPaging::ask_state(const SubscribeRequest& request) {
  reading_ = true;
  entries_max_ = rules_.page_sizes.of(request.limit);
  return ReadState{entries_max_};
}

MapPaging::Asked MapPaging::ask_changes(const SubscribeRequest& request) {
  if (!rules_.recoverable) return ErrorCode::bad_request;
  const auto epoch = epoch_in(request.epoch);
  if (!epoch) return ErrorCode::unrecoverable_position;
  asked_ = {*epoch, request.offset};
  recovering_ = request.recover;
  entries_max_ = rules_.page_sizes.of(request.limit);
  // Compared by subtraction: a client may say any offset.
  if (goal_ && (request.offset >= *goal_ || *goal_ - request.offset <= entries_max_)) return Join{asked_, recovering_};
  reading_ = true;
  return ReadChanges{asked_, entries_max_};
}

MapPaging::Asked MapPaging::join(const SubscribeRequest& request) const {
  if (!rules_.recoverable) return Join{.after = from_, .from_now = from_.epoch == hub::Epoch{}};
  const auto epoch = epoch_in(request.epoch);
  if (!epoch) return ErrorCode::unrecoverable_position;
  return Join{{*epoch, request.offset}, request.recover};
}

// Of a map without positions the client says none.
bool MapPaging::of_another_epoch(const SubscribeRequest& request) const {
  return !request.epoch.empty() && from_.epoch != hub::Epoch{} && request.epoch != from_.epoch.view();
}

MapPaging::Read MapPaging::state_read(const hub::Position& head, bool last) {
  ASSERT(reading_);
  reading_ = false;
  const bool first = from_.epoch == hub::Epoch{};
  if (first) from_ = head;
  if (head.epoch != from_.epoch) return ErrorCode::unrecoverable_position;
  if (!last) return Page{from_};
  goal_ = head.offset;
  if (!rules_.recoverable || head.offset - from_.offset <= entries_max_) return Join{from_};
  return Page{from_};
}

MapPaging::Read MapPaging::changes_read(const hub::Position& head, hub::Offset end, bool lost) {
  ASSERT(reading_);
  reading_ = false;
  if (lost || head.epoch != asked_.epoch) return ErrorCode::unrecoverable_position;
  from_.epoch = asked_.epoch;
  if (!goal_) goal_ = head.offset;
  if (head.offset <= end || *goal_ - asked_.offset <= entries_max_) return Join{asked_, recovering_};
  return Page{{asked_.epoch, end}};
}

}  // namespace door::centrifuge
