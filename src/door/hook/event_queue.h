// Events that wait to be told, of one worker: collected into batches, sent one after the other and so in order, tried
// again until they have arrived, and counted where they did not. A value; time and entropy are arguments.
//
//   add(event, now)                    any time
//   take(now) -> body of a batch       when due() has come; it must be answered by sent()
//   sent(arrived, now, entropy)
//
// Bounds: kEventsMax events and kBytesMax bytes wait; what comes then is dropped, and a record in its place says how
// many were. A batch that nobody took for kTriesTime is dropped too, and said so in the next.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/time.h"
#include "door/hook/event.h"

namespace door::hook {

class EventQueue {
 public:
  static constexpr std::size_t kBatchMax = 500;                      // events; about 64 KiB
  static constexpr base::Duration kDelay = std::chrono::seconds(1);  // that one may wait for others
  static constexpr std::size_t kEventsMax = 50'000;
  static constexpr std::size_t kBytesMax = 8 << 20;
  static constexpr base::Duration kTriesTime = std::chrono::minutes(15);
  static constexpr base::Duration kBackoffFirst = std::chrono::milliseconds(500);
  static constexpr base::Duration kBackoffMax = std::chrono::minutes(1);

  // Ids of events are `prefix` and a number.
  explicit EventQueue(std::string prefix) : prefix_(std::move(prefix)) {}

  void add(const Event& event, base::Instant now);

  // When take() gives something; kNever while a batch is on its way or nothing waits.
  base::Instant due() const;
  std::optional<std::string> take(base::Instant now, base::WallTime wall);

  enum class Fate : std::uint8_t { arrived, failed };
  void sent(Fate fate, base::Instant now, base::Entropy& entropy);

  // From now on nothing waits for others.
  void hurry() { delay_ = base::Duration::zero(); }
  bool on_its_way() const { return on_its_way_; }
  std::size_t size() const { return waiting_.size(); }  // those of a batch on its way too
  std::uint64_t dropped() const { return dropped_total_; }

 private:
  struct Waiting {
    std::string json;
    base::Instant since;
  };
  std::string next_id() { return prefix_ + std::to_string(next_number_++); }
  void push(std::string json, base::Instant since);
  void drop(std::uint64_t count);

  std::string prefix_;
  base::Duration delay_ = kDelay;
  std::uint64_t next_number_ = 1;
  std::deque<Waiting> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;  // since the last record of it
  std::uint64_t dropped_total_ = 0;
  std::size_t batch_ = 0;  // of the first of those that wait, so many are a batch that was taken and has not arrived
  bool on_its_way_ = false;
  unsigned failures_ = 0;
  base::Instant first_try_{};
  base::Instant retry_at_{};
};

}  // namespace door::hook
