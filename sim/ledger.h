// What a server must hold once nobody is connected any more: nothing. For the end of tests.
#pragma once

#include <gtest/gtest.h>

#include "sim/world.h"

namespace sim {

// Everything but channels and their history, which outlive connections by design.
inline void expect_nobody_left(World& world) {
  EXPECT_EQ(world.shared().admission.connections(), 0U);
  EXPECT_EQ(world.network().open_sockets(), world.workers().size()) << "more than the listeners are open";
  for (const auto& worker : world.workers()) {
    EXPECT_EQ(worker->connections(), 0U);
    EXPECT_EQ(worker->fan_out().subscriptions(), 0U);
    EXPECT_EQ(worker->fan_out().channels(), 0U);
    EXPECT_EQ(worker->attendance().members(), 0U);
    EXPECT_EQ(worker->home().members(), 0U);
    EXPECT_FALSE(worker->fan_out().has_backlog());
    EXPECT_FALSE(worker->home().has_backlog());
  }
  EXPECT_EQ(world.count([](const server::Counters& each) -> auto& { return each.queue_bytes; }), 0U);
  EXPECT_EQ(world.count([](const server::Counters& each) -> auto& { return each.subscriptions; }), 0U);
  for (std::size_t door = 0; door < server::kDoors; ++door) {
    EXPECT_EQ(world.count([&](const server::Counters& each) -> auto& { return each.open[door]; }), 0U)
        << "door " << door;
  }
}

// After the history has expired and the channels were idle for long enough.
inline void expect_no_channels(World& world) {
  for (const auto& worker : world.workers()) {
    EXPECT_EQ(worker->home().channels(), 0U);
    EXPECT_EQ(worker->home().log_bytes(), 0U);
  }
}

}  // namespace sim
