#include "door/hook/answer.h"

#include <limits>
#include <optional>
#include <utility>

#include "auth/members.h"
#include "codec/base64.h"
#include "codec/json_in.h"

namespace door::hook {
namespace {

using auth::Members;
using codec::JsonValue;

// Around the deepest payload: the answer, its result, the map of subscriptions, one of them.
constexpr int kAnswerDepthMax = codec::kJsonDepthMax + 4;

// Reads members of one object into fields. The first thing that is wrong stays.
class Reader {
 public:
  explicit Reader(std::string_view& wrong) : wrong_(wrong) {}
  Reader(JsonValue object, std::string_view& wrong) : wrong_(wrong) { open(object); }

  bool open(JsonValue object) {
    members_ = Members::of(object);
    if (!members_) fail("has something else where an object should be, or a name stands there twice");
    return members_.has_value();
  }

  // nullptr: absent or null.
  const JsonValue* find(std::string_view name) const {
    const JsonValue* const value = members_ ? members_->find(name) : nullptr;
    return value == nullptr || value->type() == JsonValue::Type::null ? nullptr : value;
  }

  void text(std::string_view name, std::string& into) {
    if (const JsonValue* const value = find(name)) into = take(value->string(), "has a text that is none");
  }
  void truth(std::string_view name, bool& into) {
    if (const JsonValue* const value = find(name)) into = take(value->boolean(), "has a true or false that is neither");
  }
  template <class Number>
  void number(std::string_view name, Number& into) {
    const JsonValue* const value = find(name);
    if (value == nullptr) return;
    if constexpr (std::is_signed_v<Number>) {
      into = take(value->integer(), "has a whole number that is none");
    } else {
      into = take(value->unsigned_integer(), "has a whole number that is none");
    }
  }
  // JSON as its own bytes, on one line.
  void json(std::string_view name, std::string& into) {
    const JsonValue* const value = find(name);
    if (value == nullptr) return;
    auto line = codec::validate_json(value->raw());
    if (!line) return fail("has JSON in it that is nested too deeply");
    into = *std::move(line);
  }
  void object(std::string_view name, std::string& into) {
    const JsonValue* const value = find(name);
    if (value != nullptr && value->type() != JsonValue::Type::object) return fail("has a meta that is no object");
    json(name, into);
  }
  void payload(std::string_view name, std::string_view base64_name, Payload& into) {
    std::string encoded;
    text(base64_name, encoded);
    if (!encoded.empty()) {
      auto bytes = codec::base64_decode(encoded);
      if (!bytes) return fail("has base64 that is none");
      into = {Payload::Kind::binary, *std::move(bytes)};
    } else if (find(name) != nullptr) {
      into.kind = Payload::Kind::json;
      json(name, into.bytes);
    }
  }
  void info(Payload& into) {
    payload("info", "b64info", into);
    if (into.bytes.size() > kInfoBytesMax) fail("has info of more than 16 KiB");
  }
  void texts(std::string_view name, std::vector<std::string>& into) {
    const JsonValue* const value = find(name);
    if (value == nullptr) return;
    if (value->type() != JsonValue::Type::array) return fail("has a list that is none");
    codec::JsonElements elements(*value);
    while (const auto element = elements.next()) {
      if (into.size() == kListMax) return fail("names more than 1024 channels or tags");
      into.push_back(take(element->string(), "has a text that is none"));
    }
  }

  void fail(std::string_view what) {
    if (wrong_.empty()) wrong_ = what;
  }
  bool good() const { return wrong_.empty(); }
  std::string_view& wrong() { return wrong_; }

 private:
  template <class Value>
  Value take(std::optional<Value> value, std::string_view otherwise) {
    if (!value) fail(otherwise);
    return value ? *std::move(value) : Value();
  }

  std::optional<Members> members_;
  std::string_view& wrong_;
};

// Calls `each(name, value)` for every member of the object of that name.
template <class Each>
void read_map(Reader& reader, std::string_view name, Each each) {
  const JsonValue* const value = reader.find(name);
  if (value == nullptr) return;
  const auto members = Members::of(*value);
  if (!members) return reader.fail("has something else where an object should be, or a name stands there twice");
  if (members->all().size() > kListMax) return reader.fail("names more than 1024 channels or tags");
  for (const codec::JsonMember& member : members->all()) each(member.name, member.value);
}

void read_switch(Reader& changes, std::string_view name, std::optional<bool>& into) {
  const JsonValue* const wrapped = changes.find(name);
  if (wrapped == nullptr) return;
  into = false;  // {} is the value's default
  Reader(*wrapped, changes.wrong()).truth("value", *into);
}

void read_override(Reader& reader, auth::ChannelOverride& changes) {
  const JsonValue* const value = reader.find("override");
  if (value == nullptr) return;
  Reader inner(*value, reader.wrong());
  read_switch(inner, "presence", changes.presence);
  read_switch(inner, "join_leave", changes.join_leave);
  read_switch(inner, "force_push_join_leave", changes.force_push_join_leave);
  read_switch(inner, "force_recovery", changes.force_recovery);
  read_switch(inner, "force_positioning", changes.force_positioning);
}

void read(Reader& reader, ConnectResult& result) {
  result.authenticated = true;
  reader.text("user", result.user);
  reader.number("expire_at", result.expire_at);
  reader.info(result.info);
  reader.payload("data", "b64data", result.data);
  reader.object("meta", result.meta);
  reader.texts("channels", result.channels);
  read_map(reader, "subs", [&](const std::string& channel, JsonValue value) {
    auth::ServerSubscription& sub = result.subs.emplace_back();
    sub.channel = channel;
    if (value.type() == JsonValue::Type::null) return;
    Reader inner(value, reader.wrong());
    inner.info(sub.info);
    inner.payload("data", "b64data", sub.data);
    read_override(inner, sub.changes);
    ExpireAt expire_at = 0;
    inner.number("expire_at", expire_at);
    if (expire_at != 0) result.sub_expiries.emplace_back(channel, expire_at);
  });
  if (!auth::valid_subject(result.user)) reader.fail("has a user of more than 255 bytes or with control characters");
}

void read(Reader& reader, RefreshResult& result) {
  reader.truth("expired", result.expired);
  reader.number("expire_at", result.expire_at);
  reader.info(result.info);
  reader.object("meta", result.meta);
}

void read(Reader& reader, SubscribeResult& result) {
  reader.number("expire_at", result.expire_at);
  reader.info(result.info);
  reader.payload("data", "b64data", result.data);
  read_override(reader, result.changes);
}

void read(Reader& reader, SubRefreshResult& result) {
  reader.truth("expired", result.expired);
  reader.number("expire_at", result.expire_at);
  reader.info(result.info);
}

void read(Reader& reader, PublishResult& result) {
  reader.payload("data", "b64data", result.data);
  reader.truth("skip_history", result.skip_history);
  read_map(reader, "tags", [&](const std::string& name, JsonValue value) {
    const auto text = value.string();
    if (!text) return reader.fail("has a text that is none");
    result.tags.emplace_back(name, *text);
  });
  reader.text("idempotency_key", result.idempotency_key);
  if (reader.find("delta") != nullptr) reader.truth("delta", result.delta.emplace());
  reader.number("version", result.version);
  reader.text("version_epoch", result.version_epoch);
}

void read(Reader& reader, RpcResult& result) { reader.payload("data", "b64data", result.data); }
void read(Reader& reader, CacheEmptyResult& result) { reader.truth("populated", result.populated); }

// What an answer without a result means (messages.h).
template <class Result>
Result without_result() {
  Result result;
  if constexpr (requires { result.expired; }) result.expired = true;
  return result;
}

Error read_error(JsonValue value, Reader& answer) {
  Reader reader(value, answer.wrong());
  Error error;
  std::uint64_t code = 0;
  reader.number("code", code);
  reader.text("message", error.message);
  reader.truth("temporary", error.temporary);
  if (!valid_error_code(code)) reader.fail("has an error whose code is not 400 to 1999");
  error.code = static_cast<std::uint32_t>(code);
  return error;
}

Disconnect read_disconnect(JsonValue value, Reader& answer) {
  Reader reader(value, answer.wrong());
  std::uint64_t code = 0;
  std::string reason;
  reader.number("code", code);
  reader.text("reason", reason);
  if (!valid_disconnect_code(code)) reader.fail("has a disconnect whose code is not 4000 to 4999");
  return {static_cast<std::uint32_t>(code), fitting_reason(reason)};
}

}  // namespace

template <class Result>
std::expected<Answer<Result>, std::string_view> read_answer(std::string_view body) {
  const auto value = JsonValue::parse(body, kAnswerDepthMax);
  if (!value) return std::unexpected("is no JSON");
  std::string_view wrong;
  Reader reader(*value, wrong);
  Answer<Result> answer = without_result<Result>();
  if (const JsonValue* const disconnect = reader.find("disconnect")) {
    answer = read_disconnect(*disconnect, reader);
  } else if (const JsonValue* const error = reader.find("error")) {
    answer = read_error(*error, reader);
  } else if (const JsonValue* const found = reader.find("result")) {
    Result result;
    Reader inner(*found, wrong);
    read(inner, result);
    answer = std::move(result);
  }
  if (!wrong.empty()) return std::unexpected(wrong);
  return answer;
}

template std::expected<Answer<ConnectResult>, std::string_view> read_answer(std::string_view);
template std::expected<Answer<RefreshResult>, std::string_view> read_answer(std::string_view);
template std::expected<Answer<SubscribeResult>, std::string_view> read_answer(std::string_view);
template std::expected<Answer<SubRefreshResult>, std::string_view> read_answer(std::string_view);
template std::expected<Answer<PublishResult>, std::string_view> read_answer(std::string_view);
template std::expected<Answer<RpcResult>, std::string_view> read_answer(std::string_view);
template std::expected<Answer<CacheEmptyResult>, std::string_view> read_answer(std::string_view);

}  // namespace door::hook
