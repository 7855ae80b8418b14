// What the tests of the ledger share: one on a disk in memory, with a clock that stands still until it is moved.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "sim/disk.h"
#include "store/ledger.h"

namespace store {

class FixedRules final : public RetentionRules {
 public:
  explicit FixedRules(Retention every = {}) : retention(every) {}
  Retention of(std::string_view) const override { return retention; }
  Retention retention;
};

inline std::unique_ptr<hub::Message> text_message(std::string_view payload) {
  return std::make_unique<hub::Message>(hub::Kind::text, payload, base::Instant{});
}

inline Command append_command(std::string_view channel, std::string_view payload, std::uint64_t ticket = 0) {
  Command command{.ticket = ticket};
  command.operations.emplace_back(Append{std::string(channel), text_message(payload)});
  return command;
}

inline Once once(std::uint64_t key, std::uint64_t content) { return {{key, ~key}, {content, content + 1}}; }

struct Clock {
  base::Instant instant{std::chrono::hours(1)};
  base::WallTime wall{1'763'640'000'000};
  void advance(base::Duration by) {
    instant += by;
    wall.ms += std::chrono::duration_cast<std::chrono::milliseconds>(by).count();
  }
};

class Rig {
 public:
  explicit Rig(std::unique_ptr<sim::Disk> on = std::make_unique<sim::Disk>(1), LedgerOptions with = small_options())
      : disk(std::move(on)), options(with) {}

  static LedgerOptions small_options() { return {.reserve_bytes = 0, .cache_bytes = 1 << 20}; }

  // The error, or nothing.
  std::string open() {
    close();
    auto opened = Ledger::open(*disk, entropy, options, rules);
    if (!opened) return opened.error();
    ledger = std::move(*opened);
    return {};
  }
  void close() { ledger.reset(); }

  Result run(Command command) {
    EXPECT_TRUE(ledger->submit(command));
    auto results = run();
    EXPECT_EQ(results.size(), 1U);
    return results.empty() ? Result{} : std::move(results.front());
  }
  Result append(std::string_view channel, std::string_view payload) { return run(append_command(channel, payload)); }
  Result append_once(std::string_view channel, std::string_view payload, Once key) {
    Command command = append_command(channel, payload);
    command.once = key;
    return run(std::move(command));
  }
  Result clear(std::string_view channel) {
    Command command;
    command.operations.emplace_back(Clear{std::string(channel)});
    return run(std::move(command));
  }
  // Until nothing waits.
  std::vector<Result> run() {
    std::vector<Result> results;
    for (int i = 0; ledger->waiting() > 0 && i < 1000; ++i) {
      ledger->step(clock.instant, clock.wall);
      while (auto result = ledger->poll_result()) results.push_back(std::move(*result));
    }
    return results;
  }
  // All that would be done in that time without a command.
  void idle(base::Duration time) {
    for (base::Duration done{}; done < time; done += std::chrono::milliseconds(100)) {
      clock.advance(std::chrono::milliseconds(100));
      do {
        ledger->step(clock.instant, clock.wall);
      } while (ledger->next_timeout() <= clock.instant);
    }
  }

  StreamPage page(std::string_view channel, PageRequest request) {
    auto reader = ledger->new_reader();
    EXPECT_TRUE(reader);
    if (!reader) return {};
    auto page = (*reader)->read(channel, request, clock.instant, clock.wall);
    EXPECT_TRUE(page) << to_string(page.error());
    return page && *page ? std::move(**page) : StreamPage{};
  }
  // The payloads that are held, oldest first.
  std::vector<std::string> payloads(std::string_view channel) {
    std::vector<std::string> found;
    for (const auto& message : page(channel, {.messages_max = UINT32_MAX, .bytes_max = UINT32_MAX}).messages) {
      found.emplace_back(message->payload());
    }
    return found;
  }

  std::unique_ptr<sim::Disk> disk;
  LedgerOptions options;
  std::shared_ptr<FixedRules> rules = std::make_shared<FixedRules>();
  base::SeededEntropy entropy{7};
  Clock clock;
  std::unique_ptr<Ledger> ledger;
};

}  // namespace store
