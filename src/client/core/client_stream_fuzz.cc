// A hostile server: any bytes, in any cuts, before and after a handshake, with ends and timeouts in between. The stream
// keeps its promise (offsets of a channel are contiguous or a gap stands before them) and its states.
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/assert.h"
#include "client/core/stream.h"
#include "http/request_reader.h"
#include "ws/frame.h"

namespace {

// The first byte of each piece says what happens.
enum class Step : std::uint8_t { answer, frame, raw, cut, timeout, count };

std::string good_answer(std::string_view request) {
  http::RequestLimits limits;
  http::RequestReader reader(limits);
  reader.receive(request);
  auto accepted = ws::accept(reader.request(), {});
  return accepted ? ws::switching_protocols(*accepted) : std::string();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  base::SeededEntropy entropy(size);
  client::Scratch scratch(entropy);
  client::StreamOptions options;
  options.authority = "a";
  options.channels = {"a", "b"};
  client::Stream stream(std::move(options), entropy);
  base::Instant now{std::chrono::hours(1)};
  std::string request;
  std::array<std::optional<client::Position>, 2> last;
  bool up = false;

  auto look = [&] {
    for (const client::StreamEvent& event : scratch.events()) {
      if (const auto* message = std::get_if<client::MessageEvent>(&event)) {
        auto& before = last.at(message->channel);
        const client::Position& at = message->message.position;
        ASSERT(!before || (before->epoch == at.epoch && before->offset + 1 == at.offset));
        before = at;
      } else if (const auto* gap = std::get_if<client::GapEvent>(&event)) {
        last.at(gap->channel) = gap->position;
      } else if (const auto* started = std::get_if<client::PositionEvent>(&event)) {
        if (!last.at(started->channel)) last.at(started->channel) = started->position;
      }
    }
    request = scratch.output();
    scratch.clear();
    ASSERT(!stream.finished() || stream.next_timeout() == base::kNever);
    if (stream.transport() == client::Stream::Transport::closed) up = false;
    if (stream.transport() == client::Stream::Transport::open && !up) {
      up = true;
      stream.connected(scratch, now);
      request = scratch.output();
      scratch.clear();
    }
  };
  stream.start(now);
  look();
  std::string upgrade = request;
  while (rest.size() >= 2) {
    auto step = static_cast<Step>(static_cast<std::uint8_t>(rest[0]) % static_cast<unsigned>(Step::count));
    std::size_t length = std::min<std::size_t>(static_cast<std::uint8_t>(rest[1]), rest.size() - 2);
    std::string piece(rest.substr(2, length));
    rest.remove_prefix(2 + length);
    now += std::chrono::milliseconds(length);
    switch (step) {
      case Step::answer:
        piece = good_answer(upgrade);
        stream.receive(scratch, piece, now);
        break;
      case Step::frame:
        request.clear();
        ws::append_server_frame(request, ws::Opcode::text, piece);
        stream.receive(scratch, request, now);
        break;
      case Step::raw:
        stream.receive(scratch, piece, now);
        break;
      case Step::cut:
        stream.receive_eof(scratch, now);
        break;
      case Step::timeout:
        if (stream.next_timeout() != base::kNever) now = std::max(now, stream.next_timeout());
        stream.handle_timeout(scratch, now);
        break;
      case Step::count:
        break;
    }
    bool was_up = up;
    look();
    if (up && (!was_up || !request.empty())) upgrade = request;
  }
  return 0;
}
