#include "sim/clients/door_client.h"

#include <algorithm>

#include "base/assert.h"
#include "codec/base64.h"
#include "codec/url.h"
#include "sim/clients/poll_client.h"
#include "sim/clients/sse_client.h"
#include "sim/clients/ws_client.h"

namespace sim {

std::string_view name_of(Door door) {
  static constexpr std::string_view kNames[] = {"ws", "ws_raw", "sse", "sse_raw", "poll"};
  return kNames[static_cast<std::size_t>(door)];
}

std::unique_ptr<DoorClient> make_client(Visit visit, const DoorOptions& options, base::Entropy& entropy) {
  switch (visit.door) {
    case Door::ws:
    case Door::ws_raw:
      return std::make_unique<WsClient>(std::move(visit), options, entropy);
    case Door::sse:
    case Door::sse_raw:
      return std::make_unique<SseClient>(std::move(visit), options);
    case Door::poll:
      return std::make_unique<PollClient>(std::move(visit), options);
  }
  ASSERT(false);
  return nullptr;
}

std::string target_of(std::string_view door, const std::vector<std::string>& channels) {
  std::string target(door);
  if (channels.size() == 1) {
    target += '/';
    codec::append_percent_encoded(target, channels.front());
    return target + '?';
  }
  target += '?';
  for (const std::string& channel : channels) {
    target += "channel=";
    codec::append_percent_encoded(target, channel);
    target += '&';
  }
  return target;
}

std::string cursor_text(const std::vector<Place>& places) {
  std::string text;
  bool any = false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i > 0) text += ',';
    if (places[i].epoch.empty()) continue;
    any = true;
    text += places[i].epoch + ':' + std::to_string(places[i].offset);
  }
  return any ? text : std::string();
}

std::string since_text(const Visit& visit, const DoorOptions& options) {
  return options.since.empty() ? cursor_text(visit.since) : options.since;
}

std::optional<Place> parse_place(std::string_view text) {
  if (text.size() < 10 || text[8] != ':') return std::nullopt;
  Place place{std::string(text.substr(0, 8)), 0};
  for (const char digit : text.substr(9)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    place.offset = place.offset * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return place;
}

void DoorClient::end(Visit::End end, std::uint16_t code, std::string_view reason) {
  if (over_) return;
  over_ = true;
  visit_.end = end;
  visit_.code = code;
  visit_.reason = reason;
}

bool DoorClient::take_record(std::string_view json, base::Instant now) {
  const auto broken = [&] {
    end(Visit::End::lost, 0, "not a record: " + std::string(json.substr(0, 200)));
    return false;
  };
  const auto record = codec::JsonValue::parse(json, codec::kJsonDepthMax + 1);
  if (!record) return broken();
  Told told;
  told.at = now;
  std::optional<codec::JsonValue> position, gap, error;
  bool payload = false;
  codec::JsonMembers members(*record);
  while (auto member = members.next()) {
    const std::string& name = member->name;
    const codec::JsonValue& value = member->value;
    if (name == "channel") {
      const auto found = std::find(visit_.channels.begin(), visit_.channels.end(), value.string().value_or(""));
      if (found == visit_.channels.end()) return broken();
      told.channel = static_cast<std::uint8_t>(found - visit_.channels.begin());
    } else if (name == "offset") {
      told.place.offset = value.unsigned_integer().value_or(0);
    } else if (name == "epoch") {
      told.place.epoch = value.string().value_or("");
    } else if (name == "time") {
      told.time_ms = value.integer().value_or(0);
    } else if (name == "data" || name == "text" || name == "base64") {
      if (std::exchange(payload, true)) return broken();
      if (name == "data") {
        told.payload_kind = PayloadKind::json;
        told.payload = value.raw();
      } else if (name == "text") {
        told.payload_kind = PayloadKind::text;
        told.payload = value.string().value_or("?");
      } else {
        told.payload_kind = PayloadKind::binary;
        told.payload = codec::base64_decode(value.string().value_or("?")).value_or("?");
      }
    } else if (name == "position") {
      position = value;
    } else if (name == "gap") {
      gap = value;
    } else if (name == "error") {
      error = value;
    }
  }
  if (payload) {
    if (position || gap || error || told.place.epoch.empty() || told.place.offset == 0) return broken();
    take_message(std::move(told));
    return true;
  }
  if (error) {
    end(Visit::End::refused, 0, error->raw());
    return false;
  }
  if (!position) return broken();
  const auto place = parse_place(position->string().value_or(""));
  if (!place) return broken();
  told.place = *place;
  told.kind = gap ? Told::Kind::gap : Told::Kind::start;
  if (gap) {
    const auto from = gap->find("from"), to = gap->find("to"), reason = gap->find("reason");
    if (!from || !to || !reason || to->unsigned_integer() != place->offset) return broken();
    told.gap_from = from->unsigned_integer().value_or(0);
    told.gap_reason = reason->string().value_or("");
  }
  places_[told.channel] = *place;
  visit_.told.push_back(std::move(told));
  return true;
}

void DoorClient::take_message(Told told) {
  Place& place = places_[told.channel];
  if (told.place.epoch.empty()) {
    told.place.offset = ++place.offset;
  } else {
    place = told.place;
  }
  visit_.told.push_back(std::move(told));
}

void DoorClient::take_cursor(std::string_view cursor, base::Instant now, bool with_the_last) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::size_t comma = cursor.find(',');
    const std::string_view element = cursor.substr(0, comma);
    cursor.remove_prefix(comma == std::string_view::npos ? cursor.size() : comma + 1);
    const auto place = parse_place(element);
    if (!place && !element.empty()) return end(Visit::End::lost, 0, "not a cursor");
    places.push_back(place.value_or(Place{}));
  }
  if (!cursor.empty()) return end(Visit::End::lost, 0, "a cursor of more channels");
  places_ = places;
  if (with_the_last) {
    visit_.told.back().cursor = std::move(places);
  } else {
    visit_.told.push_back({.kind = Told::Kind::cursor, .cursor = std::move(places), .at = now});
  }
}

}  // namespace sim
