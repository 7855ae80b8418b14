#include "server/reader_station.h"

#include <algorithm>
#include <utility>

#include "server/ledger_errors.h"

namespace server {
namespace {

using store::PageRequest;
using store::Status;
using store::StreamPage;
using store::StreamView;
template <class T>
using Read = std::expected<T, Status>;

class Loading {
 public:
  Loading(store::Reader& reader, const hub::Load& load, hub::Now now) : reader_(reader), load_(load), now_(now) {}

  hub::Loaded run() {
    loaded_.request = load_.request;
    const auto view = reader_.look(load_.channel);
    if (!view) {
      loaded_.error = error_of(view.error());
      return std::move(loaded_);
    }
    if (!*view) {
      if (load_.window) loaded_.window = window_of_nothing();
      return std::move(loaded_);
    }
    loaded_.head = (*view)->head;
    loaded_.base = (*view)->base;
    loaded_.time = (*view)->time;
    const Status status = load_.window ? read_window() : read_since();
    if (status != Status::ok) loaded_.error = error_of(status);
    return std::move(loaded_);
  }

 private:
  Read<StreamPage> read(PageRequest request) {
    auto page = reader_.read(load_.channel, request, now_.instant, now_.wall);
    if (!page) return std::unexpected(page.error());
    if (!*page) return StreamPage{};  // it was forgotten meanwhile
    return **std::move(page);
  }

  hub::WindowView window_of_nothing() const {
    hub::WindowView view;
    const auto& since = load_.window->since;
    if (since && (since->epoch != hub::Epoch{} || since->offset > 0)) {
      view.status = hub::WindowView::Status::unrecoverable;
    }
    return view;
  }

  Status read_window() {
    const hub::Window& window = *load_.window;
    const hub::Offset head = loaded_.head.offset;
    loaded_.start = loaded_.end = head;
    loaded_.window.emplace();
    if (window.since) {
      const bool other = window.since->epoch != hub::Epoch{} && window.since->epoch != loaded_.head.epoch;
      if (other || window.since->offset > head) {
        loaded_.window->status = hub::WindowView::Status::unrecoverable;
        return Status::ok;
      }
    }
    const bool forwards = window.order == hub::Window::Order::oldest_first;
    if (window.messages_max == 0) return Status::ok;
    // Newest first 0 would mean the end; there is nothing before the first.
    if (!forwards && window.since && window.since->offset <= 1) return Status::ok;
    auto page = read({.order = forwards ? PageRequest::Order::oldest_first : PageRequest::Order::newest_first,
                      .from = window.since ? window.since->offset : 0,
                      .messages_max = window.messages_max,
                      .bytes_max = load_.bytes_max});
    if (!page) return page.error();
    std::erase_if(page->messages, [](const hub::MessageRef& each) { return each->has(hub::Mark::transient); });
    loaded_.window->more = page->more;
    loaded_.window->messages = std::move(page->messages);
    return Status::ok;
  }

  // The same answers as ChannelLog::find() gives.
  Status read_since() {
    const hub::Since& since = load_.since;
    const hub::Offset head = loaded_.head.offset;
    switch (since.kind) {
      case hub::Since::Kind::now:
        return behind(head);
      case hub::Since::Kind::last: {
        if (since.count <= load_.messages_max) return read_end(since.count);
        return read_behind(std::max(loaded_.base, head - std::min(head, since.count)));
      }
      case hub::Since::Kind::position: {
        const hub::Offset offset = since.position.offset;
        if (!since.any_epoch && since.position.epoch != loaded_.head.epoch) {
          return nothing(hub::Gap{1, head, hub::GapReason::epoch_changed});
        }
        if (offset > head) return nothing(hub::Gap{head + 1, head, hub::GapReason::too_far});
        if (offset < loaded_.base) return nothing(hub::Gap{offset + 1, head, hub::GapReason::expired});
        return read_behind(offset);
      }
      case hub::Since::Kind::time: {
        const auto before = last_before(since.time);
        if (!before) return before.error();
        // What is gone may belong to the answer.
        if (*before == loaded_.base && loaded_.base > 0) {
          loaded_.gap = hub::Gap{1, loaded_.base, hub::GapReason::expired};
        }
        return read_behind(*before);
      }
    }
    return Status::refused;
  }

  Status behind(hub::Offset offset) {
    loaded_.start = loaded_.end = offset;
    return Status::ok;
  }

  Status nothing(const hub::Gap& gap) {
    loaded_.gap = gap;
    return behind(loaded_.head.offset);
  }

  Status read_end(std::uint64_t count) {
    auto page = read({.order = PageRequest::Order::newest_first,
                      .messages_max = static_cast<std::uint32_t>(count),
                      .bytes_max = load_.bytes_max});
    if (!page) return page.error();
    std::ranges::reverse(page->messages);
    loaded_.head = page->stream.head;
    loaded_.base = page->stream.base;
    loaded_.time = page->stream.time;
    // Nothing of what lies before something lost, so that the messages have no holes.
    loaded_.start = loaded_.end = loaded_.head.offset;
    auto first = page->messages.end();
    while (first != page->messages.begin() && (*std::prev(first))->offset() == loaded_.start) {
      --first;
      --loaded_.start;
    }
    page->messages.erase(page->messages.begin(), first);
    loaded_.messages = std::move(page->messages);
    return Status::ok;
  }

  Status read_behind(hub::Offset offset) {
    auto page = read({.from = offset, .messages_max = load_.messages_max, .bytes_max = load_.bytes_max});
    if (!page) return page.error();
    loaded_.start = loaded_.end = offset;
    const auto is_lost = [&](hub::Offset each) { return std::ranges::find(page->lost, each) != page->lost.end(); };
    // What is lost at the beginning is announced; before what is lost further behind the page ends.
    while (is_lost(loaded_.start + 1)) ++loaded_.start;
    if (loaded_.start > offset) loaded_.gap = hub::Gap{offset + 1, loaded_.start, hub::GapReason::damaged};
    loaded_.end = loaded_.start;
    for (hub::MessageRef& each : page->messages) {
      if (each->offset() != loaded_.end + 1) break;
      ++loaded_.end;
      loaded_.messages.push_back(std::move(each));
    }
    return Status::ok;
  }

  // The last message that was numbered before that time, or the base: by halves, since times do not decrease.
  Read<hub::Offset> last_before(base::WallTime time) {
    hub::Offset low = loaded_.base;  // before it, or the base
    hub::Offset high = loaded_.head.offset + 1;
    while (high - low > 1) {
      const hub::Offset middle = low + (high - low) / 2;
      const auto page = read({.from = middle - 1, .messages_max = 1, .bytes_max = 1});
      if (!page) return std::unexpected(page.error());
      const bool earlier = !page->messages.empty() && page->messages.front()->time() < time;
      (earlier ? low : high) = middle;
    }
    return low;
  }

  store::Reader& reader_;
  const hub::Load& load_;
  hub::Now now_;
  hub::Loaded loaded_;
};

}  // namespace

hub::Loaded load(store::Reader& reader, const hub::Load& load, hub::Now now) {
  return Loading(reader, load, now).run();
}

ReaderStation::ReaderStation(std::uint16_t workers, store::Reader& reader, Mailboxes& mailboxes,
                             std::span<loop::Wakeup* const> wakeups)
    : reader_(reader), workers_(workers), post_(static_cast<base::WorkerId>(workers + 1), mailboxes, wakeups) {}

void ReaderStation::turn(hub::Now now) {
  more_ = false;
  for (base::WorkerId from = 0; from < workers_; ++from) {
    const auto one = [&](hub::Mail mail) { post_.send(from, load(reader_, std::get<hub::Load>(mail), now)); };
    if (post_.take(from, 1, one) > 0) more_ = true;
  }
  post_.wake_others();
}

}  // namespace server
