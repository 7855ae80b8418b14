#include "client/core/stream.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "client/core/refusal.h"
#include "codec/json_in.h"
#include "codec/url.h"

namespace client {
namespace {

// A record may be much longer than its payload of at most 1 MiB: base64 adds a third, and each control character of a
// text becomes six bytes.
constexpr std::uint32_t kRecordBytesMax = 8 << 20;

constexpr std::uint16_t kCutCode = 1006;
constexpr std::uint16_t kNormalCode = 1000;

struct Window {
  base::Duration least;
  base::Duration most;
};

// A server that goes away tells its clients when to come back, in the reason of its Close:
// E_DRAINING {"retry_min_ms":100,"retry_max_ms":10000}. A random moment in it spreads them over the whole window.
std::optional<Window> retry_window(std::string_view reason) {
  auto json = codec::JsonValue::parse(reason.substr(std::min(reason.size(), reason.find('{'))));
  if (!json) return std::nullopt;
  auto least = json->find("retry_min_ms");
  auto most = json->find("retry_max_ms");
  auto least_ms = least ? least->unsigned_integer() : std::nullopt;
  auto most_ms = most ? most->unsigned_integer() : std::nullopt;
  if (!least_ms || !most_ms || *least_ms > *most_ms) return std::nullopt;
  auto capped = [](std::uint64_t ms) {
    constexpr auto kCap = std::chrono::duration_cast<std::chrono::milliseconds>(kRetryAfterMax);
    return std::min(kCap, std::chrono::milliseconds(std::min<std::uint64_t>(ms, 1ULL << 40)));
  };
  return Window{capped(*least_ms), capped(*most_ms)};
}

}  // namespace

void Scratch::clear() {
  session_.clear();
  events_.clear();
  output_.clear();
}

Stream::Stream(StreamOptions options, base::Entropy& entropy)
    : options_(std::move(options)),
      entropy_(entropy),
      session_limits_{.message_bytes_max = kRecordBytesMax},
      backoff_(options_.backoff),
      cursor_(options_.channels.size()) {
  ASSERT(!options_.channels.empty());
  timers_.fill(base::kNever);
  if (auto cursor = parse_cursor(options_.since, options_.channels.size())) cursor_ = std::move(*cursor);
}

Stream::Transport Stream::transport() const {
  switch (state_) {
    case State::idle:
    case State::waiting:
    case State::finished:
      return Transport::closed;
    case State::connecting:
    case State::handshaking:
    case State::open:
    case State::closing:
      break;
  }
  return Transport::open;
}

void Stream::start(base::Instant now) {
  ASSERT(state_ == State::idle);
  begin_attempt(now);
}

void Stream::begin_attempt(base::Instant now) {
  state_ = State::connecting;
  timers_.fill(base::kNever);
  set_timer(Timer::attempt, now + options_.connect_time_max);
}

void Stream::connected(Scratch& scratch, base::Instant) {
  if (state_ != State::connecting) return;
  state_ = State::handshaking;
  handshake_options_ = {};
  handshake_options_.host = options_.authority;
  handshake_options_.target = target();
  handshake_options_.deflate = options_.deflate == StreamOptions::Deflate::offer;
  if (!options_.token.empty()) {
    handshake_options_.headers.emplace_back("Authorization", "Bearer " + options_.token);
  }
  handshake_ = ws::start(handshake_options_, entropy_);
  response_.emplace(response_limits_);
  scratch.output_ += handshake_.request;
}

std::string Stream::target() const {
  std::string target = options_.path + "/ws?meta=1";
  for (const std::string& channel : options_.channels) {
    target += "&channel=";
    codec::append_percent_encoded(target, channel);
  }
  std::string since = cursor();
  if (since.find_first_not_of(',') != std::string::npos) {
    target += "&since=";
    codec::append_percent_encoded(target, since);
  }
  return target;
}

std::string Stream::cursor() const {
  bool complete = std::ranges::all_of(cursor_, [](const auto& position) { return position.has_value(); });
  // "-5" cannot be said for one channel and a position for another, so a cut before every channel has started asks
  // for the same again; the rule of offsets drops what then comes twice.
  bool relative = !options_.since.empty() && !parse_cursor(options_.since, options_.channels.size());
  if (!complete && relative) return options_.since;
  return to_string(cursor_);
}

void Stream::receive(Scratch& scratch, std::span<char> bytes, base::Instant now) {
  switch (state_) {
    case State::handshaking:
      receive_handshake(scratch, bytes, now);
      break;
    case State::open:
    case State::closing:
      receive_frames(scratch, bytes, now);
      break;
    case State::idle:
    case State::waiting:
    case State::connecting:
    case State::finished:
      break;  // what was under way when we gave the transport up
  }
}

void Stream::receive_handshake(Scratch& scratch, std::span<char> bytes, base::Instant now) {
  std::size_t taken = 0;
  // The reader stops once after the head.
  while (taken < bytes.size() && response_->status() != http::ResponseReader::Status::done &&
         response_->status() != http::ResponseReader::Status::failed) {
    if (response_->status() == http::ResponseReader::Status::head_done && response_->response().status == 101) break;
    taken += response_->receive({bytes.data() + taken, bytes.size() - taken});
  }
  using Status = http::ResponseReader::Status;
  if (response_->status() == Status::failed) {
    return disconnected(scratch, now, {0, "The answer to the handshake is not HTTP.", base::Duration{0}});
  }
  if (response_->status() == Status::need_more) return;
  if (response_->response().status != 101) {
    if (response_->status() == Status::done) refused_before_upgrade(scratch, now);
    return;
  }
  auto established = ws::finish(handshake_, handshake_options_, response_->response());
  if (!established) {
    return disconnected(scratch, now,
                        {0, "The answer to the handshake is not that of a WebSocket server.", base::Duration{0}});
  }
  session_.emplace(ws::Role::client, session_limits_, established->deflate);
  response_.reset();
  state_ = State::open;
  established_ = now;
  ping_sent_ = false;
  set_timer(Timer::attempt, base::kNever);
  set_timer(Timer::silence, now + options_.silence_max);
  scratch.events_.emplace_back(ConnectedEvent{++connections_});
  if (taken < bytes.size()) receive_frames(scratch, bytes.subspan(taken), now);
}

void Stream::refused_before_upgrade(Scratch& scratch, base::Instant now) {
  Refusal refusal = read_refusal(response_->response(), response_->body());
  DisconnectedEvent event{refusal.status, refusal.text(), std::nullopt};
  // A 4xx will be the same next time, except for those that say "not now".
  if (refusal.passing()) event.retry_after = refusal.retry_after.value_or(base::Duration{0});
  disconnected(scratch, now, std::move(event));
}

void Stream::receive_frames(Scratch& scratch, std::span<char> bytes, base::Instant now) {
  ping_sent_ = false;
  if (state_ == State::open) set_timer(Timer::silence, now + options_.silence_max);
  // The session may end while it is read (a Close, a broken record): what follows is not for anybody.
  while (!bytes.empty() && session_) {
    scratch.session_.clear();
    bytes = bytes.subspan(session_->receive(scratch.session_, bytes, now));
    take_session(scratch, now);
  }
}

// Reads what the session left in its scratch. A record that is none fails the connection, as a broken frame does.
void Stream::take_session(Scratch& scratch, base::Instant now) {
  scratch.output_ += scratch.session_.output();
  for (const ws::Event& event : scratch.session_.events()) {
    switch (event.type) {
      case ws::Event::Type::text:
        if (state_ != State::open || take_record(scratch, event.payload)) break;
        fail_session(scratch);  // `event` is gone from here on
        return disconnected(scratch, now,
                            {base::entry(base::Error::bad_json).close_code,
                             "The server sent a record that is not valid.", base::Duration{0}});
      case ws::Event::Type::binary:
      case ws::Event::Type::ping:
      case ws::Event::Type::pong:
        break;
      case ws::Event::Type::close: {
        DisconnectedEvent gone{event.close_code, std::string(event.payload), base::Duration{0}};
        if (event.error != base::Error::none) {
          gone.code = base::entry(event.error).close_code;
          gone.reason = std::string(base::to_string(event.error)) + " The server broke the WebSocket protocol.";
        }
        return disconnected(scratch, now, std::move(gone));
      }
    }
  }
}

void Stream::fail_session(Scratch& scratch) {
  scratch.session_.clear();
  session_->close(scratch.session_, base::Error::bad_json);
  scratch.output_ += scratch.session_.output();
}

std::optional<std::size_t> Stream::channel_index(std::string_view name) const {
  auto found = std::ranges::find(options_.channels, name);
  if (found == options_.channels.end()) return std::nullopt;
  return static_cast<std::size_t>(found - options_.channels.begin());
}

bool Stream::take_record(Scratch& scratch, std::string_view json) {
  auto record = read_record(json);
  if (!record) return false;
  if (std::holds_alternative<UnknownRecord>(record->content)) return true;
  auto channel = channel_index(record->channel);
  if (!channel) return false;
  if (auto* message = std::get_if<MessageRecord>(&record->content)) {
    take_message(scratch, *channel, std::move(*message));
  } else if (auto* gap = std::get_if<GapRecord>(&record->content)) {
    take_gap(scratch, *channel, std::move(*gap));
  } else if (auto* started = std::get_if<PositionRecord>(&record->content)) {
    // A position we had is kept: if the server starts elsewhere it has to announce a gap, and if it does not, the next
    // message will show it.
    if (!cursor_[*channel]) cursor_[*channel] = started->position;
    scratch.events_.emplace_back(PositionEvent{*channel, std::move(started->position)});
  } else if (auto* error = std::get_if<ErrorRecord>(&record->content)) {
    scratch.events_.emplace_back(RefusedEvent{*channel, std::move(error->code), std::move(error->message)});
  }
  return true;
}

// The rule of offsets: the next one is delivered, an earlier one skipped, a later one is a gap.
void Stream::take_message(Scratch& scratch, std::size_t channel, MessageRecord message) {
  std::optional<Position>& last = cursor_[channel];
  if (last && last->epoch == message.position.epoch) {
    if (message.position.offset <= last->offset) {
      ++duplicates_;
      return;
    }
  }
  if (last) {
    std::uint64_t expected = last->epoch == message.position.epoch ? last->offset + 1 : 1;
    if (message.position.offset != expected || last->epoch != message.position.epoch) {
      Position before{message.position.epoch, message.position.offset - 1};
      scratch.events_.emplace_back(
          GapEvent{channel, expected, before.offset, std::string(kUnannounced), std::move(before)});
    }
  }
  last = message.position;
  scratch.events_.emplace_back(MessageEvent{channel, std::move(message)});
}

void Stream::take_gap(Scratch& scratch, std::size_t channel, GapRecord gap) {
  std::optional<Position>& last = cursor_[channel];
  // A gap that begins after what we are owed hides more than it says.
  if (last && last->epoch == gap.position.epoch && gap.from <= gap.to) gap.from = std::min(gap.from, last->offset + 1);
  last = gap.position;
  scratch.events_.emplace_back(GapEvent{channel, gap.from, gap.to, std::move(gap.reason), std::move(gap.position)});
}

void Stream::receive_eof(Scratch& scratch, base::Instant now, std::string_view why) {
  switch (state_) {
    case State::idle:
    case State::waiting:
    case State::finished:
      return;
    case State::connecting:
      return disconnected(scratch, now, {0, std::string(why), base::Duration{0}});
    case State::handshaking:
      response_->receive_eof();
      if (response_->status() == http::ResponseReader::Status::done) return refused_before_upgrade(scratch, now);
      if (why.empty()) why = "The connection was cut during the handshake.";
      return disconnected(scratch, now, {0, std::string(why), base::Duration{0}});
    case State::open:
    case State::closing:
      if (why.empty()) why = "The connection was cut.";
      return disconnected(scratch, now, {kCutCode, std::string(why), base::Duration{0}});
  }
}

void Stream::handle_timeout(Scratch& scratch, base::Instant now) {
  if (timer(Timer::retry) <= now) return begin_attempt(now);
  if (timer(Timer::attempt) <= now) {
    return disconnected(scratch, now, {0, "The server did not answer in time.", base::Duration{0}});
  }
  if (timer(Timer::close) <= now) {
    return disconnected(scratch, now, {kCutCode, "The server did not answer the close in time.", base::Duration{0}});
  }
  if (session_ && session_->next_timeout() <= now) {
    scratch.session_.clear();
    session_->handle_timeout(scratch.session_, now);
    take_session(scratch, now);
  }
  if (timer(Timer::silence) <= now) {
    if (ping_sent_) {
      return disconnected(scratch, now, {kCutCode, "The server fell silent.", base::Duration{0}});
    }
    ping_sent_ = true;
    set_timer(Timer::silence, now + options_.pong_time_max);
    scratch.session_.clear();
    session_->send_ping(scratch.session_, {});
    scratch.output_ += scratch.session_.output();
  }
}

base::Instant Stream::next_timeout() const {
  base::Instant next = *std::ranges::min_element(timers_);
  return session_ ? std::min(next, session_->next_timeout()) : next;
}

void Stream::close(Scratch& scratch, base::Instant now) {
  switch (state_) {
    case State::open:
      state_ = State::closing;
      scratch.session_.clear();
      session_->close(scratch.session_, kNormalCode, {});
      scratch.output_ += scratch.session_.output();
      timers_.fill(base::kNever);
      set_timer(Timer::close, now + options_.close_time_max);
      break;
    case State::closing:
    case State::finished:
      break;
    case State::idle:
    case State::waiting:
    case State::connecting:
    case State::handshaking:
      state_ = State::finished;
      timers_.fill(base::kNever);
      break;
  }
}

// `event.retry_after` comes in as what the server asked for, or zero, and leaves as the time we wait.
void Stream::disconnected(Scratch& scratch, base::Instant now, DisconnectedEvent event) {
  if (state_ == State::open) backoff_.connection_lasted(now - established_);
  bool closed_by_us = state_ == State::closing;
  session_.reset();
  response_.reset();
  timers_.fill(base::kNever);
  if (closed_by_us || options_.retry == StreamOptions::Retry::never || event.code == 4401 || event.code == 4403) {
    event.retry_after.reset();
  }
  if (!event.retry_after) {
    state_ = State::finished;
  } else {
    state_ = State::waiting;
    event.retry_after = wait_before_retry(event.reason, *event.retry_after);
    set_timer(Timer::retry, now + *event.retry_after);
  }
  scratch.events_.emplace_back(std::move(event));
}

// A refusal's Retry-After is the least we wait; a window in a Close is the most.
base::Duration Stream::wait_before_retry(std::string_view reason, base::Duration asked) {
  base::Duration wait = backoff_.next(entropy_);
  if (auto window = retry_window(reason)) {
    return window->least + Backoff::uniform(entropy_, window->most - window->least);
  }
  return asked + wait;
}

}  // namespace client
