#include "sim/centrifuge/recovery_run.h"

#include <algorithm>
#include <memory>

#include "auth/token.h"
#include "base/assert.h"
#include "sim/centrifuge/library_speaker.h"
#include "sim/centrifuge/plain_speaker.h"
#include "sim/centrifuge/remover.h"
#include "sim/centrifuge/visitor.h"
#include "sim/clients/publisher.h"
#include "sim/crowd.h"

namespace sim::centrifuge {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kIdle = 100ms, kForgotten = 300ms;  // of a forgetful world

// One namespace and the channels that there may be of it.
struct Area {
  std::string name;
  ChannelRules rules;
  bool join_leave = false;
  bool delta = false;
  std::uint32_t payload_bytes_max = 300;
};

std::vector<Area> areas_of(RunOptions::World world) {
  switch (world) {
    case RunOptions::World::keeps_all:
      return {{.name = "all"},
              {.name = "room", .join_leave = true},
              {.name = "delta", .delta = true},
              {.name = "cache", .rules = {.cache = true}},
              {.name = "drop", .rules = {.drops = true}, .payload_bytes_max = 3000}};
    case RunOptions::World::brief:
      return {{.name = "count", .rules = {.kept = {.messages = 40}}},
              {.name = "one", .rules = {.kept = {.messages = 1}}},
              {.name = "age", .rules = {.kept = {.age = 100ms}}},
              {.name = "both", .rules = {.kept = {.messages = 60, .age = 200ms}}, .join_leave = true},
              {.name = "delta", .rules = {.kept = {.messages = 30}}, .delta = true},
              {.name = "cache", .rules = {.kept = {.age = 50ms}, .cache = true}},
              {.name = "drop", .rules = {.kept = {.messages = 30}, .drops = true}, .payload_bytes_max = 3000}};
    case RunOptions::World::forgetful:
      return {{.name = "rare", .rules = {.kept = {.messages = 10, .age = 200ms}}},
              {.name = "never", .rules = {.kept = {.messages = 3, .age = 50ms}}, .join_leave = true},
              {.name = "cache", .rules = {.kept = {.age = 50ms}, .cache = true}}};
  }
  return {};
}

server::NamespaceOptions namespace_of(const Area& area) {
  server::NamespaceOptions options{
      .name = area.name, .history_messages_max = 10'000'000, .history_bytes_max = 1 << 30, .history_age_max = 24h};
  const Kept& kept = area.rules.kept;
  if (kept.messages < options.history_messages_max) {
    options.history_messages_max = static_cast<std::uint32_t>(kept.messages);
  }
  if (kept.age) options.history_age_max = *kept.age;
  if (area.rules.drops) options.slow_reader = hub::SlowReader::drop;
  if (area.rules.cache) options.recovery_mode = server::RecoveryMode::cache;
  options.presence = options.join_leave = area.join_leave;
  options.allow_delta = options.delta_publish = area.delta;
  return options;
}

class Running {
 public:
  explicit Running(const RunOptions& options)
      : options_(options),
        entropy_(options.seed),
        brief_(options.world == RunOptions::World::brief),
        forgetful_(options.world == RunOptions::World::forgetful),
        areas_(areas_of(options.world)) {}

  RecoveryRun run() {
    World world(make_world());
    Crowd crowd(world);
    world_ = &world;
    crowd_ = &crowd;
    make_channels();
    make_publishers();
    make_visitors();
    drive();
    for (const auto& each : visitors_) result_.chronicle.stories.push_back(each->take_story());
    publishers_.clear();
    visitors_.clear();
    remover_.reset();
    Verdict verdict = judge(result_.chronicle, result_.rules);
    verdict.problems.insert(verdict.problems.end(), result_.verdict.problems.begin(), result_.verdict.problems.end());
    result_.verdict = std::move(verdict);
    result_.trace = world.trace();
    result_.turns = world.turns();
    return std::move(result_);
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return entropy_.below(bound); }
  std::uint32_t from_to(std::uint32_t from, std::uint32_t to) { return from + below(to - from + 1); }
  std::uint32_t ring_size() { return std::min(256U, (1U << below(9)) + below(4)); }

  WorldOptions make_world() {
    WorldOptions world;
    world.seed = entropy_.next();
    world.workers = static_cast<std::uint16_t>(from_to(1, 4));
    world.mailbox = {.credits = ring_size(), .consequences = ring_size()};
    world.held_up_per_10000_turns = below(2) == 0 ? 0 : from_to(1, brief_ ? 5 : 50);
    world.held_up_max = std::chrono::microseconds(from_to(100, brief_ ? 1000 : 5000));
    narrow_ = below(3) == 0;
    world.server.dev = true;
    world.server.new_channels_per_s_max = 1'000'000;
    world.server.subscribes_per_s_max = 1'000'000;
    world.server.history_bytes_total_max = std::uint64_t{1} << 32;
    world.server.queue_bytes_max = narrow_ ? 4 * 1024 : 1 << 20;
    if (narrow_) result_.rules.pages = Rules::Pages::many;
    if (narrow_) world.server.queue_messages_max = from_to(4, 16);
    world.server.deflate_context_takeover = below(4) == 0;
    world.server.token_hs256_keys = {key_};
    if (forgetful_) {
      world.server.channel_idle = kIdle;
      world.server.history_meta_ttl = kForgotten;
      result_.rules.remembered = kIdle + kForgotten;
    }
    if (narrow_ && below(2) == 0) {
      for (Area& each : areas_) each.rules.drops = true;
    }
    world.server.namespaces = {{}};
    for (const Area& each : areas_) {
      server::NamespaceOptions made = namespace_of(each);
      if (!forgetful_ && below(3) == 0) made.max_delay = std::chrono::microseconds(from_to(50, brief_ ? 2000 : 20'000));
      world.server.namespaces.push_back(std::move(made));
    }
    result_.shape = std::to_string(world.workers) + " workers, mailbox " + std::to_string(world.mailbox.credits) + "+" +
                    std::to_string(world.mailbox.consequences) + (narrow_ ? ", narrow" : "");
    return world;
  }

  Link make_link(bool narrow) {
    Link link;
    link.latency_min = std::chrono::microseconds(from_to(10, 50));  // short: the model is as sharp as they are
    link.latency_max = link.latency_min + std::chrono::microseconds(
                                              from_to(1, options_.world == RunOptions::World::keeps_all ? 1000 : 60));
    link.window_bytes = narrow ? from_to(600, 2000) : std::size_t{1} << from_to(13, 17);
    link.short_percent = below(4) == 0 ? 60 : 5;
    return link;
  }

  void make_channels() {
    const std::uint32_t count = forgetful_ ? from_to(4, 8) : from_to(2, 6);
    for (std::uint32_t i = 0; i < count; ++i) {
      const Area& area = areas_[below(static_cast<std::uint32_t>(areas_.size()))];
      const std::string name = area.name + ":" + std::to_string(i) + (below(4) == 0 ? " \xc3\xa9?" : "");
      channels_.push_back({name, &area});
      result_.rules.channels[name] = area.rules;
      result_.shape += ", " + name;
    }
  }

  void make_publishers() {
    std::vector<std::string> removable;
    for (const auto& [name, area] : channels_) {
      PublisherPlan plan{.channels = {name}, .link = make_link(false)};
      plan.payload_bytes_max = area->payload_bytes_max;
      plan.alike = area->delta;
      plan.pause_max =
          forgetful_ ? base::Duration(1500ms) : base::Duration(std::chrono::microseconds(from_to(500, 6000)));
      plan.pipeline_max = below(3) == 0 ? 2 : 1;
      plan.cut_percent = below(3);
      publishers_.push_back(std::make_unique<HttpPublisher>(*crowd_, plan, result_.chronicle.log, entropy_.next()));
      removable.push_back(name);
    }
    if (options_.world == RunOptions::World::keeps_all || removable.empty() || below(2) == 0) return;
    result_.shape += ", removals";
    remover_ = std::make_unique<Remover>(*crowd_, make_link(false), std::move(removable), forgetful_ ? 2s : 200ms,
                                         result_.chronicle.removals, entropy_.next());
  }

  std::vector<Wish> make_wishes(std::string& token) {
    std::vector<Wish> wishes;
    auth::TokenClaims claims{.subject = "ann"};
    claims.issued_at_s = world_->clock().wall().ms / 1000;
    claims.expires_at_s = claims.issued_at_s + 100'000;
    const std::uint32_t count = from_to(1, 4);
    const bool by_server = below(4) == 0;
    for (const auto& [name, area] : channels_) {
      if (wishes.size() >= count || below(static_cast<std::uint32_t>(channels_.size())) >= count) continue;
      Wish wish{.channel = name};
      if (by_server && below(2) == 0 && !area->delta) {
        wish.made = Wish::Made::by_server;
        wish.join_leave = area->join_leave;
        claims.channels.push_back(name);
      } else {
        wish.join_leave = area->join_leave && below(2) == 0;
        wish.delta = area->delta && below(4) != 0;
        if (below(6) == 0) wish.kind = Wish::Kind::positioned;
        if (!forgetful_ && below(area->rules.drops ? 3 : 8) == 0) wish.kind = Wish::Kind::plain;
      }
      wishes.push_back(std::move(wish));
    }
    if (wishes.empty()) wishes.push_back({.channel = channels_.front().name});
    if (!claims.channels.empty()) token = auth::sign_token(claims, key_).value();
    return wishes;
  }

  void make_visitors() {
    const std::uint32_t count = forgetful_ ? from_to(3, 6) : from_to(4, 12);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::string token;
      Story story{.format = below(2) == 0 ? Format::json : Format::protobuf, .by_library = below(2) == 0};
      story.wishes = make_wishes(token);
      const bool deflate = below(3) == 0;
      VisitorPlan plan{.link = make_link(narrow_ && below(2) == 0)};
      plan.stay_max = std::chrono::milliseconds(from_to(5, forgetful_ ? 200 : narrow_ ? 80 : 40));
      plan.away_max = std::chrono::milliseconds(forgetful_ ? from_to(500, 4000)
                                                : brief_   ? from_to(20, 300)
                                                           : from_to(2, 50));
      plan.deaf_percent = narrow_ ? 60 : 0;
      plan.dark_percent = forgetful_ ? 0 : 5;
      std::unique_ptr<Speaker> speaker;
      if (story.by_library) {
        speaker = std::make_unique<LibrarySpeaker>(
            std::move(story), LibraryOptions{.token = std::move(token), .deflate = deflate}, entropy_.next());
      } else {
        speaker = std::make_unique<PlainSpeaker>(
            std::move(story), PlainOptions{.token = std::move(token), .deflate = deflate}, entropy_.next());
      }
      visitors_.push_back(std::make_unique<Visitor>(*crowd_, plan, std::move(speaker), entropy_.next()));
    }
    result_.shape += ", " + std::to_string(count) + " clients";
  }

  void drive() {
    const auto reconnects = [&] {
      std::uint64_t sum = 0;
      for (const auto& each : visitors_) sum += each->reconnects();
      return sum;
    };
    if (!world_->run_until([&] { return reconnects() >= options_.reconnects; }, 10h)) return stuck("reconnecting");
    for (const auto& each : publishers_) each->stop();
    if (remover_) remover_->stop();
    const auto published = [&] {
      return std::ranges::all_of(publishers_, [](const auto& each) { return each->finished(); }) &&
             (!remover_ || remover_->finished());
    };
    if (!world_->run_until(published, 60s)) return stuck("publishing");
    for (const auto& each : visitors_) each->finish();
    const auto settled = [&] {
      return std::ranges::all_of(visitors_, [](const auto& each) { return each->settled(); });
    };
    if (!world_->run_until(settled, 60s)) return stuck("catching up");
    world_->run_for(200ms);  // deliveries that are held back, readers that are slow
    if (!world_->run_until(settled, 60s)) return stuck("coming to rest");
  }

  void stuck(const std::string& where) { result_.verdict.problems.push_back("no progress while " + where); }

  struct Place {
    std::string name;
    const Area* area;
  };
  const RunOptions options_;
  base::SeededEntropy entropy_;
  const bool brief_, forgetful_;
  std::vector<Area> areas_;
  const base::Secret key_{std::string(32, 'k')};
  World* world_ = nullptr;
  Crowd* crowd_ = nullptr;
  bool narrow_ = false;  // some read slowly or not at all, and queues are short
  std::vector<Place> channels_;
  std::vector<std::unique_ptr<HttpPublisher>> publishers_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
  std::unique_ptr<Remover> remover_;
  RecoveryRun result_;
};

}  // namespace

RecoveryRun run_recovery(const RunOptions& options) { return Running(options).run(); }

RunOptions options_of(std::uint64_t seed, std::uint64_t reconnects) {
  static constexpr RunOptions::World kWorlds[] = {RunOptions::World::keeps_all, RunOptions::World::brief,
                                                  RunOptions::World::forgetful};
  return {.seed = seed, .reconnects = reconnects, .world = kWorlds[seed % 3]};
}

}  // namespace sim::centrifuge
