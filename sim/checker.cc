#include "sim/checker.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "sim/clock.h"
#include "sim/timeline.h"

namespace sim {
namespace {

constexpr std::size_t kProblemsMax = 10;

// What is known of one channel from everybody's words together.
struct Channel {
  std::string epoch;
  std::uint64_t head = 0;
  std::unordered_map<std::string_view, const Publication*> publications;  // by payload
  std::vector<const Publication*> at;                                     // by offset; null: nobody has said
  Timeline timeline;
};

// Where one client is in one channel.
struct Progress {
  bool known = false;
  std::uint64_t next = 1;
};

bool same_kind(PayloadKind told, PayloadKind published) {
  return told == published || told == PayloadKind::any ||
         (told == PayloadKind::json_or_text && published != PayloadKind::binary);
}

class Judge {
 public:
  Judge(const Log& log, const History& history) : log_(log), history_(history) {}

  Verdict judge() {
    gather();
    for (const Visit& visit : log_.visits) follow(visit);
    compare_with_heads();
    return std::move(verdict_);
  }

 private:
  void problem(std::string text) {
    if (verdict_.problems.size() < kProblemsMax) verdict_.problems.push_back(std::move(text));
  }
  void problem(const Visit& visit, std::size_t channel, const std::string& text) {
    problem("client " + std::to_string(visit.client) + ", " + std::string(name_of(visit.door)) + " asked at " +
            std::to_string((visit.asked - Clock::kStart).count()) + " ns since " +
            (visit.since[channel].epoch.empty() ? "now" : std::to_string(visit.since[channel].offset)) + " of " +
            visit.channels[channel] + ": " + text);
  }

  // --- the truth, as far as anybody has told it

  void gather() {
    for (const Head& head : log_.heads) {
      channels_[head.channel].head = head.place.offset;
      take_epoch(channels_[head.channel], head.place.epoch);
    }
    for (const Publication& each : log_.publications) {
      Channel& channel = channels_[each.channel];
      if (!channel.publications.emplace(each.payload, &each).second) problem("two publications are equal");
      if (each.resent_until_acknowledged && !each.acknowledged) problem("a publication was never acknowledged");
      if (!each.acknowledged) continue;
      take_epoch(channel, each.acknowledged->epoch);
      settle(channel, each.acknowledged->offset, &each);
      channel.timeline.learn(each.acknowledged->offset, each.time_ms);
    }
    for (const Visit& visit : log_.visits) {
      for (const Told& told : visit.told) {
        if (told.kind == Told::Kind::message && told.time_ms != 0) {
          channels_[visit.channels[told.channel]].timeline.learn(told.place.offset, told.time_ms);
        }
      }
    }
    for (auto& [name, channel] : channels_) {
      if (!channel.timeline.finish(channel.head, history_.clock))
        problem("the times of " + name + " contradict each other");
    }
  }

  void take_epoch(Channel& channel, const std::string& epoch) {
    if (channel.epoch.empty()) channel.epoch = epoch;
    if (channel.epoch != epoch) problem("two epochs: " + channel.epoch + " and " + epoch);
  }

  void settle(Channel& channel, std::uint64_t offset, const Publication* publication) {
    if (channel.at.size() <= offset) channel.at.resize(offset + 1);
    const Publication*& known = channel.at[offset];
    if (known == nullptr) known = publication;
    if (known != publication) problem("offset " + std::to_string(offset) + " is two messages");
    const auto [place, added] = offsets_.emplace(publication, offset);
    if (!added && place->second != offset) problem("a message has two offsets: " + std::to_string(offset));
  }

  // --- the clients

  void follow(const Visit& visit) {
    ++verdict_.visits;
    if (visit.reconnected) ++verdict_.reconnects;
    if (visit.end == Visit::End::lost && !visit.reason.empty()) problem(visit, 0, "broken: " + visit.reason);
    if (visit.end == Visit::End::refused) {
      problem(visit, 0, "refused with " + std::to_string(visit.code) + " " + visit.reason);
    }
    if (visit.code == 4408) {
      ++verdict_.slow;
    } else if (visit.end == Visit::End::by_server && visit.code > 1000 && visit.code != 4410) {
      problem(visit, 0, "closed with " + std::to_string(visit.code) + " " + visit.reason);
    }
    auto& progress = clients_[visit.client];
    std::vector<bool> judged(visit.channels.size());  // whether its resumption is decided
    for (std::size_t i = 0; i < visit.channels.size(); ++i) {
      Progress& each = progress[visit.channels[i]];
      const Place& asked = visit.since[i];
      if (asked.epoch.empty()) {
        each.known = false;
      } else if (!each.known) {
        each = {true, asked.offset + 1};
      } else if (asked.offset + 1 != each.next) {
        problem(visit, i, "the server made it resume elsewhere: it was at " + std::to_string(each.next - 1));
      }
      judged[i] = asked.epoch.empty();
    }
    for (const Told& told : visit.told) {
      if (told.kind != Told::Kind::cursor) take(visit, told, progress, judged);
      take_cursor(visit, told, progress, judged);
    }
    // A raw WebSocket cannot be told more about a gap than that there is one.
    if (visit.door == Door::ws_raw && visit.code == 4410) {
      gap_without_end(visit, progress[visit.channels[0]].next - 1, judged);
    }
    for (std::size_t i = 0; i < judged.size(); ++i) {
      if (!judged[i] && visit.reconnected) ++verdict_.unknown;
    }
  }

  void take(const Visit& visit, const Told& told, std::map<std::string, Progress>& progress,
            std::vector<bool>& judged) {
    Channel& channel = channels_[visit.channels[told.channel]];
    Progress& at = progress[visit.channels[told.channel]];
    if (!told.place.epoch.empty() && told.place.epoch != channel.epoch) problem(visit, told.channel, "another epoch");
    switch (told.kind) {
      case Told::Kind::message:
        if (!at.known) at = {true, told.place.offset};
        if (!told.place.epoch.empty() && told.place.offset != at.next) {
          problem(
              visit, told.channel,
              "message " + std::to_string(told.place.offset) + " came where " + std::to_string(at.next) + " was due");
        }
        took_no_gap(visit, told.channel, at.next - 1, told.at, judged);
        take_payload(visit, told, channel, told.place.epoch.empty() ? at.next : told.place.offset);
        at.next = (told.place.epoch.empty() ? at.next : told.place.offset) + 1;
        ++verdict_.messages;
        break;
      case Told::Kind::gap:
        if (at.known && told.gap_from != at.next) {
          problem(visit, told.channel,
                  "a gap from " + std::to_string(told.gap_from) + " where " + std::to_string(at.next) + " was due");
        }
        take_gap(visit, told, channel, judged);
        at = {true, told.place.offset + 1};
        break;
      default:
        start_at(visit, told.channel, told.place.offset, told.at, at, judged);
    }
  }

  void start_at(const Visit& visit, std::size_t index, std::uint64_t offset, base::Instant at, Progress& progress,
                std::vector<bool>& judged) {
    const Timeline& timeline = channels_[visit.channels[index]].timeline;
    if (progress.known) {
      if (offset + 1 != progress.next) {
        problem(visit, index,
                "told to stand at " + std::to_string(offset) + " while at " + std::to_string(progress.next - 1));
      }
      return took_no_gap(visit, index, offset, at, judged);
    }
    if (offset < timeline.count_surely(visit.asked) || offset > timeline.count_perhaps(at)) {
      problem(visit, index, "`now` was not at " + std::to_string(offset));
    }
    progress = {true, offset + 1};
  }

  void take_cursor(const Visit& visit, const Told& told, std::map<std::string, Progress>& progress,
                   std::vector<bool>& judged) {
    for (std::size_t i = 0; i < told.cursor.size(); ++i) {
      const Place& place = told.cursor[i];
      if (place.epoch.empty()) continue;
      Progress& at = progress[visit.channels[i]];
      // Before a channel of several has started, an event stream repeats what it was asked for.
      const bool started = visit.door == Door::poll || told.cursor.size() == 1;
      if (!started && at.known && place.offset + 1 == at.next) continue;
      start_at(visit, i, place.offset, told.at, at, judged);
    }
  }

  void take_payload(const Visit& visit, const Told& told, Channel& channel, std::uint64_t offset) {
    const auto found = channel.publications.find(told.payload);
    if (found == channel.publications.end() || !same_kind(told.payload_kind, found->second->kind)) {
      return problem(visit, told.channel, "nobody has published the payload of " + std::to_string(offset));
    }
    settle(channel, offset, found->second);
    if (offset > channel.head) problem(visit, told.channel, std::to_string(offset) + " lies beyond the head");
  }

  // --- gaps and the model

  // A resumption went on without a gap after `position`.
  void took_no_gap(const Visit& visit, std::size_t index, std::uint64_t position, base::Instant at,
                   std::vector<bool>& judged) {
    if (judged[index]) return;
    judged[index] = true;
    if (visit.reconnected) ++verdict_.recovered;
    if (history_.keeps_all()) return;
    const Timeline& timeline = channels_[visit.channels[index]].timeline;
    if (timeline.surely_lost(position, visit.asked, history_.messages, history_.age_ms)) {
      problem(visit, index, "a gap after " + std::to_string(position) + " was not announced");
    } else if (visit.reconnected && !timeline.surely_held(position, at, history_.messages, history_.age_ms)) {
      ++verdict_.either;
    }
  }

  void take_gap(const Visit& visit, const Told& told, const Channel& channel, std::vector<bool>& judged) {
    // A poll and a stream of several channels do not say that a channel has started: what they tell of it first may
    // have happened while they were watching.
    const bool unsaid = visit.door == Door::poll || (visit.door == Door::sse && visit.channels.size() > 1);
    if (unsaid && told.gap_reason == "overload") judged[told.channel] = true;
    const bool resumed = !judged[told.channel];
    const std::uint64_t to = told.place.offset;
    if (told.gap_reason != "expired" && (resumed || told.gap_reason != "overload")) {
      problem(visit, told.channel, "a gap because of " + told.gap_reason);
    }
    if (to < told.gap_from || told.gap_from == 0) return problem(visit, told.channel, "a gap of nothing");
    if (!resumed) {
      // It goes as far as the history does not reach.
      if (channel.timeline.surely_held(to - 1, told.at, history_.messages, history_.age_ms)) {
        problem(visit, told.channel, "a gap up to " + std::to_string(to));
      }
      return gap_while_watching(visit, told.channel, told.gap_from, told.at);
    }
    judged[told.channel] = true;
    // A recovery that is not complete replays nothing: its gap goes up to the head of that moment.
    if (to < channel.timeline.count_surely(visit.asked) || to > channel.timeline.count_perhaps(told.at)) {
      return problem(visit, told.channel, "a gap up to " + std::to_string(to) + ", which was not the head");
    }
    const Timeline::Answer answer =
        channel.timeline.judge(told.gap_from - 1, to, visit.asked, told.at, history_.messages, history_.age_ms);
    if (answer == Timeline::Answer::held) {
      problem(visit, told.channel, "a gap from " + std::to_string(told.gap_from) + ", which was held");
    }
    count_gap(visit, answer == Timeline::Answer::either);
  }

  // The door has not said how far it goes.
  void gap_without_end(const Visit& visit, std::uint64_t position, std::vector<bool>& judged) {
    if (judged[0]) return gap_while_watching(visit, 0, position + 1, visit.ended);
    judged[0] = true;
    const Timeline& timeline = channels_[visit.channels[0]].timeline;
    if (timeline.surely_held(position, visit.ended, history_.messages, history_.age_ms)) {
      problem(visit, 0, "a gap after " + std::to_string(position) + ", which was held");
    }
    count_gap(visit, !timeline.surely_lost(position, visit.asked, history_.messages, history_.age_ms));
  }

  void gap_while_watching(const Visit& visit, std::size_t index, std::uint64_t from, base::Instant at) {
    const Timeline& timeline = channels_[visit.channels[index]].timeline;
    if (timeline.surely_held(from - 1, at, history_.messages, history_.age_ms)) {
      problem(visit, index, "a gap from " + std::to_string(from) + ", which was held");
    }
    ++verdict_.live_gaps;
  }

  void count_gap(const Visit& visit, bool either) {
    if (!visit.reconnected) return;
    ++verdict_.gaps;
    if (either) ++verdict_.either;
  }

  // --- the end

  void compare_with_heads() {
    for (const auto& [client, progress] : clients_) {
      for (const auto& [name, at] : progress) {
        if (!at.known || at.next != channels_[name].head + 1) {
          problem("client " + std::to_string(client) + " ended at " + std::to_string(at.next - 1) + " of " + name +
                  ", the head is " + std::to_string(channels_[name].head));
        }
      }
    }
  }

  const Log& log_;
  const History& history_;
  Verdict verdict_;
  std::map<std::string, Channel> channels_;
  std::map<std::uint32_t, std::map<std::string, Progress>> clients_;
  std::unordered_map<const Publication*, std::uint64_t> offsets_;
};

}  // namespace

void Verdict::add(const Verdict& other) {
  problems.insert(problems.end(), other.problems.begin(), other.problems.end());
  visits += other.visits;
  reconnects += other.reconnects;
  recovered += other.recovered;
  gaps += other.gaps;
  either += other.either;
  unknown += other.unknown;
  live_gaps += other.live_gaps;
  slow += other.slow;
  messages += other.messages;
}

Verdict check(const Log& log, const History& history) { return Judge(log, history).judge(); }

}  // namespace sim
