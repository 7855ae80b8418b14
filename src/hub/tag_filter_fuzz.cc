// Any list of nodes either is refused or matches as the reference says. The input is read as lines of words: "t key
// value" is a tag; "and 2", "or 2", "not 1" are inner nodes with their number of children; "cmp key vals..." a leaf.
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "hub/tag_filter.h"
#include "hub/tag_filter_reference.h"

namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::vector<hub::FilterNode> nodes;
  std::deque<std::vector<std::string_view>> lines;
  std::map<std::string, std::string> map;
  for (const std::string_view line : split(input, '\n')) {
    const std::vector<std::string_view>& words = lines.emplace_back(split(line, ' '));
    const std::string_view first = words[0];
    const auto word = [&](std::size_t at) { return at < words.size() ? words[at] : std::string_view(); };
    hub::FilterNode node;
    if (first == "t") {
      map[std::string(word(1))] = word(2);
      continue;
    }
    if (first == "and" || first == "or" || first == "not") {
      node.op = first;
      node.nodes = word(1).empty() ? 0 : static_cast<std::uint32_t>(word(1)[0] - '0');
    } else {
      node.cmp = first;
      node.key = word(1);
      if (first == "in" || first == "nin") {
        if (words.size() > 2) node.vals = std::span(words).subspan(2);
      } else {
        node.val = word(2);
      }
    }
    nodes.push_back(node);
  }
  const auto filter = hub::TagFilter::compile(nodes);
  if (!filter) {
    ASSERT(!hub::to_string(filter.error()).empty());
    return 0;
  }
  const auto again = hub::TagFilter::compile(nodes);
  ASSERT(again && *again == *filter && again->hash(1) == filter->hash(1));
  std::vector<hub::Tag> list;
  for (const auto& [key, value] : map) list.push_back({key, value});
  const auto tags = hub::Tags::make(std::move(list));
  if (tags) ASSERT(filter->matches(*tags) == hub::FilterReference(nodes, map).matches());
  return 0;
}
