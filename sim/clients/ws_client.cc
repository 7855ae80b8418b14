#include "sim/clients/ws_client.h"

#include "codec/url.h"

namespace sim {
namespace {

constexpr ws::Limits kLimits{.message_bytes_max = 16 << 20};
constexpr http::ResponseLimits kResponseLimits;

ws::ClientOptions client_options(const Visit& visit, const DoorOptions& options) {
  std::string target = target_of("/ws", visit.channels);
  target += visit.door == Door::ws_raw ? "meta=0" : "meta=1";
  if (const std::string since = since_text(visit, options); !since.empty()) {
    target += "&since=";
    codec::append_percent_encoded(target, since);
  }
  return {.host = "localhost", .target = target, .deflate = options.deflate};
}

}  // namespace

WsClient::WsClient(Visit visit, const DoorOptions& options, base::Entropy& entropy)
    : DoorClient(std::move(visit)),
      client_(client_options(visit_, options)),
      handshake_(ws::start(client_, entropy)),
      response_(kResponseLimits),
      scratch_(entropy) {}

void WsClient::receive(std::span<char> bytes, base::Instant now, std::string& out) {
  if (!session_) {
    while (!bytes.empty() && response_.status() != http::ResponseReader::Status::done) {
      bytes = bytes.subspan(response_.receive({bytes.data(), bytes.size()}));
      if (response_.status() == http::ResponseReader::Status::failed) return end(Visit::End::lost, 0, "bad response");
    }
    if (response_.status() != http::ResponseReader::Status::done) return;
    if (response_.response().status != 101) {
      return end(Visit::End::refused, response_.response().status, response_.body());
    }
    const auto established = ws::finish(handshake_, client_, response_.response());
    if (!established) return end(Visit::End::lost, 101, "bad handshake");
    session_.emplace(ws::Role::client, kLimits, established->deflate);
  }
  while (!bytes.empty() && !over_) {
    scratch_.clear();
    bytes = bytes.subspan(session_->receive(scratch_, bytes, now));
    out += scratch_.output();
    for (const ws::Event& event : scratch_.events()) {
      if (!over_) take(event, now);
    }
  }
}

void WsClient::take(const ws::Event& event, base::Instant now) {
  switch (event.type) {
    case ws::Event::Type::text:
      if (visit_.door == Door::ws) {
        take_record(event.payload, now);
        break;
      }
      [[fallthrough]];
    case ws::Event::Type::binary:
      if (visit_.door == Door::ws) return end(Visit::End::lost, 0, "a binary envelope");
      take_message(
          {.kind = Told::Kind::message,
           .payload_kind = event.type == ws::Event::Type::text ? PayloadKind::json_or_text : PayloadKind::binary,
           .payload = std::string(event.payload),
           .at = now});
      break;
    case ws::Event::Type::close:
      end(event.error == base::Error::none ? Visit::End::by_server : Visit::End::lost, event.close_code,
          event.error == base::Error::none ? event.payload : base::to_string(event.error));
      break;
    default:
      break;
  }
}

void WsClient::receive_eof() { end(Visit::End::lost, 1006); }

void WsClient::leave(std::string& out) {
  out.clear();
  if (!session_) return;
  scratch_.clear();
  session_->close(scratch_, 1000, "bye");
  out = scratch_.output();
}

}  // namespace sim
