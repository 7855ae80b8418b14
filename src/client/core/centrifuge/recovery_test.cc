// The promise, against a model: a server that keeps the newest publications of a channel, loses connections, forgets
// its streams and ends subscriptions, and a client that must get every publication once and in order, or be told that
// some are lost. Random, from seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <string>

#include "client/core/centrifuge/rig.h"

namespace client::centrifuge {
namespace {

constexpr std::string_view kSeparator = " | ";

class Model {
 public:
  Model(std::uint64_t seed, std::size_t history, SessionOptions options)
      : rig_(std::move(options), seed), dice_(seed), history_(history) {
    rig_.connect();
    rig_.accept();
    rig_.subscribe(1, {.channel = "news", .recoverable = true});
  }

  void step(bool forgets) {
    switch (dice_.below(forgets ? 12 : 10)) {
      case 0:
        rig_.cut();
        break;
      case 1:
        rig_.close(dice_.below(2) == 0 ? 3001 : 1001, "bye");
        break;
      case 2:
        if (subscribed_) {
          subscribed_ = false;
          rig_.push("news", wire::UnsubscribePush{2500, "insufficient state"});
        }
        break;
      case 3:
        rig_.wait(std::chrono::milliseconds(dice_.below(3000)));
        break;
      case 10:  // a restart
        rig_.cut();
        log_.clear();
        top_ = 0;
        epoch_ += 'x';
        break;
      case 11:
        rig_.close(3014, "state invalidated");
        break;
      default:
        publish();
    }
    if (!rig_.wants_transport()) subscribed_ = connected_ = false;
    if (rig_.wants_transport() && !connected_) {
      rig_.accept();
      connected_ = true;
    }
    answer();
    check();
  }

  // Everything is well again.
  void settle() {
    for (int i = 0; i < 20 && !subscribed_; ++i) {
      if (!rig_.wants_transport()) {
        rig_.come_back();
        connected_ = true;
      } else if (rig_.session.next_timeout() - rig_.now < 20s) {
        rig_.tick();
      }
      answer();
      check();
    }
    EXPECT_TRUE(subscribed_);
    publish();
    check();
    EXPECT_EQ(last_, published_);
  }

  std::uint64_t losses() const { return losses_; }
  std::uint64_t recoveries() const { return recoveries_; }

 private:
  void publish() {
    log_.push_back({++top_, ++published_});
    if (log_.size() > history_) log_.pop_front();
    if (!subscribed_) return;
    const std::string data = std::to_string(published_);
    rig_.push("news", wire::Publication{.data = {data}, .offset = top_, .epoch = top_ == 1 ? epoch_ : ""});
  }

  void answer() {
    for (const std::string& frame : rig_.sent()) {
      std::size_t at = 0;
      while (at < frame.size() && !frame.starts_with("close")) {
        const std::size_t end = std::min(frame.find(kSeparator, at), frame.size());
        const std::string line = frame.substr(at, end - at);
        wire::JsonReader reader(line);
        wire::Command command;
        ASSERT_EQ(reader.next(command), wire::Next::command) << frame;
        answer(command);
        at = end + kSeparator.size();
      }
    }
  }

  void answer(const wire::Command& command) {
    if (std::holds_alternative<wire::ConnectRequest>(command.request)) {
      rig_.reply(command.id, wire::ConnectResult{.client = "c", .ping = 25, .pong = true});
    }
    const auto* subscribe = std::get_if<wire::SubscribeRequest>(&command.request);
    if (subscribe == nullptr) return;
    wire::SubscribeResult result{.recoverable = true, .epoch = epoch_, .offset = top_, .positioned = true};
    std::deque<std::string> data;
    if (subscribe->recover) {
      result.was_recovering = true;
      const bool same = subscribe->epoch.empty() || subscribe->epoch == epoch_;
      const std::uint64_t oldest = log_.empty() ? top_ + 1 : log_.front().offset;
      result.recovered = same && subscribe->offset <= top_ && subscribe->offset + 1 >= oldest;
      if (result.recovered) {
        result.offset = subscribe->offset;
        for (const Entry& entry : log_) {
          if (entry.offset <= subscribe->offset) continue;
          data.push_back(std::to_string(entry.number));
          result.publications.push_back({.data = {data.back()}, .offset = entry.offset});
        }
      }
    } else {
      first_ = published_;
    }
    subscribed_ = true;
    rig_.reply(command.id, std::move(result));
  }

  void check() {
    for (const std::string& line : rig_.events()) {
      if (line.starts_with("[1] subscribed")) {
        const bool lost = line.find(" lost ") != std::string::npos;
        if (lost) ++losses_;
        if (line.find(" recovered ") != std::string::npos) ++recoveries_;
        if (lost) last_ = published_;  // it goes on from now
        if (last_ == 0) last_ = first_;
      }
      if (!line.starts_with("[1] publication ")) continue;
      const std::string text = line.substr(16);
      std::uint64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      ASSERT_EQ(number, last_ + 1) << line;
      last_ = number;
    }
  }

  struct Entry {
    std::uint64_t offset;
    std::uint64_t number;
  };

  Rig rig_;
  base::SeededEntropy dice_;
  std::size_t history_;
  std::deque<Entry> log_;
  std::string epoch_ = "e";
  std::uint64_t top_ = 0;
  std::uint64_t published_ = 0;  // numbers are the data
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;  // number that the client got
  bool connected_ = true;
  bool subscribed_ = false;
  std::uint64_t losses_ = 0;
  std::uint64_t recoveries_ = 0;
};

TEST(CentrifugeRecovery, WithEnoughHistoryNothingIsLost) {
  std::uint64_t recoveries = 0;
  for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed, 100000, Rig::json());
    for (int i = 0; i < 200; ++i) model.step(false);
    model.settle();
    EXPECT_EQ(model.losses(), 0U);
    recoveries += model.recoveries();
  }
  EXPECT_GT(recoveries, 3000U);
}

TEST(CentrifugeRecovery, WhatIsLostIsTold) {
  std::uint64_t losses = 0;
  std::uint64_t recoveries = 0;
  for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed, 8, Rig::json());
    for (int i = 0; i < 200; ++i) model.step(true);
    model.settle();
    losses += model.losses();
    recoveries += model.recoveries();
  }
  EXPECT_GT(losses, 500U);
  EXPECT_GT(recoveries, 500U);
}

}  // namespace
}  // namespace client::centrifuge
