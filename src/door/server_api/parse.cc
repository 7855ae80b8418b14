#include "door/server_api/parse.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "door/channel_name.h"
#include "door/parameters.h"
#include "door/server_api/fields.h"
#include "door/server_api/parse_connections.h"
#include "door/server_api/parse_maps.h"
#include "door/server_api/parse_messages.h"

namespace door::server_api {
namespace {

using base::Error;
using base::Refusal;
using codec::JsonValue;

// What wraps a payload in a batch or a legacy command does not count against the payload's own depth.
constexpr int kDepthMax = codec::kJsonDepthMax + 4;

using Parse = std::expected<Command, Refusal> (*)(const JsonValue& params);

std::expected<Command, Refusal> parse_not_served(const JsonValue&) { return NotServed{}; }

struct Row {
  std::string_view name;
  Parse parse;
  int legacy_number = -1;  // as old libraries write it
};

constexpr Row kRows[] = {
    {"publish", parse_publish, 0},
    {"broadcast", parse_broadcast, 1},
    {"subscribe", parse_subscribe, 11},
    {"unsubscribe", parse_unsubscribe, 2},
    {"disconnect", parse_disconnect, 3},
    {"refresh", parse_refresh, 12},
    {"presence", parse_presence, 4},
    {"presence_stats", parse_presence_stats, 5},
    {"history", parse_history, 6},
    {"history_remove", parse_history_remove, 7},
    {"channels", parse_channels, 8},
    {"info", parse_info, 9},
    {"rpc", parse_rpc, 10},
    {"connections", parse_connections, 14},
    {"block_user", parse_block_user, 18},
    {"unblock_user", parse_unblock_user, 19},
    {"revoke_token", parse_revoke_token, 20},
    {"invalidate_user_tokens", parse_invalidate_user_tokens, 21},
    {"map_publish", parse_map_publish},
    {"map_remove", parse_map_remove},
    {"map_read_state", parse_map_read_state},
    {"map_read_stream", parse_map_read_stream},
    {"map_stats", parse_map_stats},
    {"map_clear", parse_map_clear},
    {"shared_poll_publish", parse_not_served},
    {"update_user_status", parse_not_served, 15},
    {"get_user_status", parse_not_served, 16},
    {"delete_user_status", parse_not_served, 17},
    {"device_register", parse_not_served, 22},
    {"device_update", parse_not_served, 23},
    {"device_remove", parse_not_served, 24},
    {"device_list", parse_not_served, 25},
    {"device_topic_list", parse_not_served, 26},
    {"device_topic_update", parse_not_served, 27},
    {"user_topic_list", parse_not_served, 28},
    {"user_topic_update", parse_not_served, 29},
    {"send_push_notification", parse_not_served, 30},
    {"update_push_status", parse_not_served, 31},
    {"cancel_push", parse_not_served, 32},
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kRows) + 1> names;
  for (std::size_t i = 0; i < std::size(kRows); ++i) names[i] = kRows[i].name;
  names.back() = "batch";
  return names;
}();

const Row* find_row(std::string_view name) {
  const auto* const found = std::ranges::find(kRows, name, &Row::name);
  return found == std::end(kRows) ? nullptr : found;
}

// "Publish", "PUBLISH" and 0 are "publish" there.
const Row* find_legacy_row(const JsonValue& method) {
  if (const std::optional<std::uint64_t> number = method.unsigned_integer()) {
    const auto* const found = std::ranges::find_if(kRows, [&](const Row& row) {
      return row.legacy_number >= 0 && *number == static_cast<unsigned>(row.legacy_number);
    });
    return found == std::end(kRows) ? nullptr : found;
  }
  std::string name = method.string().value_or("");
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return find_row(name);
}

std::unexpected<Refusal> refuse(std::string_view hint) { return std::unexpected(Refusal(Error::bad_parameter, hint)); }

constexpr std::string_view kEmptyObject = "{}";

JsonValue empty_object() { return *JsonValue::parse(kEmptyObject); }

// {"method","params"?,"id"?}; a batch may hold such ones too.
Asked parse_named(const JsonValue& command) {
  static constexpr std::string_view kFields[] = {"method", "params", "id"};
  Fields in(command, kFields, "a command: method, params, id; each once");
  Asked asked{.command = std::unexpected(Refusal(Error::not_found))};
  const std::uint64_t id = in.number("id", "id: a whole number").value_or(0);
  if (id > UINT32_MAX) in.refuse("id: a whole number");
  asked.id = static_cast<std::uint32_t>(id);
  const JsonValue* method = in.find("method");
  // Old libraries leave out what is 0 in their table: publish.
  const Row* row = method == nullptr ? &kRows[0] : find_legacy_row(*method);
  if (in.refusal()) {
    asked.command = std::unexpected(*in.refusal());
  } else if (row != nullptr) {
    asked.name = row->name;
    const JsonValue* params = in.find("params");
    asked.command = row->parse(params == nullptr ? empty_object() : *params);
  }
  return asked;
}

// {"METHOD":{...}}
Asked parse_batched(const JsonValue& command) {
  constexpr std::string_view kHint = "a command of a batch: an object with the name of one method, and its body";
  codec::JsonMembers members(command);
  const std::optional<codec::JsonMember> member = members.next();
  if (!member) return {.command = refuse(kHint)};
  if (member->name == "method" || member->name == "params") return parse_named(command);
  if (members.next()) return {.command = refuse(kHint)};
  const Row* row = find_row(member->name);
  if (row == nullptr) return {.command = std::unexpected(Refusal(Error::not_found))};
  return {.name = row->name, .command = row->parse(member->value)};
}

std::size_t publishes_of(const Asked& asked) {
  if (!asked.command) return 1;
  const auto* broadcast = std::get_if<Broadcast>(&*asked.command);
  return broadcast != nullptr ? broadcast->channels.size() : 1;
}

std::expected<Request, Refusal> add(Request& request, Asked asked, std::size_t& publishes) {
  publishes += publishes_of(asked);
  if (request.commands.size() == kBatchCommandsMax) return refuse("at most 1000 commands");
  if (publishes > kBatchPublishesMax) return refuse("at most 10000 publishes, of all broadcasts together");
  request.commands.push_back(std::move(asked));
  return {};
}

std::expected<Request, Refusal> parse_batch(const JsonValue& body) {
  static constexpr std::string_view kFields[] = {"commands", "parallel"};
  Fields in(body, kFields, "fields: commands, parallel; each once");
  Request request{.form = Request::Form::batch, .commands = {}};
  if (in.boolean("parallel", "parallel: true or false")) request.order = Request::Order::parallel;
  const JsonValue* commands = in.find("commands");
  if (commands == nullptr || commands->type() != JsonValue::Type::array) in.refuse("commands: an array");
  if (in.refusal()) return std::unexpected(*in.refusal());
  codec::JsonElements elements(*commands);
  std::size_t publishes = 0;
  while (const std::optional<JsonValue> element = elements.next()) {
    if (auto added = add(request, parse_batched(*element), publishes); !added) return added;
  }
  return request;
}

}  // namespace

bool is_method(std::string_view name) { return find_row(name) != nullptr; }

std::span<const std::string_view> method_names() { return kNames; }

std::expected<Command, Refusal> parse_command(std::string_view method, const JsonValue& params) {
  const Row* row = find_row(method);
  if (row == nullptr) return std::unexpected(Error::not_found);
  return row->parse(params);
}

std::expected<Request, Refusal> parse_request(std::string_view method, std::string_view body) {
  const Row* row = find_row(method);
  const bool batch = method == "batch";
  if (row == nullptr && !batch) return std::unexpected(Error::not_found);
  const auto object = JsonValue::parse(body.empty() ? kEmptyObject : body, kDepthMax);
  if (!object) return std::unexpected(object.error());
  if (batch) return parse_batch(*object);
  if (object->type() != JsonValue::Type::object) return refuse("the body is a JSON object");
  Request request;
  request.commands.push_back({.name = row->name, .command = row->parse(*object)});
  if (!request.commands.front().command) return std::unexpected(request.commands.front().command.error());
  return request;
}

std::expected<Request, Refusal> parse_legacy_request(std::string_view body) {
  Request request{.form = Request::Form::legacy, .commands = {}};
  if (const auto whole = JsonValue::parse(body, kDepthMax)) {
    request.commands.push_back(parse_named(*whole));
    return request;
  }
  std::size_t publishes = 0;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto command = JsonValue::parse(line, kDepthMax);
    if (!command) return std::unexpected(command.error());
    if (auto added = add(request, parse_named(*command), publishes); !added) return added;
  }
  if (request.commands.empty()) return std::unexpected(Error::bad_json);
  return request;
}

std::expected<Request, Refusal> parse_request(std::string_view method, const codec::Query& query) {
  const Row* row = find_row(method);
  if (row == nullptr && method != "batch") return std::unexpected(Error::not_found);
  std::expected<Command, Refusal> command = std::unexpected(Error::method_not_allowed);
  if (method == "history") command = parse_history(query);
  if (method == "channels") command = parse_channels(query);
  if (method == "info") command = Info{};
  if (!command) return std::unexpected(command.error());
  Request request;
  request.commands.push_back({.name = row->name, .command = *std::move(command)});
  return request;
}

}  // namespace door::server_api
