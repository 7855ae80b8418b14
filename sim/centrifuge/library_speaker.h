// The C++ client library (src/client/core/centrifuge) as a client of the simulation. It recovers, resubscribes and
// waits as it wants to; of what it sends nothing is known but what its contract says.
#pragma once

#include <optional>

#include "base/entropy.h"
#include "client/core/centrifuge/session.h"
#include "sim/centrifuge/speaker.h"

namespace sim::centrifuge {

struct LibraryOptions {
  std::string token;
  bool deflate = false;
};

class LibrarySpeaker final : public Speaker {
 public:
  LibrarySpeaker(Story story, LibraryOptions options, std::uint64_t seed);

  void come(base::Instant now) override;
  void receive(std::span<char> bytes, base::Instant now) override;
  void lose(base::Instant now) override;
  void handle_timeout(base::Instant now) override;
  base::Instant next_timeout() const override { return session_.next_timeout(); }
  std::string take_output() override { return session_.output(); }
  bool wants_transport() const override;
  bool settled() const override;

 private:
  struct Place {
    bool known = false;
    bool live = false;
    sim::Place place;
  };
  struct Taker;

  void take_events(base::Instant now);
  void ask(std::size_t wish, base::Instant now);
  void answer(std::size_t wish, const wirebird::SubscribedEvent& event, base::Instant now);
  void publication(std::size_t wish, const wirebird::Publication& publication, base::Instant now);
  std::optional<std::size_t> wish_of(std::string_view channel) const;
  void complain(std::string_view what, base::Instant now) { write(Record::Kind::broken, 0, now).text = what; }

  base::SeededEntropy entropy_;
  client::centrifuge::Session session_;
  std::vector<Place> places_;
  std::uint32_t code_ = 0;  // of the server, for the end of the connection
  std::string reason_;
  bool begun_ = false, on_ = false;
};

}  // namespace sim::centrifuge
