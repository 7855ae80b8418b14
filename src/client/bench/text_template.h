// A text with places to fill: {channel} and {payload}. Every other brace is itself, so that JSON can be written as it
// is. A value; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace client::bench {

class TextTemplate {
 public:
  explicit TextTemplate(std::string_view text);

  // Appends to `out`.
  void fill(std::string& out, std::string_view channel, std::string_view payload) const;
  bool empty() const { return parts_.empty(); }
  bool has_payload() const;

 private:
  enum class Place : std::uint8_t { none, channel, payload };
  struct Part {
    std::string before;
    Place place = Place::none;
  };
  std::vector<Part> parts_;
};

// Bytes that cannot be typed: \r \n \t \0 \\ and \xHH. The error is a sentence for a person.
std::expected<std::string, std::string> unescape(std::string_view text);

}  // namespace client::bench
