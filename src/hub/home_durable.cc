// Durable channels at their home. The ledger numbers and keeps what is published; the home delivers it when it is on
// stable storage, and has the end of the stream in memory. What lies below comes from the reader, page by page: one
// source per page.
//
// Nothing is in memory until somebody needs it. The first who does makes the home load the end of the stream, and
// waits, as all who come meanwhile; what is published meanwhile is numbered all the same. The answers of the ledger and
// of the reader come through two rings, of which neither knows the other's order: what the ledger says first becomes
// the log, with what was loaded before it; what the reader has said already is passed over when the ledger says it too.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "hub/home.h"
#include "hub/limits.h"

namespace hub {
namespace {

// A position ahead of the log may be one that the reader has told of already.
bool is_in_memory(const Epoch& epoch, const ChannelLog& log, const Since& since) {
  const bool here = since.kind == Since::Kind::position && (since.any_epoch || since.position.epoch == epoch);
  if (here && since.position.offset > log.head()) return false;
  if (log.first_held() == 1) return true;
  switch (since.kind) {
    case Since::Kind::now:
      return true;
    case Since::Kind::last:
      return since.count <= log.history();
    case Since::Kind::position:
      return !here || since.position.offset + 1 >= log.first_held();  // of another epoch the answer is a gap
    case Since::Kind::time:
      return !log.find(since).gap;
  }
  return false;
}

bool is_in_memory(const Epoch& epoch, const ChannelLog& log, const Window& window) {
  if (window.since) {
    if (window.since->epoch != Epoch{} && window.since->epoch != epoch) return true;
    if (window.since->offset > log.head()) return false;
  }
  if (log.first_held() == 1 || window.messages_max == 0) return true;
  if (!window.since) return false;
  return window.order == Window::Order::oldest_first && window.since->offset + 1 >= log.first_held();
}

bool is_in_memory(const Epoch& epoch, const ChannelLog& log, const Read& read) {
  return read.window ? is_in_memory(epoch, log, *read.window) : is_in_memory(epoch, log, read.since);
}

Page page_loaded(const Loaded& loaded) {
  Page page{.error = loaded.error, .start = {loaded.head.epoch, loaded.start}, .end = loaded.end, .head = loaded.head};
  page.first_held = loaded.base + 1;
  page.gap = loaded.gap;
  page.messages = loaded.messages;
  std::erase_if(page.messages, [](const MessageRef& message) { return message->has(Mark::transient); });
  page.window = loaded.window;
  return page;
}

}  // namespace

void Home::forget_log(Channel& channel) {
  change_log(channel, [](ChannelLog& log) { log = ChannelLog(); });
  channel.epoch = {};
}

// Whether a version is new would have to be known after a restart too.
void Home::sequence(base::WorkerId from, Publish& publish, Post& post) {
  if (publish.change || publish.version > 0) {
    return post.send(from, Published{.request = publish.request, .error = base::Error::channel_type});
  }
  Sequence request{.request = ++last_asked_, .channel = std::move(publish.channel)};
  request.message = std::move(publish.message);
  request.idempotency_key = publish.idempotency_key;
  request.content = publish.content;
  asked_.emplace(last_asked_, Asked{from, Publish{.request = publish.request}});
  post.send(workers_, std::move(request));
}

void Home::sequence(base::WorkerId from, Remove& remove, Post& post) {
  Sequence request{.request = ++last_asked_, .what = Sequence::What::clear, .channel = remove.channel};
  asked_.emplace(last_asked_, Asked{from, std::move(remove)});
  post.send(workers_, std::move(request));
}

void Home::load(Asked asked, std::string_view channel, const Since& since, std::uint32_t messages_max,
                std::uint32_t bytes_max, const std::optional<Window>& window, Post& post) {
  asked_.emplace(++last_asked_, std::move(asked));
  post.send(static_cast<base::WorkerId>(workers_ + 1),
            Load{last_asked_, std::string(channel), since, messages_max, bytes_max, window});
}

bool Home::load_for(Channel& channel, base::WorkerId from, Attach& attach, Now now, Post& post) {
  if (is_loaded(channel)) {
    expire(channel, now.instant);
    // Who gives up jumps to the head, which is in memory.
    if (attach.mode == Attach::Mode::give_up || is_in_memory(channel.epoch, channel.log, attach.since)) return false;
    const Since since = attach.since;
    const std::uint32_t bytes_max = std::min(attach.bytes_max, kPageBytesMax);
    load({from, std::move(attach)}, channel.name.view(), since, kPageMessagesMax, bytes_max, std::nullopt, post);
    return true;
  }
  const auto [waiting, is_first] = loading_.try_emplace(channel.slot);
  waiting->second.push_back({from, std::move(attach)});
  if (is_first) {
    const LogLimits& limits = channel.rules->log;
    const std::uint32_t messages = std::clamp<std::uint32_t>(limits.messages_max, 1, kTailMessagesMax);
    load({.slot = channel.slot}, channel.name.view(), Since{.kind = Since::Kind::last, .count = messages}, messages,
         limits.bytes_max, std::nullopt, post);
  }
  return true;
}

// What is not in memory yet stays where it is: reading is no reason to keep it here.
bool Home::load_for(base::WorkerId from, Read& read, Now now, Post& post) {
  Channel* channel = find(read.channel);
  if (!(channel != nullptr ? channel->rules : rules_for(read.channel))->durable) return false;
  if (channel != nullptr && is_loaded(*channel)) {
    expire(*channel, now.instant);
    if (is_in_memory(channel->epoch, channel->log, read)) return false;
  }
  const std::string name = read.channel;
  const Since since = read.since;
  const std::optional<Window> window = read.window;
  const std::uint32_t messages_max = std::min(read.messages_max, 2 * kPageMessagesMax);
  load({from, std::move(read)}, name, since, messages_max, window ? kWindowBytesMax : 4 * kPageBytesMax, window, post);
  return true;
}

void Home::handle(base::WorkerId, Sequenced& sequenced, Now now, Post& post) {
  const auto found = asked_.extract(sequenced.request);
  ASSERT(!found.empty());
  Asked& asked = found.mapped();
  if (!asked.mail) {  // it was opened, for those who wait for its log
    Channel& channel = channels_[asked.slot];
    if (!is_loaded(channel) && sequenced.error == base::Error::none) {
      channel.epoch = sequenced.position.epoch;
      channel.log.start_after(sequenced.position.offset, sequenced.time);
    }
    return serve_waiting(channel, sequenced.error, now, post);
  }
  if (std::holds_alternative<Publish>(*asked.mail)) return publish_sequenced(asked, sequenced, now, post);
  Channel* channel = find(sequenced.channel);
  const Position& head = sequenced.position;
  if (sequenced.error == base::Error::none && channel != nullptr && is_loaded(*channel)) {
    change_log(*channel, [&](ChannelLog& log) { log.drop_through(head.offset); });
  }
  post.send(asked.from, Page{.request = std::get<Remove>(*asked.mail).request,
                             .error = sequenced.error,
                             .state = Page::State::read_only,
                             .start = head,
                             .end = head.offset,
                             .head = head,
                             .first_held = head.offset + 1});
}

void Home::publish_sequenced(const Asked& asked, const Sequenced& sequenced, Now now, Post& post) {
  Channel* channel = sequenced.error == base::Error::none ? find(sequenced.channel) : nullptr;
  Published answer{.request = std::get<Publish>(*asked.mail).request, .error = sequenced.error};
  answer.level = Level::durable;
  answer.position = sequenced.position;
  answer.time = sequenced.time;
  if (channel != nullptr) answer.workers = interested_in(*channel);
  post.send(asked.from, answer);
  const MessageRef& message = sequenced.message;
  if (channel == nullptr || message == nullptr) return;
  channel->idle_since = now.instant;
  if (!is_loaded(*channel)) {
    if (!loading_.contains(channel->slot)) return;  // nobody needs it in memory
    channel->epoch = sequenced.position.epoch;
    if (message->offset() > 1) channel->log.start_after(message->offset() - 1, message->time());
  }
  ASSERT(channel->epoch == sequenced.position.epoch);
  if (message->offset() <= channel->log.head()) return;  // the reader was faster
  expire(*channel, now.instant);
  enter_log(*channel, message);
  if (!wildcards_.empty()) tell_wildcards(*channel, *message, now, post);
  if (answer.workers > 0) send_out(*channel, message, now, post);
}

void Home::handle(base::WorkerId, Loaded& loaded, Now now, Post& post) {
  const auto found = asked_.extract(loaded.request);
  ASSERT(!found.empty());
  Asked& asked = found.mapped();
  if (!asked.mail) {
    Channel& channel = channels_[asked.slot];
    if (loaded.error == base::Error::none && loaded.head.epoch == Epoch{} && !is_loaded(channel)) {
      asked_.emplace(++last_asked_, std::move(asked));
      return post.send(
          workers_,
          Sequence{.request = last_asked_, .what = Sequence::What::open, .channel = std::string(channel.name.view())});
    }
    if (loaded.error == base::Error::none) take_tail(channel, loaded, post);
    return serve_waiting(channel, is_loaded(channel) ? base::Error::none : loaded.error, now, post);
  }
  Page page = page_loaded(loaded);
  if (const auto* const read = std::get_if<Read>(&*asked.mail)) {
    page.request = read->request;
    page.state = Page::State::read_only;
  } else {
    const Attach& attach = std::get<Attach>(*asked.mail);
    page.request = attach.request;
    page.local = attach.local;
    page.state = Page::State::more;  // the last one is from memory
    // Nobody gets from the disk what the ledger has not told yet: he would be ahead of what is delivered.
    if (const Channel* channel = find(attach.channel.view()); channel != nullptr && is_loaded(*channel)) {
      const Offset head = std::max(page.start.offset, channel->log.head());
      std::erase_if(page.messages, [&](const MessageRef& each) { return each->offset() > head; });
      page.end = std::min(page.end, head);
    }
  }
  post.send(asked.from, std::move(page));
}

// What the ledger has said meanwhile is behind it already.
void Home::take_tail(Channel& channel, Loaded& loaded, Post&) {
  if (loaded.head.epoch == Epoch{}) return;
  std::vector<MessageRef> messages = std::move(loaded.messages);
  Offset head = loaded.head.offset;
  if (is_loaded(channel)) {
    const Offset held = channel.log.first_held();
    if (loaded.head.offset + 1 < held) return;  // between the two lies more than was loaded
    std::erase_if(messages, [&](const MessageRef& each) { return each->offset() >= held; });
    const auto later = channel.log.page(held, UINT32_MAX, UINT32_MAX);
    messages.insert(messages.end(), later.begin(), later.end());
    head = channel.log.head();
  } else {
    channel.epoch = loaded.head.epoch;
  }
  const Offset first = messages.empty() ? head + 1 : messages.front()->offset();
  // When the newest that is not here was numbered nobody has said: not later than the first that is.
  const base::WallTime before = first == 1         ? base::WallTime{INT64_MIN}
                                : messages.empty() ? loaded.time
                                                   : messages.front()->time();
  change_log(channel, [&](ChannelLog& log) {
    log = ChannelLog();
    log.start_after(first - 1, before);
  });
  for (const MessageRef& each : messages) enter_log(channel, each);
}

void Home::serve_waiting(Channel& channel, base::Error error, Now now, Post& post) {
  auto waiting = loading_.extract(channel.slot);
  ASSERT(!waiting.empty());
  for (Waiting& each : waiting.mapped()) {
    if (error == base::Error::none) {
      receive(each.from, std::move(each.mail), now, post);
    } else {
      const Attach& attach = std::get<Attach>(each.mail);
      post.send(each.from, Page{.request = attach.request, .local = attach.local, .error = error});
    }
  }
}

}  // namespace hub
