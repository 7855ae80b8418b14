#include "door/server_api/answers.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "base/error.h"
#include "codec/base64.h"
#include "door/envelope.h"
#include "door/published.h"

namespace door::server_api {
namespace {

void append_error_object(codec::JsonWriter& json, Code code, std::string_view detail) {
  json.begin_object().key("code").number(static_cast<std::uint16_t>(code)).key("message").string(to_string(code));
  if (!detail.empty()) json.key("detail").string(detail);
  json.end_object();
}

std::string message_of(const base::Refusal& refusal) {
  std::string message(base::entry(refusal.error).text);
  if (!refusal.hint.empty()) message.append(" ").append(refusal.hint);
  return message;
}

// {"error":{...}} members, where there is no room for our own code beside it.
void append_inner_error(codec::JsonWriter& json, const base::Refusal& refusal) {
  json.key("error");
  append_error_object(json, code_of(refusal.error),
                      std::string(base::to_string(refusal.error)) + ": " + message_of(refusal));
}

hub::Offset shown(hub::Offset offset, Offsets offsets) { return offsets == Offsets::hidden ? 0 : offset; }

// Of publications, and of entries of maps.
void append_publication_members(codec::JsonWriter& json, const hub::Message& message, hub::Offset offset) {
  switch (message.kind()) {
    case hub::Kind::json:
      if (!message.payload().empty()) json.key("data").raw(message.payload());
      break;
    case hub::Kind::text:
      json.key("data").string(message.payload());
      break;
    case hub::Kind::binary:
      json.key("b64data").string(codec::base64_encode(message.payload()));
      break;
  }
  const hub::Extras* extras = message.extras();
  if (extras != nullptr && !extras->publisher.empty()) {
    const hub::ClientIdentity& publisher = extras->publisher;
    json.key("info").begin_object();
    json.key("user").string(publisher.user.view()).key("client").string(publisher.client.view());
    if (publisher.conn_info.size() > 0) json.key("conn_info").raw(publisher.conn_info.view());
    if (publisher.chan_info.size() > 0) json.key("chan_info").raw(publisher.chan_info.view());
    json.end_object();
  }
  json.key("offset").number(offset);
  if (extras != nullptr && !extras->tags.empty()) {
    json.key("tags").begin_object();
    for (const hub::Tag& tag : extras->tags.all()) json.key(tag.key).string(tag.value);
    json.end_object();
  }
}

void append_publication(std::string& out, const hub::Message& message) {
  codec::JsonWriter json(out);
  json.begin_object();
  append_publication_members(json, message, message.offset());
  json.end_object();
}

void append_entries(codec::JsonWriter& json, std::span<const hub::MessageRef> messages, Offsets offsets) {
  json.key("entries").begin_array();
  for (const hub::MessageRef& message : messages) {
    if (message->extras() == nullptr) continue;  // of the stream that the channel was before a reload
    const hub::Extras& extras = *message->extras();
    json.begin_object().key("key").string(extras.key);
    append_publication_members(json, *message, shown(message->offset(), offsets));
    if (extras.score != 0) json.key("score").number(extras.score);
    if (extras.removed) json.key("removed").boolean(codec::JsonWriter::Truth::yes);
    json.key("time").number(message->time().ms).end_object();
  }
  json.end_array();
}

std::string_view to_string(hub::Suppression suppression) {
  switch (suppression) {
    case hub::Suppression::none:
      break;
    case hub::Suppression::idempotency:
      return "idempotency";
    case hub::Suppression::version:
      return "version";
    case hub::Suppression::key_exists:
      return "key_exists";
    case hub::Suppression::key_not_found:
      return "key_not_found";
    case hub::Suppression::position_mismatch:
      return "position_mismatch";
  }
  return "";
}

void append_position(codec::JsonWriter& json, const hub::Position& position, Offsets offsets) {
  json.key("offset").number(shown(position.offset, offsets)).key("epoch").string(position.epoch.view());
}

// `"messages":[envelope...],"gap"?` and what stands before it.
std::string flat_history(std::string_view channel, const hub::Page& page) {
  std::string out;
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
  return out.substr(1);
}

void append_summary(codec::JsonWriter& json, const hub::ChannelSummary& each) {
  const hub::Outcomes& outcomes = each.watched.outcomes;
  json.begin_object().key("channel").string(each.channel).key("epoch").string(each.head.epoch.view());
  json.key("head").number(each.head.offset).key("messages").number(each.messages).key("bytes").number(each.bytes);
  json.key("subscribers").number(each.watched.subscribers).key("lagging").number(each.watched.lagging);
  json.key("queued").number(outcomes.queued).key("dropped").number(outcomes.dropped);
  json.key("conflated").number(outcomes.conflated).key("overload").number(outcomes.overload);
  json.key("closed").number(outcomes.closed).end_object();
}

}  // namespace

Code code_of(base::Error error) {
  if (error == base::Error::conflict) return Code::conflict;
  switch (const std::uint16_t status = base::entry(error).http_status; status) {
    case 401:
      return Code::unauthorized;
    case 403:  // an API key may do everything in every namespace that there is
      return Code::unknown_channel;
    case 404:
      return Code::method_not_found;
    case 416:
      return Code::unrecoverable_position;
    case 429:
      return Code::too_many_requests;
    case 501:
      return Code::not_available;
    default:
      return status >= 500 ? Code::internal : Code::bad_request;
  }
}

std::string_view to_string(Code code) {
  switch (code) {
    case Code::internal:
      break;
    case Code::unauthorized:
      return "unauthorized";
    case Code::unknown_channel:
      return "unknown channel";
    case Code::method_not_found:
      return "method not found";
    case Code::bad_request:
      return "bad request";
    case Code::not_available:
      return "not available";
    case Code::too_many_requests:
      return "too many requests";
    case Code::unrecoverable_position:
      return "unrecoverable position";
    case Code::conflict:
      return "conflict";
  }
  return "internal server error";
}

std::uint16_t status_of(Code code) {
  switch (code) {
    case Code::internal:
      break;
    case Code::unauthorized:
      return 401;
    case Code::unknown_channel:
    case Code::method_not_found:
      return 404;
    case Code::bad_request:
    case Code::not_available:
      return 400;
    case Code::too_many_requests:
      return 429;
    case Code::unrecoverable_position:
      return 416;
    case Code::conflict:
      return 409;
  }
  return 500;
}

void append_single(std::string& out, const Answer& answer) {
  out += '{';
  out += answer.flat;
  out += answer.flat.empty() ? "\"result\":" : ",\"result\":";
  out += answer.result;
  out += '}';
}

void append_refusal(std::string& out, const base::Refusal& refusal, int retry_after_s) {
  codec::JsonWriter json(out);
  json.begin_object().key("code").string(base::to_string(refusal.error)).key("message").string(message_of(refusal));
  if (retry_after_s >= 0) json.key("retry_after").number(retry_after_s);
  json.key("error");
  append_error_object(json, code_of(refusal.error), {});
  json.end_object();
}

void append_batch(std::string& out, std::span<const Asked> asked, std::span<const Answer> answers) {
  codec::JsonWriter json(out);
  json.begin_object().key("replies").begin_array();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    json.begin_object();
    if (answers[i].refusal) {
      append_inner_error(json, *answers[i].refusal);
    } else {
      json.key(asked[i].name).raw(answers[i].result);
    }
    json.end_object();
  }
  json.end_array().end_object();
}

void append_legacy(std::string& out, std::span<const Asked> asked, std::span<const Answer> answers) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i > 0) out += '\n';
    codec::JsonWriter json(out);
    json.begin_object();
    if (asked[i].id > 0) json.key("id").number(asked[i].id);
    if (answers[i].refusal) {
      append_inner_error(json, *answers[i].refusal);
    } else {
      json.key("result").raw(answers[i].result);
    }
    json.end_object();
  }
}

Answer answer_published(std::string_view channel, const hub::Published& published) {
  Answer answer;
  if (published.error != base::Error::none) {
    answer.refusal = published.error;
    return answer;
  }
  std::string flat;
  codec::JsonWriter json(flat);
  json.begin_object();
  append_published_members(json, channel, published);
  if (published.suppressed != hub::Suppression::none) json.key("suppressed").boolean(codec::JsonWriter::Truth::yes);
  answer.flat = flat.substr(1);
  answer.result.clear();
  codec::JsonWriter result(answer.result);
  result.begin_object().key("offset").number(published.position.offset);
  result.key("epoch").string(published.position.epoch.view());
  if (published.suppressed != hub::Suppression::none) result.key("suppressed").boolean(codec::JsonWriter::Truth::yes);
  result.end_object();
  return answer;
}

Answer answer_broadcast(std::span<const Answer> publishes) {
  Answer answer;
  answer.result.clear();
  codec::JsonWriter json(answer.result);
  json.begin_object().key("responses").begin_array();
  for (const Answer& each : publishes) {
    json.begin_object();
    if (each.refusal) {
      append_inner_error(json, *each.refusal);
    } else {
      json.key("result").raw(each.result);
    }
    json.end_object();
  }
  json.end_array().end_object();
  return answer;
}

Answer answer_history(const History& asked, const hub::Page& page) {
  Answer answer;
  const bool own = page.window && (!asked.since || asked.window.messages_max > 0);
  if (own && page.window->status == hub::WindowView::Status::unrecoverable) {
    answer.refusal = base::Error::unrecoverable_position;
    return answer;
  }
  if (asked.since) answer.flat = flat_history(asked.channel, page);
  answer.result.clear();
  codec::JsonWriter json(answer.result);
  json.begin_object().key("publications").begin_array();
  std::string record;
  for (const hub::MessageRef& message : own ? page.window->messages : page.messages) {
    record.clear();
    append_publication(record, *message);
    json.raw(record);
  }
  json.end_array().key("epoch").string(page.head.epoch.view()).key("offset").number(page.head.offset);
  if (own && page.window->more) json.key("more").boolean(codec::JsonWriter::Truth::yes);
  json.end_object();
  return answer;
}

Answer answer_changed(const hub::Published& published, Offsets offsets) {
  Answer answer{.refusal = {}, .flat = {}, .result = {}};
  if (published.error != base::Error::none) {
    answer.refusal = published.error;
    return answer;
  }
  codec::JsonWriter json(answer.result);
  json.begin_object();
  append_position(json, published.position, offsets);
  if (published.suppressed != hub::Suppression::none) {
    json.key("suppressed").boolean(codec::JsonWriter::Truth::yes);
    json.key("suppress_reason").string(to_string(published.suppressed));
  }
  json.end_object();
  return answer;
}

Answer answer_map_state(const hub::StatePage& page, Offsets offsets) {
  Answer answer{.refusal = {}, .flat = {}, .result = {}};
  codec::JsonWriter json(answer.result);
  json.begin_object();
  append_entries(json, page.entries, offsets);
  append_position(json, page.head, offsets);
  if (!page.next.empty()) json.key("cursor").string(page.next);
  json.end_object();
  return answer;
}

Answer answer_map_stream(const hub::Page& page) {
  Answer answer{.refusal = {}, .flat = {}, .result = {}};
  if (page.window->status == hub::WindowView::Status::unrecoverable) {
    answer.refusal = base::Error::unrecoverable_position;
    return answer;
  }
  codec::JsonWriter json(answer.result);
  json.begin_object();
  append_entries(json, page.window->messages, Offsets::shown);
  append_position(json, page.head, Offsets::shown);
  if (page.window->more) json.key("more").boolean(codec::JsonWriter::Truth::yes);
  json.end_object();
  return answer;
}

Answer answer_map_stats(std::uint64_t keys) {
  Answer answer{.refusal = {}, .flat = {}, .result = {}};
  codec::JsonWriter(answer.result).begin_object().key("num_keys").number(keys).end_object();
  return answer;
}

Answer answer_channels(const Channels& asked, ListedChannels listed) {
  std::ranges::sort(listed.summaries, {}, &hub::ChannelSummary::channel);
  std::map<std::string_view, hub::Watched> watched;
  for (const auto& [name, each] : listed.watched) watched[name].add(each);
  for (hub::ChannelSummary& each : listed.summaries) {
    if (const auto found = watched.find(each.channel); found != watched.end()) each.watched.add(found->second);
  }
  const std::size_t limit = asked.limit.value_or(kChannelsAbsent);
  const bool more = listed.summaries.size() > limit;
  if (more) listed.summaries.resize(limit);

  Answer answer;
  std::string flat;
  codec::JsonWriter json(flat);
  json.begin_object().key("channels").begin_array();
  for (const hub::ChannelSummary& each : listed.summaries) append_summary(json, each);
  json.end_array().key("total").number(listed.total);
  if (more) json.key("cursor").string(listed.summaries.back().channel);
  answer.flat = flat.substr(1);

  // The original lists those that are watched. A page of ours has the same channels in both shapes.
  answer.result.clear();
  codec::JsonWriter result(answer.result);
  result.begin_object().key("channels").begin_object();
  const auto append = [&](std::string_view name, std::uint64_t clients) {
    result.key(name).begin_object();
    if (clients > 0) result.key("num_clients").number(clients);
    result.end_object();
  };
  if (asked.limit) {
    for (const hub::ChannelSummary& each : listed.summaries) append(each.channel, each.watched.subscribers);
  } else {
    for (const auto& [name, each] : watched) {
      if (each.subscribers > 0) append(name, each.subscribers);
    }
  }
  result.end_object();
  if (asked.limit && more) result.key("cursor").string(listed.summaries.back().channel);
  result.end_object();
  return answer;
}

Answer answer_presence(std::span<const Member> members, std::string_view cursor) {
  Answer answer;
  answer.result.clear();
  codec::JsonWriter json(answer.result);
  json.begin_object().key("presence").begin_object();
  for (const Member& each : members) {
    json.key(each.client).begin_object().key("user").string(each.user).key("client").string(each.client);
    if (!each.conn_info.empty()) json.key("conn_info").raw(each.conn_info);
    if (!each.chan_info.empty()) json.key("chan_info").raw(each.chan_info);
    json.end_object();
  }
  json.end_object();
  if (!cursor.empty()) json.key("cursor").string(cursor);
  json.end_object();
  return answer;
}

Answer answer_presence_stats(std::uint64_t clients, std::uint64_t users) {
  Answer answer;
  answer.result.clear();
  codec::JsonWriter json(answer.result);
  json.begin_object().key("num_clients").number(clients).key("num_users").number(users).end_object();
  return answer;
}

Answer answer_connections(const Connections& asked, std::vector<hub::ConnectionSummary> listed, std::uint64_t total) {
  std::ranges::sort(listed, {}, &hub::ConnectionSummary::id);
  const bool more = listed.size() > asked.limit;
  if (more) listed.resize(asked.limit);
  Answer answer;
  answer.result.clear();
  codec::JsonWriter json(answer.result);
  json.begin_object().key("connections").begin_object();
  for (const hub::ConnectionSummary& each : listed) {
    json.key(each.id).begin_object().key("transport").string(each.transport).key("protocol").string(each.protocol);
    if (!each.user.empty()) json.key("user").string(each.user);
    json.key("state").begin_object().key("channels").begin_object();
    for (const std::string& channel : each.channels) json.key(channel).begin_object().end_object();
    json.end_object();
    if (!each.token_id.empty() || each.issued.ms != 0) {
      json.key("connection_token").begin_object();
      if (!each.token_id.empty()) json.key("uid").string(each.token_id);
      if (each.issued.ms != 0) json.key("issued_at").number(each.issued.ms / 1000);
      json.end_object();
    }
    if (!each.meta.empty()) json.key("meta").raw(each.meta);
    json.end_object().end_object();
  }
  json.end_object().key("total").number(total);
  if (more) json.key("cursor").string(listed.back().id);
  json.end_object();
  return answer;
}

Answer answer_info(std::string flat, std::span<const Node> nodes) {
  Answer answer{.flat = std::move(flat), .result = {}};
  codec::JsonWriter json(answer.result);
  json.begin_object().key("nodes").begin_array();
  for (const Node& each : nodes) {
    const auto tenths = static_cast<std::uint64_t>(std::max(each.cpu, 0.0) * 10 + 0.5);
    const std::string cpu = std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
    json.begin_object().key("uid").string(each.uid).key("name").string(each.name).key("version").string(each.version);
    json.key("num_clients").number(each.clients).key("num_users").number(each.users);
    json.key("num_channels").number(each.channels).key("num_subs").number(each.subscriptions);
    json.key("uptime").number(each.uptime_s);
    json.key("process").begin_object().key("cpu").raw(cpu).key("rss").number(each.resident_bytes).end_object();
    json.end_object();
  }
  json.end_array().end_object();
  return answer;
}

}  // namespace door::server_api
