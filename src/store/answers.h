// What keyed commands were answered, so that a repeat has the same answer, after a restart too (architecture section 1
// rule 5). Written in the transaction of what it tells of; kept at least a day, by the wall clock.
//
// Answers lie in periods of kAnswerPeriod: a lookup asks each period that is kept, and the oldest one goes from the
// front of the table, row by row in slices. Threads: the ledger's.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "store/command.h"
#include "store/database.h"

namespace store {

struct Answer {
  struct Place {  // of one operation
    hub::Position position;
    std::int64_t time_ms = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  std::uint64_t commit = 0;
  std::vector<Place> places;
  friend bool operator==(const Answer&, const Answer&) = default;
};

std::string encode_answer(const Answer& answer);
std::optional<Answer> decode_answer(std::string_view bytes);  // nothing: damaged

class Answers {
 public:
  static std::expected<std::unique_ptr<Answers>, Status> prepare(Connection& connection);

  struct Known {
    base::Hash128 content;
    Answer answer;
  };
  std::expected<std::optional<Known>, Status> find(const base::Hash128& key, base::WallTime now);
  Status keep(const Once& once, const Answer& answer, base::WallTime now);

  // Deletes at most `rows` that are too old. True if some are left.
  std::expected<bool, Status> sweep(base::WallTime now, std::size_t rows);

 private:
  Statement find_, keep_, next_, delete_;
};

}  // namespace store
