// Our verdict on JSON against simdjson's, and that whatever passes can be walked to its last value.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "codec/json_in.h"
#include "codec/json_out.h"

namespace {

std::size_t walk(codec::JsonValue value) {
  std::size_t values = 1;
  codec::JsonMembers members(value);
  while (const auto member = members.next()) values += walk(member->value);
  codec::JsonElements elements(value);
  while (const auto element = elements.next()) values += walk(*element);
  if (const auto text = value.string()) {
    std::string json;
    codec::append_json_string(json, *text);
    ASSERT(codec::JsonValue::parse(json)->string() == *text);
  }
  return values;
}

// The one thing simdjson refuses and we take: an integer beyond 64 bits.
bool has_a_long_number(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits >= 19) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const base::Error error = codec::check_json(text);
  const auto kept = codec::validate_json(text);
  ASSERT(kept.has_value() == (error == base::Error::none));
  if (kept) {
    ASSERT(codec::check_json(*kept) == base::Error::none);
    ASSERT(walk(*codec::JsonValue::parse(text)) == walk(*codec::JsonValue::parse(*kept)));
  }
  // Simdjson counts an empty innermost bracket not at all, so depth is compared only where we did not stop for it.
  if (has_a_long_number(text) || error == base::Error::json_depth) return 0;
  simdjson::dom::parser parser;
  if (parser.allocate(size + 1, codec::kJsonDepthMax + 1) != simdjson::SUCCESS) return 0;
  ASSERT((parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS) == kept.has_value());
  return 0;
}
