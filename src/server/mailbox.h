// One direction of mail between two workers: a bounded ring with two classes of slots. Requests and answers use slots
// that credits have reserved, so pushing them never fails; consequences use the rest, and only
// after has_room(). One ring keeps the order between them. Never blocks, never loses.
//
// Threads: one producer, one consumer; each method says whose it is.
#pragma once

#include <atomic>
#include <cstdint>

#include "hub/mail.h"
#include "loop/mailbox_ring.h"

namespace server {

struct MailboxSize {
  std::uint32_t credits = 1024;       // requests in flight from one worker to another
  std::uint32_t consequences = 1024;  // on their way
};

class Mailbox {
 public:
  explicit Mailbox(MailboxSize size) : size_(size), ring_(std::size_t{2} * size.credits + size.consequences) {}

  // Producer. False: the consumer will wake the producer once there is room.
  bool has_room() {
    if (pushed_ - popped_.load(std::memory_order_acquire) < size_.consequences) return true;
    waiting_.store(true, std::memory_order_seq_cst);
    return pushed_ - popped_.load(std::memory_order_seq_cst) < size_.consequences;
  }
  void push(hub::Mail mail);

  // Consumer.
  bool pop(hub::Mail& mail);
  bool has_mail() { return ring_.size() > 0; }
  // True once after the producer found no room: it wants to be woken.
  bool take_waiting() {
    return waiting_.load(std::memory_order_seq_cst) && waiting_.exchange(false, std::memory_order_seq_cst);
  }

 private:
  MailboxSize size_;
  loop::MailboxRing<hub::Mail> ring_;
  std::uint32_t pushed_ = 0;               // consequences; producer's
  std::atomic<std::uint32_t> popped_ = 0;  // consequences; consumer's
  std::atomic<bool> waiting_ = false;
};

}  // namespace server
