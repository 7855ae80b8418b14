// "Did you mean": the known word that is nearest to what somebody typed. Stateless.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace app {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; limit + 1 if there are more
// than `limit`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// The word of the list with the smallest distance, if it is near enough to be what was meant (a third of its length,
// but at least 2). The first of equals.
std::optional<std::string> nearest(std::string_view typed, std::span<const std::string> words);

}  // namespace app
