#include "door/server_api/parse_maps.h"

#include <algorithm>
#include <utility>

#include "codec/base64.h"
#include "door/server_api/fields.h"
#include "door/server_api/parse_messages.h"

namespace door::server_api {
namespace {

using base::Refusal;
using codec::JsonValue;

constexpr std::string_view kLimitHint = "limit: a whole number; 0 for the position alone, below 0 for all";

template <typename Value>
std::expected<Command, Refusal> finish(const Fields& in, Value value) {
  if (in.refusal()) return std::unexpected(*in.refusal());
  return value;
}

std::string read_key(Fields& in) {
  constexpr std::string_view kHint = "key: 1 to 255 bytes without control characters";
  std::string key = in.name("key", kHint);
  if (key.empty()) in.refuse(kHint);
  return key;
}

std::uint32_t read_limit(Fields& in, std::uint32_t absent, std::uint32_t all) {
  const std::int64_t limit = in.integer("limit", kLimitHint).value_or(absent);
  return limit < 0 ? all : static_cast<std::uint32_t>(std::min<std::int64_t>(limit, all));
}

// Two members that are a position; neither: none. An empty epoch is none that a channel has.
std::optional<hub::Position> read_position(Fields& in, std::string_view offset, std::string_view epoch,
                                           std::string_view hint) {
  if (in.find(offset) == nullptr && in.find(epoch) == nullptr) return std::nullopt;
  const hub::Offset number = in.number(offset, hint).value_or(0);
  return hub::Position{epoch_of(in.text(epoch, kNameBytesMax, hint)), number};
}

std::optional<hub::Position> read_expected(Fields& in) {
  return read_position(in, "expected_offset", "expected_epoch",
                       "expected_offset, expected_epoch: the position of the last change of the key");
}

std::optional<Content> read_stream_data(Fields& in) {
  constexpr std::string_view kHint = "one of stream_data (JSON) and b64stream_data (base64), or neither";
  const JsonValue* data = in.find("stream_data");
  const JsonValue* coded = in.find("b64stream_data");
  if (coded != nullptr && coded->string() == "") coded = nullptr;  // as some libraries say "none"
  if (data != nullptr && coded != nullptr) in.refuse(kHint);
  if (data != nullptr) {
    std::expected<Content, Refusal> json = json_content(data->raw());
    if (json) return *std::move(json);
    in.refuse(json.error());
  } else if (coded != nullptr) {
    std::optional<std::string> bytes = codec::base64_decode(coded->string().value_or("?"));
    if (bytes) return Content{hub::Kind::binary, *std::move(bytes)};
    in.refuse(kHint);
  }
  return std::nullopt;
}

hub::MapChange::When read_key_mode(Fields& in) {
  constexpr std::string_view kHint = "key_mode: replace, if_new or if_exists";
  const std::string text = in.text("key_mode", 16, kHint);
  if (text == "if_new") return hub::MapChange::When::if_new;
  if (text == "if_exists") return hub::MapChange::When::if_exists;
  if (!text.empty() && text != "replace") in.refuse(kHint);
  return hub::MapChange::When::always;
}

}  // namespace

std::expected<Command, Refusal> parse_map_publish(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {
      "channel",       "key",   "data",    "text",          "base64", "b64data",  "stream_data",     "b64stream_data",
      "tags",          "delta", "version", "version_epoch", "score",  "key_mode", "idempotency_key", "expected_offset",
      "expected_epoch"};
  Fields in(body, kFields,
            "fields: channel, key, one of data, text and base64, stream_data, tags, idempotency_key, delta, version, "
            "version_epoch, score, key_mode, expected_offset, expected_epoch; each once");
  MapPublish publish{.channel = in.channel(),
                     .key = read_key(in),
                     .publication = read_publication(in),
                     .stream_data = read_stream_data(in),
                     .expected = read_expected(in)};
  publish.score = in.integer("score", "score: a whole number").value_or(0);
  publish.when = read_key_mode(in);
  return finish(in, std::move(publish));
}

std::expected<Command, Refusal> parse_map_remove(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel",         "key",           "idempotency_key", "tags",
                                                 "expected_offset", "expected_epoch"};
  Fields in(body, kFields, "fields: channel, key, idempotency_key, tags, expected_offset, expected_epoch; each once");
  MapRemove remove{.channel = in.channel(),
                   .key = read_key(in),
                   .idempotency_key = read_idempotency_key(in),
                   .tags = read_tags(in),
                   .expected = read_expected(in)};
  return finish(in, std::move(remove));
}

std::expected<Command, Refusal> parse_map_read_state(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel", "cursor",          "limit",         "key",
                                                 "asc",     "revision_offset", "revision_epoch"};
  Fields in(body, kFields, "fields: channel, cursor, limit, key, asc, revision_offset, revision_epoch; each once");
  MapReadState read{.channel = in.channel(),
                    .cursor = in.text("cursor", 1024, "cursor: that of the answer before"),
                    .limit = read_limit(in, 100, kMapLimitMax),
                    .key = in.name("key", "key: at most 255 bytes without control characters"),
                    .epoch = std::nullopt};
  if (in.boolean("asc", "asc: true or false")) read.order = hub::ReadState::Order::ascending;
  constexpr std::string_view kHint = "revision_offset, revision_epoch: the position of the first page";
  in.number("revision_offset", kHint);
  if (const std::string epoch = in.text("revision_epoch", kNameBytesMax, kHint); !epoch.empty()) {
    read.epoch = epoch_of(epoch);
  }
  return finish(in, std::move(read));
}

std::expected<Command, Refusal> parse_map_read_stream(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel", "since_offset", "since_epoch", "limit", "reverse"};
  Fields in(body, kFields, "fields: channel, since_offset, since_epoch, limit, reverse; each once");
  MapReadStream read{.channel = in.channel(), .window = {}};
  read.window.messages_max = read_limit(in, 100, kHistoryLimitMax);
  if (in.boolean("reverse", "reverse: true or false")) read.window.order = hub::Window::Order::newest_first;
  constexpr std::string_view kHint = "since_offset, since_epoch: a position";
  const hub::Offset offset = in.number("since_offset", kHint).value_or(0);
  const std::string epoch = in.text("since_epoch", kNameBytesMax, kHint);
  if (offset > 0 || !epoch.empty()) {
    read.window.since = hub::Position{epoch.empty() ? hub::Epoch{} : epoch_of(epoch), offset};
  }
  return finish(in, std::move(read));
}

std::expected<Command, Refusal> parse_map_stats(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel"};
  Fields in(body, kFields, "fields: channel");
  return finish(in, MapStats{in.channel()});
}

std::expected<Command, Refusal> parse_map_clear(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel"};
  Fields in(body, kFields, "fields: channel");
  return finish(in, MapClear{in.channel()});
}

}  // namespace door::server_api
