// What the ledger is asked and what it answers. Values; they cross threads by being moved.
//
// A command is all or nothing: every operation of it, or none. A single append is the usual one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "hub/message.h"
#include "hub/position.h"

namespace store {

// A closed list; what clients see of them is the registry's (base/error.h).
enum class Error : std::uint8_t {
  none = 0,
  read_only = 1,  // the disk has failed; nothing is written until the server starts again
  disk_full = 2,  // nothing is added until there is room again
  memory = 3,     // none left for this
  damaged = 4,    // what is stored there is not what was written
  conflict = 5,   // the idempotency key was used with other content
  too_large = 6,  // a message or a cause
  too_many = 7,   // operations
  channel = 8,    // no such name can be
};
std::string_view to_string(Error error) noexcept;

// Adds a message to a stream; the ledger numbers it.
struct Append {
  std::string channel;
  std::unique_ptr<hub::Message> message;
};

// Forgets the messages of a stream, which goes on behind them in its epoch.
struct Clear {
  std::string channel;
};

// Makes a stream where there is none, so that it has an epoch.
struct Open {
  std::string channel;
};

using Operation = std::variant<Append, Clear, Open>;

// A command with this key is executed once: a repeat with the same content has the answer of the first time, one with
// other content is refused. Both are hashes with the ledger's seed (Ledger::hash_seed), the key's also of whose it is.
struct Once {
  base::Hash128 key;
  base::Hash128 content;
};

struct Command {
  std::uint64_t ticket = 0;  // chosen by who asks, returned untouched
  std::optional<Once> once;
  std::string cause;  // carried by every change; at most kCauseBytesMax; empty: the number of the commit
  std::vector<Operation> operations;
};

enum class Outcome : std::uint8_t {
  done,      // on stable storage
  repeated,  // it was done before; this is the answer of that time
  refused,   // it will never be seen
  unknown,   // the disk failed while it was written: after a restart it may be there, whole, or not
};

struct Change {  // by one operation
  std::string channel;
  hub::Position position;   // of the message; of Clear and Open, where the stream stands
  base::WallTime time;      // the same
  hub::MessageRef message;  // numbered; null of Clear, Open and a repeat
};

struct Result {
  std::uint64_t ticket = 0;
  Outcome outcome = Outcome::done;
  Error error = Error::none;    // of refused and unknown
  std::uint64_t commit = 0;     // counts up, across restarts too; never used twice
  std::vector<Change> changes;  // of done and repeated: one per operation, in their order
};

}  // namespace store
