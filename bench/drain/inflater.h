// Inflates messages of permessage-deflate without context takeover (RFC 7692). A push server sends the same compressed
// bytes to every receiver, so the last few results are kept: the client must stay faster than what it measures.
#pragma once

#include <zlib.h>

#include <array>
#include <string>
#include <string_view>

#include "bench/native.h"

namespace bench {

class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, -15) != Z_OK) die("zlib");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // The view is valid until the next call.
  std::string_view inflate_message(std::string_view compressed) {
    for (const Entry& entry : recent_) {
      if (!entry.compressed.empty() && entry.compressed == compressed) return entry.plain;
    }
    Entry& entry = recent_[turn_++ % recent_.size()];
    entry.compressed.assign(compressed);
    entry.plain.resize(1 << 20);
    std::string input(compressed);
    input.append("\0\0\xff\xff", 4);
    inflateReset(&stream_);
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(entry.plain.data());
    stream_.avail_out = static_cast<uInt>(entry.plain.size());
    if (int result = inflate(&stream_, Z_SYNC_FLUSH); result != Z_OK && result != Z_STREAM_END)
      die("a compressed message");
    entry.plain.resize(stream_.total_out);
    return entry.plain;
  }

 private:
  struct Entry {
    std::string compressed, plain;
  };
  z_stream stream_{};
  std::array<Entry, 64> recent_;  // in flight: 4 rounds of 16 messages
  std::size_t turn_ = 0;
};

}  // namespace bench
