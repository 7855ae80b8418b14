// What a bench message carries: a mark, who sent it, its number and the moment it was sent, and 'x' up to its size:
//
//   "wb"  sender, 5 hex digits  number, 11 hex digits  sent, 14 hex digits (ns)  "xxx..."
//
// ASCII without quotes or backslashes, so that it is valid text for every server and survives inside JSON. No hex digit
// is a 'w', so the mark is found wherever a server puts the payload.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace client::bench {

inline constexpr std::size_t kPayloadBytesMin = 32;
inline constexpr std::uint32_t kWarmUpSender = 0xfffff;  // above every connection: such messages are not counted

struct Stamp {
  std::uint32_t sender = 0;
  std::uint64_t number = 0;  // 0, 1, 2, ... of each sender
  base::Instant sent{};
};

// `bytes` >= kPayloadBytesMin; numbers are below 2^44, moments below 2^56 ns (two years of a monotonic clock).
void write_payload(std::string& out, const Stamp& stamp, std::size_t bytes);

// Whether a server hands on the payload alone, or in words of its own (a JSON object, several in one message).
enum class Wrapping : std::uint8_t { bare, wrapped };

// The payloads of one received message, one after the other.
class PayloadReader {
 public:
  // `message` must outlive the reader; `bytes` is the size of a payload.
  PayloadReader(std::string_view message, std::size_t bytes, Wrapping wrapping)
      : rest_(message), bytes_(bytes), wrapping_(wrapping) {}

  enum class Found : std::uint8_t {
    payload,  // stamp() is what it says
    damaged,  // not what we sent
    end,      // there is no more
  };
  Found next();
  const Stamp& stamp() const { return stamp_; }

 private:
  std::string_view rest_;
  std::size_t bytes_;
  Wrapping wrapping_;
  bool done_ = false;  // of a bare message
  Stamp stamp_;
};

}  // namespace client::bench
