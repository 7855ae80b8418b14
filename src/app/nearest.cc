#include "app/nearest.h"

#include <algorithm>
#include <vector>

namespace app {

// Optimal string alignment, three rows of the table at a time.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  // What both begin with costs nothing: names of variables are alike for half their length.
  const auto common = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  a.remove_prefix(common);
  b.remove_prefix(common);
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  std::size_t last_least = 0;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
      least = std::min(least, row[j]);
    }
    // Later rows grow out of these two.
    if (least > limit && last_least > limit) return limit + 1;
    last_least = least;
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return std::min(last[b.size()], limit + 1);
}

std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> words) {
  const std::string* best = nullptr;
  std::size_t best_distance = 0;
  for (const std::string& word : words) {
    const std::size_t limit = std::max<std::size_t>(2, word.size() / 3);
    // The distance is at least the difference in length: most words, and all long input, end here.
    if (std::max(typed.size(), word.size()) - std::min(typed.size(), word.size()) > limit) continue;
    const std::size_t distance = edit_distance(typed, word, limit);
    if (distance > limit || (best != nullptr && distance >= best_distance)) continue;
    best = &word;
    best_distance = distance;
  }
  return best == nullptr ? std::nullopt : std::optional{*best};
}

}  // namespace app
