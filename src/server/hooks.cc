#include "server/hooks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "door/hook/answer.h"

namespace server {
namespace {

using door::hook::Kind;
using door::hook::Outcome;

constexpr base::Duration kComplaintInterval = std::chrono::seconds(1);  // the counters say how many there were
constexpr std::size_t kCircuitsMax = 1024;  // several times the hooks that a configuration may have

door::hook::RequestForm form_of(const HookOptions& hook) {
  using Form = door::hook::RequestForm;
  return {.payloads = hook.base64_payloads ? Form::Payloads::base64 : Form::Payloads::in_place,
          .meta = hook.include_meta ? Form::Meta::include : Form::Meta::leave_out};
}

template <class Call>
void with_result_of(Kind kind, Call call) {
  using namespace door::hook;
  switch (kind) {
    case Kind::connect:
      return call.template operator()<ConnectResult>();
    case Kind::refresh:
      return call.template operator()<RefreshResult>();
    case Kind::subscribe:
      return call.template operator()<SubscribeResult>();
    case Kind::sub_refresh:
      return call.template operator()<SubRefreshResult>();
    case Kind::publish:
      return call.template operator()<PublishResult>();
    case Kind::rpc:
      return call.template operator()<RpcResult>();
    case Kind::cache_empty:
      return call.template operator()<CacheEmptyResult>();
  }
}

}  // namespace

std::string_view to_string(HookFailure failure) {
  constexpr std::array<std::string_view, kHookFailures> kNames = {"busy",   "open_circuit", "unreachable",
                                                                  "status", "malformed",    "no_such_hook"};
  return kNames[static_cast<std::size_t>(failure)];
}

std::vector<egress::Header> headers_for_hooks(const Snapshot& snapshot, const http::HeaderList& request) {
  std::vector<egress::Header> headers;
  for (const std::string& name : snapshot.forwarded_headers()) {
    for (const http::Header& header : request.headers) {
      if (http::same_name(header.name, name)) headers.push_back({name, std::string(header.value)});
    }
  }
  return headers;
}

Hooks::Hooks(const SnapshotRef& snapshot, std::uint16_t workers, Counters& counters, Log& log, loop::Clock& clock,
             egress::Client& client, loop::Wakeup& worker)
    : snapshot_(snapshot),
      workers_(workers),
      counters_(counters),
      log_(log),
      clock_(clock),
      client_(client),
      inbox_(worker) {}

template <class Request>
void Hooks::ask(const HookAsker& asker, std::string_view name, const Request& request,
                std::span<const egress::Header> headers) {
  ASSERT(sink_ != nullptr);
  const Hook* const hook = snapshot_->hook(name);
  if (hook == nullptr) return refuse(asker, Request::kKind, HookFailure::no_such_hook);
  send(asker, Request::kKind, *hook, to_json(request, form_of(hook->options)), headers);
}

template void Hooks::ask(const HookAsker&, std::string_view, const door::hook::ConnectRequest&,
                         std::span<const egress::Header>);
template void Hooks::ask(const HookAsker&, std::string_view, const door::hook::RefreshRequest&,
                         std::span<const egress::Header>);
template void Hooks::ask(const HookAsker&, std::string_view, const door::hook::SubscribeRequest&,
                         std::span<const egress::Header>);
template void Hooks::ask(const HookAsker&, std::string_view, const door::hook::SubRefreshRequest&,
                         std::span<const egress::Header>);
template void Hooks::ask(const HookAsker&, std::string_view, const door::hook::PublishRequest&,
                         std::span<const egress::Header>);
template void Hooks::ask(const HookAsker&, std::string_view, const door::hook::RpcRequest&,
                         std::span<const egress::Header>);
template void Hooks::ask(const HookAsker&, std::string_view, const door::hook::CacheEmptyRequest&,
                         std::span<const egress::Header>);

void Hooks::send(const HookAsker& asker, Kind kind, const Hook& hook, std::string body,
                 std::span<const egress::Header> headers) {
  const HookOptions& options = hook.options;
  if (circuits_.size() >= kCircuitsMax) {  // of URLs that the configuration has forgotten
    std::erase_if(circuits_, [](const auto& each) { return each.second.asked == 0; });
  }
  Circuit& circuit = circuits_[options.url];
  if (circuit.asked >= std::max<std::uint32_t>(options.in_flight_max / workers_, 1)) {
    return refuse(asker, kind, HookFailure::busy);
  }
  const base::Instant now = clock_.now();
  const door::hook::Permit permit = circuit.breaker.ask(now);
  if (permit == door::hook::Permit::refused) return refuse(asker, kind, HookFailure::open_circuit);

  egress::Request request{.url = options.url,
                          .headers = hook.headers,
                          .body = std::move(body),
                          .timeout = options.timeout,
                          .response_bytes_max = options.response_bytes_max,
                          .reach = snapshot_->reach_of_configured_urls()};
  request.headers.push_back({"Content-Type", "application/json"});
  request.headers.push_back({"Wirebird-Hook", std::string(to_string(kind))});
  for (const egress::Header& header : headers) {
    const bool wanted = std::ranges::any_of(
        options.forward_headers, [&](const std::string& name) { return http::same_name(name, header.name); });
    if (wanted) request.headers.push_back(header);
  }

  const egress::Ticket ticket = next_ticket_++;
  if (!client_.submit(std::move(request), inbox_, ticket)) {
    circuit.breaker.note(permit, Outcome::unknown, now);
    return refuse(asker, kind, HookFailure::busy);
  }
  ++circuit.asked;
  counters_.hooks_asked[static_cast<std::size_t>(kind)].add();
  asked_.emplace(ticket, Asked{asker, kind, options.name, options.url, permit});
}

void Hooks::refuse(const HookAsker& asker, Kind kind, HookFailure failure) {
  refused_.push_back({asker, kind, failure});
}

void Hooks::deliver() {
  for (const egress::Answer& answer : asked_.empty() ? std::vector<egress::Answer>() : inbox_.take()) {
    const auto found = asked_.extract(answer.ticket);
    if (!found.empty()) answered(found.mapped(), answer.response);
  }
  // The sink may ask again, and be refused again: that is for the next turn.
  for (const Refused& each : std::exchange(refused_, {})) {
    counters_.hook_failures[static_cast<std::size_t>(each.failure)].add();
    with_result_of(each.kind, [&]<class Result>() {
      sink_->hook_answered(each.asker, HookAnswer<Result>(std::unexpected(each.failure)));
    });
  }
}

void Hooks::answered(const Asked& asked, const egress::Response& response) {
  counters_.hook_time.observe(response.took);
  const bool broken = response.failure != egress::Failure::none || response.status >= 500 || response.status == 429;
  note(asked, response.failure == egress::Failure::busy ? Outcome::unknown
              : broken                                  ? Outcome::failure
                                                        : Outcome::success);
  with_result_of(asked.kind, [&]<class Result>() {
    HookAnswer<Result> answer = decide<Result>(asked, response);
    if (!answer) counters_.hook_failures[static_cast<std::size_t>(answer.error())].add();
    sink_->hook_answered(asked.asker, std::move(answer));
  });
}

template <class Result>
HookAnswer<Result> Hooks::decide(const Asked& asked, const egress::Response& response) {
  if (response.failure != egress::Failure::none) {
    const auto failure = response.failure == egress::Failure::busy ? HookFailure::busy : HookFailure::unreachable;
    complain(asked, failure, std::string(to_string(response.failure)) + ": " + response.detail);
    return std::unexpected(failure);
  }
  if (response.status != 200) {
    const Hook* const hook = snapshot_->hook(asked.hook);
    const door::hook::StatusRule* const rule =
        hook == nullptr ? nullptr : door::hook::find_rule(hook->rules, response.status);
    if (rule != nullptr) {
      return std::visit([](const auto& meaning) { return door::hook::Answer<Result>(meaning); }, rule->meaning);
    }
    complain(asked, HookFailure::status, "HTTP status " + std::to_string(response.status));
    return std::unexpected(HookFailure::status);
  }
  auto answer = door::hook::read_answer<Result>(response.body);
  if (answer) return *std::move(answer);
  complain(asked, HookFailure::malformed, "the answer " + std::string(answer.error()));
  return std::unexpected(HookFailure::malformed);
}

void Hooks::note(const Asked& asked, Outcome outcome) {
  const auto found = circuits_.find(asked.url);
  if (found == circuits_.end()) return;
  Circuit& circuit = found->second;
  --circuit.asked;
  const base::Instant now = clock_.now();
  const bool was_closed = circuit.breaker.state(now) == door::hook::CircuitBreaker::State::closed;
  circuit.breaker.note(asked.permit, outcome, now);
  const bool closed = circuit.breaker.state(now) == door::hook::CircuitBreaker::State::closed;
  if (closed == was_closed) return;
  std::string line = closed ? "hook_circuit_closed" : "hook_circuit_open";
  append_field(line, "hook", asked.hook);
  log_.write(closed ? LogLevel::info : LogLevel::warning, line);
}

// The URL and the body stay out of it: both may hold secrets.
void Hooks::complain(const Asked& asked, HookFailure failure, std::string_view reason) {
  const base::Instant now = clock_.now();
  if (now < next_complaint_) return;
  next_complaint_ = now + kComplaintInterval;
  std::string line = "hook_failed";
  append_field(line, "hook", asked.hook);
  append_field(line, "kind", to_string(asked.kind));
  append_field(line, "failure", to_string(failure));
  append_field(line, "reason", reason);
  log_.write(LogLevel::warning, line);
}

}  // namespace server
