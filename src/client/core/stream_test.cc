#include "client/core/stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>

#include "client/core/fake_server.h"
#include "codec/url.h"

namespace client {
namespace {

using namespace std::chrono_literals;
using Transport = Stream::Transport;

std::string message(std::uint64_t offset, std::string_view text = "m", std::string_view epoch = "k3j9x0ab",
                    std::string_view channel = "news") {
  return fmt::format(R"({{"channel":"{}","offset":{},"epoch":"{}","time":1,"text":"{}"}})", channel, offset, epoch,
                     text);
}
std::string position(std::uint64_t offset, std::string_view epoch = "k3j9x0ab", std::string_view channel = "news") {
  return fmt::format(R"({{"channel":"{}","position":"{}:{}"}})", channel, epoch, offset);
}
std::string gap(std::uint64_t from, std::uint64_t to, std::string_view reason, std::uint64_t at,
                std::string_view epoch = "k3j9x0ab") {
  return fmt::format(R"({{"channel":"news","gap":{{"from":{},"to":{},"reason":"{}"}},"position":"{}:{}"}})", from, to,
                     reason, epoch, at);
}

// A stream, its scripted server and a clock that moves only when told.
class World {
 public:
  explicit World(StreamOptions options = {}, std::uint64_t seed = 1) : entropy_(seed), scratch_(entropy_) {
    if (options.channels.empty()) options.channels = {"news"};
    options.authority = "example.test";
    stream_ = std::make_unique<Stream>(std::move(options), entropy_);
    stream_->start(now_);
  }

  Stream& stream() { return *stream_; }
  FakeServer& server() { return *server_; }
  base::Instant now() const { return now_; }
  const std::vector<ws::Event::Type>& seen() const { return seen_; }

  // The transport opens and the request arrives at a new server.
  void connect() {
    ASSERT_EQ(stream_->transport(), Transport::open);
    server_ = std::make_unique<FakeServer>();
    stream_->connected(scratch_, now_);
    ASSERT_TRUE(server_->receive_request(take()));
  }
  void accept() { receive(server_->accept()); }
  void connect_and_accept() {
    connect();
    accept();
  }
  void say(std::string_view text) { receive(server_->text(text)); }
  void receive(std::string bytes) {
    stream_->receive(scratch_, bytes, now_);
    std::string output = take();
    if (!output.empty() && stream_->transport() == Transport::open) server_->receive(output, now_, &seen_);
  }
  void cut() {
    stream_->receive_eof(scratch_, now_);
    take();
  }
  void close() {
    stream_->close(scratch_, now_);
    take();
  }
  // Moves time to the next deadline and tells.
  void timeout() {
    now_ = std::max(now_, stream_->next_timeout());
    stream_->handle_timeout(scratch_, now_);
    take();
  }
  void pass(base::Duration time) { now_ += time; }

  std::optional<std::string> since() {
    auto query = codec::Query::parse(server_->request().query);
    auto value = query->find("since");
    if (!value) return std::nullopt;
    return std::string(*value);
  }

  template <class Event>
  std::optional<Event> pop() {
    if (events_.empty() || !std::holds_alternative<Event>(events_.front())) return std::nullopt;
    Event event = std::get<Event>(std::move(events_.front()));
    events_.erase(events_.begin());
    return event;
  }
  std::vector<std::string> payloads() {
    std::vector<std::string> all;
    while (auto event = pop<MessageEvent>()) all.push_back(event->message.payload);
    return all;
  }
  void forget_events() { events_.clear(); }
  bool quiet() const { return events_.empty(); }
  std::string take() {
    for (StreamEvent& event : scratch_.events()) events_.push_back(std::move(event));
    std::string output(scratch_.output());
    scratch_.clear();
    return output;
  }

 private:
  base::SeededEntropy entropy_;
  Scratch scratch_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<FakeServer> server_;
  base::Instant now_{1h};
  std::vector<StreamEvent> events_;
  std::vector<ws::Event::Type> seen_;
};

TEST(Stream, TheRequestNamesChannelsTokenAndPrefix) {
  World world({.path = "/push", .channels = {"a b", "c&d"}, .since = "-3", .token = "secret"});
  world.connect();
  EXPECT_EQ(world.server().request().path, "/push/ws");
  EXPECT_EQ(world.server().request().find("host"), "example.test");
  EXPECT_EQ(world.server().request().find("authorization"), "Bearer secret");
  auto query = codec::Query::parse(world.server().request().query);
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->values("channel"), (std::vector<std::string_view>{"a b", "c&d"}));
  EXPECT_EQ(query->find("meta"), "1");
  EXPECT_EQ(query->find("since"), "-3");
}

TEST(Stream, WithoutSinceItStartsNow) {
  World world;
  world.connect();
  EXPECT_EQ(world.since(), std::nullopt);
  world.accept();
  EXPECT_EQ(world.pop<ConnectedEvent>()->connection, 1u);
  world.say(position(16));
  EXPECT_EQ(world.pop<PositionEvent>()->position, (Position{"k3j9x0ab", 16}));
  world.say(message(17, "one"));
  world.say(message(18, "two"));
  EXPECT_EQ(world.payloads(), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(world.stream().cursor(), "k3j9x0ab:18");
  EXPECT_TRUE(world.quiet());
}

TEST(Stream, EveryCutOfTheBytesGivesTheSameEvents) {
  World world;
  world.connect();
  std::string bytes = world.server().accept();
  bytes += world.server().text(position(0));
  for (int i = 1; i <= 3; ++i) bytes += world.server().text(message(static_cast<std::uint64_t>(i), std::to_string(i)));
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    World other;
    other.connect();  // the same seed makes the same key, so the same answer fits
    other.receive(bytes.substr(0, cut));
    other.receive(bytes.substr(cut));
    EXPECT_TRUE(other.pop<ConnectedEvent>()) << cut;
    EXPECT_TRUE(other.pop<PositionEvent>()) << cut;
    EXPECT_EQ(other.payloads(), (std::vector<std::string>{"1", "2", "3"})) << cut;
  }
}

TEST(Stream, ResumesFromTheLastMessageAndDropsWhatItHas) {
  World world;
  world.connect_and_accept();
  world.say(position(16));
  world.say(message(17, "a"));
  world.say(message(18, "b"));
  world.forget_events();
  world.cut();
  auto gone = world.pop<DisconnectedEvent>();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->code, 1006);
  ASSERT_TRUE(gone->retry_after.has_value());
  EXPECT_LE(*gone->retry_after, 500ms);
  EXPECT_EQ(world.stream().transport(), Transport::closed);
  EXPECT_EQ(world.stream().next_timeout(), world.now() + *gone->retry_after);
  world.timeout();
  world.connect();
  EXPECT_EQ(world.since(), "k3j9x0ab:18");
  world.accept();
  EXPECT_EQ(world.pop<ConnectedEvent>()->connection, 2u);
  world.say(position(18));
  EXPECT_TRUE(world.pop<PositionEvent>());
  world.say(message(18, "b"));
  world.say(message(19, "c"));
  EXPECT_EQ(world.payloads(), (std::vector<std::string>{"c"}));
  EXPECT_EQ(world.stream().duplicates(), 1u);
}

TEST(Stream, AnAnnouncedGapMovesTheCursor) {
  World world({.since = "k3j9x0ab:16"});
  world.connect();
  EXPECT_EQ(world.since(), "k3j9x0ab:16");
  world.accept();
  world.forget_events();
  world.say(gap(17, 90, "expired", 90));
  auto event = world.pop<GapEvent>();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->from, 17u);
  EXPECT_EQ(event->to, 90u);
  EXPECT_EQ(event->reason, "expired");
  world.say(message(91, "next"));
  EXPECT_EQ(world.payloads(), (std::vector<std::string>{"next"}));
}

TEST(Stream, AGapThatBeginsTooLateIsToldFromWhereWeStood) {
  World world({.since = "k3j9x0ab:16"});
  world.connect_and_accept();
  world.forget_events();
  world.say(gap(20, 90, "expired", 90));
  EXPECT_EQ(world.pop<GapEvent>()->from, 17u);
}

TEST(Stream, ANewEpochAfterAGap) {
  World world({.since = "k3j9x0ab:16"});
  world.connect_and_accept();
  world.forget_events();
  world.say(gap(1, 0, "epoch_changed", 0, "zzzzzzzz"));
  EXPECT_EQ(world.pop<GapEvent>()->position, (Position{"zzzzzzzz", 0}));
  world.say(message(1, "first", "zzzzzzzz"));
  EXPECT_EQ(world.payloads(), (std::vector<std::string>{"first"}));
  EXPECT_EQ(world.stream().cursor(), "zzzzzzzz:1");
}

TEST(Stream, ATooFarGapGoesBack) {
  World world({.since = "k3j9x0ab:100"});
  world.connect_and_accept();
  world.forget_events();
  world.say(gap(51, 50, "too_far", 50));
  EXPECT_EQ(world.pop<GapEvent>()->position.offset, 50u);
  world.say(message(51, "live"));
  EXPECT_EQ(world.payloads(), (std::vector<std::string>{"live"}));
}

TEST(Stream, ASkippedOffsetIsAGapEvenIfNobodySaysSo) {
  World world;
  world.connect_and_accept();
  world.say(position(16));
  world.forget_events();
  world.say(message(20));
  auto event = world.pop<GapEvent>();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->from, 17u);
  EXPECT_EQ(event->to, 19u);
  EXPECT_EQ(event->reason, kUnannounced);
  EXPECT_EQ(world.payloads().size(), 1u);
  world.say(message(1, "x", "zzzzzzzz"));
  event = world.pop<GapEvent>();
  ASSERT_TRUE(event);
  EXPECT_GT(event->from, event->to);
  EXPECT_EQ(event->position, (Position{"zzzzzzzz", 0}));
  EXPECT_EQ(world.payloads().size(), 1u);
}

TEST(Stream, SeveralChannelsKeepTheirOwnPlace) {
  World world({.channels = {"news", "b"}});
  world.connect_and_accept();
  world.say(position(5));
  world.cut();
  world.timeout();
  world.connect();
  EXPECT_EQ(world.since(), "k3j9x0ab:5,");  // b had not started: from now
  world.accept();
  world.forget_events();
  world.say(position(7, "aaaaaaaa", "b"));
  world.say(message(8, "b8", "aaaaaaaa", "b"));
  world.say(message(6, "a6"));
  world.pop<PositionEvent>();
  auto first = world.pop<MessageEvent>();
  EXPECT_EQ(first->channel, 1u);
  EXPECT_EQ(world.pop<MessageEvent>()->channel, 0u);
  EXPECT_EQ(world.stream().cursor(), "k3j9x0ab:6,aaaaaaaa:8");
}

TEST(Stream, ARelativeStartIsAskedAgainUntilEveryChannelHasStarted) {
  World world({.channels = {"news", "b"}, .since = "-5"});
  world.connect_and_accept();
  world.say(position(5));
  world.cut();
  world.timeout();
  world.connect();
  EXPECT_EQ(world.since(), "-5");
  world.accept();
  world.say(position(5));
  world.say(position(7, "aaaaaaaa", "b"));
  world.cut();
  world.timeout();
  world.connect();
  EXPECT_EQ(world.since(), "k3j9x0ab:5,aaaaaaaa:7");
}

TEST(Stream, ARefusedChannelLeavesTheOthers) {
  World world({.channels = {"news", "secret"}});
  world.connect_and_accept();
  world.forget_events();
  world.say(R"({"channel":"secret","error":{"code":"E_FORBIDDEN","message":"no"}})");
  auto event = world.pop<RefusedEvent>();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->channel, 1u);
  EXPECT_EQ(event->code, "E_FORBIDDEN");
  world.say(position(1));
  world.say(message(2));
  EXPECT_TRUE(world.pop<PositionEvent>());
  EXPECT_EQ(world.payloads().size(), 1u);
}

TEST(Stream, BrokenRecordsEndTheConnectionAndItComesBack) {
  for (std::string_view record : {"{", "[]", R"({"channel":"other","position":"k3j9x0ab:1"})"}) {
    World world;
    world.connect_and_accept();
    world.say(position(5));
    world.forget_events();
    world.say(message(6));
    world.say(record);
    EXPECT_EQ(world.payloads().size(), 1u);
    auto gone = world.pop<DisconnectedEvent>();
    ASSERT_TRUE(gone) << record;
    EXPECT_EQ(gone->code, 1007);
    EXPECT_TRUE(gone->retry_after.has_value());
    world.timeout();
    world.connect();
    EXPECT_EQ(world.since(), "k3j9x0ab:6");
  }
}

TEST(Stream, BrokenFramesEndTheConnection) {
  World world;
  world.connect_and_accept();
  world.forget_events();
  world.receive("\xf1\x01x");  // reserved bits
  auto gone = world.pop<DisconnectedEvent>();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->code, 1002);
  EXPECT_EQ(world.stream().transport(), Transport::closed);
}

TEST(Stream, SomeClosesAreForGood) {
  for (std::uint16_t code : std::initializer_list<std::uint16_t>{4401, 4403}) {
    World world;
    world.connect_and_accept();
    world.forget_events();
    world.receive(world.server().close(code, "E_TOKEN_EXPIRED The token has expired."));
    auto gone = world.pop<DisconnectedEvent>();
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->code, code);
    EXPECT_EQ(gone->reason, "E_TOKEN_EXPIRED The token has expired.");
    EXPECT_FALSE(gone->retry_after.has_value());
    EXPECT_TRUE(world.stream().finished());
    EXPECT_EQ(world.stream().next_timeout(), base::kNever);
  }
  for (std::uint16_t code : std::initializer_list<std::uint16_t>{1000, 1001, 1011, 1012, 1013, 4408, 4429, 4503}) {
    World world;
    world.connect_and_accept();
    world.forget_events();
    world.receive(world.server().close(code, ""));
    auto gone = world.pop<DisconnectedEvent>();
    ASSERT_TRUE(gone) << code;
    EXPECT_EQ(gone->code, code);
    EXPECT_TRUE(gone->retry_after.has_value()) << code;
  }
}

TEST(Stream, TheWindowOfADrainIsUsedInFull) {
  base::Duration least = 1h, most = 0s;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    World world({}, seed);
    world.connect_and_accept();
    world.forget_events();
    world.receive(world.server().close(1012, R"(E_DRAINING {"retry_min_ms":100,"retry_max_ms":10000})"));
    auto gone = world.pop<DisconnectedEvent>();
    ASSERT_TRUE(gone && gone->retry_after);
    least = std::min(least, *gone->retry_after);
    most = std::max(most, *gone->retry_after);
  }
  EXPECT_GE(least, 100ms);
  EXPECT_LT(least, 500ms);
  EXPECT_GT(most, 9500ms);
  EXPECT_LE(most, 10s);
}

TEST(Stream, RefusalsBeforeTheUpgrade) {
  struct Case {
    int status;
    bool again;
    base::Duration at_least;
    std::string_view headers;
    std::string_view body;
    std::string_view reason;
  };
  const Case cases[] = {
      {401, false, 0s, "", R"({"code":"E_AUTH_REQUIRED","message":"This needs a token."})",
       "E_AUTH_REQUIRED This needs a token."},
      {403, false, 0s, "", R"({"code":"E_FORBIDDEN","message":"no"})", "E_FORBIDDEN no"},
      {400, false, 0s, "", R"({"code":"E_CURSOR","message":"no"})", "E_CURSOR no"},
      {404, false, 0s, "", "nothing here", "HTTP 404"},
      {429, true, 7s, "Retry-After: 7\r\n", "", "HTTP 429"},
      {503, true, 9s, "", R"({"code":"E_DRAINING","message":"wait","retry_after":9})", "E_DRAINING wait"},
      {502, true, 0s, "", "<html>", "HTTP 502"},
      {501, false, 0s, "", "", "HTTP 501"},
      {200, false, 0s, "", "hello", "HTTP 200"},
  };
  for (const Case& c : cases) {
    World world;
    world.connect();
    world.receive(
        fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}", c.status, c.headers, c.body.size(), c.body));
    auto gone = world.pop<DisconnectedEvent>();
    ASSERT_TRUE(gone) << c.status;
    EXPECT_EQ(gone->code, c.status);
    EXPECT_EQ(gone->reason, c.reason);
    EXPECT_EQ(gone->retry_after.has_value(), c.again) << c.status;
    if (c.again) {
      EXPECT_GE(*gone->retry_after, c.at_least);
      EXPECT_LE(*gone->retry_after, c.at_least + 500ms);
    }
  }
}

TEST(Stream, ARefusalWhoseBodyEndsWithTheConnection) {
  World world;
  world.connect();
  world.receive("HTTP/1.1 503 X\r\nConnection: close\r\n\r\n{\"code\":\"E_BUSY\",");
  EXPECT_TRUE(world.quiet());
  world.receive("\"message\":\"busy\"}");
  world.cut();
  EXPECT_EQ(world.pop<DisconnectedEvent>()->reason, "E_BUSY busy");
}

TEST(Stream, AnswersThatAreNoHandshake) {
  for (std::string_view answer : {"SSH-2.0-OpenSSH\r\n\r\n",
                                  "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: "
                                  "Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
                                  "HTTP/1.1 101 X\r\n\r\n"}) {
    World world;
    world.connect();
    world.receive(std::string(answer));
    auto gone = world.pop<DisconnectedEvent>();
    ASSERT_TRUE(gone) << answer;
    EXPECT_EQ(gone->code, 0);
    EXPECT_TRUE(gone->retry_after.has_value());
  }
}

TEST(Stream, AttemptsThatNeverAnswerAreGivenUp) {
  World world;
  EXPECT_EQ(world.stream().next_timeout(), world.now() + 15s);
  world.timeout();
  EXPECT_EQ(world.pop<DisconnectedEvent>()->code, 0);
  world.timeout();  // the wait
  world.connect();
  world.timeout();  // connected, but no answer
  EXPECT_EQ(world.pop<DisconnectedEvent>()->code, 0);
}

TEST(Stream, BackoffGrowsToACapAndForgetsOnlyAfterAStableConnection) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    World world({}, seed);
    base::Duration bound = 500ms;
    for (int i = 0; i < 12; ++i) {
      world.cut();  // refused at once
      auto gone = world.pop<DisconnectedEvent>();
      ASSERT_TRUE(gone && gone->retry_after);
      EXPECT_LE(*gone->retry_after, bound);
      bound = std::min<base::Duration>(bound * 2, 60s);
      world.timeout();
    }
    world.connect_and_accept();
    world.forget_events();
    world.pass(29s);
    world.cut();  // not yet stable: the bound stays at 60 s
    base::Duration after_short = *world.pop<DisconnectedEvent>()->retry_after;
    EXPECT_LE(after_short, 60s);
    world.timeout();
    world.connect_and_accept();
    world.forget_events();
    world.pass(30s);
    world.cut();
    EXPECT_LE(*world.pop<DisconnectedEvent>()->retry_after, 500ms);
  }
}

TEST(Stream, ASilentServerIsAskedAndThenGivenUp) {
  World world;
  world.connect_and_accept();
  world.forget_events();
  EXPECT_EQ(world.stream().next_timeout(), world.now() + 35s);
  world.pass(35s);
  base::SeededEntropy entropy(5);
  Scratch scratch(entropy);
  world.stream().handle_timeout(scratch, world.now());
  std::string answer = world.server().receive(scratch.output(), world.now());
  world.receive(answer);  // the pong
  EXPECT_EQ(world.stream().next_timeout(), world.now() + 35s);
  world.timeout();  // a ping that nobody answers
  EXPECT_TRUE(world.quiet());
  EXPECT_EQ(world.stream().next_timeout(), world.now() + 15s);
  world.timeout();
  EXPECT_EQ(world.pop<DisconnectedEvent>()->code, 1006);
}

TEST(Stream, CloseSaysGoodByeAndFinishes) {
  World world;
  world.connect_and_accept();
  world.say(position(1));
  world.forget_events();
  world.close();
  EXPECT_FALSE(world.stream().finished());
  world.receive(world.server().close(1000, ""));
  auto gone = world.pop<DisconnectedEvent>();
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->code, 1000);
  EXPECT_FALSE(gone->retry_after.has_value());
  EXPECT_TRUE(world.stream().finished());
}

TEST(Stream, CloseDoesNotWaitForEver) {
  World world;
  world.connect_and_accept();
  world.forget_events();
  world.close();
  EXPECT_EQ(world.stream().next_timeout(), world.now() + 2s);
  world.timeout();
  EXPECT_TRUE(world.pop<DisconnectedEvent>());
  EXPECT_TRUE(world.stream().finished());
}

TEST(Stream, CloseWhileNotConnectedIsSilent) {
  World world;
  world.cut();
  world.forget_events();
  world.close();
  EXPECT_TRUE(world.quiet());
  EXPECT_TRUE(world.stream().finished());
  EXPECT_EQ(world.stream().transport(), Transport::closed);
}

TEST(Stream, RetryNeverFinishesWithTheFirstCut) {
  World world({.retry = StreamOptions::Retry::never});
  world.connect_and_accept();
  world.forget_events();
  world.cut();
  EXPECT_FALSE(world.pop<DisconnectedEvent>()->retry_after.has_value());
  EXPECT_TRUE(world.stream().finished());
}

TEST(Stream, CompressedRecords) {
  World world({.deflate = StreamOptions::Deflate::offer});
  world.connect();
  world.receive(world.server().accept(ws::DeflateOffer::context_takeover));
  world.say(position(0));
  world.forget_events();
  for (std::uint64_t i = 1; i <= 20; ++i) world.say(message(i, std::string(200, 'a')));
  EXPECT_EQ(world.payloads().size(), 20u);
}

// The promise, against a server that is cut at random, sends again what it had sent, and announces what it lost.
TEST(Stream, NothingIsMissingOrDoubledOverManyReconnects) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    base::SeededEntropy luck(seed);
    World world({}, seed);
    std::uint64_t head = 0;   // of the server's log
    std::uint64_t first = 1;  // the oldest message it holds
    std::uint64_t next = 0;   // what the client must get next; 0: it has not started
    for (int connection = 0; connection < 40; ++connection) {
      world.connect_and_accept();
      world.forget_events();
      std::uint64_t from = head;
      if (auto since = world.since()) {
        from = parse_position(*since)->offset;
        EXPECT_EQ(from + 1, next);
        if (from + 1 < first) {
          world.say(gap(from + 1, head, "expired", head));
          from = head;
        }
      }
      world.say(position(from));
      if (next == 0) next = from + 1;
      for (std::uint64_t offset = from + 1; offset <= head; ++offset)
        world.say(message(offset, std::to_string(offset)));
      for (std::uint32_t i = luck.below(20); i > 0; --i) {
        ++head;
        world.say(message(head, std::to_string(head)));
        if (luck.below(4) == 0) world.say(message(head, std::to_string(head)));
      }
      while (!world.quiet()) {
        if (auto event = world.pop<GapEvent>()) {
          EXPECT_EQ(event->from, next);
          next = event->to + 1;
        } else if (auto got = world.pop<MessageEvent>()) {
          EXPECT_EQ(got->message.position.offset, next);
          EXPECT_EQ(got->message.payload, std::to_string(next));
          ++next;
        } else {
          ASSERT_TRUE(world.pop<PositionEvent>());
        }
      }
      EXPECT_EQ(next, head + 1);
      world.cut();
      world.forget_events();
      world.timeout();
      head += luck.below(10);  // published while the client was away
      if (luck.below(3) == 0 && head > 5) first = head - 5;
    }
  }
}

}  // namespace
}  // namespace client
