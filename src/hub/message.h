// A message: bytes, their kind, and where they stand in their channel. Made by the worker that took the publish,
// numbered by the channel's home while the home is its only owner, immutable and shared by all workers from then on.
//
// Threads: MessageRef is an atomic reference count; the content never changes after number().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/shared_bytes.h"
#include "base/time.h"
#include "hub/position.h"

namespace hub {

enum class Kind : std::uint8_t { json, text, binary };

class Message {
 public:
  Message(Kind kind, std::string_view payload, base::Instant ingested)
      : kind_(kind), payload_(base::SharedBytes::copy(payload)), ingested_(ingested) {}

  Kind kind() const { return kind_; }
  std::string_view payload() const { return payload_.view(); }
  Offset offset() const { return offset_; }
  base::WallTime time() const { return time_; }         // when the home numbered it
  base::Instant ingested() const { return ingested_; }  // when the server had read it; for the latency metric
  std::size_t charged_bytes() const { return sizeof(Message) + payload_.size() + 32; }  // 32: allocator and log slot

  void number(Offset offset, base::WallTime time) {
    offset_ = offset;
    time_ = time;
  }

 private:
  Kind kind_;
  Offset offset_ = 0;
  base::WallTime time_;
  base::SharedBytes payload_;
  base::Instant ingested_;
};

using MessageRef = std::shared_ptr<const Message>;

}  // namespace hub
