#include "server/worker.h"

#include <algorithm>
#include <exception>

#include "base/assert.h"
#include "server/announce.h"
#include "server/closing.h"

namespace server {
namespace {

constexpr base::Duration kSweepInterval = std::chrono::milliseconds(100);
constexpr base::Duration kSweepAgain = std::chrono::milliseconds(10);  // while there is much to put away
constexpr base::Duration kMemoryReturnInterval = std::chrono::seconds(2);
constexpr std::size_t kDeparturesMin = 1000;        // fewer are not worth the milliseconds
constexpr std::size_t kMailsPerTurn = 4096;         // per sender
constexpr std::uint32_t kAddressesMax = 16 * 1024;  // whose rates are remembered: 1 MiB
constexpr int kSelfMailRounds = 4;                  // a publish of this worker to itself is delivered in the same turn

auth::Rate rate_of_new_channels(const Options& options) {
  return auth::per_second(options.new_channels_per_s_max, options.new_channels_per_s_max);
}

}  // namespace

Worker::Worker(base::WorkerId id, Shared& shared, Mailboxes& mailboxes, std::span<loop::Wakeup* const> wakeups,
               WorkerIo io)
    : id_(id),
      shared_(shared),
      io_(io),
      counters_(*shared.counters[id]),
      snapshot_(shared.snapshot()),
      generation_(shared.generation()),
      rules_(snapshot_),
      post_(id, mailboxes, wakeups),
      home_(shared.workers(), snapshot_->home_options(shared.workers()), rules_, io.entropy, shared.secret()),
      fan_out_(shared.workers(), rules_, shared.secret()),
      attendance_(shared.workers(), shared.secret()),
      connections_(shared, counters_, io.sockets, io.poller, io.clock, *this),
      hooks_(snapshot_, shared.workers(), counters_, shared.log, io.clock, io.egress, *wakeups[id]),
      events_(snapshot_, id, counters_, shared.log, io.clock, io.entropy, io.egress, *wakeups[id]),
      desk_{id,
            shared,
            counters_,
            io.clock,
            io.entropy,
            snapshot_,
            post_,
            fan_out_,
            attendance_,
            connections_,
            hooks_,
            events_,
            clock_now_,
            ws::Scratch(io.entropy),
            auth::RateTable(rate_of_new_channels(snapshot_->options()), kAddressesMax, shared.secret()),
            auth::RateTable(auth::per_second(1, 1), kAddressesMax, shared.secret())},
      centrifuge_front_(desk_),
      feeds_(desk_, centrifuge_front_),
      socket_front_(desk_, centrifuge_front_),
      http_front_(desk_, feeds_, centrifuge_front_),
      action_front_(desk_, centrifuge_front_),
      clock_now_(io.clock.now()),
      next_sweep_(clock_now_ + kSweepInterval) {
  hooks_.answer_to(centrifuge_front_);
  if (id == 0) {
    key_fetcher_.emplace(shared, io.egress, *wakeups[id]);
    key_fetcher_->follow(*snapshot_, clock_now_);
  }
  connections_.apply(snapshot_);
  fan_out_.set_page_bytes_max(snapshot_->page_bytes_max());
}

Worker::~Worker() = default;

void Worker::turn(base::Duration max_wait) {
  const auto ready = io_.poller.wait(more_ || connections_.urgent() ? base::Duration::zero() : max_wait);
  clock_now_ = io_.clock.now();
  more_ = false;
  take_configuration();
  // Before the mail: what the homes held back until they said so is in it.
  const bool all_delivered = draining_ && shared_.all_homes_emptied();
  connections_.handle(ready);
  home_.release_due(clock_now_, post_);  // to this worker's own subscribers in this turn
  take_mail();
  hooks_.deliver();
  home_.pump(post_);
  centrifuge_front_.settle();  // whose subscription has just ended gets nothing of what is delivered now
  if (fan_out_.run(feeds_)) more_ = true;
  feeds_.start_more();
  centrifuge_front_.settle();
  fan_out_.pump(post_);
  http_front_.answer_polls();
  connections_.expire(clock_now_);
  sweep();
  if (all_delivered) continue_drain();
  connections_.flush();
  connections_.reap();
  attendance_.pump(post_);  // who has gone in this turn too
  tell_events();
  post_.wake_others();
  if (hooks_.pending()) more_ = true;
  if (post_.has_mail_from(id_)) more_ = true;  // sent since take_mail(): the next page of a reader, a detach
  counters_.mails.set(post_.mails_sent());
  counters_.mail_deliveries.set(post_.deliveries_sent());
  counters_.wakeups.set(post_.wakeups());
  counters_.turns.add();
  counters_.turn_time.observe(io_.clock.now() - clock_now_);
}

void Worker::tell_events() {
  for (const hub::OccupancyEvent& each : home_.take_occupancy()) {
    const bool occupied = each.kind == hub::OccupancyEvent::Kind::occupied;
    events_.add({.type = occupied ? door::hook::EventType::occupied : door::hook::EventType::vacated,
                 .channel = each.channel.view()});
  }
  events_.step();
}

void Worker::take_configuration() {
  if (shared_.draining() && !draining_) start_drain();
  if (const std::uint64_t generation = shared_.generation(); generation != generation_) {
    generation_ = generation;
    snapshot_ = shared_.snapshot();
    rules_.snapshot = snapshot_;
    home_.rules_changed(snapshot_->home_options(shared_.workers()), post_);
    fan_out_.rules_changed();
    connections_.apply(snapshot_);
    fan_out_.set_page_bytes_max(snapshot_->page_bytes_max());
    desk_.new_channels.set_rate(rate_of_new_channels(snapshot_->options()));
    if (key_fetcher_) key_fetcher_->follow(*snapshot_, clock_now_);
    http_front_.reauthorise();
  }
}

void Worker::take_mail() {
  const auto handle_from = [&](base::WorkerId from) {
    return post_.take(from, kMailsPerTurn, [&](hub::Mail mail) { handle(from, std::move(mail)); });
  };
  for (base::WorkerId from = 0; from < post_.stations(); ++from) {
    if (from != id_ && handle_from(from) == kMailsPerTurn) more_ = true;
  }
  for (int round = 0; round < kSelfMailRounds; ++round) {
    if (handle_from(id_) == 0) break;
    if (round + 1 == kSelfMailRounds) more_ = true;
  }
  // In the order in which they asked, so that nobody starves.
  while (!waiting_.empty() && waiting_.front().last_request < post_.oldest_parked()) {
    if (Peer* peer = connections_.find(waiting_.front().peer); peer != nullptr) {
      connections_.unpause(*peer, Pause::request);
    }
    waiting_.pop_front();
  }
}

void Worker::handle(base::WorkerId from, hub::Mail mail) {
  if (auto* delivery = std::get_if<hub::Delivery>(&mail)) {
    fan_out_.receive(std::move(*delivery));
  } else if (const auto* entered = std::get_if<hub::Entered>(&mail)) {
    attendance_.receive(*entered);
  } else if (auto* published = std::get_if<hub::Published>(&mail)) {
    if (ApiFront::owns(published->request)) return http_front_.api_published(*published);
    if (centrifuge_front_.published(*published)) return;
    Peer* peer = desk_.peer_of(published->request);
    if (peer == nullptr) return;
    if (peer->phase == Peer::Phase::http) {
      http_front_.published(*peer, *published);
    } else if (peer->phase == Peer::Phase::websocket && published->error != base::Error::none) {
      socket_front_.publish_refused(*peer, published->error);
    }
  } else if (auto* page = std::get_if<hub::Page>(&mail)) {
    if (page->state != hub::Page::State::read_only) {
      fan_out_.receive(std::move(*page), feeds_, post_);
    } else if (ApiFront::owns(page->request)) {
      http_front_.api_paged(*page);
    } else {
      centrifuge_front_.history(*page);
    }
  } else if (auto* present = std::get_if<hub::Present>(&mail)) {
    if (ApiFront::owns(present->request)) return http_front_.api_present(*present);
    centrifuge_front_.present(*present);
  } else if (auto* state = std::get_if<hub::StatePage>(&mail)) {
    if (ApiFront::owns(state->request)) return http_front_.api_state(*state);
    centrifuge_front_.state_read(*state);
  } else if (const auto* forward = std::get_if<hub::Forward>(&mail)) {
    post_.send(from, hub::Forwarded{forward->request, centrifuge_front_.receive(*forward)});
  } else if (const auto* forwarded = std::get_if<hub::Forwarded>(&mail)) {
    if (Peer* peer = desk_.peer_of(forwarded->request); peer != nullptr) http_front_.forwarded(*peer, *forwarded);
  } else if (auto* listed = std::get_if<hub::Listed>(&mail)) {
    http_front_.api_listed(*listed);
  } else if (const auto* act = std::get_if<hub::Act>(&mail)) {
    post_.send(from, action_front_.act(*act));
  } else if (auto* acted = std::get_if<hub::Acted>(&mail)) {
    http_front_.api_acted(*acted);
  } else if (const auto* list = std::get_if<hub::List>(&mail)) {
    hub::Listed answer = home_.list(*list);
    answer.subscriptions = fan_out_.subscriptions();
    answer.users = desk_.roster.users.names();
    if (list->channels_max > 0) answer.watched = fan_out_.watched(*list);
    post_.send(from, std::move(answer));
  } else {
    home_.receive(from, std::move(mail), now(), post_);
  }
}

void Worker::opened(Peer& peer) { http_front_.opened(peer); }

// No exception of an engine or a door gets past its peer (threat T26): the peer is gone, the others go on.
void Worker::receive(Peer& peer, std::span<char> bytes) {
  const std::uint64_t parked_before = post_.newest_parked();
  try {
    hand_over(peer, bytes);
  } catch (const std::exception& error) {
    std::string line = "internal_error";
    append_field(line, "what", error.what());
    shared_.log.write(LogLevel::error, line);
    counters_.count(base::Error::internal);
    connections_.drop(peer);
  }
  // Its requests wait for credits: it is not read from until they are on their way, so that what waits stays bounded.
  if (post_.newest_parked() == parked_before || peer.dying || peer.phase == Peer::Phase::closing) return;
  connections_.pause(peer, Pause::request);
  waiting_.push_back({peer.id(), post_.newest_parked()});
}

void Worker::hand_over(Peer& peer, std::span<char> bytes) {
  switch (peer.phase) {
    case Peer::Phase::http: {
      // The HTTP front says how many bytes belong to the protocol that the connection has switched to.
      const std::size_t taken = http_front_.receive(peer, {bytes.data(), bytes.size()});
      if (peer.phase == Peer::Phase::websocket && taken < bytes.size()) {
        socket_front_.receive(peer, bytes.subspan(taken));
      }
      break;
    }
    case Peer::Phase::websocket:
      socket_front_.receive(peer, bytes);
      break;
    default:  // an event stream says nothing after its request
      break;
  }
}

void Worker::receive_eof(Peer& peer) {
  switch (peer.phase) {
    case Peer::Phase::http:
      http_front_.receive_eof(peer);
      break;
    case Peer::Phase::websocket:
      socket_front_.receive_eof(peer);
      break;
    default:
      connections_.drop(peer);
  }
}

void Worker::handle_timeout(Peer& peer) {
  if (peer.phase == Peer::Phase::websocket) {
    socket_front_.handle_timeout(peer);
  } else if (peer.phase == Peer::Phase::events && peer.centrifuge()) {
    centrifuge_front_.handle_timeout(peer);
  } else {
    http_front_.handle_timeout(peer);
  }
}

base::Instant Worker::next_timeout(const Peer& peer) const {
  return peer.session.exists() ? peer.session.next_timeout() : base::kNever;
}

void Worker::drained(Peer& peer) {
  connections_.unpause(peer, Pause::room);
  feeds_.resume(peer);
  if (peer.centrifuge()) centrifuge_front_.drained(peer);
}

void Worker::slow(Peer& peer) {
  if (peer.phase == Peer::Phase::http) {
    counters_.count(base::Error::request_timeout);
    connections_.drop(peer);
  } else {
    close_slow(desk_, peer);
  }
}

void Worker::gone(Peer& peer) {
  desk_.roster.leave(peer.id(), desk_.principal_of(peer));
  announce_disconnected(desk_, peer);
  if (peer.centrifuge()) centrifuge_front_.gone(peer);
  if (!peer.subscriptions.empty()) feeds_.stop(peer);
  if (peer.session.keeps_context()) --desk_.contexts;
  if (peer.gauged) counters_.open[static_cast<std::size_t>(peer.door)].subtract();
}

void Worker::sweep() {
  if (clock_now_ < next_sweep_) return;
  const bool more = home_.sweep(now(), post_);
  next_sweep_ = clock_now_ + (more ? kSweepAgain : kSweepInterval);
  publish_gauges();
  note_departures();
  if (key_fetcher_) key_fetcher_->step(*snapshot_, clock_now_);
  if (io_.memory != nullptr) watch_memory();
}

// After a mass disconnect, once it is over: what was needed for those who left goes back to the system. Nothing of this
// is done while connections come and go as usual.
void Worker::note_departures() {
  const std::size_t count = io_.memory != nullptr ? shared_.admission.connections() : connections_.count();
  connections_peak_ = std::max(connections_peak_, count);
  const bool many_left = connections_peak_ - count >= std::max(kDeparturesMin, connections_peak_ / 4);
  const bool over = count >= connections_before_;
  connections_before_ = count;
  if (!many_left || !over) return;
  connections_peak_ = count;
  connections_.release_spare_memory();
  // The other workers see that it is over at about the same time: theirs is free a little later.
  if (io_.memory != nullptr) return_memory_at_ = clock_now_ + kMemoryReturnInterval / 2;
}

// What is free but kept by the allocator is no reason to refuse anybody.
void Worker::watch_memory() {
  const std::uint64_t limit = desk_.options().memory_bytes_max;
  if (clock_now_ >= return_memory_at_) {
    return_memory_at_ = base::kNever;
    io_.memory->return_free();
  }
  std::uint64_t bytes = io_.memory->resident_bytes();
  if (bytes > limit / 5 * 4 && clock_now_ >= next_memory_return_) {
    next_memory_return_ = clock_now_ + kMemoryReturnInterval;
    io_.memory->return_free();
    bytes = io_.memory->resident_bytes();
  }
  if (!shared_.overload.measure(bytes, limit)) return;
  std::string line = "overload";
  append_field(line, "level", to_string(shared_.overload.level()));
  append_field(line, "memory_bytes", std::to_string(bytes));
  append_field(line, "limit_bytes", std::to_string(limit));
  shared_.log.write(LogLevel::warning, line);
}

void Worker::publish_gauges() {
  counters_.channels.set(home_.channels());
  counters_.log_bytes.set(home_.log_bytes());
  counters_.members.set(home_.members());
  counters_.overload_level.set(id_ == 0 ? static_cast<std::uint64_t>(shared_.overload.level()) : 0);
  counters_.lagging.set(fan_out_.lagging());
}

base::Instant Worker::next_deadline() const {
  if (more_ || connections_.urgent()) return base::Instant::min();
  base::Instant at =
      std::min({connections_.next_deadline(), next_sweep_, home_.next_deadline(), events_.next_deadline()});
  if (draining_) at = std::min(at, clock_now_ + std::chrono::milliseconds(20));
  return at;
}

void Worker::start_drain() {
  draining_ = true;
  drain_until_ = clock_now_ + desk_.options().drain_time_max;
  connections_.stop_listening();
  home_.stop_holding(post_);
  events_.hurry();
  shared_.home_emptied();
}

// Closes are spread over the first half of the drain, so that not everybody comes back in the same moment; what is
// queued is flushed by Connections::close.
void Worker::continue_drain() {
  const base::Duration window = desk_.options().drain_time_max / 2;
  const auto elapsed = clock_now_ - (drain_until_ - desk_.options().drain_time_max);
  const double share =
      window.count() == 0 ? 1.0 : static_cast<double>(elapsed.count()) / static_cast<double>(window.count());
  std::size_t open = 0;
  connections_.for_each([&](const Peer& peer) { open += peer.phase != Peer::Phase::closing ? 1U : 0U; });
  if (open == 0) return;
  const double left = std::max(1.0 - share, 0.0);
  auto keep = static_cast<std::size_t>(left * static_cast<double>(drain_open_));
  if (drain_open_ == 0) {
    drain_open_ = open;
    keep = open > 64 ? open : 0;  // few connections are closed at once
  }
  connections_.for_each([&](Peer& peer) {
    if (open <= keep || peer.phase == Peer::Phase::closing) return;
    if (http_front_.busy(peer)) return;  // its answer comes first
    --open;
    http_front_.say_goodbye(peer);
  });
}

}  // namespace server
