#include "sim/centrifuge/library_speaker.h"

namespace sim::centrifuge {
namespace {

namespace library = client::centrifuge;
constexpr std::uint32_t kFirstServerCode = 3000;
constexpr std::uint32_t kResubscribeFrom = 2500;

library::SessionOptions session_options(const Story& story, const LibraryOptions& options) {
  library::SessionOptions session;
  session.format = story.format == Format::json ? wirebird::Format::json : wirebird::Format::protobuf;
  session.authority = "localhost";
  session.target = "/connection/websocket";
  session.token = options.token;
  if (options.deflate) session.deflate = library::TransportOptions::Deflate::offer;
  // The visitor says how long it stays away.
  session.reconnect_min = session.reconnect_max = std::chrono::milliseconds(1);
  return session;
}

}  // namespace

struct LibrarySpeaker::Taker {
  LibrarySpeaker& speaker;
  base::Instant now;

  void on(std::string_view channel, auto act) {
    if (const auto wish = speaker.wish_of(channel)) {
      act(*wish);
    } else {
      speaker.complain("an event of " + std::string(channel), now);
    }
  }
  void told(Record::Kind kind, std::size_t wish, std::string_view text) { speaker.write(kind, wish, now).text = text; }

  void operator()(const wirebird::ConnectingEvent& event) const {
    if (event.code >= kFirstServerCode) speaker.code_ = event.code;
    speaker.reason_ = event.reason;
  }
  void operator()(const wirebird::ConnectedEvent&) const {}
  void operator()(const wirebird::DisconnectedEvent& event) const {
    speaker.complain("disconnected: " + std::to_string(event.code) + " " + event.reason, now);
  }
  void operator()(const wirebird::MessageEvent&) const { speaker.complain("a message outside of channels", now); }
  void operator()(const wirebird::Error& error) const {
    if (error.code >= kFirstServerCode) speaker.code_ = error.code;
  }
  void operator()(const wirebird::ServerSubscribingEvent&) const {}
  void operator()(const wirebird::ServerSubscribedEvent& event) {
    on(event.channel, [&](std::size_t wish) { speaker.answer(wish, event.subscribed, now); });
  }
  void operator()(const wirebird::ServerUnsubscribedEvent& event) const {
    speaker.complain("the server has unsubscribed " + event.channel, now);
  }
  void operator()(const wirebird::ServerPublicationEvent& event) {
    on(event.channel, [&](std::size_t wish) { speaker.publication(wish, event.publication, now); });
  }
  void operator()(const wirebird::ServerJoinEvent& event) {
    on(event.channel, [&](std::size_t wish) { told(Record::Kind::join, wish, event.info.client); });
  }
  void operator()(const wirebird::ServerLeaveEvent& event) {
    on(event.channel, [&](std::size_t wish) { told(Record::Kind::leave, wish, event.info.client); });
  }
  void operator()(const library::TokenWanted&) const { speaker.complain("a token is wanted", now); }
  void operator()(const library::Answered&) const { speaker.complain("an answer to no call", now); }
  void operator()(const library::OfSubscription& event) {
    const std::size_t wish = event.subscription;
    if (const auto* subscribing = std::get_if<wirebird::SubscribingEvent>(&event.event)) {
      speaker.places_[wish].live = false;
      if (subscribing->code < kResubscribeFrom) return;
      speaker.write(Record::Kind::unsubscribed, wish, now).code = subscribing->code;
      speaker.ask(wish, now);
    } else if (const auto* subscribed = std::get_if<wirebird::SubscribedEvent>(&event.event)) {
      speaker.answer(wish, *subscribed, now);
    } else if (const auto* publication = std::get_if<wirebird::Publication>(&event.event)) {
      speaker.publication(wish, *publication, now);
    } else if (const auto* join = std::get_if<wirebird::JoinEvent>(&event.event)) {
      told(Record::Kind::join, wish, join->info.client);
    } else if (const auto* leave = std::get_if<wirebird::LeaveEvent>(&event.event)) {
      told(Record::Kind::leave, wish, leave->info.client);
    } else if (const auto* unsubscribed = std::get_if<wirebird::UnsubscribedEvent>(&event.event)) {
      speaker.complain("unsubscribed: " + std::to_string(unsubscribed->code) + " " + unsubscribed->reason, now);
    } else if (const auto* error = std::get_if<wirebird::Error>(&event.event)) {
      speaker.complain("error " + std::to_string(error->code) + " " + error->message, now);
    }
  }
};

LibrarySpeaker::LibrarySpeaker(Story story, LibraryOptions options, std::uint64_t seed)
    : Speaker(std::move(story)),
      entropy_(seed),
      session_(session_options(story_, options), entropy_),
      places_(story_.wishes.size()) {}

bool LibrarySpeaker::wants_transport() const {
  return on_ && session_.transport().state == library::Session::TransportState::open;
}

bool LibrarySpeaker::settled() const {
  if (!on_ || session_.state() != wirebird::ClientState::connected) return false;
  for (const Place& each : places_) {
    if (!each.live) return false;
  }
  return true;
}

void LibrarySpeaker::come(base::Instant now) {
  if (!begun_) {
    begun_ = true;
    session_.connect(now);
    for (std::size_t wish = 0; wish < places_.size(); ++wish) {
      const Wish& wanted = story_.wishes[wish];
      if (wanted.made == Wish::Made::by_server) continue;
      library::SubscriptionSettings settings;
      settings.channel = wanted.channel;
      settings.recoverable = wanted.kind == Wish::Kind::recoverable;
      settings.positioned = wanted.kind == Wish::Kind::positioned;
      settings.join_leave = wanted.join_leave;
      if (wanted.delta) settings.delta = wirebird::SubscriptionOptions::Delta::fossil;
      settings.retry_min = settings.retry_max = std::chrono::milliseconds(1);
      session_.add(wish, std::move(settings));
      session_.subscribe(wish, now);
    }
  }
  // The retry that it waits for is past: the visitor stays away for a millisecond at least.
  if (session_.next_timeout() <= now) session_.handle_timeout(now);
  take_events(now);
  if (session_.transport().state != library::Session::TransportState::open) return complain("it has given up", now);
  on_ = true;
  code_ = 0;
  session_.connected();
  for (std::size_t wish = 0; wish < places_.size(); ++wish) {
    places_[wish].live = false;
    ask(wish, now);
  }
}

void LibrarySpeaker::ask(std::size_t wish, base::Instant now) {
  Record& record = write(Record::Kind::ask, wish, now);
  record.recovers = places_[wish].known && story_.wishes[wish].kind == Wish::Kind::recoverable;
  if (record.recovers) record.place = places_[wish].place;
}

void LibrarySpeaker::receive(std::span<char> bytes, base::Instant now) {
  session_.receive(bytes, now);
  take_events(now);
  if (on_ && !wants_transport()) lose(now);
}

void LibrarySpeaker::lose(base::Instant now) {
  if (!on_) return;
  session_.receive_eof({}, now);
  take_events(now);
  on_ = false;
  Record& record = write(Record::Kind::ended, 0, now);
  record.code = code_;
  record.text = reason_;
}

void LibrarySpeaker::handle_timeout(base::Instant now) {
  session_.handle_timeout(now);
  take_events(now);
  if (on_ && !wants_transport()) lose(now);
}

void LibrarySpeaker::take_events(base::Instant now) {
  for (const library::Event& event : session_.events()) std::visit(Taker{*this, now}, event);
}

void LibrarySpeaker::answer(std::size_t wish, const wirebird::SubscribedEvent& event, base::Instant now) {
  Record& record = write(Record::Kind::answer, wish, now);
  if (event.position) record.place = {event.position->epoch, event.position->offset};
  record.recovered = event.recovered;
  record.was_recovering = event.was_recovering;
  record.recoverable = event.recoverable;
  record.positioned = event.positioned;
  places_[wish] = {.known = true, .live = true, .place = record.place};
}

void LibrarySpeaker::publication(std::size_t wish, const wirebird::Publication& publication, base::Instant now) {
  Record& record = write(Record::Kind::message, wish, now);
  record.place.offset = publication.offset;
  record.text = publication.data;
  places_[wish].place.offset = publication.offset;
}

std::optional<std::size_t> LibrarySpeaker::wish_of(std::string_view channel) const {
  for (std::size_t wish = 0; wish < story_.wishes.size(); ++wish) {
    if (story_.wishes[wish].channel == channel) return wish;
  }
  return std::nullopt;
}

}  // namespace sim::centrifuge
