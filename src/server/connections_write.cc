// What is queued for connections on its way to their sockets.
#include <algorithm>
#include <span>

#include "server/connections.h"

namespace server {
namespace {

constexpr base::Duration kLinger = std::chrono::seconds(2);

}  // namespace

void Connections::send(Peer& peer, std::string_view bytes) {
  if (!bytes.empty()) send(peer, base::SharedBytes::copy(bytes));
}

void Connections::send_now(Peer& peer, std::string_view bytes) {
  if (bytes.empty() || peer.dying) return;
  if (!peer.out.empty() || peer.tls() != nullptr) return send(peer, bytes);
  const loop::IoResult result = sockets_.write(peer.socket, {&bytes, 1});
  if (result.status == loop::IoStatus::failed) return drop(peer);
  counters_.bytes_out.add(result.bytes);
  send(peer, bytes.substr(result.bytes));
}

void Connections::flush() {
  flushing_.swap(dirty_);  // who gets something to say from now on has its turn with the next flush
  if (sends_.size() < flushing_.size()) sends_.resize(flushing_.size());
  loop::Send* next = sends_.data();
  std::size_t others = 0;
  for (const std::uint32_t slot : flushing_) {
    Peer& peer = peers_[slot];
    peer.dirty = false;
    if (peer.phase == Peer::Phase::free || peer.dying) continue;
    if (peer.tls() || peer.out.blocks() != 1) {
      flushing_[others++] = slot;  // whose writes cost more, and who are behind, come after those who keep up
    } else {                       // nearly all of a fan-out
      const std::string_view block = peer.out.front();
      *next++ = {peer.socket, peer.slot, block.data(), static_cast<std::uint32_t>(block.size())};
    }
  }
  const std::span<loop::Send> batch(sends_.data(), next);
  sockets_.send_many(batch);
  std::size_t moved = 0;
  for (const loop::Send& each : batch) {
    Peer& peer = peers_[each.key];
    if (each.result == static_cast<std::int32_t>(each.size) && peer.at_ease()) {
      peer.out.written_all();
      peer.replay_bytes = 0;
      moved += each.size;
    } else if (each.result < 0) {
      drop(peer);
    } else {  // less than all, or something is due afterwards: flush() looks at the rest
      peer.out.written(static_cast<std::size_t>(each.result));
      moved += static_cast<std::size_t>(each.result);
      if (each.result > 0) peer.stalled_since = base::kNever;
      flush(peer);
    }
  }
  counters_.bytes_out.add(moved);
  counters_.queue_bytes.subtract(moved);
  for (const std::uint32_t slot : std::span(flushing_).first(others)) {
    if (Peer& peer = peers_[slot]; !peer.dying) flush(peer);
  }
  flushing_.clear();
}

void Connections::flush(Peer& peer) {
  const std::size_t before = peer.out.bytes();
  bool blocked = false, lost = false;
  if (peer.tls() && peer.tls()->wants_write()) {
    const loop::IoResult result = peer.tls()->flush(sockets_, peer.socket);
    lost = result.status == loop::IoStatus::failed;
    blocked = result.status == loop::IoStatus::would_block;
  }
  while (!blocked && !lost && !peer.out.empty()) {
    const std::span<const std::string_view> view(slices_.data(), peer.out.gather(slices_));
    const loop::IoResult result =
        peer.tls() ? peer.tls()->write(sockets_, peer.socket, view) : sockets_.write(peer.socket, view);
    if (result.status == loop::IoStatus::would_block) {
      blocked = true;
    } else if (result.status != loop::IoStatus::ok) {
      lost = true;
    } else {
      peer.out.written(result.bytes);
    }
  }
  const std::size_t moved = before - peer.out.bytes();
  counters_.bytes_out.add(moved);
  counters_.queue_bytes.subtract(moved);
  if (lost) return drop(peer);
  if (blocked || !peer.out.empty()) {
    if (moved > 0 || peer.stalled_since == base::kNever) {
      peer.stalled_since = clock_.now();
      arm(peer);
    }
    set_interest(peer);
  } else {
    peer.stalled_since = base::kNever;
    if (peer.interest != loop::Interest::read) set_interest(peer);
    if (peer.phase == Peer::Phase::closing) return finish_closing(peer);
  }
  // The queue is written in its order, and catch-up mostly stands before what is live.
  peer.replay_bytes = std::min(peer.replay_bytes, static_cast<std::uint32_t>(peer.out.bytes()));
  if (!peer.wants_room || peer.phase == Peer::Phase::closing) return;
  peer.wants_room = false;
  if (has_room(peer)) protocols_.drained(peer);
}

void Connections::finish_closing(Peer& peer) {
  if (peer.shut) return;
  if (peer.tls()) peer.tls()->shutdown(sockets_, peer.socket);
  if (peer.tls() && peer.tls()->wants_write()) return;
  peer.shut = true;
  sockets_.shutdown_write(peer.socket);
  peer.deadline = clock_.now() + kLinger;
  arm(peer);
}

}  // namespace server
