// What the server's API answers. Every answer carries the original's shape: `result`, or `error` with one of its codes.
// The methods that were here before it keep their own members beside it (docs/protocol.md). Pure: appends to `out`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/refusal.h"
#include "codec/json_out.h"
#include "door/server_api/request.h"
#include "hub/mail.h"

namespace door::server_api {

// The codes of errors, and the HTTP status that each has where errors are told by status.
enum class Code : std::uint16_t {
  internal = 100,
  unauthorized = 101,
  unknown_channel = 102,
  method_not_found = 104,
  bad_request = 107,
  not_available = 108,
  too_many_requests = 111,
  unrecoverable_position = 112,
  conflict = 113,
};
Code code_of(base::Error error);
std::string_view to_string(Code code);
std::uint16_t status_of(Code code);

// What became of one command: an error, or `result` (a JSON object) and the members of an older answer.
struct Answer {
  std::optional<base::Refusal> refusal;
  std::string flat;  // `"a":1,"b":2`; empty: none
  std::string result = "{}";
};

// The body of the one answer. retry_after_s < 0: none.
void append_single(std::string& out, const Answer& answer);
void append_refusal(std::string& out, const base::Refusal& refusal, int retry_after_s);
// {"replies":[...]}, each {"METHOD":{...}} or {"error":{...}}.
void append_batch(std::string& out, std::span<const Asked> asked, std::span<const Answer> answers);
// {"id"?,"result":{...}} or {"id"?,"error":{...}}, a line each.
void append_legacy(std::string& out, std::span<const Asked> asked, std::span<const Answer> answers);

Answer answer_published(std::string_view channel, const hub::Published& published);
// One {"result":{...}} or {"error":{...}} for each.
Answer answer_broadcast(std::span<const Answer> publishes);
Answer answer_history(const History& asked, const hub::Page& page);

// Of maps. An ephemeral one shows no offsets, since nobody can go on from them.
enum class Offsets : std::uint8_t { shown, hidden };
Answer answer_changed(const hub::Published& published, Offsets offsets);
Answer answer_map_state(const hub::StatePage& page, Offsets offsets);  // without an error
Answer answer_map_stream(const hub::Page& page);                       // with a window
Answer answer_map_stats(std::uint64_t keys);

// All channels of all workers that were asked for. `summaries` of the homes are merged with `watched` of the workers.
struct ListedChannels {
  std::vector<hub::ChannelSummary> summaries;
  std::vector<std::pair<std::string, hub::Watched>> watched;
  std::uint64_t total = 0;
};
inline constexpr std::uint32_t kChannelsAbsent = 100;  // summaries without a `limit`
Answer answer_channels(const Channels& asked, ListedChannels listed);

struct Member {  // of presence
  std::string client, user, conn_info, chan_info;
};
// An empty cursor: that was all.
Answer answer_presence(std::span<const Member> members, std::string_view cursor);
Answer answer_presence_stats(std::uint64_t clients, std::uint64_t users);

// `listed`: in any order, at least one more than `asked` shows if there are more. `total`: of that user, or of
// everybody.
Answer answer_connections(const Connections& asked, std::vector<hub::ConnectionSummary> listed, std::uint64_t total);

struct Node {
  std::string uid, name, version;
  std::uint64_t clients = 0, users = 0, channels = 0, subscriptions = 0, uptime_s = 0;
  double cpu = 0;  // of one core, per cent
  std::uint64_t resident_bytes = 0;
};
Answer answer_info(std::string flat, std::span<const Node> nodes);

}  // namespace door::server_api
