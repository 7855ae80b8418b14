// docs/openapi.yaml, compiled into the binary: what the HTTP API looks like. Immutable, any thread.
#pragma once

#include <string_view>

namespace api {

std::string_view openapi();

}  // namespace api
