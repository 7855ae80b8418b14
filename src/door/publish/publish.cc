#include "door/publish/publish.h"

#include <algorithm>
#include <utility>

#include "codec/base64.h"
#include "codec/json_out.h"
#include "codec/utf8.h"
#include "door/channel_name.h"
#include "door/envelope.h"
#include "door/parameters.h"
#include "door/since.h"
#include "hub/limits.h"

namespace door::publish {
namespace {

using base::Error;
using base::Refusal;
using codec::JsonValue;

constexpr NumberParameter kLimit{"limit", 1, 1000, 100, "limit: 1 to 1000"};

std::unexpected<Refusal> refuse(std::string_view hint) { return std::unexpected(Refusal(Error::bad_parameter, hint)); }

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return lower;
}

// "Application/JSON ; charset=utf-8" is "application/json".
std::string media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  const std::size_t end = content_type.find_last_not_of(" \t");
  return lowered(content_type.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

bool is_json(std::string_view media_type) { return media_type == "application/json" || media_type.ends_with("+json"); }

std::expected<Content, Refusal> json_content(std::string_view text) {
  std::expected<std::string, Error> json = codec::validate_json(text);
  if (!json) return std::unexpected(json.error());
  return Content{hub::Kind::json, *std::move(json)};
}

// The members of a request, each known and there at most once: what is misspelt must not be ignored. `hint` names them.
// The object that wraps a payload does not count against the payload's depth.
std::expected<JsonValue, Refusal> parse_object(std::string_view body, std::initializer_list<std::string_view> names,
                                               std::string_view hint) {
  std::expected<JsonValue, Error> object = JsonValue::parse(body, codec::kJsonDepthMax + 1);
  if (!object) return std::unexpected(object.error());
  if (object->type() != JsonValue::Type::object) return refuse("the body is a JSON object");
  std::vector<std::string> seen;
  codec::JsonMembers members(*object);
  while (std::optional<codec::JsonMember> member = members.next()) {
    const bool known = std::ranges::find(names, member->name) != names.end();
    if (!known || std::ranges::find(seen, member->name) != seen.end()) return refuse(hint);
    seen.push_back(std::move(member->name));
  }
  return *object;
}

std::expected<std::string, Refusal> channel_of(const JsonValue& object) {
  const std::optional<JsonValue> member = object.find("channel");
  std::optional<std::string> channel = member ? member->string() : std::nullopt;
  if (!channel) return refuse("channel: a JSON string");
  if (const auto checked = check_channel_name(*channel); !checked) return std::unexpected(checked.error());
  return *std::move(channel);
}

std::expected<std::uint32_t, Refusal> limit_of(const JsonValue& object) {
  const std::optional<JsonValue> member = object.find("limit");
  if (!member) return kLimit.absent;
  return parse_number(member->raw(), kLimit);
}

std::expected<Content, Refusal> payload_of(const JsonValue& object) {
  const std::optional<JsonValue> data = object.find("data");
  const std::optional<JsonValue> text = object.find("text");
  const std::optional<JsonValue> base64 = object.find("base64");
  if ((data ? 1 : 0) + (text ? 1 : 0) + (base64 ? 1 : 0) != 1)
    return refuse("one of data, text and base64, and only one");
  if (data) return json_content(data->raw());
  std::optional<std::string> string = (text ? text : base64)->string();
  if (!string) return refuse(text ? "text: a JSON string" : "base64: a JSON string");
  if (text) return Content{hub::Kind::text, *std::move(string)};
  std::optional<std::string> bytes = codec::base64_decode(*string);
  if (!bytes) return refuse("base64: not base64 as RFC 4648 section 4 writes it, with padding");
  return Content{hub::Kind::binary, *std::move(bytes)};
}

std::expected<hub::Tags, Refusal> tags_of(const JsonValue& object) {
  constexpr std::string_view kHint =
      "tags: an object of at most 16 strings, names of 1 to 255 bytes, values up to 1024";
  const std::optional<JsonValue> member = object.find("tags");
  if (!member) return hub::Tags();
  if (member->type() != JsonValue::Type::object) return refuse(kHint);
  std::vector<hub::Tag> tags;
  codec::JsonMembers members(*member);
  while (std::optional<codec::JsonMember> tag = members.next()) {
    std::optional<std::string> value = tag->value.string();
    // One more than may be is enough to refuse them all.
    if (!value || tags.size() > hub::kTagsMax) return refuse(kHint);
    tags.push_back({std::move(tag->name), *std::move(value)});
  }
  std::expected<hub::Tags, hub::TagsError> made = hub::Tags::make(std::move(tags));
  if (!made) return refuse(kHint);
  return *std::move(made);
}

std::string_view level_text(hub::Level level) {
  switch (level) {
    case hub::Level::accepted:
      break;
  }
  return "accepted";
}

// Without a text: the last `limit` messages.
std::expected<hub::Since, Refusal> history_since(std::string_view text, std::uint32_t limit) {
  if (text.empty()) return hub::Since{.kind = hub::Since::Kind::last, .count = limit};
  const std::expected<std::vector<hub::Since>, Refusal> since = parse_since(text, 1);
  if (!since) return std::unexpected(since.error());
  return since->front();
}

std::expected<ApiHistory, Refusal> make_history(std::string channel, std::string_view since_text,
                                                std::expected<std::uint32_t, Refusal> limit) {
  if (!limit) return std::unexpected(limit.error());
  const std::expected<hub::Since, Refusal> since = history_since(since_text, *limit);
  if (!since) return std::unexpected(since.error());
  return ApiHistory{.channel = std::move(channel), .since = *since, .limit = *limit};
}

}  // namespace

std::expected<Content, Refusal> content_of(std::optional<std::string_view> content_type, std::string_view body) {
  const std::string type = media_type(content_type.value_or(""));
  if (is_json(type)) return json_content(body);
  const bool binary = type == "application/octet-stream" || !codec::utf8_valid(body);
  return Content{binary ? hub::Kind::binary : hub::Kind::text, std::string(body)};
}

bool is_valid_idempotency_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= 255 && std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::expected<ApiPublish, Refusal> parse_api_publish(std::string_view body) {
  const auto object = parse_object(body, {"channel", "data", "text", "base64", "tags", "idempotency_key"},
                                   "fields: channel, one of data, text and base64, tags, idempotency_key; each once");
  if (!object) return std::unexpected(object.error());
  std::expected<std::string, Refusal> channel = channel_of(*object);
  if (!channel) return std::unexpected(channel.error());
  std::expected<Content, Refusal> content = payload_of(*object);
  if (!content) return std::unexpected(content.error());
  std::expected<hub::Tags, Refusal> tags = tags_of(*object);
  if (!tags) return std::unexpected(tags.error());
  ApiPublish publish{
      .channel = *std::move(channel), .content = *std::move(content), .tags = *std::move(tags), .idempotency_key = {}};
  if (const std::optional<JsonValue> key = object->find("idempotency_key")) {
    publish.idempotency_key = key->string();
    if (!publish.idempotency_key || !is_valid_idempotency_key(*publish.idempotency_key)) {
      return refuse("idempotency_key: 1 to 255 visible ASCII characters");
    }
  }
  return publish;
}

base::Hash128 content_hash(const Content& content, const hub::Tags& tags, std::uint64_t seed) {
  const std::uint64_t kind_seed = seed + static_cast<std::uint64_t>(content.kind);
  if (tags.empty()) return base::hash128(content.payload, kind_seed);
  // The size before each part, so that no two contents make the same text; with a seed that contents without tags lack.
  std::string text;
  const auto add = [&](std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  };
  add(content.payload);
  for (const hub::Tag& tag : tags.all()) {
    add(tag.key);
    add(tag.value);
  }
  return base::hash128(text, kind_seed + 3);  // 3 kinds
}

std::expected<ApiHistory, Refusal> parse_api_history(std::string_view body) {
  const auto object = parse_object(body, {"channel", "since", "limit"}, "fields: channel, since, limit; each once");
  if (!object) return std::unexpected(object.error());
  std::expected<std::string, Refusal> channel = channel_of(*object);
  if (!channel) return std::unexpected(channel.error());
  std::string since;
  if (const std::optional<JsonValue> member = object->find("since")) {
    // A number is the same as its text: -N or milliseconds.
    if (member->type() == JsonValue::Type::number) {
      since = member->raw();
    } else if (std::optional<std::string> text = member->string()) {
      since = *std::move(text);
    } else {
      return refuse("since: a JSON string or number");
    }
  }
  return make_history(*std::move(channel), since, limit_of(*object));
}

std::expected<ApiHistory, Refusal> parse_api_history(const codec::Query& query) {
  if (query.count("since") > 1) return refuse("since: given twice");
  const std::optional<std::string_view> channel = query.find("channel");
  if (!channel) return refuse("channel: name one, and only one");
  if (const auto checked = check_channel_name(*channel); !checked) return std::unexpected(checked.error());
  return make_history(std::string(*channel), query.find("since").value_or(""), parse_number(query, kLimit));
}

std::expected<ApiChannels, Refusal> parse_api_channels(std::string_view body) {
  const auto object = parse_object(body.empty() ? "{}" : body, {"prefix", "limit"}, "fields: prefix, limit; each once");
  if (!object) return std::unexpected(object.error());
  ApiChannels request;
  if (const std::optional<JsonValue> prefix = object->find("prefix")) {
    std::optional<std::string> text = prefix->string();
    if (!text) return refuse("prefix: a JSON string");
    request.prefix = *std::move(text);
  }
  const std::expected<std::uint32_t, Refusal> limit = limit_of(*object);
  if (!limit) return std::unexpected(limit.error());
  request.limit = *limit;
  return request;
}

std::expected<ApiChannels, Refusal> parse_api_channels(const codec::Query& query) {
  if (query.count("prefix") > 1) return refuse("prefix: given twice");
  const std::expected<std::uint32_t, Refusal> limit = parse_number(query, kLimit);
  if (!limit) return std::unexpected(limit.error());
  return ApiChannels{.prefix = std::string(query.find("prefix").value_or("")), .limit = *limit};
}

void append_published(std::string& out, std::string_view channel, const hub::Published& published) {
  codec::JsonWriter json(out);
  json.begin_object().key("channel").string(channel).key("epoch").string(published.position.epoch.view());
  json.key("offset").number(published.position.offset).key("time").number(published.time.ms);
  json.key("level").string(level_text(published.level)).key("workers").number(published.workers).end_object();
}

void append_history(std::string& out, std::string_view channel, const hub::Page& page) {
  codec::JsonWriter json(out);
  json.begin_object().key("channel").string(channel).key("epoch").string(page.head.epoch.view());
  json.key("head").number(page.head.offset).key("first").number(page.first_held);
  json.key("messages").begin_array();
  std::string record;
  for (const hub::MessageRef& message : page.messages) {
    record.clear();
    append_envelope(record, channel, page.head.epoch, *message);
    json.raw(record);
  }
  json.end_array();
  if (page.gap) {
    record.clear();
    append_gap(record, *page.gap);
    json.key("gap").raw(record);
  }
  json.end_object();
}

}  // namespace door::publish
