#include "client/core/publish_session.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "http/request_reader.h"

namespace client {
namespace {

using namespace std::chrono_literals;
using Result = Outcome::Result;
using Transport = PublishSession::Transport;

constexpr std::string_view kAccepted =
    R"({"channel":"news","epoch":"k3j9x0ab","offset":17,"time":1763640000123,"level":"accepted","workers":2})";

std::string answer(int status, std::string_view body, std::string_view headers = {}) {
  return fmt::format("HTTP/1.1 {} X\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body);
}

// What a server understands of one request.
struct Asked {
  std::string target, type, key, authorization, body;
};

class World {
 public:
  explicit World(PublishOptions options = {}) {
    options.authority = "example.test";
    session_.emplace(std::move(options), entropy_);
  }
  PublishSession& session() { return *session_; }
  base::Instant now() const { return now_; }

  void publish(const Publication& publication) { session_->publish(output_, publication, now_); }
  void connect() {
    ASSERT_EQ(session_->transport(), Transport::open);
    session_->connected(output_, now_);
  }
  Asked asked() {
    http::RequestLimits limits;
    http::RequestReader reader(limits);
    std::string_view rest = output_;
    while (!rest.empty() && reader.status() != http::RequestReader::Status::done &&
           reader.status() != http::RequestReader::Status::failed) {
      rest.remove_prefix(reader.receive(rest));
    }
    EXPECT_EQ(reader.status(), http::RequestReader::Status::done) << output_;
    EXPECT_TRUE(rest.empty());
    const http::Request& request = reader.request();
    Asked asked{std::string(request.target), std::string(request.find("content-type").value_or("")),
                std::string(request.find("idempotency-key").value_or("")),
                std::string(request.find("authorization").value_or("")), std::string(request.body)};
    output_.clear();
    return asked;
  }
  bool silent() const { return output_.empty(); }
  void receive(std::string_view bytes) { session_->receive(bytes, now_); }
  void cut(std::string_view why = {}) { session_->receive_eof(now_, why); }
  void timeout() {
    now_ = std::max(now_, session_->next_timeout());
    session_->handle_timeout(now_);
  }

 private:
  base::SeededEntropy entropy_{1};
  std::optional<PublishSession> session_;
  std::string output_;
  base::Instant now_{1h};
};

const Publication kHello{.channel = "news", .kind = Kind::text, .payload = "hello", .key = {}};

TEST(PublishSession, OneMessage) {
  World world({.path = "/push", .token = "secret"});
  world.publish({.channel = "a b/c", .kind = Kind::json, .payload = "{}", .key = "k1"});
  world.connect();
  Asked asked = world.asked();
  EXPECT_EQ(asked.target, "/push/pub/a%20b%2Fc");
  EXPECT_EQ(asked.type, "application/json");
  EXPECT_EQ(asked.key, "k1");
  EXPECT_EQ(asked.authorization, "Bearer secret");
  EXPECT_EQ(asked.body, "{}");
  EXPECT_FALSE(world.session().outcome().has_value());
  world.receive(answer(200, kAccepted));
  ASSERT_TRUE(world.session().outcome().has_value());
  EXPECT_EQ(world.session().outcome()->result, Result::accepted);
  EXPECT_EQ(world.session().outcome()->position, (Position{"k3j9x0ab", 17}));
  EXPECT_EQ(world.session().outcome()->level, "accepted");
  EXPECT_EQ(world.session().outcome()->workers, 2U);
  EXPECT_EQ(world.session().outcome()->answer, kAccepted);
  EXPECT_EQ(world.session().outcome()->attempts, 1u);
  EXPECT_EQ(world.session().next_timeout(), base::kNever);
}

TEST(PublishSession, TheConnectionIsKeptAndEveryMessageHasItsOwnKey) {
  World world;
  world.publish(kHello);
  world.connect();
  std::string first = world.asked().key;
  EXPECT_EQ(first.size(), 32u);
  world.receive(answer(200, kAccepted));
  EXPECT_EQ(world.session().transport(), Transport::open);
  world.publish(kHello);
  Asked asked = world.asked();  // no connect() in between
  EXPECT_NE(asked.key, first);
  EXPECT_EQ(asked.type, "text/plain; charset=utf-8");
  world.receive(answer(200, kAccepted, "Connection: close\r\n"));
  EXPECT_EQ(world.session().transport(), Transport::closed);
}

TEST(PublishSession, AnswersInPieces) {
  World world;
  world.publish({.channel = "news", .kind = Kind::binary, .payload = std::string_view("\0\xff", 2), .key = {}});
  world.connect();
  EXPECT_EQ(world.asked().type, "application/octet-stream");
  std::string bytes = answer(200, kAccepted);
  for (char byte : bytes) {
    EXPECT_FALSE(world.session().outcome().has_value());
    world.receive({&byte, 1});
  }
  EXPECT_EQ(world.session().outcome()->result, Result::accepted);
}

TEST(PublishSession, ACutAttemptIsRepeatedWithTheSameKey) {
  World world;
  world.publish(kHello);
  world.connect();
  Asked first = world.asked();
  world.receive(answer(200, kAccepted).substr(0, 30));
  world.cut();
  EXPECT_EQ(world.session().transport(), Transport::closed);
  world.timeout();
  world.connect();
  Asked second = world.asked();
  EXPECT_EQ(first.key, second.key);
  EXPECT_EQ(first.body, second.body);
  world.receive(answer(200, kAccepted));
  EXPECT_EQ(world.session().outcome()->result, Result::accepted);
  EXPECT_EQ(world.session().outcome()->attempts, 2u);
}

TEST(PublishSession, AKeptConnectionThatHasGoneIsReplacedAtOnce) {
  World world;
  world.publish(kHello);
  world.connect();
  world.asked();
  world.receive(answer(200, kAccepted));
  world.publish(kHello);
  world.cut();  // the server closed it just then
  EXPECT_EQ(world.session().transport(), Transport::open);
  EXPECT_GT(world.session().next_timeout(), world.now() + 1s);
}

TEST(PublishSession, ACutOfAnIdleConnectionIsNothing) {
  World world;
  world.publish(kHello);
  world.connect();
  world.asked();
  world.receive(answer(200, kAccepted));
  world.cut();
  EXPECT_EQ(world.session().transport(), Transport::closed);
  EXPECT_EQ(world.session().next_timeout(), base::kNever);
  EXPECT_EQ(world.session().outcome()->result, Result::accepted);
}

TEST(PublishSession, NeverSentIsNotUnknown) {
  World world;
  world.publish(kHello);
  while (!world.session().outcome()) {
    if (world.session().transport() == Transport::open) {
      world.cut("Connection refused");
    } else {
      world.timeout();
    }
  }
  EXPECT_EQ(world.session().outcome()->result, Result::unreached);
  EXPECT_EQ(world.session().outcome()->message, "Connection refused");
  EXPECT_LE(world.now(), base::Instant(1h + 30s));
}

TEST(PublishSession, SentAndNeverAnsweredIsUnknown) {
  World world;
  world.publish(kHello);
  int attempts = 0;
  while (!world.session().outcome()) {
    if (world.session().transport() == Transport::open && world.silent()) {
      world.connect();
      world.asked();
      ++attempts;
    }
    world.timeout();
  }
  EXPECT_EQ(world.session().outcome()->result, Result::unknown);
  EXPECT_EQ(world.now(), base::Instant(1h + 30s));
  EXPECT_GE(attempts, 3);
}

TEST(PublishSession, Refusals) {
  World world;
  world.publish(kHello);
  world.connect();
  world.receive(answer(403, R"({"code":"E_FORBIDDEN","message":"no"})"));
  EXPECT_EQ(world.session().outcome()->result, Result::refused);
  EXPECT_EQ(world.session().outcome()->code, "E_FORBIDDEN");
  EXPECT_EQ(world.session().outcome()->message, "no");
}

TEST(PublishSession, ARefusalAfterACutLeavesItUnknown) {
  World world;
  world.publish(kHello);
  world.connect();
  world.cut();
  world.timeout();
  world.connect();
  world.receive(answer(403, R"({"code":"E_FORBIDDEN","message":"no"})"));
  EXPECT_EQ(world.session().outcome()->result, Result::unknown);
  EXPECT_EQ(world.session().outcome()->code, "E_FORBIDDEN");
}

TEST(PublishSession, NotNowIsTriedAgainAfterTheTimeTheServerAsksFor) {
  World world;
  world.publish(kHello);
  world.connect();
  Asked first = world.asked();
  world.receive(answer(503, R"({"code":"E_BUSY","message":"busy","retry_after":3})"));
  EXPECT_FALSE(world.session().outcome().has_value());
  EXPECT_GE(world.session().next_timeout(), world.now() + 3s);
  world.timeout();
  world.connect();
  EXPECT_EQ(world.asked().key, first.key);
  world.receive(answer(200, kAccepted));
  EXPECT_EQ(world.session().outcome()->result, Result::accepted);
}

TEST(PublishSession, NotNowForTooLongIsARefusalAndAProxysErrorIsUnknown) {
  World world;
  world.publish(kHello);
  world.connect();
  world.receive(answer(503, R"({"code":"E_BUSY","message":"busy","retry_after":300})"));
  EXPECT_EQ(world.session().outcome()->result, Result::refused);
  World proxied;
  proxied.publish(kHello);
  proxied.connect();
  proxied.receive(answer(504, "<html>", "Retry-After: 300\r\n"));
  EXPECT_EQ(proxied.session().outcome()->result, Result::unknown);
  EXPECT_EQ(proxied.session().outcome()->code, "HTTP 504");
}

TEST(PublishSession, AnAnswerThatIsNotOurs) {
  World world;
  world.publish(kHello);
  world.connect();
  world.receive(answer(200, "<html>hello"));
  EXPECT_EQ(world.session().outcome()->result, Result::refused);
  World other;
  other.publish(kHello);
  other.connect();
  other.receive("SSH-2.0\r\n\r\n");
  EXPECT_FALSE(other.session().outcome().has_value());
  EXPECT_EQ(other.session().transport(), Transport::closed);
}

TEST(PublishSession, GivingUp) {
  World world;
  world.publish(kHello);
  world.session().give_up();
  EXPECT_EQ(world.session().outcome()->result, Result::unreached);
  World sent;
  sent.publish(kHello);
  sent.connect();
  sent.session().give_up();
  EXPECT_EQ(sent.session().outcome()->result, Result::unknown);
  EXPECT_EQ(sent.session().transport(), Transport::closed);
}

}  // namespace
}  // namespace client
