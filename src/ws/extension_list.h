// Reads Sec-WebSocket-Extensions (RFC 6455 section 9.1): the grammar only, no meaning. Stateless.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/request.h"

namespace ws {

inline constexpr std::string_view kExtensionsHeader = "Sec-WebSocket-Extensions";

struct ExtensionParameter {
  std::string_view name;
  std::optional<std::string> value;  // without quotes
};

struct Extension {
  std::string_view name;
  std::vector<ExtensionParameter> parameters;
};

// Every header of that name, in order; views into the headers. nullopt if one is not in the grammar, which asks for the
// handshake to fail. Empty if there is none.
std::optional<std::vector<Extension>> read_extensions(const http::HeaderList& headers);

}  // namespace ws
