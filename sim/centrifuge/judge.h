// The judge of a run with clients of the Centrifuge protocol: reads what they saw, what publishers were told and when
// histories were removed, and nothing of the server. For every client and channel, over all its connections and step by
// step: each subscription begins where the one before stood or is told a new place, behind that every offset comes
// once, in order, with the bytes that were published; `recovered` is what the model of the history says; a channel
// changes its epoch only when it may have been forgotten.
//
// Where the model cannot know (a limit is passed within the microseconds between command and answer) either answer
// passes, and Verdict::either counts it.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/centrifuge/model.h"
#include "sim/centrifuge/story.h"

namespace sim::centrifuge {

struct ChannelRules {
  Kept kept;
  bool cache = false;  // the newest message stands for all
  bool drops = false;  // who does not read is not cut off, but loses its place
};

struct Rules {
  std::map<std::string, ChannelRules> channels;
  // How long a channel that nobody watches and that holds nothing is remembered, at least.
  base::Duration remembered = std::chrono::hours(24);
  // What was missed is read at one moment, or, where queues are short, page by page: then each page is right by itself.
  enum class Pages : std::uint8_t { one, many } pages = Pages::one;
};

struct Verdict {
  std::vector<std::string> problems;  // the first few
  std::uint64_t connections = 0;
  std::uint64_t reconnects = 0;  // of connections
  // Of the subscriptions that asked to recover:
  std::uint64_t recovered = 0;
  std::uint64_t lost = 0;
  std::uint64_t either = 0;        // of both: where the model allows either
  std::uint64_t false_places = 0;  // of both: asked from a place where the client never was
  std::uint64_t refused = 0;       // error 112
  std::uint64_t unanswered = 0;    // cut before
  // Of all:
  std::uint64_t dismissed = 0;  // unsubscribed with 2500
  std::uint64_t slow = 0;       // connections closed with 3008
  std::uint64_t broken = 0;     // and with 3010
  std::uint64_t messages = 0;   // told
  std::uint64_t joins = 0;      // and leaves, told
  std::uint64_t epochs = 0;     // changes of epochs
  std::uint64_t published = 0;
  void add(const Verdict& other);
};

Verdict judge(const Chronicle& chronicle, const Rules& rules);

}  // namespace sim::centrifuge
