#include "client/core/record.h"

#include "codec/base64.h"
#include "codec/json_in.h"
#include "codec/json_out.h"

namespace client {
namespace {

using codec::JsonMember;
using codec::JsonValue;

// The members of a record that mean something, as views into it.
struct Members {
  std::optional<JsonValue> channel, offset, epoch, time, position, gap, error, payload;
  Kind kind = Kind::json;
  bool doubled = false;

  void take(const JsonMember& member) {
    if (member.name == "channel") {
      set(channel, member.value);
    } else if (member.name == "offset") {
      set(offset, member.value);
    } else if (member.name == "epoch") {
      set(epoch, member.value);
    } else if (member.name == "time") {
      set(time, member.value);
    } else if (member.name == "position") {
      set(position, member.value);
    } else if (member.name == "gap") {
      set(gap, member.value);
    } else if (member.name == "error") {
      set(error, member.value);
    } else if (member.name == "data") {
      kind = Kind::json;
      set(payload, member.value);
    } else if (member.name == "text") {
      kind = Kind::text;
      set(payload, member.value);
    } else if (member.name == "base64") {
      kind = Kind::binary;
      set(payload, member.value);
    }
  }
  void set(std::optional<JsonValue>& slot, JsonValue value) {
    if (slot) doubled = true;
    slot = value;
  }
};

std::optional<MessageRecord> read_message(const Members& members) {
  if (!members.offset || !members.epoch || !members.time) return std::nullopt;
  auto offset = members.offset->unsigned_integer();
  auto epoch = members.epoch->string();
  auto time = members.time->integer();
  if (!offset || *offset == 0 || !epoch || epoch->size() != 8 || !time) return std::nullopt;
  MessageRecord message{{std::move(*epoch), *offset}, {*time}, members.kind, {}};
  if (members.kind == Kind::json) {
    message.payload = members.payload->raw();
    return message;
  }
  auto text = members.payload->string();
  if (text && members.kind == Kind::binary) text = codec::base64_decode(*text);
  if (!text) return std::nullopt;
  message.payload = std::move(*text);
  return message;
}

std::optional<Position> read_position(const std::optional<JsonValue>& value) {
  if (!value) return std::nullopt;
  auto text = value->string();
  if (!text) return std::nullopt;
  return parse_position(*text);
}

std::optional<GapRecord> read_gap(const Members& members) {
  auto position = read_position(members.position);
  auto from = members.gap->find("from");
  auto to = members.gap->find("to");
  auto reason = members.gap->find("reason");
  if (!position || !from || !to || !reason) return std::nullopt;
  auto first = from->unsigned_integer();
  auto last = to->unsigned_integer();
  auto why = reason->string();
  if (!first || !last || !why) return std::nullopt;
  return GapRecord{*first, *last, std::move(*why), std::move(*position)};
}

std::optional<ErrorRecord> read_error(const JsonValue& error) {
  auto code = error.find("code");
  auto text = code ? code->string() : std::nullopt;
  if (!text) return std::nullopt;
  auto message = error.find("message");
  return ErrorRecord{std::move(*text), message ? message->string().value_or("") : ""};
}

void begin(codec::JsonWriter& writer, std::string_view channel) {
  writer.begin_object().key("channel").string(channel);
}

}  // namespace

std::optional<Record> read_record(std::string_view json) {
  // A payload may use the whole depth that the server allows; the record around it is one more.
  auto value = JsonValue::parse(json, codec::kJsonDepthMax + 1);
  if (!value || value->type() != JsonValue::Type::object) return std::nullopt;
  Members members;
  codec::JsonMembers all(*value);
  while (auto member = all.next()) members.take(*member);
  if (members.doubled) return std::nullopt;

  Record record;
  if (!members.channel) {
    // Whatever a later version says about the connection as a whole.
    if (members.payload || members.gap || members.error || members.position) return std::nullopt;
    record.content = UnknownRecord{};
    return record;
  }
  auto channel = members.channel->string();
  if (!channel) return std::nullopt;
  record.channel = std::move(*channel);
  auto put = [&record](auto content) -> std::optional<Record> {
    if (!content) return std::nullopt;
    record.content = std::move(*content);
    return std::move(record);
  };
  if (members.payload) return put(read_message(members));
  if (members.gap) return put(read_gap(members));
  if (members.error) return put(read_error(*members.error));
  if (!members.position) return put(std::optional(UnknownRecord{}));
  auto position = read_position(members.position);
  if (!position) return std::nullopt;
  record.content = PositionRecord{std::move(*position)};
  return record;
}

void append_json(std::string& out, std::string_view channel, const MessageRecord& message) {
  codec::JsonWriter writer(out);
  begin(writer, channel);
  writer.key("offset").number(message.position.offset);
  writer.key("epoch").string(message.position.epoch);
  writer.key("time").number(message.time.ms);
  switch (message.kind) {
    case Kind::json:
      writer.key("data").raw(message.payload);
      break;
    case Kind::text:
      writer.key("text").string(message.payload);
      break;
    case Kind::binary:
      writer.key("base64").string(codec::base64_encode(message.payload));
      break;
  }
  writer.end_object();
}

void append_json(std::string& out, std::string_view channel, const PositionRecord& started) {
  codec::JsonWriter writer(out);
  begin(writer, channel);
  writer.key("position").string(to_string(started.position)).end_object();
}

void append_json(std::string& out, std::string_view channel, const GapRecord& gap) {
  codec::JsonWriter writer(out);
  begin(writer, channel);
  writer.key("gap").begin_object();
  writer.key("from").number(gap.from).key("to").number(gap.to).key("reason").string(gap.reason).end_object();
  writer.key("position").string(to_string(gap.position)).end_object();
}

void append_json(std::string& out, std::string_view channel, const ErrorRecord& error) {
  codec::JsonWriter writer(out);
  begin(writer, channel);
  writer.key("error").begin_object();
  writer.key("code").string(error.code).key("message").string(error.message).end_object().end_object();
}

}  // namespace client
