// Answers to CORS preflights (Fetch Standard section 3.2). Stateless.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/request.h"
#include "http/response.h"

namespace http {

bool is_preflight(const Request& request) noexcept;  // OPTIONS with Origin and Access-Control-Request-Method
// 204 with the allowed methods and headers (Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key).
void append_preflight_answer(std::string& out, std::string_view allow_origin, std::string_view methods,
                             Connection connection);
// The fields every answer to a cross-origin request carries; empty if allow_origin is. Views live as long as
// allow_origin.
std::vector<Field> cors_fields(std::string_view allow_origin);

}  // namespace http
