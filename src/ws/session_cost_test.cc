// What a session costs: no allocation for whole frames, memory in proportion to what was received, bounded output per
// call.
#include <gtest/gtest.h>

#include <string>

#include "ws/allocation_count.h"
#include "ws/deflate.h"
#include "ws/session.h"
#include "ws/session_rig.h"

namespace ws {
namespace {

using base::Error;

std::string compressed(std::string_view message) {
  Deflater deflater(12);
  std::string out;
  deflater.compress_alone(out, message);
  return out;
}

TEST(SessionCost, WholeFramesAllocateNothing) {
  const std::string message = R"({"type":"message","channel":"news","data":{"text":"hello hello hello hello"}})";
  const std::string frames = spell({.payload = message}) + spell({.opcode = 2, .payload = message}) +
                             spell({.opcode = 9, .payload = "ping"}) + spell({.opcode = 10}) +
                             spell({.payload = compressed(message), .rsv = 4});
  base::SeededEntropy entropy(1);
  Scratch scratch(entropy);
  const Limits limits{.control_frames_max = 1000};
  Session session(Role::server, limits, {.enabled = true});
  std::string bytes;
  const auto echo = [&] {
    bytes = frames;
    scratch.clear();
    EXPECT_EQ(session.receive(scratch, bytes, kStart), bytes.size());
    EXPECT_EQ(scratch.events().size(), 5U);
    for (const Event& event : scratch.events()) {
      if (event.type == Event::Type::text) session.send_text(scratch, event.payload);
    }
  };
  echo();  // the scratch takes its capacity
  echo();  // and keeps the buffers it lent
  const std::size_t before = allocation_count();
  for (int i = 0; i < 100; ++i) echo();
  EXPECT_EQ(allocation_count(), before);
  EXPECT_EQ(session.held_bytes(), 0U);
}

TEST(SessionCost, AtRestNothingIsHeld) {
  Tap tap(Role::server);
  const std::string bytes = spell({.payload = "one", .fin = false}) + spell({.opcode = 9, .payload = "two"}) +
                            spell({.opcode = 0, .payload = "three"});
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    tap.receive(std::string_view(bytes).substr(i, 1));
    EXPECT_EQ(tap.session.held_bytes() == 0, i + 1 == bytes.size());
  }
}

// T01: what is not finished pins at most four bytes per byte received, above a small fixed spill.
TEST(SessionCost, UnfinishedMessagesPinInProportion) {
  const std::string zeros = compressed(std::string(1 << 20, '\0'));
  for (const bool deflate : {false, true}) {
    for (const std::size_t fragment : {1U, 100U, 5000U}) {
      Tap tap(Role::server, Tap::kDefaultLimits, {.enabled = deflate});
      std::size_t received = 0;
      for (unsigned i = 0; i < 64; ++i) {
        std::string payload(fragment, 'x');
        if (deflate) payload = (zeros + zeros).substr(0, fragment);
        const std::string frame =
            spell({.opcode = i == 0 ? 2U : 0U, .payload = payload, .fin = false, .rsv = i == 0 && deflate ? 4U : 0U});
        tap.receive(frame);
        received += frame.size();
        ASSERT_LE(tap.session.held_bytes(), 1024 + 4 * received);
      }
      EXPECT_TRUE(tap.lines.empty());
    }
  }
}

// T03: 6 MB of zeros in 6 KB, whole and split over frames.
TEST(SessionCost, OneBomb) {
  const std::string bomb = compressed(std::string(6 << 20, '\0'));
  ASSERT_LT(bomb.size(), 16U * 1024U);
  const std::string whole = spell({.opcode = 2, .payload = bomb, .rsv = 4});
  const std::string split = spell({.opcode = 2, .payload = bomb.substr(0, 100), .fin = false, .rsv = 4}) +
                            spell({.opcode = 0, .payload = bomb.substr(100)});
  for (const std::string& bytes : {whole, split}) {
    Tap tap(Role::server, Tap::kDefaultLimits, {.enabled = true});
    tap.receive(bytes);
    EXPECT_EQ(tap.lines, Lines{"close 1009 E_INFLATED_TOO_BIG"});
  }
}

// T03: many bombs below the cap in one read: each call makes one message more than 64 KiB at most.
TEST(SessionCost, ManyBombsAreGivenOutBitByBit) {
  const std::string bomb = spell({.opcode = 2, .payload = compressed(std::string(1 << 20, '\0')), .rsv = 4});
  std::string bytes;
  for (int i = 0; i < 50; ++i) bytes += bomb;
  base::SeededEntropy entropy(1);
  Scratch scratch(entropy);
  const Limits limits;
  Session session(Role::server, limits, {.enabled = true});
  std::span<char> rest(bytes);
  int messages = 0;
  while (!rest.empty()) {
    scratch.clear();
    const std::size_t taken = session.receive(scratch, rest, kStart);
    ASSERT_GT(taken, 0U);
    rest = rest.subspan(taken);
    std::size_t made = 0;
    for (const Event& event : scratch.events()) {
      ASSERT_EQ(event.type, Event::Type::binary);
      ++messages;
      made += event.payload.size();
    }
    EXPECT_LE(made, (1U << 20) + 64U * 1024U);
  }
  EXPECT_EQ(messages, 50);
}

TEST(SessionCost, EventsOfOneCallAreBounded) {
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) bytes += spell({});
  base::SeededEntropy entropy(1);
  Scratch scratch(entropy);
  const Limits limits;
  Session session(Role::server, limits);
  std::span<char> rest(bytes);
  std::size_t events = 0;
  while (!rest.empty()) {
    scratch.clear();
    rest = rest.subspan(session.receive(scratch, rest, kStart));
    EXPECT_LE(scratch.events().size(), 1024U);
    events += scratch.events().size();
  }
  EXPECT_EQ(events, 10'000U);
}

// T04: contexts are made at first use, and small.
TEST(SessionCost, Contexts) {
  const DeflateParams params{.enabled = true,
                             .server_no_context_takeover = false,
                             .client_no_context_takeover = false,
                             .client_max_window_bits = 12};
  Tap tap(Role::server, Tap::kDefaultLimits, params);
  tap.receive(spell({.payload = "plain"}));
  EXPECT_EQ(tap.session.held_bytes(), 0U);
  tap.receive(spell({.payload = compressed("message"), .rsv = 4}));
  EXPECT_LE(tap.session.held_bytes(), 12U * 1024U);
  tap.call([](Session& session, Scratch& scratch) { session.send_text(scratch, std::string(100, 'x')); });
  EXPECT_LE(tap.session.held_bytes(), 52U * 1024U);
  tap.receive(spell({.opcode = 8}));
  EXPECT_EQ(tap.session.held_bytes(), 0U);

  Tap shared(Role::server, Tap::kDefaultLimits, {.enabled = true});
  shared.receive(spell({.payload = compressed("message"), .rsv = 4}));
  shared.call([](Session& session, Scratch& scratch) { session.send_text(scratch, std::string(100, 'x')); });
  EXPECT_EQ(shared.session.held_bytes(), 0U) << "without context takeover the worker's are used";
}

}  // namespace
}  // namespace ws
