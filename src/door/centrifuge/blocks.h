// One batch of messages as connections of this door get it, packed once for each carrier and shared. Who has no wishes
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

class Blocks final : public hub::Batch::Made {
 public:
  // `batch` must outlive this and stay where it is.
  Blocks(const hub::Batch& batch, bool with_position) : batch_(batch), scope_{batch.epoch.view(), with_position} {}

  base::SharedBytes whole(Carrier carrier);
  // `base`: what the client got last of this channel; null: nothing. Not for companions of channels.
  base::SharedBytes deltas(Carrier carrier, const hub::MessageRef& base);
  // Those with these places in the batch, in order; null if there are none.
  base::SharedBytes some(Carrier carrier, std::span<const std::uint32_t> places);

  std::uint64_t encodings() const { return encodings_; }

 private:
  // Clients that lag may each have had another message last. Beyond so many the deltas of a batch are made for one.
  static constexpr std::size_t kBasesMax = 8;

  struct Whole {
    Carrier carrier;
    base::SharedBytes bytes;
  };
  struct Deltas {
    Carrier carrier;
    hub::MessageRef base;  // held, so that no other message gets its address
    base::SharedBytes bytes;
  };
  struct Each {
    Carrier carrier;
    std::vector<base::SharedBytes> bytes;  // by place in the batch; null: nobody has needed it
  };

  base::SharedBytes pack(Carrier carrier, std::span<const hub::MessageRef> messages);
  base::SharedBytes pack_deltas(Carrier carrier, const hub::Message* base);
  std::vector<base::SharedBytes>& each_of(Carrier carrier);

  const hub::Batch& batch_;
  PublicationScope scope_;
  std::vector<Whole> whole_;
  std::vector<Deltas> deltas_;
  std::vector<Each> each_;
  std::uint64_t encodings_ = 0;
};

}  // namespace door::centrifuge
