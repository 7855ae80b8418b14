#include "codec/utf8.h"

// The client library comes without simdjson: its package has no need of anything but OpenSSL and zlib.
#ifndef WIREBIRD_WITHOUT_SIMDJSON
#include <simdjson.h>
#endif

#include <array>
#include <cstring>

#include "codec/clones.h"

namespace codec {
namespace {

// The states say what may come next. Every byte that keeps a text repairable has a move; all others lead to kBroken.
enum State : std::uint8_t {
  kStart,      // between code points
  kOneMore,    // 80..BF, then start
  kTwoMore,    // 80..BF, then one more
  kThreeMore,  // 80..BF, then two more
  kAfterE0,    // A0..BF: below would be overlong
  kAfterED,    // 80..9F: above would be a surrogate
  kAfterF0,    // 90..BF: below would be overlong
  kAfterF4,    // 80..8F: above would be beyond U+10FFFF
  kBroken,
  kStates,
};

using Row = std::array<std::uint8_t, 256>;

constexpr void fill(Row& row, unsigned first, unsigned last, State next) {
  for (unsigned byte = first; byte <= last; ++byte) row[byte] = next;
}

// RFC 3629 section 4, one row per state.
constexpr std::array<Row, kStates> make_moves() {
  std::array<Row, kStates> moves{};
  for (Row& row : moves) row.fill(kBroken);
  Row& start = moves[kStart];
  fill(start, 0x00, 0x7f, kStart);
  fill(start, 0xc2, 0xdf, kOneMore);
  fill(start, 0xe0, 0xe0, kAfterE0);
  fill(start, 0xe1, 0xec, kTwoMore);
  fill(start, 0xed, 0xed, kAfterED);
  fill(start, 0xee, 0xef, kTwoMore);
  fill(start, 0xf0, 0xf0, kAfterF0);
  fill(start, 0xf1, 0xf3, kThreeMore);
  fill(start, 0xf4, 0xf4, kAfterF4);
  fill(moves[kOneMore], 0x80, 0xbf, kStart);
  fill(moves[kTwoMore], 0x80, 0xbf, kOneMore);
  fill(moves[kThreeMore], 0x80, 0xbf, kTwoMore);
  fill(moves[kAfterE0], 0xa0, 0xbf, kOneMore);
  fill(moves[kAfterED], 0x80, 0x9f, kOneMore);
  fill(moves[kAfterF0], 0x90, 0xbf, kTwoMore);
  fill(moves[kAfterF4], 0x80, 0x8f, kTwoMore);
  return moves;
}

constexpr std::array<Row, kStates> kMoves = make_moves();

std::uint8_t step(std::uint8_t state, char byte) noexcept { return kMoves[state][static_cast<unsigned char>(byte)]; }

// Below this, the automaton is faster than the dispatch and the padded block of the SIMD routine.
constexpr std::size_t kSimdBytesMin = 64;

constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
constexpr std::size_t kAsciiBlock = 128;

// How many bytes at the start are whole blocks of ASCII.
CODEC_CLONES
std::size_t ascii_blocks(const char* text, std::size_t size) noexcept {
  using Lanes [[gnu::vector_size(32)]] = std::uint64_t;
  std::size_t at = 0;
  for (; size - at >= kAsciiBlock; at += kAsciiBlock) {
    Lanes a, b, c, d;
    std::memcpy(&a, text + at, sizeof a);
    std::memcpy(&b, text + at + 32, sizeof b);
    std::memcpy(&c, text + at + 64, sizeof c);
    std::memcpy(&d, text + at + 96, sizeof d);
    const Lanes all = (a | b) | (c | d);
    if (((all[0] | all[1] | all[2] | all[3]) & kHighBits) != 0) break;
  }
  return at;
}

std::size_t ascii_prefix(std::string_view text) noexcept {
  std::size_t at = text.size() >= kAsciiBlock ? ascii_blocks(text.data(), text.size()) : 0;
  for (; text.size() - at >= 8; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & kHighBits) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

// Bytes at the end that start a code point without finishing it, judged by the lead byte only: 0 to 3.
std::size_t open_tail(std::string_view text) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const std::size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < whole ? back : 0;
    }
  }
  return 0;
}

}  // namespace

bool utf8_valid_scalar(std::string_view text) noexcept {
  std::uint8_t state = kStart;
  for (const char byte : text) state = step(state, byte);
  return state == kStart;
}

bool utf8_valid(std::string_view text) noexcept {
  text.remove_prefix(ascii_prefix(text));
  if (text.size() < kSimdBytesMin) return utf8_valid_scalar(text);
#ifdef WIREBIRD_WITHOUT_SIMDJSON
  return utf8_valid_scalar(text);
#else
  return simdjson::validate_utf8(text.data(), text.size());
#endif
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  const std::string_view cut = text.substr(0, bytes_max);
  return cut.substr(0, cut.size() - open_tail(cut));
}

bool Utf8Check::feed(std::string_view piece) noexcept {
  // Finish the code point that the last cut went through, so that the bulk starts at a boundary.
  while (state_ != kStart && !piece.empty()) {
    state_ = step(state_, piece.front());
    if (state_ == kBroken) return false;
    piece.remove_prefix(1);
  }
  const std::size_t bulk = piece.size() - open_tail(piece);
  if (!utf8_valid(piece.substr(0, bulk))) {
    state_ = kBroken;
    return false;
  }
  for (const char byte : piece.substr(bulk)) state_ = step(state_, byte);
  return state_ != kBroken;
}

}  // namespace codec
