// URLs against bytes: what is read can be read again and means the same, its host is nothing that a resolver would take
// for another address, and an address in it is judged the same however it was written.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "http/egress_guard.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const auto url = http::parse_egress_url(input);
  if (!url) {
    ASSERT(url.error() != http::EgressDenial::none);
    return 0;
  }
  ASSERT(url->port != 0 && !url->host.empty() && url->target.starts_with('/'));
  ASSERT(url->host.find_first_of("/?#@\\%[] ") == std::string::npos);
  const auto again = http::parse_egress_url(url->text());
  // Only the port that is now written out may have made it too long.
  ASSERT(again || url->text().size() > http::kEgressUrlBytesMax);
  if (again) {
    ASSERT(again->host == url->host && again->port == url->port && again->target == url->target &&
           again->ip == url->ip);
  }
  if (url->ip) {
    const auto strict = http::check_egress(*url->ip, url->port, {});
    const auto relaxed = http::check_egress(*url->ip, url->port, {.private_too = true});
    if (strict == http::EgressDenial::none) ASSERT(relaxed == http::EgressDenial::none);
  }
  return 0;
}
