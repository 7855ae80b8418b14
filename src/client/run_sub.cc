#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

#include "client/commands.h"
#include "client/subscriber.h"
#include "loop/signals.h"

namespace client {
namespace {

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

// "4401 E_TOKEN The token is not valid.", or why no connection came about.
std::string text_of(const DisconnectedEvent& event) {
  return event.code == 0 ? event.reason : fmt::format("{} {}", event.code, event.reason);
}

// The reason of a failed connect() says already what failed.
std::string text_of_failure(const DisconnectedEvent& event) {
  const std::string text = text_of(event);
  return text.starts_with("cannot connect") ? text : "cannot connect: " + text;
}

// Prints events and knows when enough has been seen.
class Printer {
 public:
  Printer(const SubOptions& options, const std::vector<std::string>& channels)
      : options_(options), channels_(channels) {}

  void operator()(const MessageEvent& event) {
    ++messages_;
    const MessageRecord& message = event.message;
    line_.clear();
    if (options_.output == SubOptions::Output::records) {
      append_json(line_, channels_[event.channel], message);
      line_ += '\n';
    } else {
      line_ += message.payload;
      if (options_.ending == SubOptions::Ending::newline) line_ += '\n';
    }
    print();
  }
  void operator()(const GapEvent& event) {
    if (options_.output == SubOptions::Output::records) {
      line_.clear();
      append_json(line_, channels_[event.channel], GapRecord{event.from, event.to, event.reason, event.position});
      line_ += '\n';
      print();
    }
    if (event.from <= event.to) {
      fmt::print(stderr, "sub: gap in {}: {} to {} will not come ({})\n", channels_[event.channel], event.from,
                 event.to, event.reason);
    } else {
      fmt::print(stderr, "sub: gap in {}: the position was lost ({}), going on after {}\n", channels_[event.channel],
                 event.reason, to_string(event.position));
    }
  }
  void operator()(const PositionEvent& event) {
    if (options_.output == SubOptions::Output::records) {
      line_.clear();
      append_json(line_, channels_[event.channel], PositionRecord{event.position});
      line_ += '\n';
      print();
    }
    remark(fmt::format("{} starts after {}", channels_[event.channel], to_string(event.position)));
  }
  void operator()(const RefusedEvent& event) {
    ++refused_;
    fmt::print(stderr, "sub: {} is refused: {} {}\n", channels_[event.channel], event.code, event.message);
  }
  void operator()(const ConnectedEvent& event) {
    refused_ = 0;
    ever_connected_ = true;
    const std::string_view text = event.connection == 1 ? "connected" : "connected again";
    if (std::exchange(told_away_, false)) {
      fmt::print(stderr, "sub: {}\n", text);
    } else {
      remark(text);
    }
  }
  // Said once for each time away; every attempt with --verbose.
  void operator()(const DisconnectedEvent& event) {
    last_ = event;
    if (!event.retry_after) return;
    if (options_.remarks == SubOptions::Remarks::connection) {
      remark(fmt::format("not connected: {}; next attempt in {:.1f} s", text_of(event), seconds(*event.retry_after)));
    } else if (!ever_connected_ && !std::exchange(told_away_, true)) {
      fmt::print(stderr, "sub: {}; trying on\n", text_of_failure(event));
    }
  }

  bool done() const {
    return broken_ || (options_.count > 0 && messages_ >= options_.count) || refused_ == channels_.size();
  }
  // False if what reads our output has gone away.
  bool flush() {
    if (std::fflush(stdout) != 0) broken_ = true;
    return !broken_;
  }
  int exit_code() const {
    if (refused_ == channels_.size()) return kExitRefused;
    return kExitDone;
  }
  bool ever_connected() const { return ever_connected_; }
  const DisconnectedEvent& last() const { return last_; }

 private:
  void print() {
    if (std::fwrite(line_.data(), 1, line_.size(), stdout) != line_.size()) broken_ = true;
  }
  void remark(std::string_view text) const {
    if (options_.remarks == SubOptions::Remarks::connection) fmt::print(stderr, "sub: {}\n", text);
  }

  const SubOptions& options_;
  const std::vector<std::string>& channels_;
  std::string line_;
  std::uint64_t messages_ = 0;
  std::size_t refused_ = 0;
  bool broken_ = false;
  bool ever_connected_ = false;
  bool told_away_ = false;  // that it cannot connect
  DisconnectedEvent last_;
};

int over(const DisconnectedEvent& last) {
  fmt::print(stderr, "sub: {}\n", text_of(last));
  bool refused = last.code == 4401 || last.code == 4403 || (last.code >= 400 && last.code < 500);
  return refused ? kExitRefused : kExitUnreached;
}

}  // namespace

int run_sub(const SubOptions& options) {
  auto signals = loop::Signals::open();
  if (!signals) {
    fmt::print(stderr, "sub: {}\n", signals.error());
    return kExitUsage;
  }
  SubscriberOptions subscriber_options{
      .endpoint = options.endpoint, .channels = options.channels, .since = options.since};
  subscriber_options.stop = (*signals)->descriptor();
  if (options.retry == SubOptions::Retry::never) subscriber_options.retry = StreamOptions::Retry::never;
  auto opened = Subscriber::open(std::move(subscriber_options));
  if (!opened) {
    fmt::print(stderr, "sub: {}\n", opened.error());
    return kExitUsage;
  }
  Subscriber& subscriber = **opened;
  Printer printer(options, subscriber.channels());
  loop::KernelClock clock;
  const bool limited = options.time_max > base::Duration{0};
  const base::Instant end = limited ? clock.now() + options.time_max : base::kNever;

  while (!printer.done() && !subscriber.stopped() && clock.now() < end) {
    auto event = subscriber.next(base::Duration{0});
    if (!event) {
      // Nothing more at once: what was printed must be seen before we sleep.
      if (!printer.flush()) break;
      event = subscriber.next(limited ? end - clock.now() : base::Duration::max());
    }
    if (event) {
      std::visit(printer, *event);
    } else if (subscriber.finished()) {
      return over(printer.last());
    }
  }
  printer.flush();
  const bool in_vain = limited && !printer.ever_connected() && !subscriber.stopped() && clock.now() >= end;
  // Taken, or it would end us when `signals` lets it through again.
  if (subscriber.stopped()) (*signals)->wait(base::Duration{0});
  if (subscriber.finished()) return printer.exit_code();
  // Good-bye, so that the server does not wonder; nothing of what still comes is printed.
  subscriber.close();
  while (!subscriber.finished()) subscriber.next(std::chrono::seconds(1));
  if (in_vain) {
    fmt::print(stderr, "sub: never connected: {}\n", text_of(printer.last()));
    return kExitUnreached;
  }
  return printer.exit_code();
}

}  // namespace client
