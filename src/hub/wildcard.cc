#include "hub/wildcard.h"

namespace hub {
namespace {

constexpr std::size_t kFeedPrefixBytes = 5;  // the mark and four digits of 4 bits: the number of a worker
constexpr std::string_view kSeparators = ".:";

std::string_view first_part(std::string_view name) { return name.substr(0, name.find_first_of(kSeparators)); }

}  // namespace

bool is_wildcard(std::string_view name) {
  while (true) {
    const std::string_view part = first_part(name);
    const bool last = part.size() == name.size();
    if (part == "*" || (last && part == "**")) return true;
    if (last) return false;
    name.remove_prefix(part.size() + 1);
  }
}

bool matches_wildcard(std::string_view wildcard, std::string_view name) {
  if (name.contains('*') && is_wildcard(name)) return name == wildcard;
  while (true) {
    const std::string_view wanted = first_part(wildcard), part = first_part(name);
    const bool last = wanted.size() == wildcard.size();
    if (last && wanted == "**") return !part.empty();
    if (wanted == "*" ? part.empty() : wanted != part) return false;
    if (last || part.size() == name.size()) return last && part.size() == name.size();
    if (wildcard[wanted.size()] != name[part.size()]) return false;
    wildcard.remove_prefix(wanted.size() + 1);
    name.remove_prefix(part.size() + 1);
  }
}

std::string wildcard_feed(std::string_view wildcard, base::WorkerId home) {
  std::string name(1, '\1');
  for (int shift = 12; shift >= 0; shift -= 4) name += static_cast<char>('a' + ((home >> shift) & 15));
  return name.append(wildcard);
}

base::WorkerId home_of_feed(std::string_view feed) {
  unsigned home = 0;
  for (const char digit : feed.substr(1, kFeedPrefixBytes - 1)) home = home << 4 | static_cast<unsigned>(digit - 'a');
  return static_cast<base::WorkerId>(home);
}

std::string_view wildcard_of(std::string_view feed) {
  return is_wildcard_feed(feed) ? feed.substr(kFeedPrefixBytes) : feed;
}

}  // namespace hub
