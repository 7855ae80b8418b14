#include "sim/clients/subscriber.h"

#include "base/assert.h"

namespace sim {
namespace {

bool is_raw(Door door) { return door == Door::ws_raw || door == Door::sse_raw; }

}  // namespace

Subscriber::Subscriber(Crowd& crowd, SubscriberPlan plan, Log& log, std::uint64_t seed)
    : crowd_(crowd),
      plan_(std::move(plan)),
      log_(log),
      entropy_(seed),
      number_(crowd.join(*this)),
      wire_(crowd, number_),
      places_(plan_.ask_from_now ? std::vector<Place>(plan_.channels.size()) : plan_.first) {
  go_away();
}

base::Duration Subscriber::some(base::Duration longest) {
  // Mostly short, so that every state is met at its beginning; sometimes all of it.
  const auto whole = static_cast<std::uint64_t>(longest.count());
  const std::uint64_t scale = entropy_.below(3) == 0 ? whole : entropy_.below(2) == 0 ? whole / 4 : whole / 20;
  return base::Duration(static_cast<std::int64_t>(entropy_.next() % (scale + 1)));
}

void Subscriber::go_away() {
  client_.reset();
  leaving_ = false;
  wire_.close(loop::CloseMode::reset);
  if (finished_ || resting_) return crowd_.wake_at(number_, base::kNever);
  const base::Duration away = entropy_.below(8) == 0 ? base::Duration::zero() : some(plan_.away_max);
  crowd_.wake_at(number_, crowd_.world().now() + (finishing_ ? std::chrono::milliseconds(1) : away));
}

void Subscriber::begin_visit(bool new_connection) {
  Visit visit;
  visit.client = static_cast<std::uint32_t>(number_);
  do {
    visit.door = plan_.doors[entropy_.below(static_cast<std::uint32_t>(plan_.doors.size()))];
    // Raw WebSockets tell no positions: only a client that knows where it is can count on from there.
  } while (is_raw(visit.door) &&
           (places_.size() > 1 || raw_refused_ || (visit.door == Door::ws_raw && places_[0].epoch.empty())));
  if (!new_connection) visit.door = Door::poll;
  visit.channels = plan_.channels;
  visit.since = places_;
  visit.asked = crowd_.world().now();
  visit.reconnected = new_connection && connects_ > 0;
  raw_refused_ = false;
  if (new_connection) {
    ++connects_;
    wire_.connect(plan_.link);
    leave_at_ = finishing_ ? base::kNever : crowd_.world().now() + some(plan_.stay_max);
    crowd_.wake_at(number_, leave_at_);
  }
  if (visit.reconnected) ++reconnects_;
  const DoorOptions options{.deflate = entropy_.below(3) == 0,
                            .last_event_id = entropy_.below(2) == 0,
                            .poll_limit = entropy_.below(4) == 0 ? 1 + entropy_.below(5) : 256,
                            .poll_timeout_s = 1 + entropy_.below(3)};
  client_ = make_client(std::move(visit), options, entropy_);
  wire_.send(client_->request());
}

void Subscriber::end_visit() {
  Visit& visit = client_->visit();
  visit.ended = crowd_.world().now();
  places_ = client_->places();
  raw_refused_ = is_raw(visit.door) && visit.code == 4410;
  log_.visits.push_back(std::move(visit));
}

void Subscriber::ready() {
  if (!client_) return;
  wire_.flush();
  for (;;) {
    const Wire::Input input = wire_.read(input_);
    if (input == Wire::Input::nothing) break;
    if (input == Wire::Input::bytes) {
      output_.clear();
      client_->receive(input_, crowd_.world().now(), output_);
      if (!leaving_) wire_.send(output_);
    } else {
      client_->receive_eof();
    }
    if (client_->over() || input != Wire::Input::bytes) {
      const bool go_on = client_->over() && client_->keeps_connection() && !leaving_ && input == Wire::Input::bytes;
      end_visit();
      if (finishing_ && at_head()) finished_ = true;
      if (!go_on || finished_) return go_away();
      begin_visit(false);
    } else if (finishing_ && client_->places() == heads_) {
      end_visit();
      finished_ = true;
      return go_away();
    }
  }
}

bool Subscriber::at_head() const { return places_ == heads_; }

void Subscriber::handle_timeout() {
  if (!client_) return begin_visit(true);
  leave();
}

void Subscriber::leave() {
  const std::uint32_t way = leaving_ ? 99 : entropy_.below(100);
  if (way < 20) {  // in order: Close frame or nothing, then FIN, and what still comes is read until the server ends
    client_->leave(output_);
    wire_.send(output_);
    wire_.finish();
    leaving_ = true;
    return crowd_.wake_at(number_, crowd_.world().now() + std::chrono::milliseconds(20));
  }
  end_visit();
  if (way < 60) {
    wire_.cut();
  } else if (way < 65) {
    wire_.go_dark();
  } else if (way < 80) {
    wire_.close(loop::CloseMode::graceful);  // with input unread this resets
  }
  go_away();
}

void Subscriber::rest() {
  resting_ = true;
  if (client_) end_visit();
  go_away();
}

void Subscriber::finish(std::vector<Place> heads) {
  ASSERT(!client_ || resting_);
  resting_ = false;
  finishing_ = true;
  heads_ = std::move(heads);
  finished_ = at_head();
  go_away();
}

}  // namespace sim
