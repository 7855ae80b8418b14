#include "app/import/regex.h"

#include <bitset>
#include <optional>

#include "auth/name_pattern.h"

namespace app::import {
namespace {

using Ascii = std::bitset<128>;

constexpr std::string_view kSpecial = "*?[]{}+";  // of a channel pattern

std::size_t byte_of(char c) { return static_cast<unsigned char>(c); }

void set_range(Ascii& set, char from, char to) {
  for (std::size_t c = byte_of(from); c <= byte_of(to); ++c) set.set(c);
}

Ascii digits() {
  Ascii set;
  set_range(set, '0', '9');
  return set;
}

Ascii word() {
  Ascii set = digits();
  set_range(set, 'a', 'z');
  set_range(set, 'A', 'Z');
  set.set('_');
  return set;
}

// "[a-z0-9_-]". nullopt: a class of the pattern language cannot say it.
std::optional<std::string> class_text(Ascii set, bool without) {
  std::string text = without ? "[^" : "[";
  const auto take = [&](char c) {
    const bool there = set[byte_of(c)];
    set.reset(byte_of(c));
    return there;
  };
  if (take(']')) text += ']';
  const bool caret = take('^');
  const bool dash = take('-');
  for (std::size_t c = 0; c < set.size(); ++c) {
    if (!set[c]) continue;
    std::size_t last = c;
    while (last + 1 < set.size() && set[last + 1]) ++last;
    text += static_cast<char>(c);
    if (last > c + 1) text += '-';
    if (last > c) text += static_cast<char>(last);
    c = last;
  }
  if (caret && text == "[") return std::nullopt;  // it would mean something else there
  if (caret) text += '^';
  if (dash) text += '-';
  return text + "]";
}

class Translator {
 public:
  explicit Translator(std::string_view regex) : rest_(regex) {}

  std::expected<std::string, std::string> run() {
    if (!take('^')) pattern_ = "*";
    bool open_end = true;
    while (!rest_.empty()) {
      if (rest_ == "$") {
        open_end = false;
        break;
      }
      if (const auto error = read_atom()) return std::unexpected(*error);
    }
    if (open_end && !pattern_.ends_with('*')) pattern_ += '*';
    if (const auto parsed = auth::NamePattern::parse(pattern_); !parsed) return std::unexpected(parsed.error());
    return pattern_;
  }

 private:
  using Error = std::optional<std::string>;

  struct Repeat {
    std::size_t lowest = 1;
    std::optional<std::size_t> highest = 1;
    bool is_one() const { return lowest == 1 && highest == 1; }
  };

  Error read_atom() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case '(':
      case ')':
      case '|':
        return "has groups or alternatives";
      case '^':
      case '$':
        return "has an anchor inside";
      case '*':
      case '+':
      case '?':
      case '{':
        return "repeats nothing";
      case '.':
        return repeat_any();
      case '[':
        return read_class();
      case '\\':
        return read_escape();
      default:
        return repeat_character(c);
    }
  }

  Error repeat_any() {
    const auto repeat = read_repeat();
    if (!repeat) return "has a repeat that is not understood";
    if (repeat->highest && *repeat->highest != repeat->lowest) return "has a bounded repeat of .";
    pattern_.append(repeat->lowest, '?');
    if (!repeat->highest) pattern_ += '*';
    return {};
  }

  Error repeat_character(char c) {
    const auto repeat = read_repeat();
    if (!repeat) return "has a repeat that is not understood";
    const bool special = kSpecial.contains(c);
    if (repeat->is_one() && !special) {
      pattern_ += c;
      return {};
    }
    if (static_cast<unsigned char>(c) >= 0x80) return "repeats a character that is not ASCII";
    Ascii set;
    set.set(byte_of(c));
    return append_class(set, false, *repeat);
  }

  Error append_class(const Ascii& set, bool without, const Repeat& repeat) {
    const auto text = class_text(set, without);
    if (!text) return "repeats ^";
    pattern_ += *text;
    if (repeat.is_one()) return {};
    const std::string lowest = std::to_string(repeat.lowest);
    if (repeat.lowest == 1 && !repeat.highest) {
      pattern_ += '+';
    } else if (!repeat.highest) {
      pattern_ += "{" + lowest + ",}";
    } else if (*repeat.highest == repeat.lowest) {
      pattern_ += "{" + lowest + "}";
    } else {
      pattern_ += "{" + lowest + "," + std::to_string(*repeat.highest) + "}";
    }
    return {};
  }

  // What stands behind a backslash, as the characters it can be.
  static std::optional<Ascii> escaped(char c) {
    if (c == 'd') return digits();
    if (c == 'w') return word();
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    Ascii set;
    set.set(byte_of(c));
    return set;
  }

  Error read_escape() {
    if (rest_.empty()) return "ends in a backslash";
    const char c = rest_.front();
    const auto set = escaped(c);
    if (!set) return std::string("has \\") + c;
    rest_.remove_prefix(1);
    if (set->count() == 1) return repeat_character(c);
    const auto repeat = read_repeat();
    return repeat ? append_class(*set, false, *repeat) : Error("has a repeat that is not understood");
  }

  Error read_class() {
    Ascii set;
    const bool without = take('^');
    bool first = true;
    while (first || !take(']')) {
      if (rest_.empty()) return "has a [ without ]";
      if (rest_.starts_with("[:")) return "has a class with a name";
      first = false;
      char low = rest_.front();
      rest_.remove_prefix(1);
      if (low == '\\') {
        if (rest_.empty()) return "has a [ without ]";
        const auto several = escaped(rest_.front());
        if (!several) return std::string("has \\") + rest_.front();
        low = rest_.front();
        rest_.remove_prefix(1);
        if (several->count() > 1) {
          set |= *several;
          continue;
        }
      }
      char high = low;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        high = rest_[1];
        rest_.remove_prefix(2);
        if (high == '\\') return "has a range with a backslash";
      }
      if (static_cast<unsigned char>(low) >= 0x80 || static_cast<unsigned char>(high) >= 0x80) {
        return "has a class with characters that are not ASCII";
      }
      if (high < low) return "has a range that goes backwards";
      set_range(set, low, high);
    }
    const auto repeat = read_repeat();
    return repeat ? append_class(set, without, *repeat) : Error("has a repeat that is not understood");
  }

  std::optional<Repeat> read_repeat() {
    Repeat repeat;
    if (take('*')) {
      repeat = {.lowest = 0, .highest = std::nullopt};
    } else if (take('+')) {
      repeat = {.lowest = 1, .highest = std::nullopt};
    } else if (take('?')) {
      repeat = {.lowest = 0, .highest = 1};
    } else if (take('{')) {
      const auto lowest = number();
      if (!lowest) return std::nullopt;
      repeat = {.lowest = *lowest, .highest = *lowest};
      if (take(',')) repeat.highest = number();
      if (!take('}')) return std::nullopt;
      if (repeat.highest && *repeat.highest < repeat.lowest) return std::nullopt;
    } else {
      return repeat;
    }
    take('?');  // lazy: the same names match
    return repeat;
  }

  std::optional<std::size_t> number() {
    std::size_t value = 0;
    bool any = false;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9' && value < 1000) {
      value = value * 10 + byte_of(rest_.front()) - '0';
      rest_.remove_prefix(1);
      any = true;
    }
    return any ? std::optional(value) : std::nullopt;
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
  std::string pattern_;
};

}  // namespace

std::expected<std::string, std::string> channel_pattern_of(std::string_view regex) { return Translator(regex).run(); }

}  // namespace app::import
