// A small client of the Centrifuge protocol, JSON and Protobuf, that shares nothing with src/door/centrifuge nor with
// the C++ client library: it writes commands by hand and reads with heard.h. Unlike libraries it sometimes lies about
// its place, and asks for error 112.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "base/entropy.h"
#include "http/response_reader.h"
#include "sim/centrifuge/heard.h"
#include "sim/centrifuge/speaker.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace sim::centrifuge {

struct PlainOptions {
  std::string token;
  bool deflate = false;
  bool lies = true;
};

class PlainSpeaker final : public Speaker {
 public:
  PlainSpeaker(Story story, PlainOptions options, std::uint64_t seed);

  void come(base::Instant now) override;
  void receive(std::span<char> bytes, base::Instant now) override;
  void lose(base::Instant now) override;
  void handle_timeout(base::Instant) override {}
  base::Instant next_timeout() const override { return base::kNever; }
  std::string take_output() override { return std::exchange(output_, {}); }
  bool wants_transport() const override { return open_; }
  bool settled() const override;
  void be_honest() override { options_.lies = false; }

 private:
  struct Place {  // of one wish
    bool known = false;
    bool live = false;
    bool leaving = false;  // unsubscribed and subscribed again: what still comes is of the time before
    sim::Place place;
    bool delta = false;
    std::optional<std::string> base;  // of the next delta
  };
  struct Recovery {
    bool recovers = false;
    sim::Place place;
    std::int64_t flag = 0;
  };

  void begin(base::Instant now);
  std::string connect_command(base::Instant now);
  std::string subscribe_command(std::size_t wish, base::Instant now);
  std::string unsubscribe_command(std::size_t wish);
  Recovery ask(std::size_t wish, base::Instant now);
  void send(std::string_view commands);
  void take_frame(std::string_view frame, base::Instant now);
  void take(const Heard& heard, base::Instant now);
  void take_answer(std::size_t wish, const HeardSubscription& heard, base::Instant now);
  void take_publication(std::size_t wish, const HeardPublication& heard, base::Instant now);
  std::optional<std::string> whole(Place& place, const HeardPublication& heard) const;
  std::optional<std::size_t> wish_of(std::string_view channel) const;
  void end(std::uint32_t code, std::string_view why, base::Instant now);
  void complain(std::string_view what, base::Instant now);

  PlainOptions options_;
  base::SeededEntropy entropy_;
  ws::ClientOptions handshake_options_;
  ws::ClientHandshake handshake_;
  std::optional<http::ResponseReader> response_;
  ws::Scratch scratch_;
  std::optional<ws::Session> session_;
  std::vector<Place> places_;                     // by wish
  std::map<std::uint32_t, std::size_t> waiting_;  // commands to subscribe
  std::uint32_t command_ = 0;
  bool open_ = false, connected_ = false, pongs_ = false;
  std::string output_;
};

}  // namespace sim::centrifuge
