// What happens to connections and channels, as the operator's back end is told: events as JSON, in batches that are
// signed.
//
//   batch = "[" event *("," event) "]"
//   event = {"id": text, "time": ms since 1970, "type": one of kEventTypes,
//            "client"?, "user"?, "channel"?, "transport"?: texts, "code"?: number, "reason"?: text}
//         | {"id", "time", "type": "dropped", "count": number}      so many events were lost here
//
// An id is the same however often the event is sent, and no two events have the same. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"

namespace door::hook {

enum class EventType : std::uint8_t { connected, disconnected, subscribed, unsubscribed, occupied, vacated };
inline constexpr std::array<std::string_view, 6> kEventTypes = {"connected",    "disconnected", "subscribed",
                                                                "unsubscribed", "occupied",     "vacated"};
inline std::string_view to_string(EventType type) { return kEventTypes[static_cast<std::size_t>(type)]; }
std::optional<EventType> event_type_named(std::string_view name);

// What is empty or 0 is left out of the JSON. Texts are valid UTF-8.
struct Event {
  EventType type = EventType::connected;
  base::WallTime time;
  std::string_view client;
  std::string_view user;
  std::string_view channel;
  std::string_view transport;
  std::uint32_t code = 0;  // of disconnected and unsubscribed
  std::string_view reason;
};

void append_event(std::string& out, std::string_view id, const Event& event);
void append_dropped(std::string& out, std::string_view id, base::WallTime time, std::uint64_t count);

// The value of the header Wirebird-Signature: "t=SECONDS" and for each key ",v1=" and the HMAC-SHA256 of
// "SECONDS.BODY" in hex. Whoever receives it compares one of them and refuses times that are long past, so that nobody
// can send an old batch again. Empty without keys.
inline constexpr std::string_view kSignatureHeader = "Wirebird-Signature";
std::string signature_of(std::span<const base::Secret> keys, base::WallTime now, std::string_view body);

}  // namespace door::hook
