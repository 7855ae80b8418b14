// One connection of the drain client: connects, upgrades, reads frames, writes. Belongs to one poller and one thread.
//
// Calling order: the constructor connects and asks for the upgrade; handle(events) on readiness, which tells its owner
// what came; send() any time after opened().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/drain/frames.h"
#include "bench/drain/inflater.h"
#include "bench/drain/marks.h"
#include "bench/drain/options.h"

namespace bench {

// What all connections of a run share.
struct Shared {
  int poller = -1;
  Inflater inflater;
  std::string buffer = std::string(256 * 1024, '\0');
};

class Connection {
 public:
  enum class State : std::uint8_t {
    opening,
    greeting,  // upgraded; the server has yet to say that it is ready
    open,
    ended,
  };

  // All must outlive the connection. `id` comes back as the poller's data.
  Connection(Shared& shared, const DrainOptions& options, const Route& route, std::uint64_t id);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  State state() const { return state_; }
  std::uint64_t id() const { return id_; }
  const std::string& why() const { return why_; }  // it ended

  // Raw bytes, frames already made. What the socket does not take waits here.
  void send(std::string_view bytes);

  // Segments with data that came so far. On loopback each send() of the server is one, up to 64 KiB: so this tells how
  // often it sent, whatever server it is.
  std::uint64_t segments() const;

  // Neither reads nor notices anything until told otherwise. It keeps what its kernel takes meanwhile small.
  void stall();
  void go_on();
  void ping();
  std::uint64_t pongs() const { return pongs_; }
  // Messages that gap records announced (docs/protocol.md), since stall().
  std::uint64_t announced() const { return announced_; }

  // Reads once; found(number) for every message that came.
  template <class Found>
  void handle(std::uint32_t events, Found found) {
    flush(events);
    std::string_view bytes = read(events);
    if (state_ == State::opening) bytes = take_answer(bytes);
    if (state_ == State::opening || state_ == State::ended || bytes.empty()) return;
    if (plain_) return marks_.receive(bytes, found);
    frames_.receive(bytes,
                    [&](Opcode opcode, bool compressed, std::string_view piece, bool frame_end, bool message_end) {
                      if (opcode >= Opcode::close) {
                        control(opcode, piece, frame_end);
                      } else if (looks_for_gaps_) {
                        record_.append(piece);
                        if (!message_end) return;
                        take_gap();
                        marks_.receive(record_, found);
                        record_.clear();
                      } else if (state_ == State::greeting) {
                        take_greeting(piece);
                      } else if (options_.counts_frames) {
                        if (message_end) found(frames_counted_++);
                      } else if (compressed || !spill_.empty()) {
                        // Compression is marked on the first frame of a message, and servers here do not fragment.
                        if (message_end && spill_.empty()) {
                          marks_.receive(shared_.inflater.inflate_message(piece), found);
                          return;
                        }
                        spill_.append(piece);
                        if (!message_end) return;
                        marks_.receive(shared_.inflater.inflate_message(spill_), found);
                        spill_.clear();
                      } else {
                        marks_.receive(piece, found);
                      }
                    });
  }

  // The owner's bookkeeping.
  std::uint64_t next = 0;
  bool joined = false;

 private:
  void flush(std::uint32_t events);
  std::string_view read(std::uint32_t events);
  std::string_view take_answer(std::string_view bytes);
  void take_greeting(std::string_view piece);
  void control(Opcode opcode, std::string_view piece, bool end_of_frame);
  void take_gap();
  void watch(std::uint32_t events);
  void end(std::string why);

  Shared& shared_;
  const DrainOptions& options_;
  const Route& route_;
  std::uint64_t id_;
  int fd_ = -1;
  State state_ = State::opening;
  bool plain_ = false;  // no frames: TCP only, or HTTP
  FrameReader frames_;
  MarkReader marks_;
  std::string out_;      // not taken by the socket yet
  std::string head_;     // of the answer to the upgrade, then of the greeting
  std::string spill_;    // of a compressed message
  std::string control_;  // of a ping
  std::string record_;   // of a connection that looks for gaps
  bool looks_for_gaps_ = false;
  std::uint64_t pongs_ = 0, announced_ = 0, frames_counted_ = 0;
  std::string why_;
};

}  // namespace bench
