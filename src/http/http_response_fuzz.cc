// One response, whole and cut where the input says: the same verdict, and a body within its limit.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/response_reader.h"

namespace {

using Status = http::ResponseReader::Status;

constexpr http::ResponseLimits kLimits{.head_bytes_max = 512, .headers_max = 8, .body_bytes_max = 256};

std::string read(std::string_view bytes, std::size_t piece_bytes, http::AnswerTo answer_to) {
  http::ResponseReader reader(kLimits, answer_to);
  while (!bytes.empty() && reader.status() != Status::done && reader.status() != Status::failed) {
    bytes.remove_prefix(reader.receive(bytes.substr(0, piece_bytes)));
    ASSERT(reader.body().size() <= kLimits.body_bytes_max);
  }
  reader.receive_eof();
  if (reader.status() == Status::failed) return std::string(base::to_string(reader.error()));
  ASSERT(reader.status() == Status::done);
  std::string seen = std::to_string(reader.response().status);
  seen.append("\n").append(reader.body()).append("\n").append(bytes);
  for (const http::Header& header : reader.response().headers)
    seen.append(header.name).append(header.value).append("\n");
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const http::AnswerTo answer_to = (bytes[0] & 0x80) != 0 ? http::AnswerTo::head : http::AnswerTo::other;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::string whole = read(input, input.size(), answer_to);
  ASSERT(read(input, 1, answer_to) == whole);
  ASSERT(read(input, bytes[0] % 32 + 2, answer_to) == whole);
  return 0;
}
