#include "auth/name_pattern.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace auth {
namespace {

constexpr std::size_t kTimesMax = 255;  // the bytes of the longest channel name

std::size_t byte_of(char c) { return static_cast<unsigned char>(c); }

}  // namespace

// Takes the text apart from the front; one use.
class NamePatternReader {
 public:
  explicit NamePatternReader(std::string_view text) : rest_(text) {}

  std::expected<NamePattern, std::string> read() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '*' || c == '?') {
        rest_.remove_prefix(1);
        NamePattern::Step any{.again = c == '*', .skip = c == '*'};
        any.bytes.set();
        add(any, 1);
      } else if (c == '[') {
        if (auto error = read_class()) return std::unexpected(*std::move(error));
      } else if (c == ']' || c == '+' || c == '{' || c == '}') {
        return std::unexpected(std::string("has a ") + c + " where none can stand; for the character itself write [" +
                               c + "]");
      } else {
        rest_.remove_prefix(1);
        NamePattern::Step one;
        one.bytes.set(byte_of(c));
        add(one, 1);
      }
      if (pattern_.steps_.size() > NamePattern::kStepsMax) {
        return std::unexpected("is too long: at most " + std::to_string(NamePattern::kStepsMax) +
                               " characters and classes, those that repeat counted as often as they must");
      }
    }
    return std::move(pattern_);
  }

 private:
  using Error = std::optional<std::string>;

  void add(const NamePattern::Step& step, std::size_t times) {
    // One too many is enough to be refused.
    pattern_.steps_.insert(pattern_.steps_.end(), std::min(times, NamePattern::kStepsMax + 1), step);
  }

  Error read_class() {
    rest_.remove_prefix(1);
    NamePattern::Step step;
    const bool without = take('^');
    bool first = true;
    while (first || !take(']')) {
      if (rest_.empty()) return "has a [ without ]";
      first = false;
      const std::size_t low = byte_of(rest_.front());
      rest_.remove_prefix(1);
      std::size_t high = low;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        high = byte_of(rest_[1]);
        rest_.remove_prefix(2);
      }
      if (low >= 0x80 || high >= 0x80) return "has a character in [] that is not ASCII";
      if (high < low) return "has a range in [] that goes backwards";
      for (std::size_t byte = low; byte <= high; ++byte) step.bytes.set(byte);
    }
    if (without) step.bytes.flip();
    return read_repeat(step);
  }

  Error read_repeat(NamePattern::Step step) {
    std::size_t lowest = 1;
    std::optional<std::size_t> highest = 1;
    if (take('+')) {
      highest = std::nullopt;
    } else if (take('{')) {
      const auto times = number();
      if (!times) return bad_repeat();
      lowest = *times;
      highest = *times;
      if (take(',')) {
        highest = number();
        if (!highest && !rest_.starts_with('}')) return bad_repeat();
      }
      if (!take('}')) return bad_repeat();
      if (highest && (*highest < lowest || *highest == 0)) return bad_repeat();
    }
    if (!highest && lowest > 0) {
      add(step, lowest - 1);
      step.again = true;
      add(step, 1);
      return {};
    }
    add(step, lowest);
    step.skip = true;
    step.again = !highest;
    add(step, highest.value_or(1) - lowest);
    return {};
  }

  static std::string bad_repeat() { return "has a repeat that is not +, {n}, {n,} or {n,m} with numbers of up to 255"; }

  std::optional<std::size_t> number() {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{} || value > kTimesMax) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
  NamePattern pattern_;
};

std::expected<NamePattern, std::string> NamePattern::parse(std::string_view text) {
  return NamePatternReader(text).read();
}

// All places that can be reached without taking a byte. One pass from the front, for skipping only goes forward.
void NamePattern::pass_skips(Places& places) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (places[i] && steps_[i].skip) places.set(i + 1);
  }
}

bool NamePattern::matches(std::string_view name) const {
  Places places;
  places.set(0);
  pass_skips(places);
  for (const char c : name) {
    Places next;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!places[i] || !steps_[i].bytes[byte_of(c)]) continue;
      next.set(i + 1);
      // Having taken one, it stands behind itself too; so a step that repeats is also a place before itself.
      if (steps_[i].again) next.set(i);
    }
    if (next.none()) return false;
    pass_skips(next);
    places = next;
  }
  return places[steps_.size()];
}

}  // namespace auth
