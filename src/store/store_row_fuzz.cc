// Whatever bytes stand where the ledger keeps a record, an answer or its identity: they are refused, or are what comes
// out again when they are written.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "store/answers.h"
#include "store/identity.h"
#include "store/record.h"

namespace {

constexpr store::Place kPlace{.stream = 1, .offset = 2, .time_ms = 3, .bytes_through = 4};

std::string content_of(const store::Record& record) {
  std::string content;
  store::encode_content(*record.message, record.cause, content);
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  ASSERT(!store::decode_record(input, kPlace, {}) || size > 8);
  if (const auto record = store::decode_content(input, kPlace, {})) {
    // Not the input itself: lengths may have been written longer, and fields may be there and empty.
    std::string sealed = content_of(*record);
    const std::string content = sealed;
    store::seal_record(sealed, kPlace);
    const auto again = store::decode_record(sealed, kPlace, {});
    ASSERT(again && content_of(*again) == content);
  }
  if (const auto answer = store::decode_answer(input)) {
    ASSERT(store::decode_answer(store::encode_answer(*answer)) == answer);
  }
  if (const auto identity = store::parse_identity(input)) {
    ASSERT(store::parse_identity(store::identity_text(*identity)) == identity);
  }
  return 0;
}
