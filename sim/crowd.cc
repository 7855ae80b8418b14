#include "sim/crowd.h"

#include <algorithm>

namespace sim {

Crowd::Crowd(World& world) : world_(world), poller_(world.network(), world.entropy().next()) { world.add(*this); }

std::size_t Crowd::join(Guest& guest) {
  guests_.push_back(&guest);
  wanted_.push_back(base::kNever);
  return guests_.size() - 1;
}

void Crowd::wake_at(std::size_t number, base::Instant at) {
  base::Instant& wanted = wanted_[number];
  if (wanted == at) return;
  if (wanted != base::kNever) timers_.erase({wanted, number});
  if (at != base::kNever) timers_.emplace(at, number);
  wanted = at;
}

bool Crowd::has_work() { return next_deadline() <= world_.now() || poller_.has_ready(); }

base::Instant Crowd::next_deadline() const { return timers_.empty() ? base::kNever : timers_.begin()->first; }

void Crowd::turn() {
  for (const loop::Ready& each : poller_.wait(base::Duration::zero())) guests_[each.token]->ready();
  while (next_deadline() <= world_.now()) {
    const std::size_t number = timers_.begin()->second;
    wake_at(number, base::kNever);
    guests_[number]->handle_timeout();
  }
}

void Wire::connect(const Link& link) {
  ASSERT(!is_open());
  loop::Address from;
  from.ip = {0,
             0,
             0,
             0,
             0,
             0,
             0,
             0,
             0,
             0,
             0xff,
             0xff,
             10,
             static_cast<std::uint8_t>(number_ >> 8),
             static_cast<std::uint8_t>(number_),
             1};
  from.port = static_cast<std::uint16_t>(1024 + number_);
  socket_ = crowd_.world().connect(link, from);
  interest_ = loop::Interest::read;
  deaf_ = false;
  crowd_.poller().add(socket_, number_, interest_);
}

void Wire::send(std::string_view bytes) {
  if (!is_open()) return;
  output_ += bytes;
  flush();
}

void Wire::flush() {
  while (is_open() && !output_.empty()) {
    const std::string_view slice = output_;
    const loop::IoResult result = crowd_.world().network().write(socket_, {&slice, 1});
    if (result.status == loop::IoStatus::would_block) break;
    if (result.status != loop::IoStatus::ok) output_.clear();  // read() will say that the connection is lost
    output_.erase(0, result.bytes);
  }
  set_interest();
}

Wire::Input Wire::read(std::string& into) {
  into.clear();
  if (!is_open() || deaf_) return Input::nothing;
  into.resize(16 * 1024);
  const loop::IoResult result = crowd_.world().network().read(socket_, into);
  into.resize(result.bytes);
  switch (result.status) {
    case loop::IoStatus::ok:
      return Input::bytes;
    case loop::IoStatus::would_block:
      return Input::nothing;
    case loop::IoStatus::eof:
      return Input::ended;
    default:
      return Input::lost;
  }
}

void Wire::be_deaf(bool deaf) {
  if (!is_open() || deaf == deaf_) return;
  deaf_ = deaf;
  if (deaf) {
    crowd_.poller().remove(socket_);
  } else {
    crowd_.poller().add(socket_, number_, interest_);
  }
}

void Wire::set_interest() {
  if (!is_open() || deaf_) return;
  const auto wanted = output_.empty() ? loop::Interest::read : loop::Interest::read_write;
  if (wanted == interest_) return;
  interest_ = wanted;
  crowd_.poller().modify(socket_, number_, wanted);
}

void Wire::finish() {
  if (is_open()) crowd_.world().network().shutdown_write(socket_);
}

void Wire::close(loop::CloseMode mode) {
  if (!is_open()) return;
  if (!deaf_) crowd_.poller().remove(socket_);
  crowd_.world().network().close(socket_, mode);
  socket_ = loop::kNoSocket;
  output_.clear();
}

void Wire::cut() {
  if (!is_open()) return;
  crowd_.world().network().cut(socket_);
  close(loop::CloseMode::reset);
}

void Wire::go_dark() {
  if (!is_open()) return;
  crowd_.world().network().go_dark(socket_);
  close(loop::CloseMode::reset);
}

}  // namespace sim
