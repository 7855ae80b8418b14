// The clients of a simulated world: one poller and one timer each, turned together like one more event loop. A Guest is
// one of them, a Wire its end of a connection.
//
// One thread. Guests are owned by the test and live as long as the crowd.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.h"

namespace sim {

class Guest {
 public:
  virtual ~Guest() = default;
  virtual void ready() = 0;  // its wire may be read or written; may come without reason
  virtual void handle_timeout() = 0;
};

class Crowd final : public Outsider {
 public:
  explicit Crowd(World& world);

  std::size_t join(Guest& guest);                      // its number
  void wake_at(std::size_t number, base::Instant at);  // replaces; kNever: not at all

  World& world() { return world_; }
  Poller& poller() { return poller_; }

  bool has_work() override;
  base::Instant next_deadline() const override;
  void turn() override;

 private:
  World& world_;
  Poller poller_;
  std::vector<Guest*> guests_;
  std::vector<base::Instant> wanted_;
  std::set<std::pair<base::Instant, std::size_t>> timers_;
};

// Buffers what it is given to send. While it is deaf it neither reads nor notices anything.
class Wire {
 public:
  Wire(Crowd& crowd, std::size_t number) : crowd_(crowd), number_(number) {}
  ~Wire() { close(loop::CloseMode::reset); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool is_open() const { return socket_ != loop::kNoSocket; }
  void connect(const Link& link);
  void send(std::string_view bytes);
  void flush();
  enum class Input : std::uint8_t { bytes, nothing, ended, lost };
  Input read(std::string& into);  // replaces `into`
  void be_deaf(bool deaf);
  void finish();  // FIN; reading goes on
  void close(loop::CloseMode mode);
  void cut();      // both ends are reset; closes
  void go_dark();  // the server is not told; closes

 private:
  void set_interest();

  Crowd& crowd_;
  std::size_t number_;
  loop::SocketId socket_ = loop::kNoSocket;
  loop::Interest interest_ = loop::Interest::read;
  std::string output_;
  bool deaf_ = false;
};

}  // namespace sim
