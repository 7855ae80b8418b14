#include "door/hook/event.h"

#include <algorithm>

#include "auth/sha256.h"
#include "codec/json_out.h"

namespace door::hook {

std::optional<EventType> event_type_named(std::string_view name) {
  const auto found = std::ranges::find(kEventTypes, name);
  if (found == kEventTypes.end()) return std::nullopt;
  return static_cast<EventType>(found - kEventTypes.begin());
}

void append_event(std::string& out, std::string_view id, const Event& event) {
  codec::JsonWriter json(out);
  json.begin_object().key("id").string(id).key("time").number(event.time.ms).key("type").string(to_string(event.type));
  const auto text = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) json.key(name).string(value);
  };
  text("client", event.client);
  text("user", event.user);
  text("channel", event.channel);
  text("transport", event.transport);
  if (event.code != 0) json.key("code").number(event.code);
  text("reason", event.reason);
  json.end_object();
}

void append_dropped(std::string& out, std::string_view id, base::WallTime time, std::uint64_t count) {
  codec::JsonWriter(out)
      .begin_object()
      .key("id")
      .string(id)
      .key("time")
      .number(time.ms)
      .key("type")
      .string("dropped")
      .key("count")
      .number(count)
      .end_object();
}

std::string signature_of(std::span<const base::Secret> keys, base::WallTime now, std::string_view body) {
  if (keys.empty()) return {};
  const std::string seconds = std::to_string(now.ms / 1000);
  std::string signed_text = seconds + ".";
  signed_text += body;
  std::string out = "t=" + seconds;
  for (const base::Secret& key : keys) {
    out += ",v1=";
    for (const std::uint8_t byte : auth::hmac_sha256(key.reveal(), signed_text)) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace door::hook
