// Messages of one channel on their way to subscribers of one worker, with the bytes they become on the wire: encoded
// once per format by whoever needs them first, shared by all others. Lives on one worker, for the time of one fan-out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/shared_bytes.h"
#include "hub/message.h"
#include "hub/position.h"
#include "hub/rules.h"

namespace hub {

inline constexpr std::size_t kFormatsMax = 12;

struct Batch {
  std::string_view channel;
  Epoch epoch;
  enum class Source : std::uint8_t { live, replay } source;  // replay is paced by the reader and never counts as slow
  SlowReader slow_reader;                                    // of the channel
  // Not empty, with contiguous offsets; but what is transient is left out of a replay.
  std::span<const MessageRef> messages;
  std::array<std::optional<base::SharedBytes>, kFormatsMax> encoded;
  // What else its sink has made of the messages, for subscribers whose bytes do not depend on a format alone.
  struct Made {
    virtual ~Made() = default;
  };
  std::unique_ptr<Made> made;

  Offset first() const { return messages.front()->offset(); }
  Offset last() const { return messages.back()->offset(); }
};

// The batches of one fan-out job by the offset they begin with. Nearly always one: subscribers that came in the middle
// of a delivery need the rest of it.
class JobBatches {
 public:
  // All must outlive this.
  JobBatches(std::string_view channel, Epoch epoch, SlowReader slow_reader, std::span<const MessageRef> messages)
      : channel_(channel), epoch_(epoch), slow_reader_(slow_reader), messages_(messages) {}

  Batch& from(Offset offset) {  // within the messages
    for (const auto& each : batches_) {
      if (each->first() == offset) return *each;
    }
    const auto skipped = static_cast<std::size_t>(offset - messages_.front()->offset());
    batches_.push_back(std::make_unique<Batch>(
        Batch{channel_, epoch_, Batch::Source::live, slow_reader_, messages_.subspan(skipped), {}}));
    return *batches_.back();
  }

 private:
  std::string_view channel_;
  Epoch epoch_;
  SlowReader slow_reader_;
  std::span<const MessageRef> messages_;
  std::vector<std::unique_ptr<Batch>> batches_;
};

}  // namespace hub
