#include "sim/centrifuge/visitor.h"

#include <algorithm>

namespace sim::centrifuge {

using namespace std::chrono_literals;

Visitor::Visitor(Crowd& crowd, VisitorPlan plan, std::unique_ptr<Speaker> speaker, std::uint64_t seed)
    : crowd_(crowd),
      plan_(plan),
      speaker_(std::move(speaker)),
      entropy_(seed),
      number_(crowd.join(*this)),
      wire_(crowd, number_) {
  speaker_->story().client = static_cast<std::uint32_t>(number_);
  go_away();
}

base::Duration Visitor::some(base::Duration longest) {
  // Mostly short, so that every state is met at its beginning; sometimes all of it.
  const auto whole = static_cast<std::uint64_t>(longest.count());
  const std::uint64_t scale = entropy_.below(3) == 0 ? whole : entropy_.below(2) == 0 ? whole / 4 : whole / 20;
  return base::Duration(static_cast<std::int64_t>(entropy_.next() % (scale + 1)));
}

void Visitor::go_away() {
  wire_.close(loop::CloseMode::reset);
  const base::Duration away = finishing_ ? base::Duration(0) : some(plan_.away_max);
  crowd_.wake_at(number_, crowd_.world().now() + std::max<base::Duration>(away, 1ms));
}

void Visitor::come() {
  const base::Instant now = crowd_.world().now();
  ++connects_;
  wire_.connect(plan_.link);
  leave_at_ = deaf_at_ = hear_at_ = base::kNever;
  if (!finishing_) {
    const base::Duration stay = some(plan_.stay_max);
    leave_at_ = now + stay;
    if (entropy_.below(100) < plan_.deaf_percent) {
      deaf_at_ = now + stay / 8;
      hear_at_ = now + stay / 8 * 7;
    }
  }
  speaker_->come(now);
  hand_over();
}

// What the speaker wants to say, and whether it goes on.
void Visitor::hand_over() {
  wire_.send(speaker_->take_output());
  if (speaker_->wants_transport()) return set_timer();
  go_away();
}

void Visitor::set_timer() {
  crowd_.wake_at(number_, std::min({leave_at_, deaf_at_, hear_at_, speaker_->next_timeout()}));
}

void Visitor::ready() {
  if (!wire_.is_open()) return;
  wire_.flush();
  for (;;) {
    const Wire::Input input = wire_.read(input_);
    if (input == Wire::Input::nothing) break;
    const base::Instant now = crowd_.world().now();
    if (input != Wire::Input::bytes) {
      speaker_->lose(now);
      return go_away();
    }
    speaker_->receive(input_, now);
    hand_over();
    if (!wire_.is_open()) return;
  }
}

void Visitor::handle_timeout() {
  if (!wire_.is_open()) return come();
  const base::Instant now = crowd_.world().now();
  if (leave_at_ <= now) return leave();
  if (deaf_at_ <= now) {
    deaf_at_ = base::kNever;
    wire_.be_deaf(true);
  }
  if (hear_at_ <= now) {
    hear_at_ = base::kNever;
    wire_.be_deaf(false);
    ready();
    if (!wire_.is_open()) return;
  }
  if (speaker_->next_timeout() <= now) speaker_->handle_timeout(now);
  hand_over();
}

void Visitor::leave() {
  const std::uint32_t way = entropy_.below(100);
  if (way < plan_.dark_percent) {
    wire_.go_dark();
  } else if (way < 70) {
    wire_.cut();
  } else {
    wire_.close(loop::CloseMode::graceful);  // with input unread this resets
  }
  speaker_->lose(crowd_.world().now());
  (void)speaker_->take_output();
  go_away();
}

void Visitor::finish() {
  finishing_ = true;
  speaker_->be_honest();
  if (!wire_.is_open()) return crowd_.wake_at(number_, crowd_.world().now() + 1ms);
  leave_at_ = deaf_at_ = hear_at_ = base::kNever;
  wire_.be_deaf(false);
  ready();
  if (wire_.is_open()) set_timer();
}

Story Visitor::take_story() {
  speaker_->lose(crowd_.world().now());
  return std::move(speaker_->story());
}

}  // namespace sim::centrifuge
