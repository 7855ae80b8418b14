#include "http/cors.h"

namespace http {

bool is_preflight(const Request& request) noexcept {
  return request.method == "OPTIONS" && request.count("Origin") > 0 &&
         request.count("Access-Control-Request-Method") > 0;
}

void append_preflight_answer(std::string& out, std::string_view allow_origin, std::string_view methods,
                             Connection connection) {
  std::vector<Field> fields = cors_fields(allow_origin);
  fields.insert(
      fields.end(),
      {{"Access-Control-Allow-Methods", methods},
       {"Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key"},
       {"Access-Control-Max-Age", "600"}});  // 10 minutes: a change of the allow-list counts soon enough
  append_head(out, 204, fields, connection, Body::none);
}

std::vector<Field> cors_fields(std::string_view allow_origin) {
  if (allow_origin.empty()) return {};
  std::vector<Field> fields{{"Access-Control-Allow-Origin", allow_origin},
                            {"Access-Control-Expose-Headers", "Retry-After"}};
  if (allow_origin != "*") fields.push_back({"Vary", "Origin"});
  return fields;
}

}  // namespace http
