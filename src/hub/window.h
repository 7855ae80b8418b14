// A part of a channel's history as a back end asks for it: forwards or backwards, from a position or from the end of
// what is held. Unlike Since (since.h), which is about missing nothing, a window shows what is there: what lies before
// it, or was never kept, is no gap. Values.
#pragma once

#include <cstdint>
#include <optional>

#include "hub/channel_log.h"
#include "hub/position.h"

namespace hub {

struct Window {
  enum class Order : std::uint8_t { oldest_first, newest_first };
  Order order = Order::oldest_first;
  // What comes behind it in that order. An empty epoch stands for the channel's own.
  std::optional<Position> since;
  std::uint32_t messages_max = 0;  // 0: only where the channel stands
};

struct WindowView {
  enum class Status : std::uint8_t { ok, unrecoverable } status = Status::ok;  // unrecoverable: no such position
  bool more = false;  // messages are left out behind the last one, because of `messages_max` or `bytes_max`
  std::vector<MessageRef> messages;  // in the window's order
};

// Of a log of that epoch. Messages that were published to be left out of history are not there. `bytes_max`: of their
// payloads; at least one message, if there is one.
WindowView view(const Window& window, const Epoch& epoch, const ChannelLog& log, std::uint32_t bytes_max);

}  // namespace hub
