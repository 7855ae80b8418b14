// Hooks: questions to the operator's own back end, asked by a front in the name of a connection (door/hook/messages.h
// says which and what they mean). Asking never waits: the answer comes back in a later step of the worker, to the
// HookSink. One Hooks per worker, used on its thread.
//
//   front   hooks.ask({peer.id(), tag}, hook, request, headers)
//   worker  hooks.deliver()  once per turn, after the mail: sink.hook_answered(asker, answer) for each that came
//
// Every ask is answered exactly once, with a decision of the back end or with why there is none, and never from inside
// ask(). The peer may be gone by then: a stale id is a normal miss, for the sink to notice.
//
// A hook whose back end fails again and again is not asked for a while (circuit_breaker.h); too many questions at once
// are refused as busy. All of that is one HookFailure for the front.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "door/hook/circuit_breaker.h"
#include "door/hook/messages.h"
#include "door/hook/request_json.h"
#include "egress/egress.h"
#include "http/request.h"
#include "server/counters.h"
#include "server/log.h"
#include "server/snapshot.h"

namespace server {

// Who asked: the connection, and a number of its own that the front finds its question by.
struct HookAsker {
  base::PeerId peer;
  std::uint64_t tag = 0;
  friend bool operator==(const HookAsker&, const HookAsker&) = default;
};

// Why there is no decision. The Centrifuge door answers error 100 (temporary) then, or for connect disconnect 3004; for
// refresh and sub_refresh it waits a minute and asks again.
enum class HookFailure : std::uint8_t {
  busy,          // too many questions on their way
  open_circuit,  // the back end failed too often just now
  unreachable,   // no answer: name, connection, TLS, time, guard
  status,        // an HTTP status other than 200 that no rule explains
  malformed,     // a body that is no answer
  no_such_hook,  // the configuration has changed meanwhile
};
static_assert(kHookKinds == door::hook::kKinds);
static_assert(kHookFailures == static_cast<std::size_t>(HookFailure::no_such_hook) + 1);
std::string_view to_string(HookFailure failure);

template <class Result>
using HookAnswer = std::expected<door::hook::Answer<Result>, HookFailure>;

class HookSink {
 public:
  virtual ~HookSink() = default;
  virtual void hook_answered(const HookAsker& asker, HookAnswer<door::hook::ConnectResult> answer) = 0;
  virtual void hook_answered(const HookAsker& asker, HookAnswer<door::hook::RefreshResult> answer) = 0;
  virtual void hook_answered(const HookAsker& asker, HookAnswer<door::hook::SubscribeResult> answer) = 0;
  virtual void hook_answered(const HookAsker& asker, HookAnswer<door::hook::SubRefreshResult> answer) = 0;
  virtual void hook_answered(const HookAsker& asker, HookAnswer<door::hook::PublishResult> answer) = 0;
  virtual void hook_answered(const HookAsker& asker, HookAnswer<door::hook::RpcResult> answer) = 0;
  virtual void hook_answered(const HookAsker& asker, HookAnswer<door::hook::CacheEmptyResult> answer) = 0;
};

// Headers of a client's handshake that hooks may be given: of those that `forward_headers` of any hook names, those
// the request has. The front keeps them with the connection. Names are as the configuration writes them.
std::vector<egress::Header> headers_for_hooks(const Snapshot& snapshot, const http::HeaderList& request);

class Hooks {
 public:
  // Everything outlives it. `worker` is woken when an answer is there.
  Hooks(const SnapshotRef& snapshot, std::uint16_t workers, Counters& counters, Log& log, loop::Clock& clock,
        egress::Client& client, loop::Wakeup& worker);

  // `hook` is a name of the configuration: Options::connect_hook and the like, NamespaceOptions::subscribe_hook and the
  // like. `headers` are those of headers_for_hooks(), of which each hook gets its own.
  template <class Request>
  void ask(const HookAsker& asker, std::string_view hook, const Request& request,
           std::span<const egress::Header> headers = {});

  // Who is told the answers. Once, before the first ask(); it lives as long as this.
  void answer_to(HookSink& sink) { sink_ = &sink; }
  // Hands over what has been answered since the last time.
  void deliver();
  // deliver() has something to do without being woken.
  bool pending() const { return !refused_.empty(); }
  std::size_t asked() const { return asked_.size(); }  // and not answered yet

 private:
  struct Circuit {  // of one URL
    door::hook::CircuitBreaker breaker;
    std::uint32_t asked = 0;  // and not answered yet
  };
  struct Asked {
    HookAsker asker;
    door::hook::Kind kind;
    std::string hook;
    std::string url;
    door::hook::Permit permit;
  };
  struct Refused {
    HookAsker asker;
    door::hook::Kind kind;
    HookFailure failure;
  };

  void send(const HookAsker& asker, door::hook::Kind kind, const Hook& hook, std::string body,
            std::span<const egress::Header> headers);
  void refuse(const HookAsker& asker, door::hook::Kind kind, HookFailure failure);
  void answered(const Asked& asked, const egress::Response& response);
  template <class Result>
  HookAnswer<Result> decide(const Asked& asked, const egress::Response& response);
  void note(const Asked& asked, door::hook::Outcome outcome);
  void complain(const Asked& asked, HookFailure failure, std::string_view reason);

  const SnapshotRef& snapshot_;
  std::uint16_t workers_;
  Counters& counters_;
  Log& log_;
  loop::Clock& clock_;
  egress::Client& client_;
  egress::Inbox inbox_;
  HookSink* sink_ = nullptr;
  egress::Ticket next_ticket_ = 1;
  std::unordered_map<egress::Ticket, Asked> asked_;
  std::deque<Refused> refused_;                                                           // to be delivered
  std::unordered_map<std::string, Circuit, base::StringHash, std::equal_to<>> circuits_;  // by URL
  base::Instant next_complaint_{};
};

}  // namespace server
