#include "server/api_front.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "codec/json_out.h"
#include "loop/resource.h"
#include "server/publishing.h"
#include "server/version.h"

namespace server {

namespace api = door::server_api;

namespace {

std::uint64_t seconds(base::Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

std::uint32_t members_max(const api::Presence& presence) {
  return presence.limit == 0 ? kApiMembersMax : presence.limit;
}

// Of the page before; 0 without one.
std::optional<hub::MemberNumber> number_of(std::string_view cursor) {
  hub::MemberNumber number = 0;
  if (cursor.empty()) return number;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
  if (error != std::errc{} || end != cursor.data() + cursor.size()) return std::nullopt;
  return number;
}

hub::UserAction targeted(hub::UserAction::Kind kind, const api::Target& target) {
  return {.kind = kind, .user = target.user, .client = target.client, .session = target.session};
}

hub::UserAction action_of(const api::Subscribe& command) {
  hub::UserAction action = targeted(hub::UserAction::Kind::subscribe, command.target);
  action.channel = command.channel;
  action.info = command.info;
  action.data = command.data;
  action.expires = command.expires;
  action.recover = command.recover_since;
  action.presence = command.presence;
  action.join_leave = command.join_leave;
  action.force_recovery = command.force_recovery;
  action.force_positioning = command.force_positioning;
  action.force_push_join_leave = command.force_push_join_leave;
  return action;
}

hub::UserAction action_of(const api::Unsubscribe& command) {
  hub::UserAction action = targeted(hub::UserAction::Kind::unsubscribe, command.target);
  action.channel = command.channel;
  return action;
}

hub::UserAction action_of(const api::Disconnect& command) {
  hub::UserAction action = targeted(hub::UserAction::Kind::disconnect, command.target);
  action.code = command.code;
  action.reason = command.reason;
  action.whitelist = command.whitelist;
  return action;
}

hub::UserAction action_of(const api::Refresh& command) {
  hub::UserAction action = targeted(hub::UserAction::Kind::refresh, command.target);
  action.expired = command.verdict == api::Refresh::Verdict::expired;
  action.expires = command.expires;
  action.info = command.info;
  return action;
}

// Into the book that whoever connects from now on is looked up in; then those who are connected are looked up too.
std::expected<void, base::Error> write_down(const Desk& desk, const api::BlockUser& command) {
  return desk.shared.revocations.block(command.user, command.expires, desk.clock.wall());
}
std::expected<void, base::Error> write_down(const Desk& desk, const api::RevokeToken& command) {
  return desk.shared.revocations.revoke_token(command.token_id, command.expires, desk.clock.wall());
}
std::expected<void, base::Error> write_down(const Desk& desk, const api::InvalidateUserTokens& command) {
  const base::WallTime now = desk.clock.wall();
  const base::WallTime before = command.issued_before.ms == 0 ? now : command.issued_before;
  return desk.shared.revocations.revoke_user(command.user, before, command.expires, now);
}

hub::UserAction recheck_of(const api::BlockUser& command) {
  return {.kind = hub::UserAction::Kind::recheck, .user = command.user};
}
hub::UserAction recheck_of(const api::InvalidateUserTokens& command) {
  return {.kind = hub::UserAction::Kind::recheck, .user = command.user};
}
hub::UserAction recheck_of(const api::RevokeToken& command) {
  return {.kind = hub::UserAction::Kind::recheck, .token_id = command.token_id};
}

}  // namespace

void ApiFront::start(base::PeerId peer, api::Request request) {
  const CallId id = ++numbers_;
  ApiCall& call = calls_[id];
  call.peer = peer;
  call.answers.resize(request.commands.size());
  call.request = std::move(request);
  go_on(id);
}

std::optional<ApiFront::Finished> ApiFront::take_finished() {
  if (finished_.empty()) return std::nullopt;
  Finished finished = std::move(finished_.back());
  finished_.pop_back();
  return finished;
}

// Everything below runs until all that may be on its way is.
void ApiFront::go_on(CallId id) {
  ApiCall& call = calls_.at(id);
  // Nobody waits for what has not begun.
  if (desk_.connections.find(call.peer) == nullptr) call.begun = call.request.commands.size();
  std::erase_if(call.open, [&](auto& command) { return !go_on(id, call, *command); });
  const bool parallel = call.request.order == api::Request::Order::parallel;
  while (call.begun < call.request.commands.size() && call.in_flight < kApiMailsMax &&
         (parallel || call.open.empty())) {
    const std::size_t place = call.begun++;
    api::Asked& asked = call.request.commands[place];
    api::Answer& answer = call.answers[place];
    if (!asked.command) {
      answer.refusal = asked.command.error();
      continue;
    }
    auto open = std::make_unique<ApiCommand>();
    open->place = place;
    const bool waits =
        std::visit([&](const auto& command) { return begin(id, call, *open, command, answer); }, *asked.command);
    if (waits) call.open.push_back(std::move(open));
  }
  if (!call.done()) return;
  finish(call);
  calls_.erase(id);
}

void ApiFront::finish(ApiCall& call) {
  Finished finished{.peer = call.peer, .refusal = {}, .body = {}};
  switch (call.request.form) {
    case api::Request::Form::single:
      finished.refusal = call.answers.front().refusal;
      if (!finished.refusal) api::append_single(finished.body, call.answers.front());
      break;
    case api::Request::Form::batch:
      api::append_batch(finished.body, call.request.commands, call.answers);
      break;
    case api::Request::Form::legacy:
      api::append_legacy(finished.body, call.request.commands, call.answers);
      break;
  }
  finished_.push_back(std::move(finished));
}

// What an API key may do is everything, in every channel that can be; in dev everybody is the operator.
std::expected<void, base::Refusal> ApiFront::authorise(auth::Verb verb, std::string_view channel) const {
  static const auth::Principal kOperator{.kind = auth::Principal::Kind::api_key};
  const auto allowed = desk_.snapshot->policy().authorize(kOperator, verb, channel, desk_.clock.wall());
  if (!allowed) return std::unexpected(allowed.error());
  return {};
}

hub::RequestId ApiFront::number(const Asked& asked) {
  const hub::RequestId request = kMarks | ++numbers_;
  asked_.emplace(request, asked);
  return request;
}

ApiFront::Found ApiFront::take(hub::RequestId request) {
  const auto found = asked_.find(request);
  ASSERT(found != asked_.end());  // the hub answers every request, and once
  const Asked asked = found->second;
  asked_.erase(found);
  ApiCall& call = calls_.at(asked.call);
  --call.in_flight;
  const auto command = std::ranges::find(call.open, asked.place, [](const auto& each) { return each->place; });
  ASSERT(command != call.open.end());
  --(*command)->missing;
  return {asked.call, &call, command->get(), asked.part};
}

void ApiFront::close(const Found& found, api::Answer answer) {
  found.call->answers[found.command->place] = std::move(answer);
  std::erase_if(found.call->open, [&](const auto& each) { return each.get() == found.command; });
  go_on(found.id);
}

bool ApiFront::ask(CallId id, ApiCall& call, ApiCommand& open, std::string_view channel, auth::Verb verb,
                   hub::Mail mail, api::Answer& answer) {
  if (const auto allowed = authorise(verb, channel); !allowed) {
    answer.refusal = allowed.error();
    return false;
  }
  const base::WorkerId home = desk_.home_of(channel);
  std::visit(
      [&](auto& each) {
        if constexpr (requires { each.request; }) each.request = number({id, open.place, 0});
      },
      mail);
  ++open.missing;
  ++call.in_flight;
  desk_.post.send(home, std::move(mail));
  return true;
}

void ApiFront::ask_workers(CallId id, ApiCall& call, ApiCommand& open, const hub::List& list) {
  for (base::WorkerId worker = 0; worker < desk_.shared.workers(); ++worker) {
    hub::List each = list;
    each.request = number({id, open.place, 0});
    ++open.missing;
    ++call.in_flight;
    desk_.post.send(worker, std::move(each));
  }
}

bool ApiFront::publish(CallId id, ApiCall& call, ApiCommand& open, std::size_t part, const std::string& channel,
                       const api::Publication& publication, api::Answer& answer) {
  const auto refuse = [&](const base::Refusal& refusal) {
    answer.refusal = refusal;
    desk_.counters.count(refusal.error);
    return false;
  };
  if (const auto allowed = authorise(auth::Verb::publish, channel); !allowed) return refuse(allowed.error());
  auto made = make_publish(desk_, channel, publication);
  if (!made) return refuse(made.error());
  made->request = number({id, open.place, part});
  ++open.missing;
  ++call.in_flight;
  desk_.counters.messages_in.add();
  const base::WorkerId home = desk_.home_of(made->channel);
  desk_.post.send(home, *std::move(made));
  return true;
}

// A broadcast goes on where it was; true while its command is open.
bool ApiFront::go_on(CallId id, ApiCall& call, ApiCommand& open) {
  const auto* broadcast = std::get_if<api::Broadcast>(&*call.request.commands[open.place].command);
  if (broadcast == nullptr) return true;
  while (open.asked < broadcast->channels.size() && call.in_flight < kApiMailsMax) {
    const std::size_t part = open.asked++;
    publish(id, call, open, part, broadcast->channels[part], broadcast->publication, open.parts[part]);
  }
  if (open.asked < broadcast->channels.size() || open.missing > 0) return true;
  call.answers[open.place] = api::answer_broadcast(open.parts);
  return false;
}

template <class Command>
bool ApiFront::begin(CallId id, ApiCall& call, ApiCommand& open, const Command& command, api::Answer& answer) {
  if constexpr (std::is_same_v<Command, api::Publish>) {
    return publish(id, call, open, 0, command.channel, command.publication, answer);
  } else if constexpr (std::is_same_v<Command, api::Broadcast>) {
    open.parts.resize(command.channels.size());
    return go_on(id, call, open);
  } else if constexpr (std::is_same_v<Command, api::History>) {
    const bool own_window = !command.since || command.window.messages_max > 0;
    return ask(id, call, open, command.channel, auth::Verb::history,
               hub::Read{.channel = command.channel,
                         .since = command.since.value_or(hub::Since{}),
                         .messages_max = command.since ? command.limit : 0,
                         .window = own_window ? std::optional(command.window) : std::nullopt},
               answer);
  } else if constexpr (std::is_same_v<Command, api::HistoryRemove>) {
    return ask(id, call, open, command.channel, auth::Verb::history, hub::Remove{.channel = command.channel}, answer);
  } else if constexpr (std::is_same_v<Command, api::Channels>) {
    // One more than are shown says whether there are more.
    ask_workers(id, call, open,
                {.prefix = command.prefix,
                 .channels_max = command.limit.value_or(api::kChannelsAbsent) + 1,
                 .pattern = command.pattern,
                 .after = command.cursor});
    return true;
  } else if constexpr (std::is_same_v<Command, api::Info>) {
    ask_workers(id, call, open, {.prefix = {}, .channels_max = 0, .pattern = {}, .after = {}});
    return true;
  } else if constexpr (std::is_same_v<Command, api::Presence>) {
    if (!keeps_presence(command.channel, answer)) return false;
    const std::optional<hub::MemberNumber> after = number_of(command.cursor);
    if (!after) {
      answer.refusal = base::Refusal(base::Error::bad_parameter, "cursor: that of the answer before");
      return false;
    }
    return ask(id, call, open, command.channel, auth::Verb::presence,
               hub::Who{.channel = command.channel, .after = *after, .members_max = members_max(command)}, answer);
  } else if constexpr (std::is_same_v<Command, api::PresenceStats>) {
    return keeps_presence(command.channel, answer) &&
           ask(id, call, open, command.channel, auth::Verb::presence, hub::Who{.channel = command.channel}, answer);
  } else if constexpr (std::is_same_v<Command, api::Connections>) {
    // One more than are shown says whether there are more.
    return act(id, call, open,
               {.kind = hub::UserAction::Kind::list,
                .user = command.user,
                .connections_max = command.limit + 1,
                .after = command.cursor});
  } else if constexpr (std::is_same_v<Command, api::BlockUser> || std::is_same_v<Command, api::RevokeToken> ||
                       std::is_same_v<Command, api::InvalidateUserTokens>) {
    if (const auto written = write_down(desk_, command); !written) {
      answer.refusal = written.error();
      return false;
    }
    return act(id, call, open, recheck_of(command));
  } else if constexpr (std::is_same_v<Command, api::UnblockUser>) {
    desk_.shared.revocations.unblock(command.user);
    return false;
  } else if constexpr (requires { action_of(command); }) {
    if constexpr (requires { command.channel; }) {
      if (const auto allowed = authorise(auth::Verb::subscribe, command.channel); !allowed) {
        answer.refusal = allowed.error();
        return false;
      }
    }
    return act(id, call, open, action_of(command));
  } else {
    answer.refusal = base::Error::not_implemented;
    return false;
  }
}

bool ApiFront::act(CallId id, ApiCall& call, ApiCommand& open, hub::UserAction action) {
  const auto shared = std::make_shared<const hub::UserAction>(std::move(action));
  for (base::WorkerId worker = 0; worker < desk_.shared.workers(); ++worker) {
    ++open.missing;
    ++call.in_flight;
    desk_.post.send(worker, hub::Act{.request = number({id, open.place, 0}), .action = shared});
  }
  return true;
}

void ApiFront::acted(hub::Acted& acted) {
  const Found found = take(acted.request);
  ApiCommand& open = *found.command;
  open.connections += acted.connections;
  std::ranges::move(acted.listed, std::back_inserter(open.connections_listed));
  if (open.missing > 0) return;
  const api::Command& command = *found.call->request.commands[open.place].command;
  const auto* connections = std::get_if<api::Connections>(&command);
  close(found, connections != nullptr
                   ? api::answer_connections(*connections, std::move(open.connections_listed), open.connections)
                   : api::Answer{.flat = {}});
}

bool ApiFront::keeps_presence(std::string_view channel, api::Answer& answer) const {
  const NamespaceOptions* const channels = desk_.snapshot->options_of(channel);
  if (channels != nullptr && !channels->presence) {
    answer.refusal = base::Refusal(base::Error::not_implemented, "presence is off in the namespace of this channel");
    return false;
  }
  return true;
}

void ApiFront::present(const hub::Present& present) {
  const Found found = take(present.request);
  ApiCommand& open = *found.command;
  const api::Command& command = *found.call->request.commands[open.place].command;
  const auto* presence = std::get_if<api::Presence>(&command);
  if (presence == nullptr) return close(found, api::answer_presence_stats(present.clients, present.users));
  for (const hub::ClientIdentity& each : present.members) {
    open.members_bytes += each.charged_bytes();
    open.members.push_back({.client = std::string(each.client.view()),
                            .user = std::string(each.user.view()),
                            .conn_info = std::string(each.conn_info.view()),
                            .chan_info = std::string(each.chan_info.view())});
  }
  const std::size_t wanted = members_max(*presence);
  const bool enough = open.members.size() >= wanted || open.members_bytes >= kApiMembersBytesMax;
  if (present.next == 0 || enough) {
    return close(found, api::answer_presence(open.members, present.next == 0 ? "" : std::to_string(present.next)));
  }
  api::Answer answer;
  const auto left = static_cast<std::uint32_t>(wanted - open.members.size());
  if (ask(found.id, *found.call, open, presence->channel, auth::Verb::presence,
          hub::Who{.channel = presence->channel, .after = present.next, .members_max = left}, answer)) {
    return;
  }
  close(found, std::move(answer));
}

void ApiFront::published(const hub::Published& answer) {
  const Found found = take(answer.request);
  const api::Command& command = *found.call->request.commands[found.command->place].command;
  if (const auto* broadcast = std::get_if<api::Broadcast>(&command)) {
    found.command->parts[found.part] = api::answer_published(broadcast->channels[found.part], answer);
    return go_on(found.id);
  }
  close(found, api::answer_published(std::get<api::Publish>(command).channel, answer));
}

void ApiFront::paged(const hub::Page& page) {
  const Found found = take(page.request);
  const api::Command& command = *found.call->request.commands[found.command->place].command;
  const auto* history = std::get_if<api::History>(&command);
  close(found, history != nullptr ? api::answer_history(*history, page) : api::Answer{.flat = {}});
}

void ApiFront::listed(hub::Listed& listed) {
  const Found found = take(listed.request);
  ApiCommand& open = *found.command;
  std::ranges::move(listed.channels, std::back_inserter(open.listed.summaries));
  std::ranges::move(listed.watched, std::back_inserter(open.listed.watched));
  open.listed.total += listed.channels_total;
  open.log_bytes += listed.log_bytes;
  open.subscriptions += listed.subscriptions;
  open.users += listed.users;
  if (open.missing > 0) return;
  const api::Command& command = *found.call->request.commands[open.place].command;
  const auto* channels = std::get_if<api::Channels>(&command);
  close(found, channels != nullptr ? api::answer_channels(*channels, std::move(open.listed)) : information(open));
}

api::Answer ApiFront::information(const ApiCommand& command) const {
  const std::uint64_t uptime_s = seconds(desk_.now - desk_.shared.started());
  const std::uint64_t connections = desk_.shared.admission.connections();
  const std::uint64_t resident_bytes = loop::resident_bytes();
  std::string flat;
  codec::JsonWriter json(flat);
  json.begin_object().key("version").string(kVersion).key("workers").number(desk_.shared.workers());
  json.key("uptime_s").number(uptime_s).key("connections").number(connections);
  json.key("channels").number(command.listed.total).key("history_bytes").number(command.log_bytes);
  json.key("memory_bytes").number(resident_bytes);
  const api::Node node{
      .uid = desk_.shared.node_id(),
      .name = desk_.shared.node_id(),
      .version = std::string(kVersion),
      .clients = connections,
      .users = command.users,
      .channels = command.listed.total,
      .subscriptions = command.subscriptions,
      .uptime_s = uptime_s,
      .cpu = loop::processor_seconds() * 100 / static_cast<double>(std::max<std::uint64_t>(uptime_s, 1)),
      .resident_bytes = resident_bytes};
  return api::answer_info(flat.substr(1), {&node, 1});
}

}  // namespace server
