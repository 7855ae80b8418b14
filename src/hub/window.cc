#include "hub/window.h"

#include <algorithm>

namespace hub {
namespace {

// Takes messages one after the other until there is no more room. False: it is not taken, and none behind it.
bool take(WindowView& view, const Window& window, const MessageRef& message, std::uint32_t bytes_max,
          std::uint64_t& bytes) {
  if (message->has(Mark::transient)) return true;
  bytes += message->payload().size();
  view.more = view.messages.size() == window.messages_max || (!view.messages.empty() && bytes > bytes_max);
  if (!view.more) view.messages.push_back(message);
  return !view.more;
}

}  // namespace

WindowView view(const Window& window, const Epoch& epoch, const ChannelLog& log, std::uint32_t bytes_max) {
  WindowView view;
  const bool forwards = window.order == Window::Order::oldest_first;
  if (window.since) {
    const bool other_epoch = window.since->epoch != Epoch{} && window.since->epoch != epoch;
    if (other_epoch || window.since->offset > log.head())
      return {.status = WindowView::Status::unrecoverable, .messages = {}};
  }
  if (window.messages_max == 0) return view;
  std::uint64_t bytes = 0;
  if (forwards) {
    Offset each = std::max(window.since ? window.since->offset + 1 : 1, log.first_held());
    while (each <= log.head() && take(view, window, log.at(each), bytes_max, bytes)) ++each;
  } else {
    Offset each = window.since ? window.since->offset : log.head() + 1;  // the one before it is the first
    while (each > log.first_held() && take(view, window, log.at(each - 1), bytes_max, bytes)) --each;
  }
  return view;
}

}  // namespace hub
