#include "ws/deflate.h"

#include <zlib.h>

#include <limits>
#include <new>
#include <utility>

#include "base/assert.h"

namespace ws {
namespace {

constexpr std::string_view kFlushTail("\x00\x00\xff\xff", 4);  // RFC 7692 section 7.2.1
// A hash table of 2^(5+7) entries fits the small windows used here.
constexpr int kMemoryLevel = 5;

Bytef* zlib_bytes(const char* bytes) {
  // zlib's input pointer is not const in its default build, but it never writes there.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes));
}

uInt zlib_size(std::size_t size) {
  ASSERT(size <= std::numeric_limits<uInt>::max());  // message caps are 32-bit (Limits)
  return static_cast<uInt>(size);
}

}  // namespace

Deflater::Deflater(std::uint8_t window_bits) : stream_(std::make_unique<z_stream>()), window_bits_(window_bits) {
  ASSERT(window_bits >= kDeflateBitsMin && window_bits <= kDeflateBitsMax);
  const int made =
      deflateInit2(stream_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, kMemoryLevel, Z_DEFAULT_STRATEGY);
  if (made == Z_MEM_ERROR) throw std::bad_alloc();
  ASSERT(made == Z_OK);
}

Deflater::~Deflater() { deflateEnd(stream_.get()); }

void Deflater::compress_alone(std::string& out, std::string_view message) {
  ASSERT(deflateReset(stream_.get()) == Z_OK);
  compress_with_context(out, message);
}

void Deflater::compress_with_context(std::string& out, std::string_view message) {
  // A flush of nothing writes nothing; RFC 7692 section 7.2.3.6 says how an empty message looks.
  if (message.empty()) {
    out.push_back('\0');
    return;
  }
  stream_->next_in = zlib_bytes(message.data());
  stream_->avail_in = zlib_size(message.size());
  std::size_t size = out.size();
  // The bound is for a finished stream; the flush marker needs a few bytes more. zlib asks for more than 6 spare bytes.
  std::size_t room = deflateBound(stream_.get(), static_cast<uLong>(message.size())) + 16;
  do {
    out.resize(size + room);
    stream_->next_out = zlib_bytes(out.data() + size);
    stream_->avail_out = zlib_size(room);
    const int result = deflate(stream_.get(), Z_SYNC_FLUSH);
    ASSERT(result == Z_OK || result == Z_BUF_ERROR);
    size += room - stream_->avail_out;
    room = 64;
  } while (stream_->avail_out == 0);
  out.resize(size);
  ASSERT(out.ends_with(kFlushTail));
  out.resize(size - kFlushTail.size());
}

std::size_t Deflater::held_bytes() const noexcept {
  // zconf.h: (1 << (windowBits + 2)) + (1 << (memLevel + 9)), and the state itself.
  return sizeof(*this) + sizeof(z_stream) + (std::size_t{1} << (window_bits_ + 2)) +
         (std::size_t{1} << (kMemoryLevel + 9)) + 6 * 1024;
}

base::SharedBytes encode_deflated_server_frame(Opcode opcode, std::string_view payload, Deflater& deflater) {
  if (payload.size() >= kDeflateBytesMin) {
    std::string deflated;
    deflater.compress_alone(deflated, payload);
    if (deflated.size() < payload.size()) return encode_server_frame(opcode, deflated, Compressed::yes);
  }
  return encode_server_frame(opcode, payload);
}

Inflater::Inflater(std::uint8_t window_bits) : stream_(std::make_unique<z_stream>()), window_bits_(window_bits) {
  ASSERT(window_bits >= 8 && window_bits <= kInflateBitsMax);
  const int made = inflateInit2(stream_.get(), -window_bits);
  if (made == Z_MEM_ERROR) throw std::bad_alloc();
  ASSERT(made == Z_OK);
}

Inflater::~Inflater() { inflateEnd(stream_.get()); }

void Inflater::reset() {
  ASSERT(inflateReset(stream_.get()) == Z_OK);
  ended_ = false;
}

Inflater::Status Inflater::append(GrowingBytes& out, std::string_view deflated, std::size_t bytes_max) {
  if (deflated.empty()) return Status::ok;
  ended_ = false;
  stream_->next_in = zlib_bytes(deflated.data());
  stream_->avail_in = zlib_size(deflated.size());
  while (true) {
    const std::span<char> room = out.room(bytes_max);
    // At the cap one more byte is tried outside: only if it comes out, the message is too big.
    char beyond = 0;
    const std::span<char> target = room.empty() ? std::span<char>(&beyond, 1) : room;
    stream_->next_out = zlib_bytes(target.data());
    stream_->avail_out = zlib_size(target.size());
    const int result = inflate(stream_.get(), Z_SYNC_FLUSH);
    const std::size_t written = target.size() - stream_->avail_out;
    if (room.empty()) {
      if (written > 0) return Status::too_big;
    } else {
      out.wrote(written);
    }
    if (result == Z_STREAM_END) {
      // A block with BFINAL: what follows is a new sequence of blocks in the same window (RFC 7692 section 7.2.3.4), so
      // the history stays, which inflateReset would forget.
      ASSERT(inflateResetKeep(stream_.get()) == Z_OK);
      ended_ = stream_->avail_in == 0;
      if (ended_) return Status::ok;
      continue;
    }
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_BUF_ERROR) return Status::broken;
    if (stream_->avail_in == 0 && stream_->avail_out > 0) return Status::ok;
  }
}

Inflater::Status Inflater::finish(GrowingBytes& out, std::size_t bytes_max) {
  // A message that ends with its final block has no flush to complete: lenient towards senders that leave out the 00 of
  // RFC 7692 section 7.2.3.4.
  if (std::exchange(ended_, false)) return Status::ok;
  const Status status = append(out, kFlushTail, bytes_max);
  if (status != Status::ok) return status;
  // Bit 7: between two blocks (zlib.h, inflate with Z_BLOCK). Anything else means the message was cut off inside one.
  constexpr int kBetweenBlocks = 128;
  return (stream_->data_type & kBetweenBlocks) != 0 ? Status::ok : Status::broken;
}

std::size_t Inflater::held_bytes() const noexcept {
  return sizeof(*this) + sizeof(z_stream) + 7 * 1024 + (std::size_t{1} << window_bits_);
}

}  // namespace ws
