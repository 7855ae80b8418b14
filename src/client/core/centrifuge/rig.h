// For tests of the Centrifuge client's core: a Session, a server that a test speaks for with the door's own encoder,
// and virtual time between them. What the client sent and what came of it are lines of text. No sockets.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "client/core/centrifuge/session.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"
#include "http/request_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace client::centrifuge {

namespace wire = door::centrifuge;
using namespace base;  // 10s, 250ms

using Lines = std::vector<std::string>;

// --- events as text ---

inline std::string line_of(const wirebird::StreamPosition& position) {
  return position.epoch + ":" + std::to_string(position.offset);
}

inline std::string line_of(const wirebird::SubscribedEvent& event) {
  std::string line = "subscribed";
  if (event.positioned) line += " positioned";
  if (event.recoverable) line += " recoverable";
  if (event.was_recovering) line += event.recovered ? " recovered" : " lost";
  if (event.has_recovered_publications) line += " more";
  if (event.position) line += " " + line_of(*event.position);
  if (!event.data.empty()) line += " " + event.data;
  return line;
}

inline std::string line_of(const wirebird::Publication& publication) {
  std::string line = "publication " + publication.data;
  if (publication.offset > 0) line += " @" + std::to_string(publication.offset);
  if (publication.info) line += " by " + publication.info->user;
  for (const auto& [key, value] : publication.tags) line += " " + key + "=" + value;
  return line;
}

inline std::string coded(std::string_view name, std::uint32_t code, std::string_view text) {
  return std::string(name) + " " + std::to_string(code) + " " + std::string(text);
}

struct EventLine {
  std::string operator()(const wirebird::ConnectingEvent& e) const { return coded("connecting", e.code, e.reason); }
  std::string operator()(const wirebird::ConnectedEvent& e) const {
    return "connected " + e.client + (e.data.empty() ? "" : " " + e.data);
  }
  std::string operator()(const wirebird::DisconnectedEvent& e) const { return coded("disconnected", e.code, e.reason); }
  std::string operator()(const wirebird::MessageEvent& e) const { return "message " + e.data; }
  std::string operator()(const wirebird::Error& e) const { return coded("error", e.code, e.message); }
  std::string operator()(const wirebird::ServerSubscribingEvent& e) const { return e.channel + " subscribing"; }
  std::string operator()(const wirebird::ServerSubscribedEvent& e) const {
    return e.channel + " " + line_of(e.subscribed);
  }
  std::string operator()(const wirebird::ServerUnsubscribedEvent& e) const { return e.channel + " unsubscribed"; }
  std::string operator()(const wirebird::ServerPublicationEvent& e) const {
    return e.channel + " " + line_of(e.publication);
  }
  std::string operator()(const wirebird::ServerJoinEvent& e) const { return e.channel + " join " + e.info.client; }
  std::string operator()(const wirebird::ServerLeaveEvent& e) const { return e.channel + " leave " + e.info.client; }
  std::string operator()(const wirebird::SubscribingEvent& e) const { return coded("subscribing", e.code, e.reason); }
  std::string operator()(const wirebird::SubscribedEvent& e) const { return line_of(e); }
  std::string operator()(const wirebird::UnsubscribedEvent& e) const { return coded("unsubscribed", e.code, e.reason); }
  std::string operator()(const wirebird::Publication& e) const { return line_of(e); }
  std::string operator()(const wirebird::JoinEvent& e) const { return "join " + e.info.client; }
  std::string operator()(const wirebird::LeaveEvent& e) const { return "leave " + e.info.client; }
  std::string operator()(const OfSubscription& e) const {
    return "[" + std::to_string(e.subscription) + "] " + std::visit(*this, e.event);
  }
  std::string operator()(const TokenWanted& e) const {
    return "token " + std::to_string(e.ticket) + (e.subscription ? " for " + std::to_string(*e.subscription) : "");
  }
  std::string operator()(const wirebird::PublishResult&) const { return "published"; }
  std::string operator()(const wirebird::SendResult&) const { return "sent"; }
  std::string operator()(const wirebird::RpcResult& e) const { return "rpc " + e.data; }
  std::string operator()(const wirebird::HistoryResult& e) const {
    std::string line = "history " + line_of(e.position);
    for (const auto& each : e.publications) line += ", " + line_of(each);
    return line;
  }
  std::string operator()(const wirebird::PresenceResult& e) const {
    std::string line = "presence";
    for (const auto& [client, info] : e.clients) line += " " + client + "=" + info.user;
    return line;
  }
  std::string operator()(const wirebird::PresenceStatsResult& e) const {
    return "stats " + std::to_string(e.num_clients) + " " + std::to_string(e.num_users);
  }
  std::string operator()(const Answered& e) const {
    return "#" + std::to_string(e.id) + " " + std::visit(*this, e.result);
  }
};

// --- the other end ---

class Rig {
 public:
  static SessionOptions json() {
    SessionOptions options;
    options.authority = "example.test";
    options.target = "/connection/websocket";
    return options;
  }
  static SessionOptions protobuf() {
    SessionOptions options = json();
    options.format = wirebird::Format::protobuf;
    return options;
  }

  explicit Rig(SessionOptions options = json(), std::uint64_t seed = 1)
      : format_(options.format), entropy_(seed), session(std::move(options), entropy_), server_scratch_(entropy_) {}

  // The verbs of the session, with its time; commands that were sent go to sent(), what came of it to events().
  template <typename Verb>
  void run(Verb verb) {
    verb(session);
    settle();
  }
  void connect() {
    run([&](Session& s) { s.connect(now); });
  }
  void subscribe(SubscriptionId id, SubscriptionSettings settings) {
    run([&](Session& s) {
      s.add(id, std::move(settings));
      s.subscribe(id, now);
    });
  }
  void call(CallId id, Call call) {
    run([&](Session& s) { s.call(id, std::move(call), now); });
  }
  void token(std::uint64_t ticket, std::string token) {
    run([&](Session& s) { s.take_token(ticket, {TokenOutcome::Kind::token, std::move(token)}, now); });
  }
  void no_token(std::uint64_t ticket, TokenOutcome::Kind kind) {
    run([&](Session& s) { s.take_token(ticket, {kind, "no luck"}, now); });
  }

  // The byte transport comes about and the server accepts the handshake.
  void accept() {
    ASSERT_EQ(session.transport().state, Session::TransportState::open);
    reader_.emplace(request_limits_);
    run([](Session& s) { s.connected(); });
    static constexpr std::string_view kSubprotocols[] = {"centrifuge-json", "centrifuge-protobuf"};
    ASSERT_EQ(reader_->status(), http::RequestReader::Status::done);
    const auto accepted = ws::accept(reader_->request(), {.subprotocols = kSubprotocols});
    ASSERT_TRUE(accepted);
    target = reader_->request().target;
    reader_.reset();
    server_.emplace(ws::Role::server, limits_, accepted->deflate);
    receive(ws::switching_protocols(*accepted));
  }
  // Until the transport is open, whatever time that takes.
  void come_back() {
    while (session.transport().state == Session::TransportState::closed) tick();
    accept();
  }
  // connect(), accept() and a plain reply.
  void establish(wire::ConnectResult result = {.client = "c1", .ping = 25, .pong = true}) {
    connect();
    accept();
    reply(1, std::move(result));
    sent();
    events();
  }

  void reply(std::uint32_t id, wire::ReplyBody body) { say({.id = id, .body = std::move(body)}); }
  void refuse(std::uint32_t id, std::uint32_t code, std::string_view message, bool temporary = false) {
    say({.id = id, .error = wire::ReplyError{code, message, temporary}});
  }
  void push(std::string_view channel, wire::PushBody body) {
    say({.body = wire::Push{.channel = channel, .body = std::move(body)}});
  }
  void say(const wire::Reply& reply) {
    std::string frame;
    if (format_ == wirebird::Format::json) {
      wire::append_json(frame, reply);
    } else {
      wire::append_protobuf(frame, reply);
    }
    frame_of(frame);
  }
  void ping() { say({}); }
  // Anything, in a frame of the kind of the format.
  void frame_of(std::string_view bytes) {
    server_scratch_.clear();
    if (format_ == wirebird::Format::json) {
      server_->send_text(server_scratch_, bytes);
    } else {
      server_->send_binary(server_scratch_, bytes);
    }
    receive(server_scratch_.output());
  }
  void close(std::uint16_t code, std::string_view reason) {
    server_scratch_.clear();
    server_->close(server_scratch_, code, reason);
    receive(server_scratch_.output());
  }
  void cut(std::string_view why = {}) {
    run([&](Session& s) { s.receive_eof(why, now); });
  }
  void receive(std::string_view bytes) {
    std::string copy(bytes);
    run([&](Session& s) { s.receive(copy, now); });
  }

  // Time goes on to the session's next deadline.
  void tick() {
    ASSERT_NE(session.next_timeout(), kNever);
    wait(session.next_timeout() - now);
  }
  void wait(Duration duration) {
    const Instant end = now + duration;
    while (session.next_timeout() <= end) {
      now = std::max(now, session.next_timeout());
      run([&](Session& s) { s.handle_timeout(now); });
    }
    now = end;
  }
  Duration until_timeout() const { return session.next_timeout() - now; }
  bool wants_transport() const { return session.transport().state == Session::TransportState::open; }

  // What the client sent since the last call: for each frame its commands, as JSON with " | " between them; and
  // "close 1000".
  Lines sent() { return std::exchange(sent_, {}); }
  Lines events() { return std::exchange(events_, {}); }

 private:
  void settle() {
    for (const Event& event : session.events()) events_.push_back(std::visit(EventLine{}, event));
    take(session.output());
  }

  void take(std::string bytes) {
    if (reader_) {
      reader_->receive(bytes);
      return;
    }
    std::span<char> rest(bytes);
    while (!rest.empty() && server_) {
      ws_scratch_.clear();
      rest = rest.subspan(server_->receive(ws_scratch_, rest, now));
      for (const ws::Event& event : ws_scratch_.events()) {
        if (event.type == ws::Event::Type::close) sent_.push_back("close " + std::to_string(event.close_code));
        if (event.type == ws::Event::Type::text) sent_.push_back(commands<wire::JsonReader>(event.payload));
        if (event.type == ws::Event::Type::binary) sent_.push_back(commands<wire::ProtobufReader>(event.payload));
      }
    }
  }

  template <typename Reader>
  static std::string commands(std::string_view frame) {
    Reader reader(frame);
    wire::Command command;
    std::string line;
    wire::Next next;
    while ((next = reader.next(command)) == wire::Next::command) {
      if (!line.empty()) line += " | ";
      wire::append_json(line, command);
    }
    EXPECT_EQ(next, wire::Next::end) << frame;
    return line;
  }

  const wirebird::Format format_;
  base::SeededEntropy entropy_;

 public:
  Session session;
  Instant now{std::chrono::hours(1)};
  std::string target;  // of the newest handshake

 private:
  http::RequestLimits request_limits_;
  std::optional<http::RequestReader> reader_;
  ws::Limits limits_;
  ws::Scratch server_scratch_;
  ws::Scratch ws_scratch_{entropy_};
  std::optional<ws::Session> server_;
  Lines sent_;
  Lines events_;
};

}  // namespace client::centrifuge
