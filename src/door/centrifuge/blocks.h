// One batch of messages as connections of this door get it, packed once for each way and shared. Who has no wishes
// gets the whole; who takes deltas gets those against the message that it had last, the same as all others that had it;
// who filters gets the whole too if all messages are for it, and otherwise those that are.
//
// Pure. Belongs to its batch, lives as long and on the same worker.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/shared_bytes.h"
#include "door/centrifuge/carrier.h"
#include "door/centrifuge/publication.h"
#include "hub/batch.h"

namespace door::centrifuge {

// How pushes get to a subscription.
struct Way {
  Carrier carrier;
  bool by_number = false;  // they carry the channel's number instead of its name
  friend bool operator==(const Way&, const Way&) = default;
};

class Blocks final : public hub::Batch::Made {
 public:
  // `batch` must outlive this and stay where it is. `number`: of the channel, or of the one whose companion it is.
  Blocks(const hub::Batch& batch, bool with_position, std::int64_t number)
      : batch_(batch), scope_{batch.epoch.view(), with_position}, number_(number) {}

  base::SharedBytes whole(Way way);
  // `base`: what the client got last of this channel; null: nothing. Not for companions of channels and feeds.
  base::SharedBytes deltas(Way way, const hub::MessageRef& base);
  // The same of those with these places in the batch, in order; null if there are none. Shared only if that is all.
  base::SharedBytes deltas(Way way, const hub::MessageRef& base, std::span<const std::uint32_t> places);
  // Those with these places in the batch, in order; null if there are none.
  base::SharedBytes some(Way way, std::span<const std::uint32_t> places);

  std::uint64_t encodings() const { return encodings_; }

 private:
  // Clients that lag may each have had another message last. Beyond so many the deltas of a batch are made for one.
  static constexpr std::size_t kBasesMax = 8;

  struct Whole {
    Way way;
    base::SharedBytes bytes;
  };
  struct Deltas {
    Way way;
    hub::MessageRef base;  // held, so that no other message gets its address
    base::SharedBytes bytes;
  };
  struct Each {
    Way way;
    std::vector<base::SharedBytes> bytes;  // by place in the batch; null: nobody has needed it
  };

  void address(Push& push, Way way) const;
  base::SharedBytes pack(Way way, std::span<const hub::MessageRef> messages);
  base::SharedBytes pack_deltas(Way way, const hub::Message* base, std::span<const hub::MessageRef> messages);
  std::vector<base::SharedBytes>& each_of(Way way);

  const hub::Batch& batch_;
  PublicationScope scope_;
  std::int64_t number_;
  std::vector<Whole> whole_;
  std::vector<Deltas> deltas_;
  std::vector<Each> each_;
  std::uint64_t encodings_ = 0;
};

}  // namespace door::centrifuge
