#include "server/operator_pages.h"

#include <algorithm>
#include <unordered_map>

#include "api/assets.h"
#include "codec/json_out.h"
#include "http/static_file.h"
#include "hub/position.h"
#include "loop/resource.h"
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

void append_member(std::string& out, std::string_view name, std::uint64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  out += std::to_string(value);
}

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
    return text(200, "application/json", "{\"status\":\"ready\"}");
  }
  if (path == "/version") {
    std::string body = "{\"name\":\"wirebird\",\"version\":";
    codec::append_json_string(body, kVersion);
    body += '}';
    return text(200, "application/json", body);
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

void append_channels(std::string& out, HttpExchange& exchange) {
  std::sort(exchange.channels.begin(), exchange.channels.end(),
            [](const auto& a, const auto& b) { return a.channel < b.channel; });
  std::unordered_map<std::string_view, hub::Watched> watched;
  for (const auto& [name, each] : exchange.watched) watched[name].add(each);
  for (hub::ChannelSummary& each : exchange.channels) {
    if (const auto found = watched.find(each.channel); found != watched.end()) each.watched.add(found->second);
  }
  if (exchange.channels.size() > exchange.channels_max) exchange.channels.resize(exchange.channels_max);
  out += "{\"channels\":[";
  for (std::size_t i = 0; i < exchange.channels.size(); ++i) {
    const hub::ChannelSummary& each = exchange.channels[i];
    out += i == 0 ? "{\"channel\":" : ",{\"channel\":";
    codec::append_json_string(out, each.channel);
    out += ",\"epoch\":";
    codec::append_json_string(out, each.head.epoch.view());
    append_member(out, "head", each.head.offset);
    append_member(out, "messages", each.messages);
    append_member(out, "bytes", each.bytes);
    append_member(out, "subscribers", each.watched.subscribers);
    append_member(out, "lagging", each.watched.lagging);
    const hub::Outcomes& outcomes = each.watched.outcomes;
    append_member(out, "queued", outcomes.queued);
    append_member(out, "dropped", outcomes.dropped);
    append_member(out, "conflated", outcomes.conflated);
    append_member(out, "overload", outcomes.overload);
    append_member(out, "closed", outcomes.closed);
    out += '}';
  }
  out += "],\"total\":" + std::to_string(exchange.channels_total) + "}";
}

void append_information(std::string& out, const Desk& desk, const HttpExchange& exchange) {
  out += "{\"version\":";
  codec::append_json_string(out, kVersion);
  append_member(out, "workers", desk.shared.workers());
  append_member(out, "uptime_s",
                static_cast<std::uint64_t>(
                    std::chrono::duration_cast<std::chrono::seconds>(desk.now - desk.shared.started()).count()));
  append_member(out, "connections", desk.shared.admission.connections());
  append_member(out, "channels", exchange.channels_total);
  append_member(out, "history_bytes", exchange.log_bytes);
  append_member(out, "memory_bytes", loop::resident_bytes());
  out += '}';
}

}  // namespace server
