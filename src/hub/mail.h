// What workers say to each other. Values; they cross threads by value and share only immutable messages.
//
// Each kind of mail says which class it is of. A request needs a credit of the target and is answered by exactly one
// answer with the same request number; an answer's slot is reserved by the request's credit, so it is never refused.
// Consequences use the unreserved slots of a mailbox and, where none is free, are remembered as bounded state by the
// sender (architecture section 3).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/shared_bytes.h"
#include "hub/events_channel.h"
#include "hub/extras.h"
#include "hub/glob.h"
#include "hub/message.h"
#include "hub/position.h"
#include "hub/presence.h"
#include "hub/since.h"
#include "hub/user_action.h"
#include "hub/wildcard.h"
#include "hub/window.h"

namespace hub {

enum class MailClass : std::uint8_t { request, answer, consequence };

// Chosen by the asking worker (it names the subscription or peer that waits), returned untouched.
using RequestId = std::uint64_t;

// A channel as one worker knows it: slot and generation in that worker's table. Stale ones are a normal miss.
struct LocalChannelId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend bool operator==(const LocalChannelId&, const LocalChannelId&) = default;
};

// A subscription as its worker knows it. Ids are not used twice; an old one is a normal miss.
struct SubscriptionId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 0: none
  friend bool operator==(const SubscriptionId&, const SubscriptionId&) = default;
};

// ---- requests, worker -> home ----

// What a change of a map asks for, beside the message: Extras::key says of which key (never empty), Extras::removed
// that it goes, Extras::score where it stands. Conditions are looked at in the order in which Suppression names them.
struct MapChange {
  enum class When : std::uint8_t { always, if_new, if_exists };
  When when = When::always;
  std::optional<Position> expected;  // only if the last change of the key has this position
  std::unique_ptr<Message> state;    // null: the state keeps what the subscribers get; with the same key and score
};

// On a channel with ChannelRules::map a Publish has a change, on others it has none: otherwise channel_type.
struct Publish {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string channel;
  std::unique_ptr<Message> message;
  std::unique_ptr<MapChange> change;
  std::optional<base::Hash128> idempotency_key;  // of channel and key
  base::Hash128 content;                         // of kind and payload; only with a key
  // The state that a message tells of, as its source counts: what is not newer than the newest of the channel, of a map
  // the newest of the key, is suppressed. Versions of different epochs follow each other in the order of their coming.
  // 0: not counted.
  std::uint64_t version = 0;
  std::string version_epoch;  // at most kVersionEpochBytesMax
};

// Brings one subscriber up to date: the home answers with one page of what it misses, and, when that page reaches the
// head, attaches the worker to the channel in the same step.
struct Attach {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  base::SharedBytes channel;  // home and worker share the name
  LocalChannelId local;
  Since since;
  enum class Mode : std::uint8_t { normal, give_up };  // give_up: too many rounds; jump to the head with a gap
  Mode mode = Mode::normal;
  std::uint32_t bytes_max = UINT32_MAX;  // of one page; the home's own limit counts too
};

// Reads one page of a channel's log without attaching (history API). Transient messages are left out.
struct Read {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string channel;
  Since since;
  std::uint32_t messages_max = 0;
  std::optional<Window> window;  // read too, with its own limit
};

// Forgets the messages of a channel, its last value too; the channel goes on behind them, in its epoch. Answered with
// the Page of an empty log.
struct Remove {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string channel;
};

// Reads a page of a map's state. Entries come in the order of their keys, of an ordered map by score, the highest
// first, unless the other way round is asked for. An entry that stays for as long as somebody reads page after page is
// on exactly one of them, unless its score changes: then its change is in the stream behind the head of the first page.
struct ReadState {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string channel;
  std::string cursor;             // StatePage::next of the page before; empty: from the first on
  std::uint32_t entries_max = 0;  // 0: only where the channel stands; kStateEntriesMax and kPageBytesMax count too
  enum class Order : std::uint8_t { usual, ascending };  // ascending: of an ordered map, the lowest score first
  Order order = Order::usual;
  std::string key;             // not empty: that entry alone
  std::optional<Epoch> epoch;  // of the page before: otherwise unrecoverable_position
};

// Forgets the state of a map and its log. Who is subscribed, or comes back, is told that it has missed something.
// Answered with the StatePage of an empty map.
struct Clear {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string channel;
};

// Lists channels of this home: those that match both, behind `after`, in the order of their names; no companions
// and feeds.
struct List {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string prefix;
  std::uint32_t channels_max = 0;
  std::string pattern;  // glob.h; empty: all
  std::string after;

  bool asks_for(std::string_view name) const {
    return !is_events_channel(name) && !is_wildcard_feed(name) && name.starts_with(prefix) &&
           (after.empty() || name > after) && (pattern.empty() || matches_glob(pattern, name));
  }
};

// A subscription becomes a member of its channel; one that is there already stays as it is. It says so on the channel's
// companion (events_channel.h) if `announce`, and then of its leaving too.
struct Enter {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  base::SharedBytes channel;
  SubscriptionId member;
  ClientIdentity identity;
  Announce announce = Announce::no;
};

// Asks who is present in a channel.
struct Who {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string channel;
  MemberNumber after = 0;         // Present::next of the page before; 0: from the first on
  std::uint32_t members_max = 0;  // 0: only how many; the home's own limits count too
};

// What somebody says to a connection of another worker, by a connection of the sender's.
using ForwardSecret = std::array<std::uint64_t, 2>;  // known to who was told it on that connection
struct Forward {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  base::PeerId connection;
  ForwardSecret secret{};
  std::string bytes;
};

// What a back end asks of connections. Goes to every worker.
struct Act {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::shared_ptr<const UserAction> action;
};

// ---- requests, home -> ledger or reader, of channels with ChannelRules::durable ----

// Asks the ledger for a change, which is answered when it is on stable storage.
struct Sequence {
  static constexpr MailClass kClass = MailClass::request;
  // clear: forgets the messages so far; the stream goes on behind them. open: gives it an epoch if it has none.
  enum class What : std::uint8_t { append, clear, open };
  RequestId request = 0;
  What what = What::append;
  std::string channel;
  std::unique_ptr<Message> message;  // of append
  std::optional<base::Hash128> idempotency_key;
  base::Hash128 content;
};

// Asks the reader for a page of what is on the disk. Of Since::last it is the end of the stream if `messages_max` is
// enough for it, otherwise the first page of it.
struct Load {
  static constexpr MailClass kClass = MailClass::request;
  RequestId request = 0;
  std::string channel;
  Since since;
  std::uint32_t messages_max = 0;
  std::uint32_t bytes_max = 0;
  std::optional<Window> window;  // that instead of a page
};

// ---- answers, home -> worker ----

// What an answered message survives.
enum class Level : std::uint8_t {
  accepted,  // it is in the memory of the channel's home
  durable,   // it is on stable storage
};

// Why something that was published was not taken.
enum class Suppression : std::uint8_t {
  none,
  idempotency,        // a map's change, repeated with its key: the values are those of the first time
  version,            // not newer than what is there
  key_exists,         // MapChange::When::if_new
  key_not_found,      // if_exists; or there was nothing to remove
  position_mismatch,  // MapChange::expected
};

// A repeat with the same idempotency key is answered with the values of the first time.
struct Published {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  base::Error error = base::Error::none;
  Level level = Level::accepted;
  std::uint16_t workers = 0;  // with subscribers of the channel: it has been mailed to each, or will be
  Position position;
  base::WallTime time;
  Suppression suppressed = Suppression::none;  // otherwise the position is that of the channel
  MessageRef current;                          // position_mismatch: what the key has; null: nothing
};

// Answer to Attach, Read and Remove. `start` is the position before the first message of this page (after the gap),
// `end` the offset that it reaches: transient messages on the way are left out.
struct Page {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  LocalChannelId local;  // of the Attach
  base::Error error = base::Error::none;
  enum class State : std::uint8_t { attached, more, read_only };
  State state = State::attached;
  Position start;
  Offset end = 0;
  Position head;
  Offset first_held = 0;  // offset of the oldest message in the log; head.offset + 1 if the log is empty
  std::optional<Gap> gap;
  std::vector<MessageRef> messages;
  std::optional<WindowView> window;
};

// Answer to Sequence.
struct Sequenced {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  base::Error error = base::Error::none;
  std::string channel;
  Position position;  // of the message; otherwise where the stream stands
  base::WallTime time;
  MessageRef message;  // numbered; null: nothing was appended, or that was done before, with the same key
};

// Answer to Load. Transient messages are there, without their payload.
struct Loaded {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  base::Error error = base::Error::none;
  Position head;        // no epoch: there is no such stream
  base::WallTime time;  // of the newest message
  Offset base = 0;      // the newest that is not kept any more
  Offset start = 0;     // before the first message, behind the gap
  Offset end = 0;       // that the page reaches
  std::optional<Gap> gap;
  std::vector<MessageRef> messages;
  std::optional<WindowView> window;
};

// Answer to ReadState and Clear. Entries have their keys and scores in their extras, and the offset and time of their
// last change.
struct StatePage {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  base::Error error = base::Error::none;  // channel_type, bad_cursor, unrecoverable_position, memory
  Position head;                          // of the channel, at this moment
  std::vector<MessageRef> entries;
  std::string next;  // ReadState::cursor of the next page; empty: there is none
  std::uint64_t keys = 0;
};

// What became of a channel's messages on their way to subscribers. Each delivery that is due is counted once, when its
// fate is known: of a subscriber that lags it is not yet.
struct Outcomes {
  std::uint64_t queued = 0;   // messages given to subscribers, live and replayed
  std::uint64_t dropped = 0;  // messages that gaps of each reason announced while the subscriber watched
  std::uint64_t conflated = 0;
  std::uint64_t overload = 0;
  std::uint64_t closed = 0;  // subscribers cut off because they read too slowly
  void add(const Outcomes& other) {
    queued += other.queued;
    dropped += other.dropped;
    conflated += other.conflated;
    overload += other.overload;
    closed += other.closed;
  }
  friend bool operator==(const Outcomes&, const Outcomes&) = default;
};

// The subscribers of one channel.
struct Watched {
  std::uint32_t subscribers = 0;
  std::uint32_t lagging = 0;  // of them: they get nothing until they have read
  Outcomes outcomes;
  void add(const Watched& other) {
    subscribers += other.subscribers;
    lagging += other.lagging;
    outcomes.add(other.outcomes);
  }
  friend bool operator==(const Watched&, const Watched&) = default;
};

struct ChannelSummary {
  std::string channel;
  Position head;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  Watched watched;  // here: of workers that have left; whoever gathers the answers of all workers adds the others
};

struct Listed {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  std::vector<ChannelSummary> channels;
  std::uint64_t channels_total = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t subscriptions = 0;  // of the answering worker
  std::uint64_t users = 0;          // the same
  // Channels of such names with subscribers on the answering worker, whatever their home.
  std::vector<std::pair<std::string, Watched>> watched;
};

struct Entered {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  base::Error error = base::Error::none;
};

struct Present {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  std::uint64_t clients = 0;            // in the channel
  std::uint64_t users = 0;              // distinct
  std::vector<ClientIdentity> members;  // in the order of their coming; one that stays is on exactly one page
  MemberNumber next = 0;                // Who::after of the next page; 0: there is none
};

struct Forwarded {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  bool found = false;  // the connection lives, and the secret is its own
};

struct Acted {
  static constexpr MailClass kClass = MailClass::answer;
  RequestId request = 0;
  std::uint64_t connections = 0;  // that were meant
  std::vector<ConnectionSummary> listed;
};

// ---- consequences ----

// Messages of one channel in offset order without holes, the first being `first`. A subscriber whose next offset lies
// before `first` has a gap up to first - 1; `messages` may be empty when nothing is held any more.
struct Delivery {
  static constexpr MailClass kClass = MailClass::consequence;
  LocalChannelId local;
  Offset first = 0;
  std::vector<MessageRef> messages;
};

// The sender has no subscriber of that channel any more.
struct Detach {
  static constexpr MailClass kClass = MailClass::consequence;
  base::SharedBytes channel;
  LocalChannelId local;
  Outcomes outcomes;  // of its subscribers
};

// A member of one of the target's channels is one no longer. Its Enter was answered.
struct Leave {
  static constexpr MailClass kClass = MailClass::consequence;
  SubscriptionId member;
};

using Mail = std::variant<Publish, Attach, Read, Remove, List, Enter, Who, Forward, Published, Page, Listed, Entered,
                          Present, Forwarded, Delivery, Detach, Leave, Act, Acted, ReadState, Clear, StatePage,
                          Sequence, Sequenced, Load, Loaded>;

inline MailClass class_of(const Mail& mail) {
  return std::visit([](const auto& each) { return each.kClass; }, mail);
}

// Outgoing mail of one worker. Implemented over mailboxes by `server`, and directly by tests.
class Post {
 public:
  virtual ~Post() = default;
  // True if a consequence can be sent to that worker now. False also promises that the caller is given another chance
  // (pump() of Home, FanOut, Attendance) once there is room.
  virtual bool has_room(base::WorkerId to) = 0;
  virtual void send(base::WorkerId to, Mail mail) = 0;
};

}  // namespace hub
