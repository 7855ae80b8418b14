#include "door/envelope.h"

#include "codec/base64.h"
#include "codec/json_out.h"

namespace door {
namespace {

// By hand instead of by JsonWriter: this runs once per message and format, and the keys are constants.
void append_channel(std::string& out, std::string_view channel) {
  out += "{\"channel\":";
  codec::append_json_string(out, channel);
}

void append_payload(std::string& out, const hub::Message& message) {
  // What the server itself says of a key has no payload.
  if (message.payload().empty() && message.kind() == hub::Kind::json) return;
  switch (message.kind()) {
    case hub::Kind::json:
      out += ",\"data\":";
      out += message.payload();
      return;
    case hub::Kind::text:
      out += ",\"text\":";
      codec::append_json_string(out, message.payload());
      return;
    case hub::Kind::binary:
      out += ",\"base64\":\"";
      out += codec::base64_encode(message.payload());
      out += '"';
      return;
  }
}

// Of a map.
void append_change(std::string& out, const hub::Extras& extras) {
  out += ",\"key\":";
  codec::append_json_string(out, extras.key);
  if (extras.removed) out += ",\"removed\":true";
  if (extras.score != 0) {
    out += ",\"score\":";
    codec::append_json_number(out, extras.score);
  }
}

void append_tags(std::string& out, const hub::Tags& tags) {
  char before = '{';
  out += ",\"tags\":";
  for (const hub::Tag& tag : tags.all()) {
    out += before;
    codec::append_json_string(out, tag.key);
    out += ':';
    codec::append_json_string(out, tag.value);
    before = ',';
  }
  out += '}';
}

// Epoch and digits need no escape.
void append_position_member(std::string& out, const hub::Position& position) {
  out += ",\"position\":\"";
  hub::append_position(out, position);
  out += "\"}";
}

}  // namespace

std::string_view to_string(hub::GapReason reason) {
  switch (reason) {
    case hub::GapReason::expired:
      return "expired";
    case hub::GapReason::epoch_changed:
      return "epoch_changed";
    case hub::GapReason::too_far:
      return "too_far";
    case hub::GapReason::overload:
      return "overload";
    case hub::GapReason::slow_reader:
      return "slow_reader";
    case hub::GapReason::conflated:
      return "conflated";
    case hub::GapReason::damaged:
      return "damaged";
  }
  return "overload";
}

void append_envelope(std::string& out, std::string_view channel, const hub::Epoch& epoch, const hub::Message& message) {
  append_channel(out, channel);
  out += ",\"offset\":";
  codec::append_json_number(out, std::uint64_t{message.offset()});
  out += ",\"epoch\":\"";
  out += epoch.view();
  out += "\",\"time\":";
  codec::append_json_number(out, message.time().ms);
  append_payload(out, message);
  if (const hub::Extras* extras = message.extras()) {
    if (!extras->key.empty()) append_change(out, *extras);
    if (!extras->tags.empty()) append_tags(out, extras->tags);
  }
  out += '}';
}

void append_position_record(std::string& out, std::string_view channel, const hub::Position& position) {
  append_channel(out, channel);
  append_position_member(out, position);
}

void append_gap_record(std::string& out, std::string_view channel, const hub::Gap& gap, const hub::Position& after) {
  append_channel(out, channel);
  out += ",\"gap\":";
  append_gap(out, gap);
  append_position_member(out, after);
}

void append_error_record(std::string& out, std::string_view channel, const base::Refusal& refusal) {
  const base::ErrorEntry& entry = base::entry(refusal.error);
  std::string message(entry.text);
  if (!refusal.hint.empty()) message.append(" ").append(refusal.hint);
  codec::JsonWriter json(out);
  json.begin_object();
  if (!channel.empty()) json.key("channel").string(channel);
  json.key("error").begin_object().key("code").string(entry.code).key("message").string(message);
  json.end_object().end_object();
}

void append_gap(std::string& out, const hub::Gap& gap) {
  codec::JsonWriter(out)
      .begin_object()
      .key("from")
      .number(gap.from)
      .key("to")
      .number(gap.to)
      .key("reason")
      .string(to_string(gap.reason))
      .end_object();
}

}  // namespace door
