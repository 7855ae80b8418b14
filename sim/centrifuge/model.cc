#include "sim/centrifuge/model.h"

#include <algorithm>

#include "sim/clock.h"

namespace sim::centrifuge {
namespace {

// One that is held for certain and one that is not leave it open.
Answer both(Answer a, Answer b) {
  if (a == Answer::no || b == Answer::no) return Answer::no;
  return a == Answer::yes && b == Answer::yes ? Answer::yes : Answer::either;
}

}  // namespace

bool Life::number(std::uint64_t offset, const Publication& publication) {
  if (stamps_.size() < offset) stamps_.resize(offset);
  Stamp& stamp = stamps_[offset - 1];
  if (stamp.publication != nullptr) return false;
  stamp.publication = &publication;
  const base::Instant begins =
      Clock::kStart + std::chrono::milliseconds(publication.time_ms - Clock::wall_at(Clock::kStart).ms);
  stamp.earliest = std::max(publication.sent, begins);
  stamp.latest = std::min({stamp.latest, publication.answered, begins + std::chrono::milliseconds(1)});
  return true;
}

void Life::hear(std::uint64_t offset, base::Instant at) {
  if (offset == 0 || offset > stamps_.size()) return;
  Stamp& stamp = stamps_[offset - 1];
  stamp.latest = std::min(stamp.latest, at);
}

void Life::finish() {
  for (std::size_t i = 1; i < stamps_.size(); ++i) {
    stamps_[i].earliest = std::max(stamps_[i].earliest, stamps_[i - 1].earliest);
  }
  for (std::size_t i = stamps_.size(); i-- > 1;) {
    stamps_[i - 1].latest = std::min(stamps_[i - 1].latest, stamps_[i].latest);
  }
}

const Publication* Life::at(std::uint64_t offset) const {
  return offset == 0 || offset > stamps_.size() ? nullptr : stamps_[offset - 1].publication;
}

std::uint64_t Life::count_surely(base::Instant at) const {
  const auto end = std::ranges::lower_bound(stamps_, at, {}, &Stamp::latest);
  return static_cast<std::uint64_t>(end - stamps_.begin());
}

std::uint64_t Life::count_perhaps(base::Instant at) const {
  const auto end = std::ranges::upper_bound(stamps_, at, {}, &Stamp::earliest);
  return static_cast<std::uint64_t>(end - stamps_.begin());
}

// Whether the message had been removed at one moment of the window.
Answer Life::removed(std::uint64_t offset, Window when) const {
  Answer answer = Answer::no;
  for (const Window& each : removals_) {
    if (each.from > when.until || offset > count_perhaps(each.until)) continue;
    if (each.until < when.from && offset <= count_surely(each.from)) return Answer::yes;
    answer = Answer::either;
  }
  return answer;
}

Answer Life::held(const Kept& kept, std::uint64_t position, std::optional<std::uint64_t> head, Window when) const {
  const std::uint64_t fewest = head.value_or(count_surely(when.from));
  const std::uint64_t most = head.value_or(count_perhaps(when.until));
  if (position > most) return Answer::no;    // it was never given out
  if (position == most) return Answer::yes;  // it is a place that was given out: there is nothing behind it
  Answer answer = Answer::yes;
  if (most - position > kept.messages) {
    answer = fewest > position && fewest - position > kept.messages ? Answer::no : Answer::either;
  }
  if (head) {  // the moment lies between that message and the one behind it
    when.from = std::max(when.from, stamps_[*head - 1].earliest);
    if (*head < stamps_.size()) when.until = std::min(when.until, stamps_[*head].latest);
  }
  const Stamp& first = stamps_[position];
  if (kept.age) {
    // A message of exactly that age is still held.
    const Answer young = when.until - first.earliest <= *kept.age ? Answer::yes
                         : when.from - first.latest > *kept.age   ? Answer::no
                                                                  : Answer::either;
    answer = both(answer, young);
  }
  const Answer gone = removed(position + 1, when);
  answer = both(answer, gone == Answer::yes ? Answer::no : gone == Answer::no ? Answer::yes : Answer::either);
  // Perhaps there was nothing after the position yet.
  return answer == Answer::no && fewest <= position ? Answer::either : answer;
}

}  // namespace sim::centrifuge
