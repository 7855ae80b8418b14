#include "sim/clients/vandal.h"

#include "codec/url.h"
#include "sim/clients/door_client.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace sim {
namespace {

constexpr ws::Limits kLimits;

}  // namespace

Vandal::Vandal(Crowd& crowd, std::vector<std::string> channels, std::uint64_t scripts, std::uint64_t seed)
    : crowd_(crowd),
      channels_(std::move(channels)),
      scripts_left_(scripts),
      entropy_(seed),
      number_(crowd.join(*this)),
      wire_(crowd, number_) {
  crowd_.wake_at(number_, crowd_.world().now());
}

void Vandal::begin() {
  wire_.close(loop::CloseMode::reset);
  if (scripts_left_ == 0) return;
  --scripts_left_;
  Link link;
  link.window_bytes = std::size_t{1} << (6 + below(11));
  link.short_percent = below(100);
  wire_.connect(link);
  actions_left_ = 1 + below(8);
  if (below(16) != 0) wire_.send(a_request());
  crowd_.wake_at(number_, crowd_.world().now() + std::chrono::microseconds(below(3) == 0 ? 0 : below(3000)));
}

void Vandal::handle_timeout() {
  if (!wire_.is_open() || actions_left_ == 0) return begin();
  --actions_left_;
  act();
  // Often at once, so that several things come with one read; sometimes after the server has answered.
  crowd_.wake_at(number_, crowd_.world().now() + std::chrono::microseconds(below(2) == 0 ? 0 : below(2000)));
}

void Vandal::act() {
  switch (below(16)) {
    case 0:
      return wire_.close(loop::CloseMode::graceful);
    case 1:
      return wire_.close(loop::CloseMode::reset);
    case 2:
      return wire_.cut();
    case 3:
      return wire_.finish();
    case 4:
      if (below(8) == 0) return wire_.go_dark();
      [[fallthrough]];
    case 5:
      return wire_.send(garbage(200));
    case 6:
      return wire_.be_deaf(below(2) == 0);
    case 7:
      return wire_.send(a_request());
    default: {
      std::string frames;
      for (std::uint32_t left = 1 + below(4); left > 0; --left) frames += a_frame();
      if (below(6) == 0) frames.resize(below(static_cast<std::uint32_t>(frames.size()) + 1));  // cut off in the middle
      if (below(12) == 0 && !frames.empty()) frames[below(static_cast<std::uint32_t>(frames.size()))] ^= 0x40;
      return wire_.send(frames);
    }
  }
}

std::string Vandal::a_request() {
  std::vector<std::string> channels{channels_[below(static_cast<std::uint32_t>(channels_.size()))]};
  if (below(4) == 0) {
    for (const std::string& each : channels_) {
      if (each != channels.front()) channels.push_back(each);
    }
  }
  std::string path;
  codec::append_percent_encoded(path, channels.front());
  const std::string since =
      std::array<std::string, 4>{"", "&since=-3", "&since=aaaaaaaa:7", "&since=1763640000000"}[below(4)];
  const std::string end = " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  switch (below(10)) {
    case 0:
      return "POST /pub/" + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";
    case 1:
      return "POST /pub/" + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nnever finished";
    case 2:
      return "GET " + target_of("/poll", channels) + "timeout=1" + since + end;
    case 3:
      return "GET " + target_of("/sse", channels) + "x=1" + since + end;
    case 4:
      return "GET /api/" +
             std::array<std::string, 4>{"info", "channels", "history?channel=" + path, "nothing"}[below(4)] + end;
    case 5:
      return "POST /pub/" + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nxHEAD /health" + end +
             "GET /ready" + end;
    default: {
      const ws::ClientOptions options{
          .host = "localhost",
          .target =
              below(8) == 0 ? "/echo" : target_of("/ws", channels) + (below(2) == 0 ? "meta=1" : "kind=json") + since,
          .deflate = below(2) == 0};
      return ws::start(options, entropy_).request;
    }
  }
}

// Frames that a client may send, made by a session of their own each: what was agreed on this connection, if anything
// was, does not matter to it.
std::string Vandal::a_frame() {
  ws::Scratch scratch(entropy_);
  ws::Session session(ws::Role::client, kLimits);
  switch (below(8)) {
    case 0:
      session.close(scratch, 1000, "bye");
      break;
    case 1:
      session.send_ping(scratch, "?");
      break;
    case 2:
      session.send_binary(scratch, garbage(below(32) == 0 ? 70'000 : 1000));
      break;
    case 3:
      session.send_text(scratch, "{\"json\":true}");
      break;
    default:
      session.send_text(scratch, "text " + std::to_string(below(1000)));
  }
  return std::string(scratch.output());
}

std::string Vandal::garbage(std::uint32_t longest) {
  std::string bytes(below(4) == 0 ? below(longest) : below(20), '\0');
  for (char& each : bytes) each = static_cast<char>(below(256));
  return bytes;
}

void Vandal::ready() {
  wire_.flush();
  for (;;) {
    const Wire::Input input = wire_.read(input_);
    if (input == Wire::Input::nothing) return;
    if (input == Wire::Input::bytes) continue;
    wire_.close(below(2) == 0 ? loop::CloseMode::graceful : loop::CloseMode::reset);
    return crowd_.wake_at(number_, crowd_.world().now());
  }
}

}  // namespace sim
