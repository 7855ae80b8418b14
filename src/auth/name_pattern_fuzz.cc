// Patterns against names: "pattern\nname". What is taken as a pattern matches some name or none, without more work than
// its steps times the name's bytes; and a pattern without its special characters matches itself alone.
#include <cstdint>
#include <string_view>

#include "auth/name_pattern.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const std::size_t end = input.find('\n');
  const std::string_view text = input.substr(0, end);
  const std::string_view name =
      end == std::string_view::npos ? std::string_view{} : input.substr(end + 1).substr(0, 512);
  const auto pattern = auth::NamePattern::parse(text);
  if (!pattern) {
    ASSERT(!pattern.error().empty());
    return 0;
  }
  const bool matched = pattern->matches(name);
  if (text.find_first_of("*?[") == std::string_view::npos) {
    ASSERT(matched == (text == name));
    ASSERT(pattern->matches(text));
  }
  // A star at each end can only match more.
  if (text.size() < 200) {
    const auto wider = auth::NamePattern::parse("*" + std::string(text) + "*");
    ASSERT(!wider || !matched || wider->matches(name));
  }
  return 0;
}
