// Bodies of the server's API, for every method, batches and the legacy endpoint: whatever is taken keeps its limits,
// and what answers it is JSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/json_in.h"
#include "door/channel_name.h"
#include "door/server_api/answers.h"
#include "door/server_api/parse.h"
#include "hub/glob.h"

namespace {

using namespace door::server_api;

void check(const Publication& publication) {
  if (publication.content.kind == hub::Kind::json) {
    ASSERT(codec::check_json(publication.content.payload) == base::Error::none);
    ASSERT(publication.content.payload.find('\n') == std::string::npos);
  }
  ASSERT(publication.version_epoch.size() <= hub::kVersionEpochBytesMax);
}

void check(const Publish& publish) {
  ASSERT(door::check_channel_name(publish.channel).has_value());
  check(publish.publication);
}

void check(const Broadcast& broadcast) {
  ASSERT(!broadcast.channels.empty() && broadcast.channels.size() <= kBroadcastChannelsMax);
  for (const std::string& each : broadcast.channels) ASSERT(door::check_channel_name(each).has_value());
  check(broadcast.publication);
}

void check(const Subscribe& subscribe) {
  ASSERT(subscribe.info.empty() || codec::check_json(subscribe.info) == base::Error::none);
  ASSERT(subscribe.data.empty() || codec::check_json(subscribe.data) == base::Error::none);
}

void check(const Disconnect& disconnect) { ASSERT(disconnect.code >= 3000 && disconnect.code <= 4999); }

void check(const History& history) {
  ASSERT(history.window.messages_max <= kHistoryLimitMax);
  ASSERT(history.limit <= kPageLimitMax);
}

void check(const Channels& channels) {
  ASSERT(hub::is_valid_glob(channels.pattern));
  hub::matches_glob(channels.pattern, channels.prefix);
}

template <class Kind>
void check(const Kind&) {}

void check(const std::expected<Request, base::Refusal>& request) {
  if (!request) {
    std::string out;
    append_refusal(out, request.error(), -1);
    ASSERT(codec::check_json(out) == base::Error::none);
    return;
  }
  ASSERT(request->commands.size() <= kBatchCommandsMax);
  std::vector<Answer> answers;
  for (const Asked& each : request->commands) {
    answers.push_back({.flat = {}});
    if (each.command) {
      ASSERT(is_method(each.name));
      std::visit([](const auto& command) { check(command); }, *each.command);
    } else {
      answers.back().refusal = each.command.error();
    }
  }
  std::string out;
  append_batch(out, request->commands, answers);
  ASSERT(codec::check_json(out) == base::Error::none);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto names = method_names();
  if (bytes[0] < names.size()) {
    check(parse_request(names[bytes[0]], body));
  } else if (bytes[0] < 128) {
    check(parse_legacy_request(body));
  } else if (const auto query = codec::Query::parse(body)) {
    check(parse_request(names[bytes[0] % names.size()], *query));
  }
  return 0;
}
