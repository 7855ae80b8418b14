#include "codec/json_in.h"
#include "sim/centrifuge/heard.h"

namespace sim::centrifuge {
namespace {

using codec::JsonElements;
using codec::JsonMembers;
using codec::JsonValue;

bool truth(const JsonValue& value) { return value.boolean().value_or(false); }
std::string text(const JsonValue& value) { return value.string().value_or("?"); }
std::uint64_t number(const JsonValue& value) { return value.unsigned_integer().value_or(0); }

HeardPublication publication_of(const JsonValue& object) {
  HeardPublication heard;
  JsonMembers members(object);
  while (const auto member = members.next()) {
    if (member->name == "data") heard.data = member->value.raw();
    if (member->name == "offset") heard.offset = number(member->value);
    if (member->name == "epoch") heard.epoch = text(member->value);
    if (member->name == "delta") heard.delta = truth(member->value);
  }
  return heard;
}

HeardSubscription subscription_of(const JsonValue& object) {
  HeardSubscription heard;
  JsonMembers members(object);
  while (const auto member = members.next()) {
    const std::string& name = member->name;
    if (name == "recoverable") heard.recoverable = truth(member->value);
    if (name == "positioned") heard.positioned = truth(member->value);
    if (name == "recovered") heard.recovered = truth(member->value);
    if (name == "was_recovering") heard.was_recovering = truth(member->value);
    if (name == "delta") heard.delta = truth(member->value);
    if (name == "epoch") heard.epoch = text(member->value);
    if (name == "offset") heard.offset = number(member->value);
    if (name == "publications") {
      JsonElements elements(member->value);
      while (const auto element = elements.next()) heard.publications.push_back(publication_of(*element));
    }
  }
  return heard;
}

void take_connect(const JsonValue& object, Heard& heard) {
  heard.kind = Heard::Kind::connected;
  JsonMembers members(object);
  while (const auto member = members.next()) {
    if (member->name == "pong") heard.pong = truth(member->value);
    if (member->name != "subs") continue;
    JsonMembers subs(member->value);
    while (const auto each = subs.next()) heard.subscriptions.emplace_back(each->name, subscription_of(each->value));
  }
}

void take_client(const JsonValue& object, Heard& heard) {
  const auto info = object.find("info");
  const auto client = info ? info->find("client") : std::nullopt;
  heard.client = client ? text(*client) : "?";
}

void take_push(const JsonValue& object, Heard& heard) {
  heard.kind = Heard::Kind::other;
  JsonMembers members(object);
  while (const auto member = members.next()) {
    const std::string& name = member->name;
    if (name == "channel") heard.channel = text(member->value);
    if (name == "pub") {
      heard.kind = Heard::Kind::publication;
      heard.publication = publication_of(member->value);
    } else if (name == "join" || name == "leave") {
      heard.kind = name == "join" ? Heard::Kind::join : Heard::Kind::leave;
      take_client(member->value, heard);
    } else if (name == "unsubscribe") {
      heard.kind = Heard::Kind::dismissed;
      if (const auto code = member->value.find("code")) heard.code = static_cast<std::uint32_t>(number(*code));
    }
  }
}

}  // namespace

std::optional<std::vector<Heard>> hear_json(std::string_view frame) {
  std::vector<Heard> all;
  while (!frame.empty()) {
    const std::size_t end = frame.find('\n');
    const std::string_view line = frame.substr(0, end);
    frame.remove_prefix(end == std::string_view::npos ? frame.size() : end + 1);
    const auto object = JsonValue::parse(line, codec::kJsonDepthMax + 16);
    if (!object || object->type() != JsonValue::Type::object) return std::nullopt;
    Heard& heard = all.emplace_back();
    JsonMembers members(*object);
    while (const auto member = members.next()) {
      const std::string& name = member->name;
      if (name == "id") {
        heard.id = static_cast<std::uint32_t>(number(member->value));
      } else if (name == "error") {
        heard.kind = Heard::Kind::other;
        const auto code = member->value.find("code");
        heard.error = code ? static_cast<std::uint32_t>(number(*code)) : 1;
      } else if (name == "connect") {
        take_connect(member->value, heard);
      } else if (name == "subscribe") {
        heard.kind = Heard::Kind::subscribed;
        heard.subscription = subscription_of(member->value);
      } else if (name == "unsubscribe") {
        heard.kind = Heard::Kind::unsubscribed;
      } else if (name == "push") {
        take_push(member->value, heard);
      } else {
        heard.kind = Heard::Kind::other;
      }
    }
  }
  return all;
}

}  // namespace sim::centrifuge
