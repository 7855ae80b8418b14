// RFC 6455 as a session speaks it: messages, fragments, control frames, errors, closing. The decoder tests run in many
// ways; compression has its own file (session_deflate_test.cc), so has memory (session_cost_test.cc).
#include "ws/session.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/many_ways.h"
#include "ws/session_rig.h"

namespace ws {
namespace {

using base::Error;

// Feeds bytes to a fresh session in many ways; returns the events.
Lines events_of(std::string_view bytes, Role role = Role::server, const Limits& limits = Tap::kDefaultLimits) {
  return sim::many_ways(bytes, 1, [&](std::span<const std::string_view> pieces) {
    Tap tap(role, limits);
    for (const std::string_view piece : pieces) tap.receive(piece);
    return tap.lines;
  });
}

std::string failure(Error error) {
  return "close " + std::to_string(base::entry(error).close_code) + ' ' + std::string(base::to_string(error));
}

std::string close_frame_of(Error error) {
  const base::ErrorEntry& entry = base::entry(error);
  const std::string payload = close_payload(entry.close_code, std::string(entry.code) + ' ' + std::string(entry.text));
  return spell({.opcode = 8, .payload = payload, .masked = false});
}

TEST(Session, MessagesOfEveryLengthForm) {
  std::string bytes;
  Lines expected;
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 300U}) {
    const std::string payload(size, 'x');
    bytes += spell({.opcode = 1, .payload = payload}) + spell({.opcode = 2, .payload = payload});
    expected.push_back("text:" + payload);
    expected.push_back("binary:" + payload);
  }
  EXPECT_EQ(events_of(bytes), expected);
}

TEST(Session, LongMessage) {
  std::string payload(70'000, 'x');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(events_of(spell({.payload = payload})), Lines{"text:" + payload});
  EXPECT_EQ(events_of(spell({.payload = payload, .masked = false}), Role::client), Lines{"text:" + payload});
}

TEST(Session, FragmentsWithControlFramesBetween) {
  const std::string bytes =
      spell({.opcode = 1, .payload = "h\xc3", .fin = false}) + spell({.opcode = 9, .payload = "ping"}) +
      spell({.opcode = 0, .payload = "", .fin = false}) + spell({.opcode = 0, .payload = "\xa9llo", .fin = false}) +
      spell({.opcode = 10, .payload = "pong"}) + spell({.opcode = 0, .payload = "!"}) +
      spell({.opcode = 2, .payload = std::string_view("\0\xff", 2)});
  EXPECT_EQ(events_of(bytes), (Lines{"ping:ping", "pong:pong", "text:h\xc3\xa9llo!", std::string("binary:\0\xff", 9)}));
}

TEST(Session, CloseInsideFragments) {
  const std::string bytes = spell({.opcode = 1, .payload = "never finished", .fin = false}) +
                            spell({.opcode = 8, .payload = close_payload(1001, "bye")}) + spell({.payload = "late"});
  EXPECT_EQ(events_of(bytes), (Lines{"close 1001:bye"}));
}

struct Wrong {
  std::string bytes;
  Error error;
  Role role = Role::server;
};

std::vector<Wrong> wrongs() {
  const std::string open = spell({.opcode = 1, .payload = "a", .fin = false});
  return {
      {spell({.payload = "x", .masked = false}), Error::ws_unmasked},
      {spell({.payload = "x", .masked = true}), Error::ws_masked, Role::client},
      {spell({.payload = "x", .rsv = 4}), Error::ws_reserved_bits},
      {spell({.payload = "x", .rsv = 2}), Error::ws_reserved_bits},
      {spell({.payload = "x", .rsv = 1}), Error::ws_reserved_bits},
      {spell({.opcode = 3, .payload = "x"}), Error::ws_opcode},
      {spell({.opcode = 11, .payload = "x"}), Error::ws_opcode},
      {spell({.opcode = 0, .payload = "x"}), Error::ws_fragment},
      {open + spell({.opcode = 1, .payload = "x"}), Error::ws_fragment},
      {spell({.opcode = 9, .payload = "x", .fin = false}), Error::ws_control_frame},
      {spell({.opcode = 9, .payload = std::string(126, 'p')}), Error::ws_control_frame},
      {spell({.payload = "x", .length_bytes = 2}), Error::ws_frame_length},
      {spell({.payload = "x", .length_bytes = 8}), Error::ws_frame_length},
      {spell({.declared = std::uint64_t{1} << 63}), Error::ws_frame_length},
      {spell({.payload = "\xff"}), Error::ws_utf8},
      {spell({.payload = "\xc3"}), Error::ws_utf8},
      {open + spell({.opcode = 0, .payload = "\xc3"}), Error::ws_utf8},
      {open + spell({.opcode = 0, .payload = "\xff\xff\xff", .fin = false, .declared = 900}), Error::ws_utf8},
      {spell({.opcode = 8, .payload = "x"}), Error::ws_close_code},
      {spell({.opcode = 8, .payload = close_payload(1005)}), Error::ws_close_code},
      {spell({.opcode = 8, .payload = close_payload(1000, "\xff")}), Error::ws_utf8},
      {spell({.declared = (1 << 20) + 1}), Error::payload_too_big},
  };
}

// Each error: once, at once, with its close frame; what came before is delivered, what comes after is not.
TEST(Session, EveryErrorFailsTheConnectionOnce) {
  for (const Wrong& wrong : wrongs()) {
    const std::string good = spell({.payload = "good", .masked = wrong.role == Role::server});
    const Lines expected = {"text:good", failure(wrong.error)};
    EXPECT_EQ(events_of(good + wrong.bytes, wrong.role), expected);
    EXPECT_EQ(events_of(good + wrong.bytes + good + good, wrong.role), expected);

    Tap tap(wrong.role);
    tap.receive(wrong.bytes);
    EXPECT_TRUE(tap.session.closing());
    EXPECT_TRUE(tap.session.closed());
    EXPECT_EQ(tap.session.held_bytes(), 0U);
    if (wrong.role == Role::server) {
      EXPECT_EQ(tap.output, close_frame_of(wrong.error));
    }
    tap.take_output();
    tap.receive(good);
    tap.call([](Session& session, Scratch& scratch) {
      session.send_text(scratch, "x");
      session.close(scratch, 1000, "");
      session.receive_eof(scratch);
    });
    EXPECT_EQ(tap.output, "");
    EXPECT_EQ(tap.lines, Lines{failure(wrong.error)});
  }
}

TEST(Session, PongsAreCoalescedPerCall) {
  Tap tap(Role::server);
  const std::string pings = spell({.opcode = 9, .payload = "1"}) + spell({.opcode = 9, .payload = "2"}) +
                            spell({.payload = "text"}) + spell({.opcode = 9, .payload = "3"});
  tap.receive(pings);
  EXPECT_EQ(tap.lines, (Lines{"ping:1", "ping:2", "text:text", "ping:3"}));
  EXPECT_EQ(tap.take_output(), spell({.opcode = 10, .payload = "3", .masked = false}));
  // A ping that was cut is answered too, with its own bytes.
  const std::string longest = spell({.opcode = 9, .payload = std::string(125, 'p')});
  tap.receive(longest.substr(0, 50));
  EXPECT_EQ(tap.output, "");
  tap.receive(longest.substr(50));
  EXPECT_EQ(tap.take_output(), spell({.opcode = 10, .payload = std::string(125, 'p'), .masked = false}));
}

TEST(Session, PongGoesBeforeTheCloseThatFollowsThePing) {
  Tap tap(Role::server);
  tap.receive(spell({.opcode = 9, .payload = "p"}) + spell({.opcode = 8, .payload = close_payload(1000)}));
  EXPECT_EQ(tap.output, spell({.opcode = 10, .payload = "p", .masked = false}) +
                            spell({.opcode = 8, .payload = close_payload(1000), .masked = false}));
}

TEST(Session, EchoesTheCloseCodeWithoutTheReason) {
  Tap tap(Role::server);
  tap.receive(spell({.opcode = 8, .payload = close_payload(4321, "why")}));
  EXPECT_EQ(tap.output, spell({.opcode = 8, .payload = close_payload(4321), .masked = false}));
  EXPECT_EQ(tap.lines, Lines{"close 4321:why"});
  EXPECT_TRUE(tap.session.closed());
}

TEST(Session, CloseWithoutCode) {
  Tap tap(Role::server);
  tap.receive(spell({.opcode = 8}));
  EXPECT_EQ(tap.output, spell({.opcode = 8, .masked = false}));
  EXPECT_EQ(tap.lines, Lines{"close 1005:"});
}

// T25: all 65 536 codes, received and answered.
TEST(Session, EveryCloseCode) {
  for (unsigned code = 0; code <= 0xffff; ++code) {
    Tap tap(Role::server);
    tap.receive(spell({.opcode = 8, .payload = close_payload(code, "r")}));
    const bool valid = close_code_valid_on_wire(static_cast<std::uint16_t>(code));
    ASSERT_EQ(tap.lines, Lines{valid ? "close " + std::to_string(code) + ":r" : failure(Error::ws_close_code)});
    ASSERT_EQ(tap.output, valid ? spell({.opcode = 8, .payload = close_payload(code), .masked = false})
                                : close_frame_of(Error::ws_close_code));
  }
}

TEST(Session, TwoClosesAreOneEvent) {
  const std::string close = spell({.opcode = 8, .payload = close_payload(1000)});
  EXPECT_EQ(events_of(close + close + spell({.payload = "late"})), Lines{"close 1000:"});
}

TEST(Session, ClosingFirstStillReceivesUntilThePeersClose) {
  Tap tap(Role::server);
  tap.call([](Session& session, Scratch& scratch) { session.close(scratch, 1001, "going"); });
  EXPECT_EQ(tap.take_output(), spell({.opcode = 8, .payload = close_payload(1001, "going"), .masked = false}));
  EXPECT_TRUE(tap.session.closing());
  EXPECT_FALSE(tap.session.closed());
  tap.receive(spell({.payload = "was on its way"}) + spell({.opcode = 9, .payload = "unanswered"}));
  tap.receive(spell({.opcode = 8, .payload = close_payload(1001)}) + spell({.payload = "late"}));
  EXPECT_EQ(tap.lines, (Lines{"text:was on its way", "ping:unanswered", "close 1001:"}));
  EXPECT_EQ(tap.output, "");
  EXPECT_TRUE(tap.session.closed());
}

TEST(Session, AnErrorAfterOurCloseSendsNothingMore) {
  Tap tap(Role::server);
  tap.call([](Session& session, Scratch& scratch) { session.close(scratch, 1000, ""); });
  tap.take_output();
  tap.receive(spell({.opcode = 3}));
  EXPECT_EQ(tap.lines, Lines{failure(Error::ws_opcode)});
  EXPECT_EQ(tap.output, "");
}

TEST(Session, CloseReasonIsCutAtACodePoint) {
  Tap tap(Role::server);
  const std::string reason = std::string(122, 'r') + "\u00e9";
  tap.call([&](Session& session, Scratch& scratch) { session.close(scratch, 4000, reason); });
  EXPECT_EQ(tap.output, spell({.opcode = 8, .payload = close_payload(4000, std::string(122, 'r')), .masked = false}));
}

TEST(Session, EveryRegisteredErrorMakesACloseFrame) {
  for (const base::ErrorEntry& entry : base::all_errors()) {
    Tap tap(Role::server);
    tap.call([&](Session& session, Scratch& scratch) { session.close(scratch, entry.error); });
    EXPECT_EQ(tap.output, close_frame_of(entry.error));
  }
}

TEST(Session, EndOfInput) {
  Tap tap(Role::server);
  tap.receive(spell({.payload = "cut off"}).substr(0, 9));
  EXPECT_GT(tap.session.held_bytes(), 0U);
  const auto eof = [](Session& session, Scratch& scratch) { session.receive_eof(scratch); };
  tap.call(eof);
  tap.call(eof);
  EXPECT_EQ(tap.lines, Lines{"close 1006:"});
  EXPECT_EQ(tap.output, "");
  EXPECT_TRUE(tap.session.closed());
  EXPECT_EQ(tap.session.held_bytes(), 0U);

  Tap closed(Role::server);
  closed.receive(spell({.opcode = 8}));
  closed.call(eof);
  EXPECT_EQ(closed.lines, Lines{"close 1005:"});
}

TEST(Session, AMessageMustArriveInTime) {
  const Limits limits{.message_time_max = std::chrono::seconds(10)};
  const std::string frame = spell({.payload = "slow"});
  for (std::size_t cut = 1; cut < frame.size(); ++cut) {
    Tap tap(Role::server, limits);
    EXPECT_EQ(tap.session.next_timeout(), base::kNever);
    tap.receive(std::string_view(frame).substr(0, cut));
    EXPECT_EQ(tap.session.next_timeout(), kStart + std::chrono::seconds(10));
    tap.call([](Session& session, Scratch& scratch) {
      session.handle_timeout(scratch, kStart + std::chrono::seconds(10) - std::chrono::nanoseconds(1));
    });
    EXPECT_EQ(tap.lines, Lines{});
    tap.call(
        [](Session& session, Scratch& scratch) { session.handle_timeout(scratch, kStart + std::chrono::seconds(10)); });
    EXPECT_EQ(tap.lines, Lines{failure(Error::request_timeout)});
    EXPECT_EQ(tap.output, close_frame_of(Error::request_timeout));
    EXPECT_EQ(tap.session.next_timeout(), base::kNever);
  }
}

TEST(Session, TheClockRunsFromTheFirstByteToTheLast) {
  const Limits limits{.message_time_max = std::chrono::seconds(10)};
  const auto at = [](int seconds) { return kStart + std::chrono::seconds(seconds); };
  Tap tap(Role::server, limits);
  tap.receive(spell({.payload = "a", .fin = false}), at(0));
  tap.receive(spell({.opcode = 9}), at(4));
  tap.receive(spell({.opcode = 0, .payload = "b", .fin = false}), at(5));
  EXPECT_EQ(tap.session.next_timeout(), at(10)) << "neither fragments nor pings give more time";
  // The end of one message and the start of the next in one call: the next has its own time.
  tap.receive(spell({.opcode = 0, .payload = "c"}) + spell({.payload = "next", .fin = false}), at(9));
  EXPECT_EQ(tap.session.next_timeout(), at(19));
  tap.receive(spell({.opcode = 0}), at(12));
  EXPECT_EQ(tap.session.next_timeout(), base::kNever);
  // A cut ping has a time of its own as well.
  const std::string ping = spell({.opcode = 9, .payload = "ping"});
  tap.receive(ping.substr(0, 7), at(20));
  EXPECT_EQ(tap.session.next_timeout(), at(30));
  tap.receive(ping.substr(7) + ping.substr(0, 1), at(25));
  EXPECT_EQ(tap.session.next_timeout(), at(35));
}

// T12.
TEST(Session, ControlFramesPerSecond) {
  const Limits limits{.control_frames_max = 5};
  std::string bytes;
  for (int i = 0; i < 3; ++i) bytes += spell({.opcode = 9}) + spell({.opcode = 10});
  const Lines expected = {"ping:", "pong:", "ping:", "pong:", "ping:", failure(Error::ws_control_rate)};
  EXPECT_EQ(events_of(bytes, Role::server, limits), expected);

  Tap tap(Role::server, limits);
  for (int second = 0; second < 100; ++second) {
    for (int i = 0; i < 5; ++i) tap.receive(spell({.opcode = 9}), kStart + std::chrono::seconds(second));
  }
  EXPECT_EQ(tap.lines, Lines(500, "ping:"));
}

// T01.
TEST(Session, TooManyFragments) {
  const Limits limits{.fragments_max = 64};
  std::string bytes = spell({.opcode = 2, .payload = "x", .fin = false});
  for (int i = 0; i < 62; ++i) bytes += spell({.opcode = 0, .payload = "x", .fin = false});
  EXPECT_EQ(events_of(bytes + spell({.opcode = 0, .payload = "x"}), Role::server, limits),
            Lines{"binary:" + std::string(64, 'x')});
  bytes += spell({.opcode = 0, .payload = "x", .fin = false});
  EXPECT_EQ(events_of(bytes, Role::server, limits), Lines{});
  EXPECT_EQ(events_of(bytes + spell({.opcode = 0}), Role::server, limits),
            Lines{failure(Error::ws_too_many_fragments)});
}

// T02: every length around a power of two, in every form, on top of what the message already has.
TEST(Session, DeclaredLengthsAllocateNothing) {
  constexpr std::uint32_t kCap = 1000;
  const Limits limits{.message_bytes_max = kCap};
  for (const std::uint32_t have : {0U, 1U, kCap - 1, kCap}) {
    for (int power = 0; power <= 64; ++power) {
      for (const int neighbour : {-1, 0, 1}) {
        const std::uint64_t base_length = power == 64 ? 0 : std::uint64_t{1} << power;
        const std::uint64_t length = base_length + static_cast<std::uint64_t>(neighbour);
        if (length == static_cast<std::uint64_t>(-1)) continue;  // "not declared" in the spelling
        for (const int length_bytes : {0, 2, 8}) {
          if ((length_bytes == 0 && length > 125) || (length_bytes == 2 && length > 0xffff)) continue;
          Tap tap(Role::server, limits);
          if (have > 0) tap.receive(spell({.opcode = 2, .payload = std::string(have, 'x'), .fin = false}));
          const std::size_t held = tap.session.held_bytes();
          tap.receive(spell({.opcode = have > 0 ? 0U : 2U, .length_bytes = length_bytes, .declared = length}));
          const bool minimal = length_bytes == (length < 126 ? 0 : length <= 0xffff ? 2 : 8);
          if (!minimal || length >> 63 != 0) {
            ASSERT_EQ(tap.lines, Lines{failure(Error::ws_frame_length)}) << length;
          } else if (length > kCap - have) {
            ASSERT_EQ(tap.lines, Lines{failure(Error::payload_too_big)}) << length;
          } else if (length > 0) {
            ASSERT_EQ(tap.lines, Lines{});
            ASSERT_LE(tap.session.held_bytes(), held + 1024) << "a small fixed spill, whatever the length";
          }
        }
      }
    }
  }
}

TEST(Session, AMessageOfExactlyTheCap) {
  const Limits limits{.message_bytes_max = 300};
  const std::string half(150, 'h');
  const std::string bytes = spell({.payload = half, .fin = false}) + spell({.opcode = 0, .payload = half});
  EXPECT_EQ(events_of(bytes, Role::server, limits), Lines{"text:" + half + half});
  EXPECT_EQ(events_of(spell({.payload = half + half}), Role::server, limits), Lines{"text:" + half + half});
  EXPECT_EQ(events_of(spell({.payload = half + half + "x"}), Role::server, limits),
            Lines{failure(Error::payload_too_big)});
}

// RFC 6455 section 5.3: a fresh key for every frame.
TEST(Session, ClientMasksEveryFrameWithANewKey) {
  Tap client(Role::client);
  client.call([](Session& session, Scratch& scratch) {
    session.send_text(scratch, "same");
    session.send_text(scratch, "same");
  });
  ASSERT_EQ(client.output.size(), 20U);
  EXPECT_NE(client.output.substr(2, 4), client.output.substr(12, 4));
  Tap server(Role::server);
  server.receive(client.output);
  EXPECT_EQ(server.lines, (Lines{"text:same", "text:same"}));
}

TEST(Session, Commands) {
  Tap server(Role::server);
  server.call([](Session& session, Scratch& scratch) {
    session.send_text(scratch, "t");
    session.send_binary(scratch, "b");
    session.send_ping(scratch, "p");
    session.close(scratch, 1000, "c");
    session.send_text(scratch, "never");
    session.send_binary(scratch, "never");
    session.send_ping(scratch, "never");
    session.close(scratch, 1001, "never");
  });
  Tap client(Role::client);
  client.receive(server.output);
  EXPECT_EQ(client.lines, (Lines{"text:t", "binary:b", "ping:p", "close 1000:c"}));
}

TEST(Session, MovesWithWhatIsIncomplete) {
  Tap tap(Role::server);
  const std::string frame = spell({.payload = "moved"});
  tap.receive(frame.substr(0, 8));
  Session moved = std::move(tap.session);
  tap.session = std::move(moved);
  tap.receive(frame.substr(8));
  EXPECT_EQ(tap.lines, Lines{"text:moved"});
}

}  // namespace
}  // namespace ws
