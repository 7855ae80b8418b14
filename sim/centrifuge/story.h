// What clients of the Centrifuge protocol saw, in the order of the wire, and what was done to the histories: all that
// the judge gets to see beside the publications of sim/log.h. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/log.h"

namespace sim::centrifuge {

enum class Format : std::uint8_t { json, protobuf };

// What a client wants of one channel.
struct Wish {
  std::string channel;
  enum class Made : std::uint8_t { by_client, by_server } made = Made::by_client;
  // positioned: told of every loss; plain: gets what comes.
  enum class Kind : std::uint8_t { recoverable, positioned, plain } kind = Kind::recoverable;
  bool join_leave = false;
  bool delta = false;
};

struct Record {
  enum class Kind : std::uint8_t {
    ask,           // a subscription is asked for; `place` if it recovers
    answer,        // `place`: as the server says
    message,       // `place.epoch` only where the server says it; text: data as it came
    join,          // text: the other's client id
    leave,         // the same
    refused,       // code: the error that answered a subscribe
    unsubscribed,  // code
    ended,         // the connection; code 0: this client cut it or left
    broken,        // what came is not of the protocol; text: a remark
  };
  Kind kind = Kind::message;
  std::uint8_t channel = 0;  // the number of the wish
  base::Instant at;
  Place place;
  std::uint32_t code = 0;
  std::string text;
  // ask
  bool recovers = false;
  enum class Honesty : std::uint8_t { true_place, no_epoch, false_place } honesty = Honesty::true_place;
  bool rejects = false;  // error 112 instead of recovered = false
  // answer
  bool recovered = false, was_recovering = false, recoverable = false, positioned = false;
  std::uint32_t brought = 0;  // publications that were part of the answer: the next records
  bool counted = false;       // `brought` is told; the library does not tell it
};

struct Story {
  std::uint32_t client = 0;
  Format format = Format::json;
  bool by_library = false;  // the C++ client; otherwise the one of this folder
  std::vector<Wish> wishes;
  std::vector<Record> records;
};

// The messages of a channel were removed at some moment between.
struct Removal {
  std::string channel;
  base::Instant sent, answered = base::kNever;
};

struct Chronicle {
  std::vector<Story> stories;
  Log log;  // publications only
  std::vector<Removal> removals;
};

}  // namespace sim::centrifuge
