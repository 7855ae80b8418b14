// A client and a server session back to back over a wire that cuts at random places. No clock, no ports.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "codec/utf8.h"
#include "ws/frame_header.h"
#include "ws/session.h"
#include "ws/session_rig.h"

namespace ws {
namespace {

std::string random_text(base::Entropy& entropy, std::size_t size) {
  static constexpr std::array<std::string_view, 8> kWords = {"a", "é", "好", "😀", "hello ", "wirebird ", "\n", "0"};
  std::string text;
  while (text.size() < size) text += kWords[entropy.below(kWords.size())];
  return std::string(codec::utf8_prefix(text, size));
}

std::string random_bytes(base::Entropy& entropy, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& each : bytes) each = static_cast<char>(entropy.next32());
  return bytes;
}

std::size_t random_size(base::Entropy& entropy) {
  switch (entropy.below(8)) {
    case 0:
      return 0;
    case 1:
      return 120 + entropy.below(12);
    case 2:
      return 65'530 + entropy.below(12);
    case 3:
      return entropy.below(30'000);
    default:
      return entropy.below(400);
  }
}

DeflateParams random_params(base::Entropy& entropy) {
  const auto bits = [&] { return static_cast<std::uint8_t>(8 + entropy.below(8)); };
  return {.enabled = entropy.below(4) != 0,
          .server_no_context_takeover = entropy.below(2) == 0,
          .client_no_context_takeover = entropy.below(2) == 0,
          .server_max_window_bits = bits(),
          .client_max_window_bits = bits()};
}

// One side: its session, what it should receive, and the bytes on their way to it.
struct Side {
  Side(Role role, const Limits& limits, DeflateParams params) : tap(role, limits, params) {}
  Tap tap;
  Lines expected;
  std::string wire;
  std::size_t delivered = 0;

  bool idle() const { return delivered == wire.size(); }
  void deliver_some(base::Entropy& entropy) {
    const std::string_view piece =
        std::string_view(wire).substr(delivered, 1 + entropy.below(entropy.below(2) == 0 ? 40 : 50'000));
    delivered += piece.size();
    tap.receive(piece);
  }
};

void send_something(Side& from, Side& to, base::Entropy& entropy) {
  const std::uint32_t what = entropy.below(10);
  if (what == 0) {
    const std::string payload = random_bytes(entropy, entropy.below(126));
    from.tap.call([&](Session& session, Scratch& scratch) { session.send_ping(scratch, payload); });
    to.expected.push_back("ping:" + payload);
  } else if (what < 6) {
    const std::string text = random_text(entropy, random_size(entropy));
    from.tap.call([&](Session& session, Scratch& scratch) { session.send_text(scratch, text); });
    to.expected.push_back("text:" + text);
  } else {
    const std::string bytes = random_bytes(entropy, random_size(entropy));
    from.tap.call([&](Session& session, Scratch& scratch) { session.send_binary(scratch, bytes); });
    to.expected.push_back("binary:" + bytes);
  }
}

void move_output(Side& from, Side& to) { to.wire += from.tap.take_output(); }

// Pongs answer what the other side sent and are coalesced: left out of the comparison.
Lines without_pongs(Lines lines) {
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("pong:"); });
  return lines;
}

TEST(Pair, RandomConversations) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    base::SeededEntropy entropy(seed);
    const Limits limits{.control_frames_max = 60'000};
    const DeflateParams params = random_params(entropy);
    Side client(Role::client, limits, params);
    Side server(Role::server, limits, params);
    for (int step = 0; step < 40; ++step) {
      Side& from = entropy.below(2) == 0 ? client : server;
      Side& to = &from == &client ? server : client;
      send_something(from, to, entropy);
      move_output(from, to);
      while (entropy.below(3) != 0) {
        client.deliver_some(entropy);
        server.deliver_some(entropy);
        move_output(client, server);
        move_output(server, client);
      }
    }
    // One side closes; what is on the way still arrives.
    Side& closer = entropy.below(2) == 0 ? client : server;
    Side& other = &closer == &client ? server : client;
    closer.tap.call([](Session& session, Scratch& scratch) { session.close(scratch, 1001, "done"); });
    other.expected.push_back("close 1001:done");
    closer.expected.push_back("close 1001:");
    move_output(closer, other);
    while (!client.idle() || !server.idle()) {
      client.deliver_some(entropy);
      server.deliver_some(entropy);
      move_output(client, server);
      move_output(server, client);
    }
    ASSERT_EQ(without_pongs(client.tap.lines), client.expected) << seed;
    ASSERT_EQ(without_pongs(server.tap.lines), server.expected) << seed;
    EXPECT_TRUE(client.tap.session.closed() && server.tap.session.closed());
    EXPECT_EQ(client.tap.session.held_bytes() + server.tap.session.held_bytes(), 0U);
  }
}

// Splits what a client wrote into its frames again.
std::vector<std::string> frames_of(std::string_view bytes) {
  std::vector<std::string> frames;
  while (!bytes.empty()) {
    const HeaderReading reading = read_header(bytes, {.receiver = Role::server, .deflate = true});
    EXPECT_EQ(reading.status, HeaderReading::Status::done);
    if (reading.status != HeaderReading::Status::done) break;
    const std::size_t size = reading.header.header_bytes + static_cast<std::size_t>(reading.header.payload_bytes);
    EXPECT_LE(size, bytes.size());
    frames.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return frames;
}

// Our sessions do not fragment, others do: a client's messages are cut into fragments between it and the server.
TEST(Pair, FragmentedOnTheWay) {
  for (std::uint64_t seed = 1000; seed < 1040; ++seed) {
    base::SeededEntropy entropy(seed);
    const DeflateParams params = random_params(entropy);
    Side client(Role::client, Tap::kDefaultLimits, params);
    Side server(Role::server, Tap::kDefaultLimits, params);
    for (int step = 0; step < 30; ++step) send_something(client, server, entropy);
    for (const std::string& frame : frames_of(client.tap.take_output())) {
      const FrameHeader header = read_header(frame, {.receiver = Role::server, .deflate = true}).header;
      std::string payload = frame.substr(header.header_bytes);
      codec::apply_mask(payload, header.key, 0);
      if (is_control(header.opcode)) {
        server.wire += frame;
        continue;
      }
      unsigned opcode = static_cast<unsigned>(header.opcode);
      unsigned rsv = header.compressed == Compressed::yes ? 4 : 0;
      std::string_view rest = payload;
      for (std::uint32_t fragments = entropy.below(6); fragments-- > 0; opcode = 0, rsv = 0) {
        const std::string_view part = rest.substr(0, entropy.below(static_cast<std::uint32_t>(rest.size() + 1)));
        server.wire += spell({.opcode = opcode, .payload = part, .fin = false, .rsv = rsv});
        rest.remove_prefix(part.size());
      }
      server.wire += spell({.opcode = opcode, .payload = rest, .rsv = rsv});
    }
    while (!server.idle()) server.deliver_some(entropy);
    ASSERT_EQ(server.tap.lines, server.expected) << seed;
  }
}

// Any verb at any time: never a crash, one close event at most and nothing after it, and on the wire only what a strict
// peer accepts, with nothing behind the Close frame.
TEST(Pair, Chaos) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    base::SeededEntropy entropy(seed);
    const DeflateParams params = random_params(entropy);
    const Role role = entropy.below(2) == 0 ? Role::server : Role::client;
    const Limits limits{.message_bytes_max = 5000, .fragments_max = 4, .control_frames_max = 6};
    Tap tap(role, limits, params);
    base::Instant now = kStart;
    for (int step = 0; step < 40; ++step) {
      now += std::chrono::milliseconds(entropy.below(1500));
      const bool was_closing = tap.session.closing();
      const std::size_t output_before = tap.output.size();
      std::string payload = random_text(entropy, entropy.below(200));
      switch (entropy.below(11)) {
        case 0:
          tap.call([&](Session& session, Scratch& scratch) { session.send_text(scratch, payload); });
          break;
        case 1:
          tap.call([&](Session& session, Scratch& scratch) { session.send_binary(scratch, payload); });
          break;
        case 2:
          payload.resize(std::min<std::size_t>(payload.size(), 125));
          tap.call([&](Session& session, Scratch& scratch) { session.send_ping(scratch, payload); });
          break;
        case 3:
          if (entropy.below(4) == 0) {
            tap.call([&](Session& session, Scratch& scratch) { session.close(scratch, 3000, payload); });
          }
          break;
        case 4:
          tap.call([&](Session& session, Scratch& scratch) { session.handle_timeout(scratch, now); });
          break;
        case 5:
          if (entropy.below(8) == 0) {
            tap.call([&](Session& session, Scratch& scratch) { session.receive_eof(scratch); });
          }
          break;
        case 6:
          if (entropy.below(4) == 0) tap.receive(random_bytes(entropy, entropy.below(40)), now);
          break;
        default: {
          // A frame that is mostly right, perhaps cut off.
          static constexpr std::array<unsigned, 8> kOpcodes = {0, 1, 1, 2, 2, 8, 9, 10};
          const unsigned opcode = kOpcodes[entropy.below(entropy.below(5) == 0 ? 8 : 5)];
          if (opcode == 8) payload = close_payload(1000 + entropy.below(5));
          const std::string frame = spell({.opcode = opcode,
                                           .payload = payload,
                                           .fin = entropy.below(3) != 0,
                                           .rsv = entropy.below(20) == 0 ? 4U : 0U,
                                           .masked = (role == Role::server) != (entropy.below(50) == 0)});
          const bool cut = entropy.below(10) == 0;
          tap.receive(std::string_view(frame).substr(0, cut ? entropy.below(9) : frame.size()), now);
        }
      }
      ASSERT_TRUE(!was_closing || tap.output.size() == output_before) << seed;
    }
    const auto closes = std::ranges::count_if(tap.lines, [](const auto& line) { return line.starts_with("close"); });
    ASSERT_LE(closes, 1) << seed;
    ASSERT_TRUE(closes == 0 || tap.lines.back().starts_with("close")) << seed;
    ASSERT_EQ(tap.session.closed(), closes == 1) << seed;

    const Role peer_role = role == Role::server ? Role::client : Role::server;
    Tap peer(peer_role, Tap::kDefaultLimits, params);
    peer.receive(tap.output);
    for (const std::string& line : peer.lines) ASSERT_EQ(line.find(" E_"), std::string::npos) << seed << ' ' << line;
  }
}

}  // namespace
}  // namespace ws
