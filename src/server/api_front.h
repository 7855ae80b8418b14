// The server's API (docs/protocol.md): asks the hub for each command of a request, one after the other or side by side,
// and puts the answers together. At most kApiMailsMax mails of a request are on their way at a time, so that a large
// broadcast does not hold up who asks after it. The one place where the API's actions are authorised is authorise().
//
// Calling order: start(); then published(), paged(), listed(), ... for every answer whose request number is one of
// owns(); after each of them take_finished() until there is nothing.
// Threads: owned by one worker.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/auth.h"
#include "base/refusal.h"
#include "server/api_call.h"
#include "server/desk.h"

namespace server {

inline constexpr std::uint32_t kApiMailsMax = 256;
// Of one answer about presence; then it is a page. What people call all: 100,000 members of 160 bytes.
inline constexpr std::uint32_t kApiMembersMax = 100'000;
inline constexpr std::size_t kApiMembersBytesMax = 16 * 1024 * 1024;

class ApiFront {
 public:
  explicit ApiFront(Desk& desk) : desk_(desk) {}

  // Of a peer that may use the API. It is answered even if the peer has gone.
  void start(base::PeerId peer, door::server_api::Request request);

  // Answers of the hub to requests of this front.
  static bool owns(hub::RequestId request) { return (request & kMarks) == kMarks; }
  void published(const hub::Published& answer);
  void paged(const hub::Page& page);
  void listed(hub::Listed& listed);
  void present(const hub::Present& present);
  void acted(hub::Acted& acted);
  void state(hub::StatePage& page);

  struct Finished {
    base::PeerId peer;
    std::optional<base::Refusal> refusal;  // of a single command
    std::string body;                      // without a refusal
  };
  std::optional<Finished> take_finished();

 private:
  // No peer's: Desk::kNumbered says so, and the second bit that it is this front's.
  static constexpr hub::RequestId kMarks = hub::RequestId{3} << 62;

  using CallId = std::uint64_t;
  struct Asked {  // one mail
    CallId call = 0;
    std::size_t place = 0;  // of the command
    std::size_t part = 0;   // of its channel
  };

  // api_front.cc
  void go_on(CallId id);
  void finish(ApiCall& call);

  // api_front_commands.cc. Each begins a command: false if its answer is there already.
  bool begin(CallId id, ApiCall& call, ApiCommand& open, const door::server_api::Command& command,
             door::server_api::Answer& answer);
  template <class Command>
  bool begin_one(CallId id, ApiCall& call, ApiCommand& open, const Command& command, door::server_api::Answer& answer);
  bool ask(CallId id, ApiCall& call, ApiCommand& open, std::string_view channel, auth::Verb verb, hub::Mail mail,
           door::server_api::Answer& answer);
  bool act(CallId id, ApiCall& call, ApiCommand& open, hub::UserAction action);
  static std::uint32_t members_max(const door::server_api::Presence& presence) {
    return presence.limit == 0 ? kApiMembersMax : presence.limit;
  }
  bool keeps_presence(std::string_view channel, door::server_api::Answer& answer) const;
  void ask_workers(CallId id, ApiCall& call, ApiCommand& open, const hub::List& list);
  bool publish(CallId id, ApiCall& call, ApiCommand& open, std::size_t part, const std::string& channel,
               const door::server_api::Publication& publication, door::server_api::Answer& answer);
  // A broadcast goes on where it was; true while its command is open.
  bool go_on(CallId id, ApiCall& call, ApiCommand& command);
  std::expected<void, base::Refusal> authorise(auth::Verb verb, std::string_view channel) const;

  hub::RequestId number(const Asked& asked);
  // The call and the command that a mail was for; null if that is over.
  struct Found {
    CallId id = 0;
    ApiCall* call = nullptr;
    ApiCommand* command = nullptr;
    std::size_t part = 0;
  };
  Found take(hub::RequestId request);
  // The last answer of that command: it is over.
  void close(const Found& found, door::server_api::Answer answer);

  // api_front_maps.cc
  bool begin_map(CallId id, ApiCall& call, ApiCommand& open, const door::server_api::MapPublish& command,
                 door::server_api::Answer& answer);
  bool begin_map(CallId id, ApiCall& call, ApiCommand& open, const door::server_api::MapRemove& command,
                 door::server_api::Answer& answer);
  bool begin_map(CallId id, ApiCall& call, ApiCommand& open, const door::server_api::MapReadState& command,
                 door::server_api::Answer& answer);
  bool begin_map(CallId id, ApiCall& call, ApiCommand& open, const door::server_api::MapReadStream& command,
                 door::server_api::Answer& answer);
  bool begin_map(CallId id, ApiCall& call, ApiCommand& open, const door::server_api::MapStats& command,
                 door::server_api::Answer& answer);
  bool begin_map(CallId id, ApiCall& call, ApiCommand& open, const door::server_api::MapClear& command,
                 door::server_api::Answer& answer);
  bool change(CallId id, ApiCall& call, ApiCommand& open, std::string_view channel, auth::Verb verb,
              std::expected<hub::Publish, base::Refusal> made, door::server_api::Answer& answer);
  bool is_ephemeral(std::string_view channel) const;
  door::server_api::Offsets offsets_of(const door::server_api::Command& command) const;

  // api_front_answers.cc
  door::server_api::Answer information(const ApiCommand& command) const;

  Desk& desk_;
  std::unordered_map<CallId, ApiCall> calls_;
  std::unordered_map<hub::RequestId, Asked> asked_;
  std::uint64_t numbers_ = 0;
  std::vector<Finished> finished_;
};

}  // namespace server
