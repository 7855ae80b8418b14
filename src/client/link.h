// One byte transport to a server: TCP, TLS or a Unix socket, from the first connect() to its end. It knows no protocol.
//
// Calling order: open(); then handle_ready() whenever the poller reports its token; once up(), send() and read() until
// it would block. A failure makes it down() with why(); close() is allowed at any time. A Link may be opened again.
//
// The poller, sockets, and the destination given to open() must outlive the Link. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/destination.h"
#include "client/system.h"
#include "loop/io.h"
#include "loop/tls.h"

namespace client {

class Link {
 public:
  enum class State : std::uint8_t { down, connecting, securing, up };

  Link(System& system, std::uint64_t token) : system_(system), token_(token) {}
  ~Link() { close(loop::CloseMode::graceful); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Begins with the first address of a resolved destination and goes on to the next when one fails.
  void open(const Destination& destination);
  void handle_ready();
  // Queues and writes what the socket takes now.
  void send(std::string_view bytes);
  // would_block also while not up; eof and failed make it down. As long as reads fill `into`, more may be there that
  // the poller does not tell (TLS).
  loop::IoResult read(std::span<char> into);
  void close(loop::CloseMode mode);

  State state() const { return state_; }
  bool up() const { return state_ == State::up; }
  // For a person: why it went down; empty after close() and at a plain end of the stream.
  const std::string& why() const { return why_; }
  std::size_t queued_bytes() const { return output_.size() - written_; }
  // When TCP was established; of this opening. For measurements.
  base::Instant tcp_established() const { return tcp_established_; }

 private:
  void try_next_address();
  void fail(std::string why);
  void finish_tcp();
  void secure();
  void flush();
  void watch(loop::Interest interest);

  System& system_;
  const std::uint64_t token_;
  const Destination* destination_ = nullptr;
  std::size_t next_address_ = 0;
  loop::SocketId socket_ = loop::kNoSocket;
  loop::Interest interest_ = loop::Interest::none;
  State state_ = State::down;
  base::Instant tcp_established_{};
  std::unique_ptr<loop::TlsConnection> tls_;
  std::string output_;
  std::size_t written_ = 0;
  std::string why_;
};

}  // namespace client
