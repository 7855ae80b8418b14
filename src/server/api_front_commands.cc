// What each command of the server's API asks of the hub and of the books.
#include <charconv>
#include <utility>

#include "server/api_front.h"
#include "server/publishing.h"

namespace server {

namespace api = door::server_api;

namespace {

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

bool ApiFront::act(CallId id, ApiCall& call, ApiCommand& open, hub::UserAction action) {
  const auto shared = std::make_shared<const hub::UserAction>(std::move(action));
  for (base::WorkerId worker = 0; worker < desk_.shared.workers(); ++worker) {
    ++open.missing;
    ++call.in_flight;
    desk_.post.send(worker, hub::Act{.request = number({id, open.place, 0}), .action = shared});
  }
  return true;
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

bool ApiFront::keeps_presence(std::string_view channel, api::Answer& answer) const {
  const NamespaceOptions* const channels = desk_.snapshot->options_of(channel);
  if (channels != nullptr && !channels->presence) {
    answer.refusal = base::Refusal(base::Error::not_implemented, "presence is off in the namespace of this channel");
    return false;
  }
  return true;
}

template <class Command>
bool ApiFront::begin_one(CallId id, ApiCall& call, ApiCommand& open, const Command& command, api::Answer& answer) {
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
  } else if constexpr (requires { begin_map(id, call, open, command, answer); }) {
    return begin_map(id, call, open, command, answer);
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

bool ApiFront::begin(CallId id, ApiCall& call, ApiCommand& open, const api::Command& command, api::Answer& answer) {
  return std::visit([&](const auto& each) { return begin_one(id, call, open, each, answer); }, command);
}

}  // namespace server
