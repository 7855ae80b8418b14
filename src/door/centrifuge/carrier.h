// How the messages of one connection are packed for its transport. Pure; a Packer belongs to one thread.
//
//   transport   JSON                                       Protobuf
//   websocket   text frame, objects separated by newlines  binary frame of messages behind their lengths
//   stream      each object and a newline                  each message behind its length
//   sse         each object an event                       (there is none)
//
// A unidirectional client gets bare pushes instead of replies, each in a frame of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "door/centrifuge/protocol.h"
#include "ws/frame.h"

namespace door::centrifuge {

struct Carrier {
  enum class Format : std::uint8_t { json, protobuf } format = Format::json;
  enum class Transport : std::uint8_t { websocket, stream, sse } transport = Transport::websocket;
  bool unidirectional = false;
  friend bool operator==(const Carrier&, const Carrier&) = default;
};

class Packer {
 public:
  explicit Packer(Carrier carrier) : carrier_(carrier) {}

  // Of a unidirectional connection only pushes and the empty reply, which is the ping.
  void add(const Reply& reply);
  bool empty() const { return packed_.empty() && frame_.empty(); }
  // What was added, ready for the transport; empty if nothing was.
  std::string take();

 private:
  void add_bare(const Reply& reply);
  void add_alone(std::string_view message);
  ws::Opcode opcode() const;

  Carrier carrier_;
  std::string packed_;
  std::string frame_;  // the content of the WebSocket frame that is being filled
};

}  // namespace door::centrifuge
