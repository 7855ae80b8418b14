#include "hub/glob.h"

#include <optional>

namespace hub {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// One step of a pattern that stands for one character.
struct Step {
  std::size_t bytes;  // of the pattern
  enum class Kind : unsigned char { literal, any, set } kind;
  std::string_view set;  // between the brackets; of a literal the character
};

// Of what stands at the beginning, which is no `*`; nullopt if it is not valid.
std::optional<Step> read_step(std::string_view pattern) {
  switch (pattern.front()) {
    case '?':
      return Step{1, Step::Kind::any, {}};
    case '\\':
      if (pattern.size() < 2) return std::nullopt;
      return Step{2, Step::Kind::literal, pattern.substr(1, 1)};
    case '[': {
      const std::size_t first = pattern.starts_with("[!") ? 2 : 1;
      const std::size_t end = pattern.find(']', first + 1);  // "[]" holds nothing, "[]]" holds a bracket
      if (end == kNone) return std::nullopt;
      return Step{end + 1, Step::Kind::set, pattern.substr(1, end - 1)};
    }
    default:
      return Step{1, Step::Kind::literal, pattern.substr(0, 1)};
  }
}

bool is_in_set(std::string_view set, char c) {
  const bool inverted = set.front() == '!';
  if (inverted) set.remove_prefix(1);
  bool found = false;
  while (!set.empty()) {
    const bool range = set.size() >= 3 && set[1] == '-';
    found = found || (range ? set[0] <= c && c <= set[2] : set[0] == c);
    set.remove_prefix(range ? 3 : 1);
  }
  return found != inverted;
}

// How many bytes of the name the step takes; 0: it does not match.
std::size_t match(const Step& step, std::string_view name) {
  if (name.empty()) return 0;
  switch (step.kind) {
    case Step::Kind::literal:
      return name.front() == step.set.front() ? 1 : 0;
    case Step::Kind::set:
      return static_cast<unsigned char>(name.front()) < 0x80 && is_in_set(step.set, name.front()) ? 1 : 0;
    case Step::Kind::any: {
      std::size_t bytes = 1;
      while (bytes < name.size() && (static_cast<unsigned char>(name[bytes]) & 0xc0) == 0x80) ++bytes;
      return bytes;
    }
  }
  return 0;
}

}  // namespace

bool is_valid_glob(std::string_view pattern) {
  if (pattern.size() > kGlobBytesMax) return false;
  while (!pattern.empty()) {
    if (pattern.front() == '*') {
      pattern.remove_prefix(1);
      continue;
    }
    const std::optional<Step> step = read_step(pattern);
    if (!step) return false;
    pattern.remove_prefix(step->bytes);
  }
  return true;
}

bool matches_glob(std::string_view pattern, std::string_view name) {
  // Only the last star is ever tried again: what an earlier one would take more of, the last one can take too.
  std::optional<std::string_view> behind_star;
  std::string_view rest_of_star;  // of the name, where the star ends for now
  while (true) {
    if (!pattern.empty() && pattern.front() == '*') {
      pattern.remove_prefix(1);
      behind_star = pattern;
      rest_of_star = name;
      continue;
    }
    if (pattern.empty() && name.empty()) return true;
    if (!pattern.empty()) {
      const std::optional<Step> step = read_step(pattern);
      if (const std::size_t taken = step ? match(*step, name) : 0; taken > 0) {
        pattern.remove_prefix(step->bytes);
        name.remove_prefix(taken);
        continue;
      }
    }
    if (!behind_star || rest_of_star.empty()) return false;
    rest_of_star.remove_prefix(1);
    pattern = *behind_star;
    name = rest_of_star;
  }
}

}  // namespace hub
