// Raw DEFLATE as permessage-deflate uses it (RFC 7692 section 7.2): messages without the 00 00 ff ff of the final
// flush, with or without the context of earlier messages. Resource types; one thread each.
//
// Encode once, send to many: worker keeps one Deflater; per message and window class
//   base::SharedBytes frame = encode_deflated_server_frame(Opcode::text, payload, deflater);
// and queues it on every session whose shared_deflate_bits() is at least deflater.window_bits(), the plain frame on
// others.
//
// Memory: a Deflater of 12 window bits 39 KB, of 9 bits 25 KB; an Inflater 7 KB and 2^bits bytes once it is used (T04).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/shared_bytes.h"
#include "ws/frame.h"
#include "ws/growing_bytes.h"

struct z_stream_s;

namespace ws {

// zlib has no 256-byte window for raw streams: its deflater cannot promise to a peer that has only 8 bits. Such a peer
// gets plain frames (a sender may always leave a message uncompressed, RFC 7692 section 6).
inline constexpr std::uint8_t kDeflateBitsMin = 9;
// Ours is never larger: messages are small, and 15 bits would cost seven times the memory. Smaller windows than agreed
// are always valid for the receiver.
inline constexpr std::uint8_t kDeflateBitsMax = 12;
inline constexpr std::uint8_t kInflateBitsMax = 15;
// What the windows of one session take at most: a Deflater of kDeflateBitsMax and an Inflater of kInflateBitsMax.
inline constexpr std::size_t kContextBytes = 80 * 1024;
// Shorter payloads gain nothing.
inline constexpr std::size_t kDeflateBytesMin = 32;

class Deflater {
 public:
  explicit Deflater(std::uint8_t window_bits);  // kDeflateBitsMin..kDeflateBitsMax
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Appends the compressed message to out. With context: refers to the messages before it.
  void compress_alone(std::string& out, std::string_view message);
  void compress_with_context(std::string& out, std::string_view message);

  std::uint8_t window_bits() const noexcept { return window_bits_; }
  std::size_t held_bytes() const noexcept;

 private:
  std::unique_ptr<z_stream_s> stream_;
  std::uint8_t window_bits_;
};

// A frame of the message compressed alone; a plain one if that is not longer.
base::SharedBytes encode_deflated_server_frame(Opcode opcode, std::string_view payload, Deflater& deflater);

// Calling order per message: append() any number of times, finish() once; reset() before a message without context.
class Inflater {
 public:
  enum class Status : std::uint8_t {
    ok,
    broken,   // not DEFLATE, or the message does not end where a flush may stand
    too_big,  // more than bytes_max come out; out holds the first bytes_max
  };

  explicit Inflater(std::uint8_t window_bits);  // 8..15: at least what the peer compresses with
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Stops while inflating once out would exceed bytes_max (T03). After anything but ok, only reset() may follow.
  Status append(GrowingBytes& out, std::string_view deflated, std::size_t bytes_max);
  Status finish(GrowingBytes& out, std::size_t bytes_max);
  void reset();

  std::size_t held_bytes() const noexcept;

 private:
  std::unique_ptr<z_stream_s> stream_;
  std::uint8_t window_bits_;
  bool ended_ = false;  // the last byte given ended a block with BFINAL
};

}  // namespace ws
