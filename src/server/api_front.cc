#include "server/api_front.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace server {

namespace api = door::server_api;

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
    if (begin(id, call, *open, *asked.command, answer)) call.open.push_back(std::move(open));
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

}  // namespace server
