// Pages that need no credentials and change nothing: health, readiness, version, metrics, the demo page, and what the
// HTTP API looks like. Pure but for the clock and counters they read.
#pragma once

#include <cstdint>
#include <string>

#include "http/request.h"
#include "http/response.h"
#include "server/desk.h"

namespace server {

// health_only: /health, /ready, /version and the demo page in --dev; /metrics lives on the admin listener.
enum class OperatorPages : std::uint8_t { health_only, all };

// Appends the whole response for the request's path; false if there is no such page.
bool append_operator_page(std::string& out, const Desk& desk, const http::Request& request, OperatorPages visible,
                          http::Connection connection);

}  // namespace server
