// The streams of the ledger: where each stands, and the rows of their messages. The writing half, inside transactions
// that the ledger opens and closes; the reading half is Reader.
//
// The heads of the streams that were used last are in memory. What a command has changed of them is undone when it is
// rolled back, and all of it is forgotten when a transaction is.
//
// Every function that touches the disk says a Status; after anything but ok the caller rolls back to the savepoint that
// it made before, and calls undo(). Threads: the ledger's.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "base/hash.h"
#include "base/time.h"
#include "hub/position.h"
#include "store/database.h"
#include "store/rules.h"

namespace store {

// A place in a stream, with what is known of everything up to it.
struct Mark {
  hub::Offset offset = 0;
  std::int64_t time_ms = 0;         // of the message there; never decreases along a stream
  std::uint64_t bytes_through = 0;  // of all records from the first ever to this one
};

struct Stream {
  std::uint64_t id = 0;
  std::uint64_t seed = 0;  // its epoch is made of this and the ledger's salt (epoch_of)
  Mark base;               // the messages up to here are gone
  Mark head;               // the newest message; the base if there is none

  std::uint64_t messages() const { return head.offset - base.offset; }
  std::uint64_t bytes() const { return head.bytes_through - base.bytes_through; }
};

// The epoch that a stream has as long as the ledger has that salt. A ledger that was put back from a copy takes a new
// salt, and all of its streams have new epochs.
hub::Epoch epoch_of(std::uint64_t seed, std::uint64_t salt);

class Streams {
 public:
  // Both must outlive it.
  static std::expected<std::unique_ptr<Streams>, Status> prepare(Connection& connection, base::Entropy& entropy);

  // The stream of that name, made if it is missing. Valid until the next call of undo(), forget(), relax() or sweep().
  std::expected<Stream*, Status> open(std::string_view name, base::WallTime now);
  // Adds content (record.h) as the next message, which is numbered so; `content` becomes the record.
  std::expected<Mark, Status> append(Stream& stream, std::string& content, base::WallTime now);
  // Everything up to the head is gone for readers. The rows follow in sweep().
  Status clear(Stream& stream);

  // Since the last keep(): what was changed is kept, or was rolled back.
  void keep() { undo_.clear(); }
  void undo();
  // The transaction was rolled back: nothing in memory counts.
  void forget();
  // Drops heads from memory when there are many; between transactions.
  void relax();

  // Deletes what lies beyond the retention of the streams that grew most, rows that are gone for readers, streams that
  // nobody used for long: at most about `rows` of them. True if there is more of it to do now.
  std::expected<bool, Status> sweep(const RetentionRules& rules, base::WallTime now, std::size_t rows);
  // The next sweep() looks at the next streams of all, of which it does not know whether there is anything to do.
  void look_around() { look_ = true; }
  bool has_overdue() const { return !overdue_.empty(); }
  // After an append: it may be beyond its retention by now.
  void note_growth(std::string_view name, const Stream& stream, const RetentionRules& rules);

 private:
  struct Undo {
    Stream* stream = nullptr;
    Stream before;
  };
  Streams(Connection& connection, base::Entropy& entropy) : connection_(connection), entropy_(entropy) {}

  // Null if there is none.
  std::expected<Stream*, Status> find(std::string_view name);
  std::expected<Mark, Status> newest(const Stream& stream);
  std::expected<Mark, Status> mark_at(const Stream& stream, hub::Offset offset);
  // The last mark behind `from` for which `gone` holds, which holds for all before it; `from` if there is none.
  template <class Gone>
  std::expected<Mark, Status> last_gone(const Stream& stream, Mark from, Gone gone);
  std::expected<Mark, Status> new_base(const Stream& stream, const Retention& retention, base::WallTime now);
  Status move_base(Stream& stream, const Mark& base);
  struct Trimmed {
    std::size_t rows = 0;
    bool more = false;
  };
  std::expected<Trimmed, Status> trim(std::string_view name, const Retention& retention, base::WallTime now,
                                      std::size_t rows);
  Status look(const RetentionRules& rules, base::WallTime now);
  void change(Stream& stream) { undo_.push_back({&stream, stream}); }

  Connection& connection_;
  base::Entropy& entropy_;
  Statement find_, create_, newest_, insert_, at_, set_base_, delete_rows_, oldest_, list_, drop_;
  std::unordered_map<std::string, Stream, base::StringHash, std::equal_to<>> open_;
  std::vector<Undo> undo_;
  std::vector<std::string> created_;            // since the last keep()
  std::set<std::string, std::less<>> overdue_;  // have something to delete, maybe
  bool look_ = false;
  std::uint64_t looked_at_ = 0;  // the id of the stream that was looked at last
};

}  // namespace store
