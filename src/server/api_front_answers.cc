// What the hub answers to the mails of the server's API, made the answers of its commands.
#include <algorithm>
#include <iterator>
#include <utility>

#include "codec/json_out.h"
#include "loop/resource.h"
#include "server/api_front.h"
#include "server/version.h"

namespace server {

namespace api = door::server_api;

namespace {

std::uint64_t seconds(base::Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

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
  if (const auto* publish = std::get_if<api::Publish>(&command)) {
    return close(found, api::answer_published(publish->channel, answer));
  }
  close(found, api::answer_changed(answer, offsets_of(command)));
}

void ApiFront::paged(const hub::Page& page) {
  const Found found = take(page.request);
  const api::Command& command = *found.call->request.commands[found.command->place].command;
  if (std::holds_alternative<api::MapReadStream>(command)) return close(found, api::answer_map_stream(page));
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
