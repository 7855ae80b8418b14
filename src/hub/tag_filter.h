// What a subscriber wants to get of a channel, said of the tags of its messages: the filter tree of the Centrifuge
// protocol. Compiled once, when the subscription begins; asked at every message.
//
// The tree as it comes has inner nodes `and`, `or` (one child at least), `not` (exactly one), and leaves that compare
// the value of a key:
//
//   eq neq        equals `val`; not: true also where the key is missing
//   in nin        is one of `vals`; a missing key reads as an empty value
//   ex nex        the key is there; it is not
//   sw ew ct      begins with `val`; ends with it; contains it. False where the key is missing
//   lt lte gt gte the number is less than that of `val` ... False where the key is missing, and where the value or
//                 `val` is not a number
//
// Numbers are decimals and compared exactly: a sign or none, digits, and perhaps a point with 1 to 19 digits; 200
// characters at most, no exponent. `val` and the members of `vals` decide byte by byte; letters are not folded.
//
// The compiled form has no tree: each leaf knows which leaf is asked next when it holds and when it does not, always
// one further on. So asking takes as many steps as there are leaves at most, without recursion and without allocation.
//
// Threads: immutable once made; a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/tags.h"

namespace hub {

// A node as it came, in the words of the wire. Views into the request.
struct FilterNode {
  std::string_view op;  // "and", "or", "not"; empty: a leaf
  std::string_view key;
  std::string_view cmp;
  std::string_view val;
  std::span<const std::string_view> vals;
  std::uint32_t nodes = 0;  // how many children follow it
};

enum class FilterError : std::uint8_t {
  op = 1,                // no such op
  cmp = 2,               // no such comparison
  key_missing = 3,       // only ex and nex may do without
  value_missing = 4,     // the comparison needs val, or vals
  value_unexpected = 5,  // the comparison does not take val, or vals
  children = 6,          // an and or or without a child, a not without exactly one, a leaf with some
  shape = 7,             // the nodes are not one tree
  too_many_nodes = 8,    // kFilterNodesMax
  too_deep = 9,          // kFilterDepthMax inner nodes inside each other
  too_many_values = 10,  // kFilterValuesMax in all
  too_many_bytes = 11,   // kFilterBytesMax of keys and values
  too_many_ct = 12,      // kFilterContainsMax
};
std::string_view to_string(FilterError error) noexcept;

class TagFilter {
 public:
  // Each node before its children, the children in order: a flat list, so that no tree is built of what a peer sent.
  static std::expected<TagFilter, FilterError> compile(std::span<const FilterNode> nodes);

  bool matches(const Tags& tags) const noexcept;

  // Equal filters match equal messages and have equal hashes; the order of `vals` does not count. Filters that differ
  // in more than that may still match the same.
  friend bool operator==(const TagFilter&, const TagFilter&) = default;
  std::uint64_t hash(std::uint64_t seed) const noexcept;

  std::size_t charged_bytes() const noexcept;

 private:
  enum class Compare : std::uint16_t { eq, neq, in, nin, ex, nex, sw, ew, ct, lt, lte, gt, gte };
  // A part of text_.
  struct Text {
    std::uint16_t at = 0;
    std::uint16_t size = 0;
    friend bool operator==(const Text&, const Text&) = default;
  };
  using Step = std::uint16_t;  // an index of leaves_, kMatch or kNoMatch
  struct Leaf {
    Compare compare;
    Text key;
    std::uint16_t values_at;  // of values_
    std::uint16_t values;
    Step when_true;
    Step when_false;
    friend bool operator==(const Leaf&, const Leaf&) = default;
  };
  static constexpr Step kNoMatch = 0xfffe;
  static constexpr Step kMatch = 0xffff;

  class Compiler;

  TagFilter() = default;
  std::string_view view(Text text) const noexcept { return std::string_view(text_).substr(text.at, text.size); }
  bool holds(const Leaf& leaf, const Tags& tags) const noexcept;
  bool is_one_of(const Leaf& leaf, std::string_view value) const noexcept;

  std::vector<Leaf> leaves_;
  std::vector<Text> values_;  // those of `in` and `nin` sorted, each once
  std::string text_;
};

}  // namespace hub
