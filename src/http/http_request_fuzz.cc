// Requests, whole and cut where the input says: both ways must see the same requests and the same error, and hold no
// more than the limits allow.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/request_reader.h"

namespace {

constexpr http::RequestLimits kLimits{
    .request_line_bytes_max = 128, .head_bytes_max = 512, .headers_max = 8, .body_bytes_max = 256};

std::string read(std::string_view bytes, std::size_t piece_bytes) {
  http::RequestReader reader(kLimits);
  std::string seen;
  while (!bytes.empty()) {
    const std::size_t consumed = reader.receive(bytes.substr(0, piece_bytes));
    ASSERT(consumed <= piece_bytes);
    bytes.remove_prefix(consumed);
    ASSERT(reader.held_bytes() <= 8 * 1024);
    if (reader.status() == http::RequestReader::Status::failed) {
      return seen.append(base::to_string(reader.error()));
    }
    if (reader.status() != http::RequestReader::Status::done) continue;
    const http::Request& request = reader.request();
    ASSERT(request.path.starts_with('/') || request.path == "*");
    ASSERT(request.has_body || request.body.empty());
    for (const std::string_view part : {request.method, request.path, request.query, request.host, request.body}) {
      seen.append(part).append("\n");
    }
    for (const http::Header& header : request.headers) seen.append(header.name).append(header.value).append("\n");
    reader.reset();
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const std::string whole = read(input, input.size());
  ASSERT(read(input, 1) == whole);
  ASSERT(read(input, bytes[0] % 32 + 2) == whole);
  return 0;
}
