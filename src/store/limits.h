// Limits of the ledger that nobody needs two values of.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace store {

// One payload: what SQLite can take is 1 GB; every door's own limit lies far below this.
inline constexpr std::size_t kPayloadBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kCauseBytesMax = 64;

// One commit touches a bounded number of rows: at 10 us a row a full one takes 2.5 ms.
inline constexpr std::size_t kOperationsMax = 256;
inline constexpr std::size_t kConditionsMax = 256;

// One batch, one fsync: at 10 us a command 1,024 of them take as long as a slow fsync; 8 MiB are an eighth of the cap
// of the write-ahead log.
inline constexpr std::size_t kBatchCommandsMax = 1024;
inline constexpr std::size_t kBatchBytesMax = 8 * 1024 * 1024;

// The streams whose heads are in memory: some 200 bytes each, and as fast as none on disk has to be looked up.
inline constexpr std::size_t kStreamsCachedMax = 65'536;

// Answers of keyed commands are kept this long, counted in periods, of which the oldest goes as a whole: so a key lives
// between 24 and 36 hours.
inline constexpr std::chrono::hours kAnswerPeriod{12};
inline constexpr std::int64_t kAnswerPeriodsKept = 3;  // the running one and two whole ones

// What one slice of background work may touch: at some 5 us a row 2 ms.
inline constexpr std::size_t kSliceRows = 256;
inline constexpr std::size_t kSliceStreams = 128;
// While the disk is full what makes room needs some for itself, in the write-ahead log.
inline constexpr std::size_t kSliceRowsFull = 32;
// A stream may be over its limits by an eighth, or as many rows, before it is cut: a row that goes costs as much as one
// that comes, unless many go from the same page.
inline constexpr std::uint64_t kSlackRows = 64;

// Pages of the database that one step copies into a backup: 1 MiB, less than a millisecond.
inline constexpr std::size_t kBackupSlicePages = 256;

// Of one page of history.
inline constexpr std::uint32_t kPageMessagesMax = 4096;
inline constexpr std::uint32_t kPageBytesMax = 4 * 1024 * 1024;

}  // namespace store
