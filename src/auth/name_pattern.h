// Which names the channels of a namespace may have: a pattern that the operator writes (`channel_pattern`) and every
// name that a client sends is held against. Not a regular expression: there is nothing in it that could make matching
// slow, whatever the pattern and the name (threat T06).
//
//   pattern = *( "*" / "?" / character / class [ repeat ] )          the whole name must match
//   class   = "[" [ "^" ] 1*( character [ "-" character ] ) "]"      one byte of it; with ^ one that is not
//   repeat  = "+" / "{" n "}" / "{" n ",}" / "{" n "," m "}"         so often; n and m up to 255
//
//   *                any number of any bytes, none included; ? is one
//   room-[0-9]+      room-7, room-42
//   [a-z]{2,8}:*     news:today
//
// `*`, `?`, `[`, `]`, `{`, `}` and `+` stand for themselves inside a class only ("[*]"), where `]` comes first and `-`
// first or last. `+` and `{` have a meaning behind a class only and are refused elsewhere. Classes are of ASCII; bytes
// above it may stand alone, and are in every class with ^.
//
// Immutable value; any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

class NamePattern {
 public:
  // Items after repeats are written out: one name costs at most its length times this.
  static constexpr std::size_t kStepsMax = 256;

  // The error is the end of a sentence that begins with the pattern: "has a [ without ]".
  static std::expected<NamePattern, std::string> parse(std::string_view text);

  bool matches(std::string_view name) const;

 private:
  friend class NamePatternReader;

  // One step takes one byte of its set. `again`: it may take more; `skip`: it need not take any.
  struct Step {
    std::bitset<256> bytes;
    bool again = false;
    bool skip = false;
  };
  using Places = std::bitset<kStepsMax + 1>;  // before which steps the match may stand; the last: behind all

  NamePattern() = default;
  void pass_skips(Places& places) const;

  std::vector<Step> steps_;
};

}  // namespace auth
