// WebSocket frames (RFC 6455 section 5) as a client of a bench needs them: server frames taken apart piece by piece,
// client frames made. Not a conforming client: it trusts the server, whose correctness is tested elsewhere.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace bench {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

// Bytes of a server's frame that carries `payload` bytes: what a server without a protocol must send to do equal work.
inline std::size_t head_bytes(std::size_t payload) { return payload < 126 ? 2 : payload < 65536 ? 4 : 10; }

// Eight bytes at a time: a client that is slower than the one of the bare loop lets the server find less in a turn.
inline void mask(char* bytes, std::size_t size, const std::array<unsigned char, 4>& key) {
  std::array<unsigned char, 8> twice;
  for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = key[i & 3];
  std::uint64_t wide, word;
  std::memcpy(&wide, twice.data(), sizeof wide);
  for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
    std::memcpy(&word, bytes, sizeof word);
    word ^= wide;
    std::memcpy(bytes, &word, sizeof word);
  }
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ twice[i]);
}

inline void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  constexpr std::array<unsigned char, 4> kKey{0x5a, 0x3c, 0x96,
                                              0xf1};  // masked, as a client must; nobody has to guess it
  auto byte = [&](std::size_t value) { out.push_back(static_cast<char>(value & 0xff)); };
  byte(0x80U | static_cast<std::size_t>(opcode));
  const std::size_t size = payload.size();
  const int more = size < 126 ? 0 : size < 65536 ? 2 : 8;
  byte(0x80U | (more == 0 ? size : more == 2 ? 126 : 127));
  for (int i = more - 1; i >= 0; --i) byte(size >> (8 * i));
  for (unsigned char part : kKey) byte(part);
  out.append(payload);
  mask(out.data() + out.size() - size, size, kKey);
}

// Takes a server's frames apart. A view given to the callback is valid during the call.
class FrameReader {
 public:
  // piece(opcode, compressed, bytes, is the end of the frame, is the end of the message)
  template <class Piece>
  void receive(std::string_view bytes, Piece piece) {
    while (true) {
      if (head_missing() > 0) {
        if (bytes.empty()) return;
        head_[have_++] = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        if (head_missing() > 0) continue;
        begin();
      }
      const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      if (part == 0 && left_ > 0) return;
      left_ -= part;
      piece(opcode_, (head_[0] & 0x40) != 0, bytes.substr(0, part), left_ == 0, left_ == 0 && (head_[0] & 0x80) != 0);
      bytes.remove_prefix(part);
      if (left_ == 0) have_ = 0;
    }
  }

 private:
  std::size_t head_missing() const {
    if (have_ < 2) return 2 - have_;
    const unsigned length = head_[1] & 0x7fU;
    return 2U + (length == 126 ? 2U : length == 127 ? 8U : 0U) - have_;
  }
  void begin() {
    opcode_ = static_cast<Opcode>(head_[0] & 0x0f);
    left_ = head_[1] & 0x7fU;
    if (have_ == 2) return;
    left_ = 0;
    for (std::size_t i = 2; i < have_; ++i) left_ = left_ << 8 | head_[i];
  }

  std::array<unsigned char, 10> head_{};
  std::uint8_t have_ = 0;  // of the head; all of it while the payload is read
  Opcode opcode_{};
  std::uint64_t left_ = 0;
};

}  // namespace bench
