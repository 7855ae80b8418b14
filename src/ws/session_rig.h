// For tests of sessions: frames of any shape, right or wrong, and what a session makes of bytes, as lines of text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "ws/session.h"

namespace ws {

// A frame spelled bit by bit. What is not set is what a correct client sends.
struct FrameSpelling {
  unsigned opcode = 1;
  std::string_view payload = {};
  bool fin = true;
  unsigned rsv = 0;  // 4: RSV1
  bool masked = true;
  codec::MaskKey key = {'\x11', '\x72', '\x33', '\xf4'};
  int length_bytes = -1;                                    // 0, 2 or 8; -1: the minimal form
  std::uint64_t declared = static_cast<std::uint64_t>(-1);  // -1: payload.size()
};

inline std::string spell(const FrameSpelling& frame) {
  const std::uint64_t length = frame.declared == static_cast<std::uint64_t>(-1) ? frame.payload.size() : frame.declared;
  const int minimal = length < 126 ? 0 : length <= 0xffff ? 2 : 8;
  const int length_bytes = frame.length_bytes < 0 ? minimal : frame.length_bytes;
  std::string bytes;
  const auto put = [&](std::uint64_t byte) { bytes.push_back(static_cast<char>(byte)); };
  put((frame.fin ? 0x80U : 0U) | frame.rsv << 4 | frame.opcode);
  const unsigned mask_bit = frame.masked ? 0x80 : 0;
  put(mask_bit | (length_bytes == 0 ? length & 0x7f : length_bytes == 2 ? 126 : 127));
  for (int i = length_bytes; i-- > 0;) put(length >> (8 * i));
  if (frame.masked) bytes.append(frame.key.data(), frame.key.size());
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    put(static_cast<unsigned char>(frame.payload[i] ^ (frame.masked ? frame.key[i % 4] : 0)));
  }
  return bytes;
}

inline std::string close_payload(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + std::string(reason);
}

inline std::string_view name_of(Event::Type type) {
  switch (type) {
    case Event::Type::text:
      return "text";
    case Event::Type::binary:
      return "binary";
    case Event::Type::ping:
      return "ping";
    case Event::Type::pong:
      return "pong";
    case Event::Type::close:
      return "close";
  }
  return "?";
}

inline std::string line_of(const Event& event) {
  std::string line(name_of(event.type));
  if (event.type == Event::Type::close) line += ' ' + std::to_string(event.close_code);
  if (event.error != base::Error::none) return line + ' ' + std::string(base::to_string(event.error));
  return line + ':' + std::string(event.payload);
}

using Lines = std::vector<std::string>;

inline constexpr base::Instant kStart{std::chrono::hours(1)};

// A session with its own scratch, and everything that came out of it so far.
class Tap {
 public:
  explicit Tap(Role role, const Limits& limits = kDefaultLimits, DeflateParams deflate = {})
      : entropy(7), scratch(entropy), session(role, limits, deflate) {}

  void receive(std::string_view bytes, base::Instant now = kStart) {
    // A copy of exactly this size, so that sanitizers see a touch beyond it.
    std::vector<char> copy(bytes.begin(), bytes.end());
    std::span<char> rest(copy);
    while (!rest.empty()) {
      scratch.clear();
      rest = rest.subspan(session.receive(scratch, rest, now));
      collect();
    }
  }
  // A verb of the session: tap.call([](Session& s, Scratch& scratch) { s.send_text(scratch, "x"); });
  template <typename Verb>
  void call(Verb verb) {
    scratch.clear();
    verb(session, scratch);
    collect();
  }
  std::string take_output() { return std::exchange(output, {}); }
  Lines take_lines() { return std::exchange(lines, {}); }

  static constexpr Limits kDefaultLimits{};

  base::SeededEntropy entropy;
  Scratch scratch;
  Session session;
  Lines lines;
  std::string output;

 private:
  void collect() {
    for (const Event& event : scratch.events()) lines.push_back(line_of(event));
    output += scratch.output();
  }
};

}  // namespace ws
