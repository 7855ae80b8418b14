#include "sim/centrifuge/judge.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/base64.h"
#include "codec/json_in.h"
#include "sim/clock.h"

namespace sim::centrifuge {
namespace {

using Kind = Record::Kind;

constexpr std::size_t kProblemsMax = 10;
constexpr std::uint32_t kUnrecoverablePosition = 112;
constexpr std::uint32_t kInsufficientState = 2500;
constexpr std::uint32_t kSlow = 3008;
constexpr std::uint32_t kConnectionInsufficientState = 3010;

// One epoch of a channel, and when there were signs of it.
struct Era {
  Life life;
  base::Instant known = base::kNever;  // it had begun by then
  base::Instant alive;                 // it had not ended by then
};

struct Channel {
  const ChannelRules* rules = nullptr;
  std::map<std::string, Era> eras;
  std::string last;  // the newest epoch
};

// Where one client is in one channel.
struct Progress {
  bool known = false;
  bool live = false;
  std::string epoch;
  Era* era = nullptr;
  std::uint64_t next = 1;
  const Record* asked = nullptr;
  std::map<std::string_view, bool> present;  // others, as joins and leaves say; false: has left
};

bool shows(const std::string& data, Format format, const Publication& published) {
  if (format == Format::protobuf) return data == published.payload;
  switch (published.kind) {
    case PayloadKind::json:
      return data == published.payload;
    case PayloadKind::binary:
      return data == "{\"base64\":\"" + codec::base64_encode(published.payload) + "\"}";
    default: {
      const auto value = codec::JsonValue::parse(data);
      return value && value->string() == published.payload;
    }
  }
}

class Judge {
 public:
  Judge(const Chronicle& chronicle, const Rules& rules) : chronicle_(chronicle), rules_(rules) {}

  Verdict judge() {
    gather();
    for (const Story& each : chronicle_.stories) look_for_signs(each);
    finish_eras();
    for (const Story& each : chronicle_.stories) follow(each);
    return std::move(verdict_);
  }

 private:
  void problem(std::string text) {
    if (verdict_.problems.size() < kProblemsMax) verdict_.problems.push_back(std::move(text));
  }
  void problem(const Record& record, const std::string& text) {
    problem("client " + std::to_string(story_->client) + (story_->by_library ? " (library, " : " (plain, ") +
            (story_->format == Format::json ? "JSON), " : "Protobuf), ") + story_->wishes[record.channel].channel +
            " at " + std::to_string((record.at - Clock::kStart).count()) + " ns: " + text);
  }

  // --- the truth, as far as publishers were told it

  void gather() {
    for (const auto& [name, each] : rules_.channels) channels_[name].rules = &each;
    for (const Publication& each : chronicle_.log.publications) {
      if (!each.acknowledged) {
        problem("a publication was never acknowledged");
        continue;
      }
      ++verdict_.published;
      Era& era = channels_[each.channel].eras[each.acknowledged->epoch];
      if (!era.life.number(each.acknowledged->offset, each)) {
        problem("offset " + std::to_string(each.acknowledged->offset) + " of " + each.channel + " was given twice");
      }
      era.known = std::min(era.known, each.answered);
      era.alive = std::max(era.alive, each.sent);
    }
  }

  // When clients were told of what.
  void look_for_signs(const Story& story) {
    struct Watched {
      Era* era = nullptr;
      base::Instant asked;
    };
    std::vector<Watched> watched(story.wishes.size());
    for (const Record& record : story.records) {
      Watched& at = watched[record.channel];
      switch (record.kind) {
        case Kind::ask:
          at.asked = record.at;
          break;
        case Kind::answer:
          if (record.place.epoch.empty()) break;
          at.era = &channels_[story.wishes[record.channel].channel].eras[record.place.epoch];
          at.era->known = std::min(at.era->known, record.at);
          at.era->alive = std::max(at.era->alive, at.asked);
          at.era->life.hear(record.place.offset, record.at);
          break;
        case Kind::message:
          if (at.era != nullptr) at.era->life.hear(record.place.offset, record.at);
          break;
        case Kind::unsubscribed:
          at.era = nullptr;
          break;
        case Kind::ended:
          for (Watched& each : watched) {
            // Cut by the client: until then the server kept the subscription, and so the channel.
            if (each.era != nullptr && record.code == 0) each.era->alive = std::max(each.era->alive, record.at);
            each.era = nullptr;
          }
          break;
        default:
          break;
      }
    }
  }

  void finish_eras() {
    for (auto& [name, channel] : channels_) {
      std::vector<std::pair<const std::string*, Era*>> order;
      for (auto& [epoch, era] : channel.eras) {
        for (const Removal& each : chronicle_.removals) {
          if (each.channel == name) era.life.remove({each.sent, each.answered});
        }
        era.life.finish();
        for (std::uint64_t offset = 1; offset <= era.life.head(); ++offset) {
          if (era.life.at(offset) == nullptr) {
            problem("offset " + std::to_string(offset) + " of " + name + " belongs to no message");
          }
        }
        order.emplace_back(&epoch, &era);
      }
      std::ranges::sort(order, {}, [](const auto& each) { return each.second->known; });
      if (!order.empty()) channel.last = *order.back().first;
      for (std::size_t i = 1; i < order.size(); ++i) {
        ++verdict_.epochs;
        const Era& before = *order[i - 1].second;
        // Where nothing was published there is nothing to remember.
        const base::Duration remembered = before.life.head() > 0 ? rules_.remembered : base::Duration(0);
        if (before.alive + remembered > order[i].second->known) problem(name + " changed its epoch too early");
      }
    }
  }

  // --- the clients

  void follow(const Story& story) {
    story_ = &story;
    progress_.assign(story.wishes.size(), {});
    std::uint64_t connections = 0;
    for (const Record& record : story.records) {
      if (record.kind == Kind::ended) ++connections;
      take(record);
    }
    verdict_.connections += connections;
    verdict_.reconnects += connections > 0 ? connections - 1 : 0;
  }

  void take(const Record& record) {
    Progress& at = progress_[record.channel];
    Channel& channel = channels_[story_->wishes[record.channel].channel];
    switch (record.kind) {
      case Kind::ask:
        if (record.recovers && record.honesty != Record::Honesty::false_place &&
            (!at.known || record.place.offset + 1 != at.next ||
             (record.honesty == Record::Honesty::true_place && record.place.epoch != at.epoch))) {
          problem(record, "the client has lost its place");
        }
        at.asked = &record;
        at.live = false;
        break;
      case Kind::answer:
        take_answer(record, channel, at);
        break;
      case Kind::message:
        take_message(record, channel, at);
        break;
      case Kind::join:
      case Kind::leave:
        take_event(record, at);
        break;
      case Kind::refused:
        take_refusal(record, channel, at);
        break;
      case Kind::unsubscribed:
        ++verdict_.dismissed;
        if (record.code != kInsufficientState) problem(record, "unsubscribed with " + std::to_string(record.code));
        if (!may_have_lost(channel, at, record.at)) problem(record, "its place was lost, and why?");
        at.live = false;
        break;
      case Kind::ended:
        take_end(record);
        break;
      case Kind::broken:
        problem(record, record.text);
    }
  }

  static bool may_have_lost(const Channel& channel, const Progress& at, base::Instant when) {
    if (channel.rules->drops || at.era == nullptr) return true;
    return at.era->life.held(channel.rules->kept, at.next - 1, std::nullopt, {when, when}) != Answer::yes;
  }

  void take_answer(const Record& record, const Channel& channel, Progress& at) {
    const Record* asked = std::exchange(at.asked, nullptr);
    if (asked == nullptr) return problem(record, "an answer to nothing");
    const Wish::Kind kind = story_->wishes[record.channel].kind;
    if (record.recoverable != (kind == Wish::Kind::recoverable) || record.positioned != (kind != Wish::Kind::plain) ||
        record.place.epoch.empty() != (kind == Wish::Kind::plain)) {
      problem(record, "it did not get what it asked for");
    }
    if (record.was_recovering != asked->recovers) problem(record, "was_recovering is wrong");
    if (!record.recovered && record.brought > 0) problem(record, "publications without recovered");
    if (record.recovered && !asked->recovers) problem(record, "recovered, and nobody had asked");
    if (kind == Wish::Kind::plain) {
      at = {.known = true, .live = true, .next = 0};
      return;
    }
    const auto era = channels_[story_->wishes[record.channel].channel].eras.find(record.place.epoch);
    at = {.known = true, .live = true, .epoch = era->first, .era = &era->second};
    at.next = record.place.offset + 1;
    const Window when{asked->at, record.at};
    const bool replayed = record.recovered && !channel.rules->cache;
    if (replayed && record.place.offset != asked->place.offset) problem(record, "recovered from somewhere else");
    const std::uint64_t top = record.place.offset + (replayed ? record.brought : 0);
    const bool told = !replayed || record.counted;  // what `top` is
    const Life& life = at.era->life;
    if (told && (top < life.count_surely(when.from) || top > life.count_perhaps(when.until))) {
      problem(record, "it was told that the head was " + std::to_string(top));
    }
    if (!asked->recovers) return;
    Answer expected = Answer::no;
    if (channel.rules->cache) {
      expected = expect_newest(*asked, record, at);
    } else if (asked->honesty == Record::Honesty::no_epoch || asked->place.epoch == record.place.epoch) {
      // What comes while other subscriptions still keep the answer to connect waiting is part of it: then `top` is not
      // the head of the moment that decided.
      const bool exact =
          told && rules_.pages == Rules::Pages::one && story_->wishes[record.channel].made == Wish::Made::by_client;
      std::optional<std::uint64_t> head;
      if (exact) head = top;
      expected = life.held(channel.rules->kept, asked->place.offset, head, when);
    }
    ++(record.recovered ? verdict_.recovered : verdict_.lost);
    if (asked->honesty == Record::Honesty::false_place) ++verdict_.false_places;
    if (expected == Answer::either) ++verdict_.either;
    if (expected != Answer::either && record.recovered != (expected == Answer::yes)) {
      problem(record, std::string("recovered is ") + (record.recovered ? "true" : "false") + " from " +
                          asked->place.epoch + ":" + std::to_string(asked->place.offset) + " at " + record.place.epoch +
                          ":" + (told ? std::to_string(top) : "?") + ", asked at " +
                          std::to_string((asked->at - Clock::kStart).count()));
    }
    if (asked->rejects && !record.recovered) problem(record, "it had asked for error 112");
  }

  // RecoveryMode cache: the newest message comes unless it is the client's already.
  static Answer expect_newest(const Record& asked, const Record& record, Progress& at) {
    const std::uint64_t top = record.place.offset;
    if (top > 0 && asked.place == record.place) return Answer::yes;
    if (top == 0) return asked.place.offset == 0 || asked.place.epoch == "_" ? Answer::yes : Answer::no;
    if (record.recovered) at.next = top;
    return at.era->life.held({}, top - 1, top, {asked.at, record.at});  // it outlives the history, but for removals
  }

  void take_message(const Record& record, Channel& channel, Progress& at) {
    ++verdict_.messages;
    if (!at.live) return problem(record, "a message of a subscription that is not");
    const std::uint64_t offset = record.place.offset;
    if (story_->wishes[record.channel].kind == Wish::Kind::plain) {
      // It begins anywhere, in the one epoch that there is, and may lose what it does not read.
      if (at.next == 0) at.era = &channel.eras.at(at.epoch = channel.last);
      if (at.next == 0 || (channel.rules->drops && offset > at.next)) at.next = offset;
    }
    if (offset != at.next) {
      problem(record, (offset < at.next ? "a doubled or late message: " : "a silent gap: ") + std::to_string(offset) +
                          " came where " + std::to_string(at.next) + " was due");
    }
    if (!record.place.epoch.empty() && record.place.epoch != at.epoch) problem(record, "a message of another epoch");
    const Publication* published = at.era->life.at(offset);
    if (published == nullptr || !shows(record.text, story_->format, *published)) {
      problem(record, "nobody has published the payload of " + std::to_string(offset));
    } else if (published->sent > record.at) {
      problem(record, std::to_string(offset) + " came before it was published");
    }
    at.next = offset + 1;
  }

  void take_event(const Record& record, Progress& at) {
    ++verdict_.joins;
    const bool joins = record.kind == Kind::join;
    if (!story_->wishes[record.channel].join_leave) problem(record, "a join or leave that nobody wanted");
    if (!at.live) return problem(record, "a join or leave of a subscription that is not");
    const auto [found, is_new] = at.present.try_emplace(record.text, joins);
    if (!is_new && found->second == joins) problem(record, record.text + (joins ? " joined twice" : " left twice"));
    found->second = joins;
  }

  void take_refusal(const Record& record, const Channel& channel, Progress& at) {
    const Record* asked = std::exchange(at.asked, nullptr);
    if (asked == nullptr || !asked->rejects || record.code != kUnrecoverablePosition) {
      return problem(record, "error " + std::to_string(record.code));
    }
    ++verdict_.refused;
    at.known = false;
    if (asked->honesty == Record::Honesty::false_place || at.era == nullptr) return;
    // Of an error neither head nor epoch is known.
    const bool same = channel.last == at.epoch && asked->honesty == Record::Honesty::true_place;
    if (same && !channel.rules->cache &&
        at.era->life.held(channel.rules->kept, asked->place.offset, std::nullopt, {asked->at, record.at}) ==
            Answer::yes) {
      problem(record, "error 112 from " + std::to_string(asked->place.offset) + ", which was held");
    }
  }

  void take_end(const Record& record) {
    if (record.code == kSlow) {
      ++verdict_.slow;
    } else if (record.code == kConnectionInsufficientState) {
      ++verdict_.broken;
      bool explained = false;
      for (std::size_t wish = 0; wish < progress_.size(); ++wish) {
        const Channel& channel = channels_[story_->wishes[wish].channel];
        explained |=
            story_->wishes[wish].made == Wish::Made::by_server && may_have_lost(channel, progress_[wish], record.at);
      }
      if (!explained) problem(record, "closed with 3010, and why?");
    } else if (record.code != 0) {
      problem(record, "closed with " + std::to_string(record.code) + " " + record.text);
    }
    const bool last = &record == &story_->records.back();
    for (std::size_t wish = 0; wish < progress_.size(); ++wish) {
      Progress& at = progress_[wish];
      if (last) compare_with_head(record, wish, at);
      if (at.asked != nullptr && at.asked->recovers) ++verdict_.unanswered;
      at.asked = nullptr;
      at.live = false;
    }
  }

  // At the end nobody has published for a while, and everybody is there.
  void compare_with_head(const Record& record, std::size_t wish, const Progress& at) {
    const Channel& channel = channels_[story_->wishes[wish].channel];
    if (!at.live) return problem(record, "it did not get " + story_->wishes[wish].channel + " any more");
    if (story_->wishes[wish].kind == Wish::Kind::plain) return;
    if (at.epoch == channel.last && at.next == at.era->life.head() + 1) return;
    problem(record, "it ended at " + at.epoch + ":" + std::to_string(at.next - 1) + " of " +
                        story_->wishes[wish].channel + ", the head is " + channel.last + ":" +
                        std::to_string(channels_[story_->wishes[wish].channel].eras.at(channel.last).life.head()));
  }

  const Chronicle& chronicle_;
  const Rules& rules_;
  Verdict verdict_;
  std::map<std::string, Channel> channels_;
  const Story* story_ = nullptr;
  std::vector<Progress> progress_;  // by wish
};

}  // namespace

void Verdict::add(const Verdict& other) {
  problems.insert(problems.end(), other.problems.begin(), other.problems.end());
  connections += other.connections;
  reconnects += other.reconnects;
  recovered += other.recovered;
  lost += other.lost;
  either += other.either;
  false_places += other.false_places;
  refused += other.refused;
  unanswered += other.unanswered;
  dismissed += other.dismissed;
  slow += other.slow;
  broken += other.broken;
  messages += other.messages;
  joins += other.joins;
  epochs += other.epochs;
  published += other.published;
}

Verdict judge(const Chronicle& chronicle, const Rules& rules) { return Judge(chronicle, rules).judge(); }

}  // namespace sim::centrifuge
