#include "door/server_api/parse_messages.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "codec/base64.h"
#include "door/channel_name.h"
#include "door/parameters.h"
#include "door/server_api/fields.h"
#include "door/since.h"
#include "hub/glob.h"

namespace door::server_api {
namespace {

using base::Error;
using base::Refusal;
using codec::JsonValue;

constexpr NumberParameter kLimit{"limit", 1, kPageLimitMax, 100, "limit: 1 to 1000"};
constexpr std::string_view kTagsHint =
    "tags: an object of at most 16 strings, names of 1 to 255 bytes, values up to 1024";

template <typename Value>
std::expected<Command, Refusal> finish(const Fields& in, Value value) {
  if (in.refusal()) return std::unexpected(*in.refusal());
  return value;
}

// Absent: none. Below 0: all that may be.
std::optional<std::int64_t> read_limit(Fields& in, std::string_view hint) { return in.integer("limit", hint); }

std::uint32_t page_limit(Fields& in) {
  const std::optional<std::int64_t> limit = read_limit(in, kLimit.hint);
  if (!limit) return kLimit.absent;
  if (*limit < kLimit.min || *limit > kLimit.max) {
    in.refuse(kLimit.hint);
    return kLimit.absent;
  }
  return static_cast<std::uint32_t>(*limit);
}

// Without a text: the last `limit` messages.
std::expected<hub::Since, Refusal> history_since(std::string_view text, std::uint32_t limit) {
  if (text.empty()) return hub::Since{.kind = hub::Since::Kind::last, .count = limit};
  const std::expected<std::vector<hub::Since>, Refusal> since = parse_since(text, 1);
  if (!since) return std::unexpected(since.error());
  return since->front();
}

// {"offset","epoch"}
hub::Position read_position(Fields& in, const JsonValue& object) {
  static constexpr std::string_view kFields[] = {"offset", "epoch"};
  constexpr std::string_view kHint = "since: a position (epoch:offset), -N, a time, or an object with offset and epoch";
  Fields since(object, kFields, kHint);
  hub::Position position{.offset = since.number("offset", kHint).value_or(0)};
  const std::string epoch = since.text("epoch", 255, kHint);
  if (since.refusal()) in.refuse(*since.refusal());
  if (epoch.empty()) return position;
  position.epoch = epoch_of(epoch);
  return position;
}

// Without a `since` the original begins with the oldest and we with the last so many: then each has its own.
History make_history(std::string channel, hub::Since since, std::uint32_t limit, bool from_the_oldest) {
  return {.channel = std::move(channel),
          .since = since,
          .limit = std::min(limit, kPageLimitMax),
          .window = {.messages_max = from_the_oldest ? limit : 0}};
}

}  // namespace

Content read_payload(Fields& in) {
  const JsonValue* data = in.find("data");
  const JsonValue* text = in.find("text");
  const JsonValue* base64 = in.find("base64");
  const JsonValue* b64data = in.find("b64data");
  if (b64data != nullptr && b64data->string() == "") b64data = nullptr;  // as some libraries say "none"
  if ((data ? 1 : 0) + (text ? 1 : 0) + (base64 ? 1 : 0) + (b64data ? 1 : 0) != 1) {
    in.refuse("one of data, text and base64, and only one");
    return {};
  }
  if (data != nullptr) {
    std::expected<Content, Refusal> json = json_content(data->raw());
    if (json) return *std::move(json);
    in.refuse(json.error());
    return {};
  }
  if (text != nullptr) {
    std::optional<std::string> string = text->string();
    if (!string) in.refuse("text: a JSON string");
    return {hub::Kind::text, std::move(string).value_or("")};
  }
  const std::optional<std::string> string = (base64 != nullptr ? base64 : b64data)->string();
  if (!string) in.refuse("base64: a JSON string");
  std::optional<std::string> bytes = codec::base64_decode(string.value_or(""));
  if (!bytes) in.refuse("base64: not base64 as RFC 4648 section 4 writes it, with padding");
  return {hub::Kind::binary, std::move(bytes).value_or("")};
}

hub::Tags read_tags(Fields& in) {
  const JsonValue* member = in.find("tags");
  if (member == nullptr) return {};
  if (member->type() != JsonValue::Type::object) {
    in.refuse(kTagsHint);
    return {};
  }
  std::vector<hub::Tag> tags;
  codec::JsonMembers members(*member);
  while (std::optional<codec::JsonMember> tag = members.next()) {
    std::optional<std::string> value = tag->value.string();
    // One more than may be is enough to refuse them all.
    if (!value || tags.size() > hub::kTagsMax) {
      in.refuse(kTagsHint);
      return {};
    }
    tags.push_back({std::move(tag->name), *std::move(value)});
  }
  std::expected<hub::Tags, hub::TagsError> made = hub::Tags::make(std::move(tags));
  if (!made) in.refuse(kTagsHint);
  return made ? *std::move(made) : hub::Tags();
}

std::optional<std::string> read_idempotency_key(Fields& in) {
  const JsonValue* key = in.find("idempotency_key");
  if (key == nullptr) return std::nullopt;
  std::optional<std::string> text = key->string();
  if (!text || !is_valid_idempotency_key(*text)) in.refuse("idempotency_key: 1 to 255 visible ASCII characters");
  return text;
}

Publication read_publication(Fields& in) {
  Publication publication{.content = read_payload(in),
                          .tags = read_tags(in),
                          .idempotency_key = read_idempotency_key(in),
                          .version_epoch = {}};
  publication.skip_history = in.boolean("skip_history", "skip_history: true or false");
  if (const std::string ack = in.text("ack", 16, "ack: accepted or durable"); ack == "durable") {
    publication.durable = true;
  } else if (!ack.empty() && ack != "accepted") {
    in.refuse("ack: accepted or durable");
  }
  publication.delta = in.boolean("delta", "delta: true or false");
  publication.version = in.number("version", "version: a whole number from 0 on").value_or(0);
  publication.version_epoch = in.text("version_epoch", hub::kVersionEpochBytesMax, "version_epoch: at most 255 bytes");
  return publication;
}

hub::Epoch epoch_of(const std::string& text) {
  hub::Epoch epoch;
  epoch.text.fill('?');  // in none
  if (const auto known = hub::parse_position(text + ":0")) epoch = known->epoch;
  return epoch;
}

std::expected<Command, Refusal> parse_publish(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {
      "channel",         "data",         "text",  "base64",  "b64data",       "tags",
      "idempotency_key", "skip_history", "delta", "version", "version_epoch", "ack"};
  Fields in(body, kFields,
            "fields: channel, one of data, text and base64, tags, idempotency_key, skip_history, delta, version, "
            "version_epoch, ack; each once");
  Publish publish{.channel = in.channel(), .publication = read_publication(in)};
  return finish(in, std::move(publish));
}

std::expected<Command, Refusal> parse_broadcast(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {
      "channels",        "data",         "text",  "base64",  "b64data",       "tags",
      "idempotency_key", "skip_history", "delta", "version", "version_epoch", "ack"};
  constexpr std::string_view kChannels = "channels: an array of 1 to 1000 names, each once";
  Fields in(body, kFields,
            "fields: channels, one of data, text and base64, tags, idempotency_key, skip_history, delta, version, "
            "version_epoch, ack; each once");
  Broadcast broadcast{.channels = {}, .publication = read_publication(in)};
  const JsonValue* channels = in.find("channels");
  if (channels == nullptr || channels->type() != JsonValue::Type::array) {
    in.refuse(kChannels);
    return finish(in, std::move(broadcast));
  }
  codec::JsonElements elements(*channels);
  std::unordered_set<std::string> seen;
  while (const std::optional<JsonValue> element = elements.next()) {
    std::optional<std::string> name = element->string();
    if (!name || broadcast.channels.size() == kBroadcastChannelsMax || !seen.insert(*name).second) {
      in.refuse(kChannels);
      break;
    }
    if (const auto checked = check_channel_name(*name); !checked) in.refuse(checked.error());
    broadcast.channels.push_back(*std::move(name));
  }
  if (broadcast.channels.empty()) in.refuse(kChannels);
  return finish(in, std::move(broadcast));
}

std::expected<Command, Refusal> parse_history(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel", "since", "limit", "reverse"};
  Fields in(body, kFields, "fields: channel, since, limit, reverse; each once");
  std::string channel = in.channel();
  const JsonValue* since = in.find("since");
  const std::optional<std::int64_t> limit =
      read_limit(in, "limit: 1 to 10000, 0 for the position alone, below 0 for all");
  const bool reverse = in.boolean("reverse", "reverse: true or false");
  const auto count = static_cast<std::uint32_t>(limit && *limit >= 0 ? std::min<std::int64_t>(*limit, kHistoryLimitMax)
                                                                     : kHistoryLimitMax);
  const bool by_object = since != nullptr && since->type() == JsonValue::Type::object;
  if (by_object || reverse || (limit && *limit <= 0)) {
    History history{.channel = std::move(channel), .since = {}, .limit = 0, .window = {}};
    if (reverse) history.window.order = hub::Window::Order::newest_first;
    if (by_object) history.window.since = read_position(in, *since);
    if (since != nullptr && !by_object)
      in.refuse("since: an object with offset and epoch, if limit is below 1 or reverse is true");
    history.window.messages_max = limit ? count : 0;
    return finish(in, std::move(history));
  }
  std::string text;
  if (since != nullptr) {
    // A number is the same as its text: -N or milliseconds.
    const std::optional<std::string> string = since->string();
    if (since->type() == JsonValue::Type::number) {
      text = since->raw();
    } else if (string) {
      text = *string;
    } else {
      in.refuse("since: a JSON string or number, or an object with offset and epoch");
    }
  }
  const std::uint32_t messages_max = limit ? count : kLimit.absent;
  const std::expected<hub::Since, Refusal> parsed = history_since(text, std::min(messages_max, kPageLimitMax));
  if (!parsed) in.refuse(parsed.error());
  return finish(in, make_history(std::move(channel), parsed.value_or(hub::Since{}), messages_max, since == nullptr));
}

std::expected<Command, Refusal> parse_history(const codec::Query& query) {
  const auto refuse = [](const Refusal& why) { return std::unexpected(why); };
  if (query.count("since") > 1) return refuse({Error::bad_parameter, "since: given twice"});
  const std::optional<std::string_view> channel = query.find("channel");
  if (!channel) return refuse({Error::bad_parameter, "channel: name one, and only one"});
  if (const auto checked = check_channel_name(*channel); !checked) return refuse(checked.error());
  const std::expected<std::uint32_t, Refusal> limit = parse_number(query, kLimit);
  if (!limit) return refuse(limit.error());
  const std::expected<hub::Since, Refusal> since = history_since(query.find("since").value_or(""), *limit);
  if (!since) return refuse(since.error());
  return make_history(std::string(*channel), *since, *limit, query.count("since") == 0);
}

std::expected<Command, Refusal> parse_history_remove(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel"};
  Fields in(body, kFields, "fields: channel");
  return finish(in, HistoryRemove{in.channel()});
}

std::expected<Command, Refusal> parse_channels(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"prefix", "limit", "pattern", "cursor"};
  Fields in(body, kFields, "fields: prefix, limit, pattern, cursor; each once");
  Channels channels{
      .prefix = in.text("prefix", 255, "prefix: a JSON string of at most 255 bytes"),
      .pattern = in.text("pattern", hub::kGlobBytesMax, "pattern: at most 255 bytes of *, ?, [set] and \\"),
      .limit = {},
      .cursor = in.text("cursor", 255, "cursor: that of the answer before")};
  if (in.find("limit") != nullptr) channels.limit = page_limit(in);
  if (!hub::is_valid_glob(channels.pattern)) in.refuse("pattern: a set must be closed, and something stands behind \\");
  return finish(in, std::move(channels));
}

std::expected<Command, Refusal> parse_channels(const codec::Query& query) {
  if (query.count("prefix") > 1) return std::unexpected(Refusal(Error::bad_parameter, "prefix: given twice"));
  Channels channels{.prefix = std::string(query.find("prefix").value_or("")), .pattern = {}, .limit = {}, .cursor = {}};
  if (query.count("limit") > 0) {
    const std::expected<std::uint32_t, Refusal> limit = parse_number(query, kLimit);
    if (!limit) return std::unexpected(limit.error());
    channels.limit = *limit;
  }
  return channels;
}

std::expected<Command, Refusal> parse_presence(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel", "limit", "cursor"};
  Fields in(body, kFields, "fields: channel, limit, cursor; each once");
  Presence presence{.channel = in.channel(), .cursor = in.text("cursor", 1024, "cursor: that of the answer before")};
  if (in.find("limit") != nullptr) presence.limit = page_limit(in);
  return finish(in, std::move(presence));
}

std::expected<Command, Refusal> parse_presence_stats(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"channel"};
  Fields in(body, kFields, "fields: channel");
  return finish(in, PresenceStats{in.channel()});
}

// Whatever is in it: what asks for nothing cannot be misunderstood.
std::expected<Command, Refusal> parse_info(const JsonValue&) { return Info{}; }

std::expected<Command, Refusal> parse_rpc(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"method", "params"};
  Fields in(body, kFields, "fields: method, params; each once");
  Rpc rpc{.method = in.name("method", "method: at most 255 bytes without control characters"),
          .params = in.json("params", {}, kInfoBytesMax, "params: at most 16 KiB of JSON")};
  return finish(in, std::move(rpc));
}

}  // namespace door::server_api
