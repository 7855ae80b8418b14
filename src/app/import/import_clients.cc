// What holds for every client: limits, and the ways in.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "app/import/parts.h"

namespace app::import {
namespace {

// Limits where 0 means that there is none.
constexpr std::pair<std::string_view, std::string_view> kLimits[] = {
    {"client.channel_limit", "limits.channels_per_peer_max"},
    {"client.queue_max_size", "limits.queue_bytes_max"},
    {"client.connection_limit", "limits.connections_max"},
};

constexpr std::pair<std::string_view, std::string_view> kSame[] = {
    {"client.ping_interval", "websocket.ping_interval"},
    {"client.allow_anonymous_connect_without_token", "centrifuge.anonymous_without_token"},
};

// The largest of all ways in, for there is one limit for all here.
void import_message_size(Tree& document, Draft& draft) {
  std::int64_t largest = 0;
  std::string from;
  for (const std::string path :
       {"websocket.message_size_limit", "uni_websocket.message_size_limit", "webtransport.message_size_limit",
        "sse.max_request_body_size", "http_stream.max_request_body_size", "uni_sse.max_request_body_size",
        "uni_http_stream.max_request_body_size", "emulation.max_request_body_size"}) {
    const auto value = take(document, path);
    const auto number = value ? number_of(*value) : std::nullopt;
    if (!number || *number <= largest) continue;
    largest = *number;
    from = path;
  }
  if (largest == 0) return;
  if (!draft.set("limits.message_bytes_max", Tree{largest}, from)) return;
  auto& options = draft.settings.server;
  if (options.queue_bytes_max < options.message_bytes_max) {
    options.queue_bytes_max = options.message_bytes_max;
    draft.changed("client.queue_max_size",
                  fmt::format("a queue holds the largest message at least; made {} bytes", options.message_bytes_max));
  }
}

void import_personal_channel(Tree& document, Draft& draft) {
  const std::string base = "client.subscribe_to_user_personal_channel.";
  const auto enabled = take(document, base + "enabled");
  const auto space = take(document, base + "personal_channel_namespace");
  const auto single = take(document, base + "single_connection");
  if (!is_on(enabled ? &*enabled : nullptr)) return;
  draft.set("centrifuge.personal_channel", *enabled, base + "enabled");
  if (space && !space->is_off()) {
    draft.set("centrifuge.personal_channel_namespace", *space, base + "personal_channel_namespace");
  }
  if (single) draft.set("centrifuge.personal_channel_single_connection", *single, base + "single_connection");
}

}  // namespace

void import_clients(Tree& document, Draft& draft) {
  for (const auto& [path, option] : kSame) {
    if (const auto value = take(document, path)) draft.set(option, *value, path);
  }
  for (const auto& [path, option] : kLimits) {
    const auto value = take(document, path);
    if (!value) continue;
    if (value->is_off()) {
      draft.changed(path, fmt::format("0 is no limit there; here {} stays as it is", option));
    } else {
      draft.set(option, *value, path);
    }
  }
  import_message_size(document, draft);
  import_personal_channel(document, draft);
  // Off there unless it is said.
  const auto compression = take(document, "websocket.compression");
  draft.settings.server.deflate = is_on(compression ? &*compression : nullptr);
}

}  // namespace app::import
