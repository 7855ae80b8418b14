// Deliveries on their way to connections: turns what FanOut says (start, messages, gap, refusal) into the bytes of each
// door, encoded once per format and shared, and decides who reads too slowly: who is cut off, and who lags.
// Threads: owned by one worker.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/fan_out.h"
#include "hub/since.h"
#include "server/centrifuge_front.h"
#include "server/desk.h"
#include "server/feed.h"
#include "ws/deflate.h"
#include "ws/frame.h"

namespace server {

// The wire formats that subscribers share; the number is the slot in hub::Batch::encoded.
enum class Format : std::uint8_t {
  ws_raw,
  ws_envelope,
  ws_raw_deflate,  // permessage-deflate without context takeover: the bytes are the same for everybody
  ws_envelope_deflate,
  ws_raw_deflate_small,  // the same for windows smaller than the usual one
  ws_envelope_deflate_small,
  sse_envelope,  // one channel: the id is the position
  sse_raw,
  centrifuge_json,
  centrifuge_protobuf,
  individual,  // made for one connection: several SSE channels, long polling, compression with context
  count,
};
static_assert(static_cast<std::size_t>(Format::count) <= hub::kFormatsMax);

class FeedFront final : public hub::Sink {
 public:
  FeedFront(Desk& desk, CentrifugeFront& centrifuge) : desk_(desk), centrifuge_(centrifuge) {}

  // Subscribes the peer to channels in order. The caller has asked the policy; `feed` is needed unless the peer is a
  // plain WebSocket.
  void start(Peer& peer, std::span<const std::string> channels, std::span<const hub::Since> since, Format format);
  void stop(Peer& peer);
  // The queue has room again: catch-up goes on.
  void resume(Peer& peer);
  // Once per turn, not from a callback of FanOut: the next channels of those whose last one has caught up.
  void start_more();

  // Long polls that may have their answer now, since the last call. The HTTP front looks at each with poll_ready().
  std::vector<base::PeerId> take_polls() { return std::exchange(polls_, {}); }
  static bool poll_ready(const Peer& peer);

 private:
  void on_start(hub::PeerSlot slot, hub::SubscriptionId id, const hub::Position& start,
                const std::optional<hub::Gap>& gap) override;
  Taken on_messages(std::span<const hub::Target> targets, hub::Batch& batch) override;
  bool on_gap(hub::PeerSlot slot, hub::SubscriptionId id, const hub::Gap& gap, const hub::Position& after) override;
  void on_live(hub::PeerSlot slot, hub::SubscriptionId id) override;
  void on_refused(hub::PeerSlot slot, hub::SubscriptionId id, base::Error error) override;
  bool can_take_page(hub::PeerSlot slot) override;
  bool can_go_on(hub::PeerSlot slot, hub::SlowReader policy) override;

  const base::SharedBytes& encoded(std::uint8_t format, hub::Batch& batch);
  bool fits(Peer& peer, std::uint32_t subscription, const hub::Batch& batch, std::size_t bytes);
  void start_more(Peer& peer);
  void caught_up(Peer& peer, hub::SubscriptionId id);
  hub::SubscriptionId subscribe(Peer& peer, std::string_view channel, const hub::Since& since, std::uint8_t format,
                                std::uint16_t place);
  void add_poll_record(Peer& peer);
  void send_record(Peer& peer, std::string_view json);
  void send_gap(Peer& peer, hub::SubscriptionId id, const hub::Gap& gap, const hub::Position& after);
  std::size_t deliver_individually(Peer& peer, std::uint32_t subscription, hub::Batch& batch);
  std::size_t add_to_poll(Peer& peer, hub::SubscriptionId id, const hub::Batch& batch);
  bool listening(const Peer& peer) const { return !peer.dying && peer.phase != Peer::Phase::closing; }

  // feed_front_encode.cc
  base::SharedBytes encode(Format format, const hub::Batch& batch);
  void append_events(const Peer& peer, hub::Position& position, const hub::Batch& batch);
  void append_compressed(Peer& peer, const hub::Batch& batch);
  ws::Deflater& deflater_of(Format format);

  Desk& desk_;
  CentrifugeFront& centrifuge_;
  std::vector<base::PeerId> polls_;
  std::vector<base::PeerId> starters_;  // may have their next channel
  ws::Deflater deflater_{ws::kDeflateBitsMax};
  std::optional<ws::Deflater> small_deflater_;  // once somebody needs it
  std::string text_, record_, cursor_;          // reused from call to call
  std::vector<std::uint32_t> lagging_;          // what on_messages() says
};

}  // namespace server
