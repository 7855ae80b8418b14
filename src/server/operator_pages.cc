#include "server/operator_pages.h"

#include "api/assets.h"
#include "api/openapi.h"
#include "codec/json_out.h"
#include "http/static_file.h"
#include "server/metrics_page.h"
#include "server/version.h"

namespace server {
namespace {

constexpr std::string_view kKeepForEver = "public, max-age=31536000, immutable";
constexpr std::string_view kAskAgain = "no-cache";
// What the demo page needs and not a thing more: no inline script, no other host. Styles may be inline because the
// plots are sized that way.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace

bool append_operator_page(std::string& out, const Desk& desk, const http::Request& request, OperatorPages visible,
                          http::Connection connection) {
  const std::string_view path = request.path;
  const auto text = [&](std::uint16_t status, std::string_view type, std::string_view body) {
    static constexpr http::Field kNoStore[] = {{"Cache-Control", "no-store"}};
    http::append_response(out, status, type, body, connection, kNoStore);
    return true;
  };
  if (path == "/health") return text(200, "application/json", "{\"status\":\"ok\"}");
  if (path == "/ready") {
    if (desk.shared.draining()) return text(503, "application/json", "{\"status\":\"draining\"}");
    if (desk.shared.overload.at_least(Overload::Level::no_connections)) {
      return text(503, "application/json", "{\"status\":\"overloaded\"}");
    }
    switch (desk.shared.storage.state.load(std::memory_order_acquire)) {
      case StorageState::full:
        return text(503, "application/json", "{\"status\":\"disk_full\"}");
      case StorageState::failed:
        return text(503, "application/json", "{\"status\":\"storage_failed\"}");
      case StorageState::none:
      case StorageState::open:
        break;
    }
    return text(200, "application/json", "{\"status\":\"ready\"}");
  }
  if (path == "/version") {
    std::string body = "{\"name\":\"wirebird\",\"version\":";
    codec::append_json_string(body, kVersion);
    body += '}';
    return text(200, "application/json", body);
  }
  if (path == "/api/openapi.yaml" && visible == OperatorPages::all) {
    return text(200, "application/yaml", api::openapi());
  }
  if (path == "/metrics" && visible == OperatorPages::all) {
    std::string body;
    append_metrics(body, desk);
    return text(200, "text/plain; version=0.0.4; charset=utf-8", body);
  }
  const api::Asset* asset = api::find_asset(path);
  if (asset == nullptr || !desk.options().dev) return false;
  http::append_static_file(out, request,
                           {.content_type = asset->content_type,
                            .etag = asset->etag,
                            .bytes = asset->bytes,
                            .gzip = asset->gzip,
                            .cache_control = api::is_immutable(*asset) ? kKeepForEver : kAskAgain,
                            .content_security_policy = kContentSecurityPolicy},
                           connection);
  return true;
}

}  // namespace server
