#include "client/core/publish_session.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "client/core/refusal.h"
#include "codec/url.h"

namespace client {
namespace {

std::string_view content_type(Kind kind) {
  switch (kind) {
    case Kind::json:
      return "application/json";
    case Kind::text:
      return "text/plain; charset=utf-8";
    case Kind::binary:
      break;
  }
  return "application/octet-stream";
}

std::string random_key(base::Entropy& entropy) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string key;
  for (int word = 0; word < 2; ++word) {
    std::uint64_t bits = entropy.next();
    for (int i = 0; i < 16; ++i, bits >>= 4) key += kHex[bits & 15];
  }
  return key;
}

bool keeps_alive(const http::ResponseHead& head) {
  return head.minor_version >= 1 && !head.has_token("connection", "close");
}

}  // namespace

PublishSession::PublishSession(PublishOptions options, base::Entropy& entropy)
    : options_(std::move(options)), entropy_(entropy), backoff_(options_.backoff) {
  ASSERT(options_.message_time_max <= kRetryMax);
}

PublishSession::Transport PublishSession::transport() const {
  return state_ == State::closed || state_ == State::waiting ? Transport::closed : Transport::open;
}

void PublishSession::publish(std::string& output, const Publication& publication, base::Instant now) {
  ASSERT(state_ == State::closed || state_ == State::ready);
  request_ = "POST " + options_.path + "/pub/";
  codec::append_percent_encoded(request_, publication.channel);
  request_ += " HTTP/1.1\r\nHost: " + options_.authority + "\r\nContent-Type: ";
  request_ += content_type(publication.kind);
  request_ += "\r\nContent-Length: " + std::to_string(publication.payload.size()) + "\r\nIdempotency-Key: ";
  request_ += publication.key.empty() ? random_key(entropy_) : std::string(publication.key);
  if (!options_.token.empty()) request_ += "\r\nAuthorization: Bearer " + options_.token;
  request_ += "\r\n\r\n";
  request_ += publication.payload;

  outcome_.reset();
  pending_ = {};
  unanswered_ = false;
  backoff_.forget();
  deadline_ = now + options_.message_time_max;
  if (state_ == State::ready) {
    ask(output, now);
  } else {
    begin_attempt(now);
  }
}

void PublishSession::begin_attempt(base::Instant now) {
  state_ = State::connecting;
  reused_ = false;
  timer_ = now + options_.attempt_time_max;
}

void PublishSession::connected(std::string& output, base::Instant now) {
  if (state_ == State::connecting) ask(output, now);
}

void PublishSession::ask(std::string& output, base::Instant now) {
  state_ = State::asking;
  ++pending_.attempts;
  timer_ = now + options_.attempt_time_max;
  response_.emplace(response_limits_);
  output += request_;
}

void PublishSession::receive(std::string_view bytes, base::Instant now) {
  // Bytes that nobody asked for: the connection cannot be trusted to be in step any more.
  if (state_ == State::ready) state_ = State::closed;
  if (state_ != State::asking) return;
  using Status = http::ResponseReader::Status;
  while (!bytes.empty() && response_->status() != Status::done && response_->status() != Status::failed) {
    bytes.remove_prefix(response_->receive(bytes));
  }
  if (response_->status() == Status::failed) return receive_eof(now, "The answer is not HTTP.");
  if (response_->status() == Status::done) take_answer(now);
}

void PublishSession::take_answer(base::Instant now) {
  Refusal refusal = read_refusal(response_->response(), response_->body());
  pending_.answer = response_->body();
  bool keep = keeps_alive(response_->response());
  response_.reset();
  state_ = keep ? State::ready : State::closed;
  reused_ = true;

  if (refusal.status >= 200 && refusal.status <= 299) {
    auto published = read_published(pending_.answer);
    if (!published) {
      pending_.code = "HTTP " + std::to_string(refusal.status);
      pending_.message = "The answer is not that of a Wirebird server.";
      return finish(Outcome::Result::refused);
    }
    pending_.position = std::move(published->position);
    pending_.level = std::move(published->level);
    pending_.workers = published->workers;
    return finish(Outcome::Result::accepted);
  }
  pending_.code = refusal.code.empty() ? "HTTP " + std::to_string(refusal.status) : refusal.code;
  pending_.message = refusal.message;
  // Our server's refusal means "will never appear". A proxy's 5xx says nothing about what the server did.
  if (refusal.code.empty() && refusal.status >= 500) unanswered_ = true;
  if (refusal.passing()) {
    // A waiting publisher holds no connection.
    return retry(now, refusal.retry_after.value_or(base::Duration{0}));
  }
  finish(unanswered_ ? Outcome::Result::unknown : Outcome::Result::refused);
}

void PublishSession::receive_eof(base::Instant now, std::string_view why) {
  switch (state_) {
    case State::closed:
    case State::waiting:
      return;
    case State::ready:
      state_ = State::closed;
      return;
    case State::connecting:
      pending_.code.clear();
      pending_.message = why;
      return retry(now, base::Duration{0});
    case State::asking:
      break;
  }
  response_->receive_eof();
  if (response_->status() == http::ResponseReader::Status::done) {
    take_answer(now);
    if (state_ == State::ready) state_ = State::closed;
    return;
  }
  response_.reset();
  unanswered_ = true;
  pending_.code.clear();
  pending_.message = why.empty() ? "The connection was cut before the answer came." : why;
  // A server may close an idle connection just when the next request is on its way: ask again at once.
  if (reused_) return begin_attempt(now);
  retry(now, base::Duration{0});
}

void PublishSession::retry(base::Instant now, base::Duration at_least) {
  base::Instant next = now + at_least + backoff_.next(entropy_);
  if (next >= deadline_) {
    state_ = State::closed;
    return finish_without_answer();
  }
  state_ = State::waiting;
  timer_ = next;
}

void PublishSession::give_up() {
  if (outcome_) return;
  if (state_ == State::asking) {
    unanswered_ = true;
    pending_.message = "Given up before the answer came.";
  }
  response_.reset();
  state_ = State::closed;
  finish_without_answer();
}

void PublishSession::finish_without_answer() {
  if (unanswered_) return finish(Outcome::Result::unknown);
  finish(pending_.attempts == 0 ? Outcome::Result::unreached : Outcome::Result::refused);
}

void PublishSession::finish(Outcome::Result result) {
  timer_ = base::kNever;
  deadline_ = base::kNever;
  pending_.result = result;
  outcome_ = std::move(pending_);
}

void PublishSession::handle_timeout(base::Instant now) {
  if (now < next_timeout()) return;
  if (state_ == State::waiting && now < deadline_) return begin_attempt(now);
  if (state_ == State::asking) {
    response_.reset();
    unanswered_ = true;
    pending_.code.clear();
    pending_.message = "The server did not answer in time.";
  } else if (state_ == State::connecting) {
    pending_.code.clear();
    pending_.message = "The server could not be reached in time.";
  }
  retry(now, base::Duration{0});
}

base::Instant PublishSession::next_timeout() const { return std::min(timer_, deadline_); }

}  // namespace client
