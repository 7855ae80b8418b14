// What the server's API does with maps: changes, pages of state put together, what was changed since.
#include <algorithm>
#include <iterator>
#include <utility>

#include "server/api_front.h"
#include "server/publishing.h"

namespace server {

namespace api = door::server_api;

namespace {

// Of one answer about a map's state; then it is a page.
constexpr std::size_t kStateBytesMax = 16 * 1024 * 1024;

const std::string& channel_of(const api::Command& command) {
  static const std::string kNone;
  return std::visit(
      [](const auto& each) -> const std::string& {
        if constexpr (requires { each.channel; }) {
          return each.channel;
        } else {
          return kNone;
        }
      },
      command);
}

}  // namespace

bool ApiFront::is_ephemeral(std::string_view channel) const {
  const NamespaceOptions* const options = desk_.snapshot->options_of(channel);
  return options != nullptr && options->map_mode == hub::MapMode::ephemeral;
}

api::Offsets ApiFront::offsets_of(const api::Command& command) const {
  return is_ephemeral(channel_of(command)) ? api::Offsets::hidden : api::Offsets::shown;
}

bool ApiFront::change(CallId id, ApiCall& call, ApiCommand& open, std::string_view channel, auth::Verb verb,
                      std::expected<hub::Publish, base::Refusal> made, api::Answer& answer) {
  if (made && is_ephemeral(channel) && (made->version > 0 || made->change->expected)) {
    made = std::unexpected(base::Refusal(base::Error::bad_parameter,
                                         "version, expected_offset: not in an ephemeral map, which has no positions"));
  }
  if (!made) {
    answer.refusal = made.error();
    desk_.counters.count(made.error().error);
    return false;
  }
  desk_.counters.messages_in.add();
  return ask(id, call, open, channel, verb, *std::move(made), answer);
}

bool ApiFront::begin_map(CallId id, ApiCall& call, ApiCommand& open, const api::MapPublish& command,
                         api::Answer& answer) {
  return change(id, call, open, command.channel, auth::Verb::publish, make_map_publish(desk_, command), answer);
}

bool ApiFront::begin_map(CallId id, ApiCall& call, ApiCommand& open, const api::MapRemove& command,
                         api::Answer& answer) {
  return change(id, call, open, command.channel, auth::Verb::remove, make_map_remove(desk_, command), answer);
}

bool ApiFront::begin_map(CallId id, ApiCall& call, ApiCommand& open, const api::MapReadState& command,
                         api::Answer& answer) {
  return ask(id, call, open, command.channel, auth::Verb::subscribe,
             hub::ReadState{.channel = command.channel,
                            .cursor = command.cursor,
                            .entries_max = command.limit,
                            .order = command.order,
                            .key = command.key,
                            .epoch = command.epoch},
             answer);
}

bool ApiFront::begin_map(CallId id, ApiCall& call, ApiCommand& open, const api::MapReadStream& command,
                         api::Answer& answer) {
  const NamespaceOptions* const options = desk_.snapshot->options_of(command.channel);
  if (options != nullptr && options->subscription_type == hub::SubscriptionType::stream) {
    answer.refusal = base::Error::channel_type;
    return false;
  }
  if (is_ephemeral(command.channel)) {
    answer.refusal = base::Refusal(base::Error::not_implemented, "an ephemeral map keeps no changes");
    return false;
  }
  return ask(id, call, open, command.channel, auth::Verb::history,
             hub::Read{.channel = command.channel, .since = {}, .window = command.window}, answer);
}

bool ApiFront::begin_map(CallId id, ApiCall& call, ApiCommand& open, const api::MapStats& command,
                         api::Answer& answer) {
  return ask(id, call, open, command.channel, auth::Verb::subscribe,
             hub::ReadState{.channel = command.channel, .cursor = {}, .key = {}, .epoch = {}}, answer);
}

bool ApiFront::begin_map(CallId id, ApiCall& call, ApiCommand& open, const api::MapClear& command,
                         api::Answer& answer) {
  return ask(id, call, open, command.channel, auth::Verb::remove, hub::Clear{.channel = command.channel}, answer);
}

void ApiFront::state(hub::StatePage& page) {
  const Found found = take(page.request);
  ApiCommand& open = *found.command;
  const api::Command& command = *found.call->request.commands[open.place].command;
  api::Answer answer{.refusal = {}, .flat = {}};
  if (page.error != base::Error::none) {
    answer.refusal = page.error == base::Error::bad_cursor
                         ? base::Refusal(base::Error::bad_parameter, "cursor: that of the answer before")
                         : base::Refusal(page.error);
    return close(found, std::move(answer));
  }
  if (std::holds_alternative<api::MapStats>(command)) return close(found, api::answer_map_stats(page.keys));
  if (std::holds_alternative<api::MapClear>(command)) return close(found, std::move(answer));

  const auto& read = std::get<api::MapReadState>(command);
  if (open.state.head.epoch == hub::Epoch{}) open.state.head = page.head;
  for (const hub::MessageRef& each : page.entries) open.state_bytes += each->payload().size();
  std::ranges::move(page.entries, std::back_inserter(open.state.entries));
  open.state.next = std::move(page.next);
  const std::size_t count = open.state.entries.size();
  if (open.state.next.empty() || count >= read.limit || open.state_bytes >= kStateBytesMax) {
    return close(found, api::answer_map_state(open.state, offsets_of(command)));
  }
  hub::ReadState more{.channel = read.channel,
                      .cursor = open.state.next,
                      .entries_max = read.limit - static_cast<std::uint32_t>(count),
                      .order = read.order,
                      .key = {},
                      .epoch = open.state.head.epoch};
  if (ask(found.id, *found.call, open, read.channel, auth::Verb::subscribe, std::move(more), answer)) return;
  close(found, std::move(answer));
}

}  // namespace server
