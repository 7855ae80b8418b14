// RFC 7692 as a session speaks it. The inflater alone is tested in deflate_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "sim/many_ways.h"
#include "ws/deflate.h"
#include "ws/session.h"
#include "ws/session_rig.h"

namespace ws {
namespace {

using base::Error;

constexpr DeflateParams kNoContext{.enabled = true};
constexpr DeflateParams kContext{
    .enabled = true, .server_no_context_takeover = false, .client_no_context_takeover = false};

std::string deflated(std::string_view message, Deflater& deflater) {
  std::string out;
  deflater.compress_with_context(out, message);
  return out;
}

std::string alone(std::string_view message) {
  Deflater deflater(12);
  return deflated(message, deflater);
}

Lines events_of(std::string_view bytes, DeflateParams params, const Limits& limits = Tap::kDefaultLimits) {
  return sim::many_ways(bytes, 2, [&](std::span<const std::string_view> pieces) {
    Tap tap(Role::server, limits, params);
    for (const std::string_view piece : pieces) tap.receive(piece);
    return tap.lines;
  });
}

std::string failure(Error error) {
  return "close " + std::to_string(base::entry(error).close_code) + ' ' + std::string(base::to_string(error));
}

std::string noise(std::size_t size) {
  base::SeededEntropy entropy(size);
  std::string text(size, '\0');
  for (char& each : text) each = static_cast<char>(entropy.below(128));
  return text;
}

TEST(SessionDeflate, MessagesWholeAndFragmentedWithAndWithoutCompression) {
  const std::string message = std::string(500, 'a') + "é" + std::string(500, 'b');
  const std::string body = alone(message);
  const std::string bytes = spell({.payload = body, .rsv = 4}) + spell({.payload = "plain"}) +
                            spell({.payload = body.substr(0, 3), .fin = false, .rsv = 4}) +
                            spell({.opcode = 9, .payload = "ping"}) +
                            spell({.opcode = 0, .payload = body.substr(3, 5), .fin = false}) +
                            spell({.opcode = 0, .payload = body.substr(8)}) +
                            spell({.opcode = 2, .payload = std::string_view("\0", 1), .rsv = 4});
  EXPECT_EQ(events_of(bytes, kNoContext),
            (Lines{"text:" + message, "text:plain", "ping:ping", "text:" + message, "binary:"}));
}

TEST(SessionDeflate, ContextGoesOnFromMessageToMessage) {
  Deflater deflater(12);
  std::string bytes;
  Lines expected;
  for (int i = 0; i < 5; ++i) {
    const std::string message = "the same words again and again " + std::to_string(i);
    const std::string body = deflated(message, deflater);
    bytes += spell({.payload = body.substr(0, 4), .fin = false, .rsv = 4}) +
             spell({.opcode = 0, .payload = body.substr(4)}) + spell({.payload = "not part of the context"});
    expected.push_back("text:" + message);
    expected.push_back("text:not part of the context");
  }
  EXPECT_EQ(events_of(bytes, kContext), expected);
  // Without the context the second message refers to nothing.
  EXPECT_EQ(events_of(bytes, kNoContext), (Lines{expected[0], expected[1], failure(Error::ws_inflate)}));
}

TEST(SessionDeflate, LongMessages) {
  const std::string message = noise(60'000);
  const std::string body = alone(message);
  ASSERT_GT(body.size(), 32U * 1024U);
  const std::string bytes = spell({.payload = body.substr(0, 20'000), .fin = false, .rsv = 4}) +
                            spell({.opcode = 0, .payload = body.substr(20'000)}) + spell({.payload = "next"});
  for (const DeflateParams& params : {kNoContext, kContext}) {
    EXPECT_EQ(events_of(bytes, params), (Lines{"text:" + message, "text:next"}));
  }
}

TEST(SessionDeflate, ErrorsAreTheSameForEveryCut) {
  const std::string open = alone(noise(40'000));
  struct Wrong {
    std::string bytes;
    Error error;
  };
  std::string not_text = noise(30'000);
  not_text[100] = '\xff';
  const std::string half_text = alone("half a code point \xc3");
  std::string broken_late = alone(noise(30'000));
  broken_late.resize(broken_late.size() / 2);
  std::string broken_and_not_text = alone(not_text);
  broken_and_not_text[20'000] = static_cast<char>(~broken_and_not_text[20'000]);
  broken_and_not_text.resize(25'000);
  for (const Wrong& wrong : {
           Wrong{spell({.payload = "\xff\xff\xff", .rsv = 4}), Error::ws_inflate},
           Wrong{spell({.payload = "", .rsv = 4}), Error::ws_inflate},
           Wrong{spell({.payload = alone("\xff"), .rsv = 4}), Error::ws_utf8},
           Wrong{spell({.payload = half_text, .rsv = 4}), Error::ws_utf8},
           Wrong{spell({.payload = alone(not_text), .rsv = 4}), Error::ws_utf8},
           Wrong{spell({.payload = broken_late, .rsv = 4}), Error::ws_inflate},
           Wrong{spell({.payload = broken_and_not_text, .rsv = 4}), Error::ws_utf8},
           Wrong{spell({.payload = open.substr(0, 9), .fin = false, .rsv = 4}) + spell({.opcode = 0, .rsv = 4}),
                 Error::ws_reserved_bits},
           Wrong{spell({.opcode = 9, .payload = "x", .rsv = 4}), Error::ws_reserved_bits},
       }) {
    for (const DeflateParams& params : {kNoContext, kContext}) {
      EXPECT_EQ(events_of(wrong.bytes, params), Lines{failure(wrong.error)});
    }
  }
}

// The cap is on what comes out, to the byte; on the way in there is room for what does not compress.
TEST(SessionDeflate, CapCountsInflatedBytes) {
  for (const std::uint32_t cap : {100U, 1000U, 40'000U}) {
    const Limits limits{.message_bytes_max = cap};
    for (const bool compressible : {false, true}) {
      const auto frame_of = [&](std::size_t size) {
        return spell({.payload = alone(compressible ? std::string(size, 'x') : noise(size)), .rsv = 4});
      };
      EXPECT_EQ(events_of(frame_of(cap), kNoContext, limits).size(), 1U);
      EXPECT_TRUE(events_of(frame_of(cap), kNoContext, limits)[0].starts_with("text:"));
      EXPECT_EQ(events_of(frame_of(cap + 1), kNoContext, limits), Lines{failure(Error::ws_inflated_too_big)});
    }
    const std::string too_long(cap * 2, 'x');
    EXPECT_EQ(events_of(spell({.payload = too_long, .rsv = 4}), kNoContext, limits),
              Lines{failure(Error::payload_too_big)});
  }
}

TEST(SessionDeflate, WithoutAgreementTheBitIsAnError) {
  EXPECT_EQ(events_of(spell({.payload = alone("x"), .rsv = 4}), {}), Lines{failure(Error::ws_reserved_bits)});
}

TEST(SessionDeflate, SendsWhatIsShorter) {
  Tap server(Role::server, Tap::kDefaultLimits, kNoContext);
  const std::string message(1000, 'm');
  server.call([&](Session& session, Scratch& scratch) {
    session.send_text(scratch, message);
    session.send_text(scratch, message);
    session.send_text(scratch, "short");
    session.send_binary(scratch, noise(50));
  });
  EXPECT_LT(server.output.size(), 200U);
  Tap client(Role::client, Tap::kDefaultLimits, kNoContext);
  client.receive(server.output);
  EXPECT_EQ(client.lines, (Lines{"text:" + message, "text:" + message, "text:short", "binary:" + noise(50)}));
}

TEST(SessionDeflate, PeersWithAWindowOfEightBitsGetPlainFrames) {
  const DeflateParams params{.enabled = true, .server_max_window_bits = 8, .client_max_window_bits = 8};
  for (const Role role : {Role::server, Role::client}) {
    Tap tap(role, Tap::kDefaultLimits, params);
    tap.call([](Session& session, Scratch& scratch) { session.send_text(scratch, std::string(1000, 'x')); });
    EXPECT_GT(tap.output.size(), 1000U);
    EXPECT_TRUE(tap.session.deflate_enabled());
    EXPECT_EQ(tap.session.shared_deflate_bits(), 0);
  }
}

TEST(SessionDeflate, SharedFramesOnlyWhereTheyBreakNoContext) {
  const auto bits = [](DeflateParams params) {
    return Tap(Role::server, Tap::kDefaultLimits, params).session.shared_deflate_bits();
  };
  EXPECT_EQ(bits({}), 0);
  EXPECT_EQ(bits(kNoContext), 12);
  EXPECT_EQ(bits({.enabled = true, .server_max_window_bits = 10}), 10);
  EXPECT_EQ(bits(kContext), 0);
  EXPECT_EQ(bits({.enabled = true, .client_no_context_takeover = false}), 12) << "only our own context matters";
}

}  // namespace
}  // namespace ws
