// Reads the streams of a ledger: a connection that cannot write, beside the one that does. Each call is a transaction
// of its own and sees what was committed when it began; it holds nothing up, and is bounded, so that the write-ahead
// log is never pinned for long.
//
// Threads: one at a time, any. Lifetime: not longer than its ledger.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "hub/message.h"
#include "hub/position.h"
#include "store/database.h"

namespace store {

// Where a stream stands.
struct StreamView {
  hub::Position head;    // the newest message
  hub::Offset base = 0;  // the newest that is gone: base + 1 is the first that is held, if that is not behind the head
  base::WallTime time;   // of the newest message
  std::uint64_t bytes = 0;  // of the records that are held
};

struct PageRequest {
  enum class Order : std::uint8_t { oldest_first, newest_first };
  Order order = Order::oldest_first;
  // Oldest first: the messages behind this offset. Newest first: those before it, 0 meaning the end.
  hub::Offset from = 0;
  std::uint32_t messages_max = 0;  // at most kPageMessagesMax count
  std::uint32_t bytes_max = 0;     // of records, at most kPageBytesMax count; one message is read if there is one
};

struct StreamPage {
  StreamView stream;
  std::vector<hub::MessageRef> messages;  // in the order that was asked for, with transient ones (which are empty)
  std::vector<hub::Offset> lost;          // of them: what is stored there is not what was written
  bool more = false;                      // in that direction
};

class Reader {
 public:
  static std::expected<std::unique_ptr<Reader>, Status> open(const std::string& database, const char* vfs,
                                                             std::uint64_t salt);

  // Nothing: there is no such stream, or it was forgotten.
  std::expected<std::optional<StreamView>, Status> look(std::string_view channel);
  // `now` and `wall` are the same moment: from them the age of the messages is counted.
  std::expected<std::optional<StreamPage>, Status> read(std::string_view channel, const PageRequest& request,
                                                        base::Instant now, base::WallTime wall);

 private:
  explicit Reader(std::uint64_t salt) : salt_(salt) {}

  struct Found {
    std::uint64_t id = 0;
    StreamView view;
  };
  std::expected<std::optional<Found>, Status> find(std::string_view channel);
  Status read_rows(const Found& found, const PageRequest& request, base::Instant now, base::WallTime wall,
                   StreamPage& page);

  std::uint64_t salt_;
  Connection connection_;
  Statement begin_, end_, find_, newest_, forwards_, backwards_;
};

}  // namespace store
