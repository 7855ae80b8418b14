// What the drain client is told, by flags; bench/drain/drain.cc explains them.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/drain/frames.h"

namespace bench {

// A frame to send as soon as the connection is open.
struct Hello {
  Opcode opcode = Opcode::text;
  std::string payload;
};

// How one connection is opened.
struct Route {
  std::string path = "/";
  std::vector<std::string> headers;
  std::vector<Hello> hellos;
  std::string ready;  // what the server says when it is ready; empty: it is when it has upgraded
};

enum class Mode { fan_out, latency, echo, idle };
enum class Publishing { text, binary, raw };  // a frame of that kind for each message, or no frame around it

struct DrainOptions {
  Mode mode = Mode::fan_out;
  int port = 0;
  bool bare = false;           // TCP without a protocol
  bool deflate = false;        // asks for permessage-deflate, and insists on it
  bool counts_frames = false;  // each is the next message, whatever it says
  Route receiver;
  bool has_publisher = false;  // of its own; otherwise the first receiver publishes
  Route publisher;
  Publishing publishing = Publishing::text;
  std::string before, after;  // around each message that is published
  std::size_t connections = 1000;
  std::size_t bytes = 128;
  std::size_t k = 1;
  std::size_t rounds = 200;
  std::size_t warm = 20;
  std::size_t in_flight = 4;
  std::size_t rate = 100;  // latency: messages per second
  bool gate = false;
  std::size_t stalled = 0;  // of the connections
  std::size_t fill = 0;     // rounds of 16 messages
  std::size_t stall_ms = 10'000;
  int cpu = -1;
  std::vector<pid_t> measured;  // processes whose CPU time is read
};

// Ends the process with a text if the flags make no sense.
DrainOptions parse_options(int argc, char** argv);

}  // namespace bench
