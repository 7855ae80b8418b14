// Whatever decodes must survive encoding and decoding again; a query never has more pieces than '&' signs allow.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto decoded = codec::percent_decode(text)) {
    ASSERT(decoded->size() <= text.size());
    std::string encoded;
    codec::append_percent_encoded(encoded, *decoded);
    ASSERT(codec::percent_decode(encoded) == *decoded);
  }
  if (const auto query = codec::Query::parse(text)) {
    ASSERT(query->all().size() <= static_cast<std::size_t>(std::ranges::count(text, '&')) + 1);
    for (const auto& parameter : query->all()) {
      ASSERT(query->count(parameter.name) == query->values(parameter.name).size());
      ASSERT(query->find(parameter.name).has_value() == (query->count(parameter.name) == 1));
    }
  }
  return 0;
}
