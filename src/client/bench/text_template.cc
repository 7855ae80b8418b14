#include "client/bench/text_template.h"

#include <algorithm>
#include <charconv>

namespace client::bench {

TextTemplate::TextTemplate(std::string_view text) {
  constexpr std::string_view kChannel = "{channel}";
  constexpr std::string_view kPayload = "{payload}";
  while (!text.empty()) {
    const std::size_t channel = text.find(kChannel);
    const std::size_t payload = text.find(kPayload);
    const std::size_t at = std::min({channel, payload, text.size()});
    Part part{std::string(text.substr(0, at)), Place::none};
    text.remove_prefix(at);
    if (!text.empty()) {
      part.place = channel < payload ? Place::channel : Place::payload;
      text.remove_prefix(part.place == Place::channel ? kChannel.size() : kPayload.size());
    }
    parts_.push_back(std::move(part));
  }
}

void TextTemplate::fill(std::string& out, std::string_view channel, std::string_view payload) const {
  for (const Part& part : parts_) {
    out += part.before;
    if (part.place == Place::channel) out += channel;
    if (part.place == Place::payload) out += payload;
  }
}

bool TextTemplate::has_payload() const {
  return std::ranges::any_of(parts_, [](const Part& part) { return part.place == Place::payload; });
}

std::expected<std::string, std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char letter = ++i < text.size() ? text[i] : ' ';
    constexpr std::string_view kLetters = "rnt0\\";
    constexpr std::string_view kBytes{"\r\n\t\0\\", 5};
    if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos) {
      out += kBytes[known];
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = text.substr(std::min(i + 1, text.size())).substr(0, 2);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (letter != 'x' || digits.size() < 2 || failure != std::errc{} || end != digits.data() + digits.size()) {
      return std::unexpected("after a backslash comes one of r n t 0 \\ or x and two hex digits");
    }
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace client::bench
