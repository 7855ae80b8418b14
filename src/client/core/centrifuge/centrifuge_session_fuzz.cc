// A server that sends anything: HTTP, frames, replies; in pieces of any size, with time going by and the user asking
// for things. Whatever comes, the session keeps its promises: every call is answered once, states move as documented,
// and it ends when told to.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/entropy.h"
#include "client/core/centrifuge/session.h"
#include "http/request_reader.h"
#include "ws/handshake.h"

namespace {

using namespace client::centrifuge;

class Player {
 public:
  explicit Player(std::uint8_t choices) : session_(options(choices), entropy_) {
    session_.add(1, {.channel = "news", .tokens = SubscriptionSettings::Tokens::given});
    session_.add(2, {.channel = "delta", .delta = wirebird::SubscriptionOptions::Delta::fossil});
    session_.add(3, {.channel = "token", .tokens = SubscriptionSettings::Tokens::asked_for});
    session_.connect(now_);
    for (SubscriptionId id = 1; id <= 3; ++id) session_.subscribe(id, now_);
    settle();
  }

  void play(std::uint8_t verb, std::string_view bytes) {
    switch (verb % 10) {
      case 0:
        now_ += std::chrono::milliseconds(100 * bytes.size());
        break;
      case 1:
        session_.receive_eof("", now_);
        break;
      case 2:
        session_.call(++calls_, HistoryCall{"news", {}}, now_);
        break;
      case 3:
        session_.call(++calls_, 1, PublishCall{"news", "1"}, now_);
        break;
      case 4:
        session_.unsubscribe(1 + bytes.size() % 3, now_);
        session_.subscribe(1 + bytes.size() % 3, now_);
        break;
      case 5:
        session_.take_token(ticket_, {TokenOutcome::Kind::token, "t"}, now_);
        break;
      case 6: {
        std::string copy(bytes);
        session_.receive(copy, now_);
        break;
      }
      default: {  // in a frame, which may be wrong too
        std::string frame(1, static_cast<char>(verb % 2 == 0 ? 0x81 : 0x82));
        if (bytes.size() < 126) {
          frame += static_cast<char>(bytes.size());
        } else {
          frame += {126, static_cast<char>(bytes.size() >> 8), static_cast<char>(bytes.size())};
        }
        frame += bytes;
        session_.receive(frame, now_);
      }
    }
    settle();
    while (session_.next_timeout() <= now_) {
      session_.handle_timeout(now_);
      settle();
    }
  }

  void end() {
    session_.disconnect();
    session_.close();
    settle();
    ASSERT(answered_.size() == calls_);
    ASSERT(session_.state() == wirebird::ClientState::disconnected);
    ASSERT(session_.next_timeout() == base::kNever);
  }

 private:
  static SessionOptions options(std::uint8_t choices) {
    SessionOptions options;
    options.authority = "x";
    if ((choices & 1) != 0) options.format = wirebird::Format::protobuf;
    if ((choices & 2) != 0) options.tokens = SubscriptionSettings::Tokens::asked_for;
    return options;
  }

  void settle() {
    for (const Event& event : session_.events()) {
      if (const auto* answered = std::get_if<Answered>(&event)) ASSERT(answered_.insert(answered->id).second);
      if (const auto* wanted = std::get_if<TokenWanted>(&event)) ticket_ = wanted->ticket;
    }
    session_.output();
    const Session::Wanted wanted = session_.transport();
    if (wanted.state == Session::TransportState::closed || wanted.number == accepted_) return;
    // Whatever it says of the handshake, it is accepted.
    accepted_ = wanted.number;
    session_.connected();
    const std::string request = session_.output();
    http::RequestLimits limits;
    http::RequestReader reader(limits);
    reader.receive(request);
    static constexpr std::string_view kSubprotocols[] = {"centrifuge-protobuf"};
    auto accepted = ws::accept(reader.request(), {.subprotocols = kSubprotocols});
    ASSERT(accepted);
    std::string answer = ws::switching_protocols(*accepted);
    session_.receive(answer, now_);
    settle();
  }

  base::SeededEntropy entropy_{7};
  base::Instant now_{std::chrono::hours(1)};
  Session session_;
  std::uint64_t accepted_ = 0;
  std::uint64_t ticket_ = 0;
  CallId calls_ = 0;
  std::set<CallId> answered_;
};

}  // namespace

// A byte of choices; then again and again a verb, a length and that many bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  Player player(bytes[0]);
  std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  while (rest.size() >= 2) {
    const auto verb = static_cast<std::uint8_t>(rest[0]);
    const std::size_t length = std::min<std::size_t>(static_cast<std::uint8_t>(rest[1]), rest.size() - 2);
    player.play(verb, rest.substr(2, length));
    rest.remove_prefix(2 + length);
  }
  player.end();
  return 0;
}
