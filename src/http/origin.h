// Origin checks (RFC 6455 section 10.2, RFC 6454; threat T30). Stateless.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/request.h"

namespace http {

struct OriginRules {
  std::span<const std::string> allowed;  // exact serialised origins; "*" allows any; empty: same origin as Host only
  bool allow_loopback = false;           // --dev: also http(s)://localhost, 127.0.0.1, [::1] with any port
  bool tls = false;                      // the scheme this request came by
};

// The value for Access-Control-Allow-Origin: empty if the request has no Origin or the same origin. Error::origin if
// the origin may not come here: not listed, `null` (unless listed), doubled, malformed. Compared byte by byte after
// lower-casing scheme and host; no substring matches.
std::expected<std::string, base::Error> check_origin(const Request& request, const OriginRules& rules);

// True for the names by which a browser reaches only its own machine: localhost, *.localhost, 127.0.0.0/8 and [::1],
// with or without a port. No other name may (a page can make its own name resolve to 127.0.0.1: DNS rebinding).
bool is_name_of_this_machine(std::string_view host);

}  // namespace http
