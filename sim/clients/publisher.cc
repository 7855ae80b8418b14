#include "sim/clients/publisher.h"

#include "base/assert.h"
#include "codec/json_in.h"
#include "codec/url.h"
#include "sim/clients/door_client.h"

namespace sim {
namespace {

constexpr http::ResponseLimits kResponseLimits;
constexpr ws::Limits kLimits{.message_bytes_max = 16 << 20};

}  // namespace

Publication make_publication(const PublisherPlan& plan, std::uint32_t publisher, std::uint64_t number,
                             base::Entropy& entropy) {
  Publication made;
  made.channel = plan.channels[entropy.below(static_cast<std::uint32_t>(plan.channels.size()))];
  made.publisher = publisher;
  made.kind = std::array{PayloadKind::json, PayloadKind::text, PayloadKind::binary}[entropy.below(3)];
  const std::string name = std::to_string(publisher) + "/" + std::to_string(number) + "/";
  // Mostly as short as messages are; now and then as long as they may be, so that pages fill by bytes.
  std::string fill(entropy.below(entropy.below(16) == 0 ? plan.payload_bytes_max + 1 : 64), ' ');
  for (char& each : fill) {
    static constexpr std::string_view kText = "abcdefghij \n\t\r\"\\<&";
    each = made.kind == PayloadKind::text     ? kText[entropy.below(kText.size())]
           : made.kind == PayloadKind::binary ? static_cast<char>(entropy.below(256))
                                              : static_cast<char>('a' + entropy.below(26));
  }
  if (plan.alike) {
    static const std::string kMuch(200, '-');
    fill = kMuch + "\xc3\xa9" + fill.substr(0, 8) + kMuch;
    made.kind = entropy.below(8) == 0 ? made.kind : PayloadKind::json;
    if (made.kind == PayloadKind::json) fill = kMuch + "\xc3\xa9" + std::to_string(number % 7) + kMuch;
  }
  made.payload =
      made.kind == PayloadKind::json ? "{\"n\": \"" + name + "\",\"fill\" : [1e3,\"" + fill + "\"]}" : name + fill;
  if (made.kind == PayloadKind::text) made.payload += "\xc3\xa9";
  if (made.kind == PayloadKind::binary) made.payload += '\xff';  // never valid UTF-8
  return made;
}

// --- HTTP

HttpPublisher::HttpPublisher(Crowd& crowd, PublisherPlan plan, Log& log, std::uint64_t seed)
    : crowd_(crowd),
      plan_(std::move(plan)),
      log_(log),
      entropy_(seed),
      number_(crowd.join(*this)),
      wire_(crowd, number_),
      response_(kResponseLimits) {
  crowd_.wake_at(number_, crowd_.world().now());
}

void HttpPublisher::reconnect() {
  wire_.close(loop::CloseMode::reset);
  response_.reset();
  wire_.connect(plan_.link);
  for (const std::size_t publication : waiting_) send(publication);
}

void HttpPublisher::handle_timeout() {
  if (!wire_.is_open()) {
    if (finished()) return;
    reconnect();
  }
  send_more();
}

void HttpPublisher::send_more() {
  while (!stopping_ && waiting_.size() < plan_.pipeline_max && wire_.is_open()) {
    if (next_at_ > crowd_.world().now()) return crowd_.wake_at(number_, next_at_);
    const auto pause = static_cast<std::uint64_t>(plan_.pause_max.count());
    next_at_ = crowd_.world().now() + base::Duration(static_cast<std::int64_t>(entropy_.next() % (pause + 1)));
    Publication made = make_publication(plan_, static_cast<std::uint32_t>(number_), made_++, entropy_);
    made.resent_until_acknowledged = true;
    made.sent = crowd_.world().now();
    waiting_.push_back(log_.publications.size());
    log_.publications.push_back(std::move(made));
    send(waiting_.back());
    if (entropy_.below(100) < plan_.cut_percent) {
      if (entropy_.below(2) == 0) {
        wire_.cut();
      } else {
        wire_.go_dark();
      }
      return crowd_.wake_at(number_, crowd_.world().now() + std::chrono::microseconds(entropy_.below(3000)));
    }
  }
}

void HttpPublisher::send(std::size_t index) {
  const Publication& publication = log_.publications[index];
  std::string request = "POST /pub/";
  codec::append_percent_encoded(request, publication.channel);
  request += " HTTP/1.1\r\nHost: localhost\r\nContent-Type: ";
  request += publication.kind == PayloadKind::json   ? "application/json"
             : publication.kind == PayloadKind::text ? "text/plain"
                                                     : "application/octet-stream";
  request += "\r\nIdempotency-Key: " + std::to_string(number_) + "-" + std::to_string(index);
  request += "\r\nContent-Length: " + std::to_string(publication.payload.size()) + "\r\n\r\n" + publication.payload;
  wire_.send(request);
}

void HttpPublisher::ready() {
  wire_.flush();
  for (;;) {
    const Wire::Input input = wire_.read(input_);
    if (input == Wire::Input::nothing) break;
    if (input != Wire::Input::bytes) {
      wire_.close(loop::CloseMode::reset);
      return crowd_.wake_at(number_, crowd_.world().now() + std::chrono::milliseconds(1));
    }
    std::string_view rest = input_;
    while (!rest.empty()) {
      rest.remove_prefix(response_.receive(rest));
      ASSERT(response_.status() != http::ResponseReader::Status::failed);
      if (response_.status() == http::ResponseReader::Status::done) take_answer();
    }
  }
  send_more();
}

void HttpPublisher::take_answer() {
  ASSERT(!waiting_.empty());
  Publication& publication = log_.publications[waiting_.front()];
  if (response_.response().status == 200) {
    const auto answer = codec::JsonValue::parse(response_.body());
    ASSERT(answer && answer->find("epoch") && answer->find("offset") && answer->find("time"));
    publication.acknowledged =
        Place{answer->find("epoch")->string().value(), answer->find("offset")->unsigned_integer().value()};
    publication.time_ms = answer->find("time")->integer().value();
    publication.answered = crowd_.world().now();
    waiting_.pop_front();
  } else {  // refused: once more, after what was sent behind it
    const std::size_t again = waiting_.front();
    waiting_.pop_front();
    waiting_.push_back(again);
    send(again);
  }
  response_.reset();
}

// --- WebSocket

WsPublisher::WsPublisher(Crowd& crowd, PublisherPlan plan, Log& log, std::uint64_t seed)
    : crowd_(crowd),
      plan_(std::move(plan)),
      log_(log),
      entropy_(seed),
      number_(crowd.join(*this)),
      wire_(crowd, number_),
      scratch_(entropy_) {
  ASSERT(plan_.channels.size() == 1);
  crowd_.wake_at(number_, crowd_.world().now());
}

void WsPublisher::connect() {
  wire_.close(loop::CloseMode::reset);
  json_ = entropy_.below(2) == 0;
  std::string target = target_of("/ws", plan_.channels) + (entropy_.below(2) == 0 ? "meta=1" : "meta=0");
  if (json_) target += "&kind=json";
  options_ = {.host = "localhost", .target = target, .deflate = entropy_.below(2) == 0};
  handshake_ = ws::start(options_, entropy_);
  response_ = std::make_unique<http::ResponseReader>(kResponseLimits);
  session_.reset();
  wire_.connect(plan_.link);
  wire_.send(handshake_.request);
}

void WsPublisher::handle_timeout() {
  if (finished_) return;
  if (!wire_.is_open()) {
    if (stopping_) {
      finished_ = true;
      return;
    }
    return connect();
  }
  if (session_) publish();
}

void WsPublisher::publish() {
  if (closing_) return;
  if (stopping_) {  // the server's Close comes after it has taken everything before ours
    closing_ = true;
    scratch_.clear();
    session_->close(scratch_, 1000, {});
    wire_.send(scratch_.output());
    return;
  }
  Publication made = make_publication(plan_, static_cast<std::uint32_t>(number_), made_++, entropy_);
  made.sent = crowd_.world().now();
  scratch_.clear();
  if (made.kind == PayloadKind::binary) {
    session_->send_binary(scratch_, made.payload);
  } else {
    if (made.kind == PayloadKind::text && json_) {
      made.kind = PayloadKind::json;
      made.payload = '"' + std::to_string(number_) + "/" + std::to_string(made_) + '"';
    } else if (!json_) {
      made.kind = PayloadKind::text;
    }
    session_->send_text(scratch_, made.payload);
  }
  wire_.send(scratch_.output());
  log_.publications.push_back(std::move(made));
  if (entropy_.below(100) < plan_.cut_percent) {
    wire_.cut();
    return crowd_.wake_at(number_, crowd_.world().now() + std::chrono::milliseconds(1));
  }
  const auto pause = static_cast<std::uint64_t>(plan_.pause_max.count()) + 100'000;
  crowd_.wake_at(number_, crowd_.world().now() + base::Duration(static_cast<std::int64_t>(entropy_.next() % pause)));
}

void WsPublisher::ready() {
  if (!wire_.is_open()) return;
  wire_.flush();
  for (;;) {
    const Wire::Input input = wire_.read(input_);
    if (input == Wire::Input::nothing) return;
    if (input == Wire::Input::bytes) {
      receive();
      continue;
    }
    wire_.close(loop::CloseMode::reset);
    if (closing_) {
      finished_ = true;
      return;
    }
    return crowd_.wake_at(number_, crowd_.world().now() + std::chrono::milliseconds(1));
  }
}

void WsPublisher::receive() {
  std::span<char> bytes(input_);
  if (!session_) {
    while (!bytes.empty() && response_->status() != http::ResponseReader::Status::done) {
      bytes = bytes.subspan(response_->receive({bytes.data(), bytes.size()}));
    }
    if (response_->status() != http::ResponseReader::Status::done) return;
    if (response_->response().status != 101) return;  // the connection will be closed
    const auto established = ws::finish(handshake_, options_, response_->response());
    ASSERT(established.has_value());
    session_.emplace(ws::Role::client, kLimits, established->deflate);
    crowd_.wake_at(number_, crowd_.world().now());
  }
  while (!bytes.empty()) {
    scratch_.clear();
    bytes = bytes.subspan(session_->receive(scratch_, bytes, crowd_.world().now()));
    wire_.send(scratch_.output());
  }
}

}  // namespace sim
