#include "server/hook.h"

#include <algorithm>
#include <array>

#include "http/egress_guard.h"
#include "http/request.h"
#include "http/syntax.h"

namespace server {
namespace {

// What the sender of the request decides (RFC 9110 sections 7.6.1 and 8.6, RFC 9112 section 3.2).
constexpr std::array<std::string_view, 12> kOwnHeaders = {
    "host",    "content-length", "transfer-encoding", "connection",   "keep-alive",      "te", "trailer",
    "upgrade", "expect",         "proxy-connection",  "content-type", "content-encoding"};

bool is_own(std::string_view name) {
  return std::ranges::any_of(kOwnHeaders, [&](std::string_view own) { return http::same_name(own, name); });
}

}  // namespace

std::expected<egress::Header, std::string_view> parse_header(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, std::min(colon, text.size()));
  if (colon == std::string_view::npos || !http::is_token(name))
    return std::unexpected("is not written \"Name: value\"");
  const std::string_view value = http::trim(text.substr(colon + 1));
  if (!std::ranges::all_of(value, http::is_field_value_char)) return std::unexpected("has a control character in it");
  if (is_own(name)) return std::unexpected("is a header that the request has of its own");
  return egress::Header{std::string(name), std::string(value)};
}

bool may_forward(std::string_view name) {
  return http::is_token(name) && !is_own(name) && !http::same_name(name, "sec-websocket-key");
}

std::expected<Hook, std::string> Hook::make(const HookOptions& options) {
  const std::string key = "hooks." + options.name + ".";
  Hook hook{.options = options, .headers = {}, .rules = {}};
  if (options.url.empty()) return std::unexpected(key + "url is missing");
  if (const auto url = http::parse_egress_url(options.url); !url) {
    return std::unexpected(key + "url " + std::string(to_string(url.error())));
  }
  for (const base::Secret& text : options.headers) {
    auto header = parse_header(text.reveal());
    if (!header) {
      return std::unexpected(key + "headers number " + std::to_string(hook.headers.size() + 1) + " " +
                             std::string(header.error()));
    }
    hook.headers.push_back(*std::move(header));
  }
  for (const std::string& name : options.forward_headers) {
    if (!may_forward(name)) return std::unexpected(key + "forward_headers = " + name + " cannot be handed on");
  }
  for (const std::string& text : options.status_rules) {
    auto rule = door::hook::parse_status_rule(text);
    if (!rule) return std::unexpected(key + "status_rules = " + text + " " + std::string(rule.error()));
    hook.rules.push_back(*std::move(rule));
  }
  return hook;
}

}  // namespace server
