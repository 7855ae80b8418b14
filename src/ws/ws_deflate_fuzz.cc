// Any bytes inflate to the same verdict and output in any pieces, never beyond the cap; any bytes come back after being
// compressed, with and without context. Input: piece size, window bits, then bytes.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ws/deflate.h"

namespace {

constexpr std::size_t kCap = 20'000;

struct Result {
  ws::Inflater::Status status;
  std::string bytes;
  bool operator==(const Result&) const = default;
};

Result inflate(ws::Inflater& inflater, std::string_view deflated, std::size_t piece_bytes, std::size_t cap) {
  ws::GrowingBytes out;
  auto status = ws::Inflater::Status::ok;
  for (std::size_t at = 0; at < deflated.size() && status == ws::Inflater::Status::ok; at += piece_bytes) {
    status = inflater.append(out, deflated.substr(at, piece_bytes), cap);
  }
  if (status == ws::Inflater::Status::ok) status = inflater.finish(out, cap);
  ASSERT(out.capacity() <= cap);
  return {status, std::string(out.view())};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece_bytes = 1 + data[0];
  const auto window_bits = static_cast<std::uint8_t>(ws::kDeflateBitsMin + data[1] % 4);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);

  ws::Inflater whole(ws::kInflateBitsMax);
  ws::Inflater pieces(ws::kInflateBitsMax);
  const Result expected = inflate(whole, bytes, bytes.size() + 1, kCap);
  ASSERT(inflate(pieces, bytes, piece_bytes, kCap) == expected);
  if (expected.status == ws::Inflater::Status::ok) {  // the context is the same as well
    ASSERT(inflate(whole, bytes, bytes.size() + 1, kCap) == inflate(pieces, bytes, piece_bytes, kCap));
  }

  ws::Deflater deflater(window_bits);
  ws::Inflater inflater(window_bits);
  for (int round = 0; round < 2; ++round) {
    std::string deflated;
    deflater.compress_with_context(deflated, bytes);
    ASSERT(inflate(inflater, deflated, piece_bytes, bytes.size() + 1) ==
           (Result{ws::Inflater::Status::ok, std::string(bytes)}));
  }
  return 0;
}
