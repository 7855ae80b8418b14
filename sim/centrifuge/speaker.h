// One client of the Centrifuge protocol over one connection after the other, without I/O. It writes down what it was
// told and judges nothing.
//
// Calling order: come() when a byte transport has been opened, then receive() for what arrives; after every verb the
// owner sends take_output(). lose() when the transport is gone, by whoever. handle_timeout() not later than
// next_timeout(), only while there is a transport.
#pragma once

#include <span>
#include <string>

#include "sim/centrifuge/story.h"

namespace sim::centrifuge {

class Speaker {
 public:
  virtual ~Speaker() = default;
  virtual void come(base::Instant now) = 0;
  virtual void receive(std::span<char> bytes, base::Instant now) = 0;
  virtual void lose(base::Instant now) = 0;
  virtual void handle_timeout(base::Instant now) = 0;
  virtual base::Instant next_timeout() const = 0;
  virtual std::string take_output() = 0;
  virtual bool wants_transport() const = 0;  // after come(). False: the server has ended it
  virtual bool settled() const = 0;          // connected, and every subscription is answered
  virtual void be_honest() {}                // from now on no false places

  Story& story() { return story_; }

 protected:
  explicit Speaker(Story story) : story_(std::move(story)) {}
  Record& write(Record::Kind kind, std::size_t channel, base::Instant at) {
    Record& record = story_.records.emplace_back();
    record.kind = kind;
    record.channel = static_cast<std::uint8_t>(channel);
    record.at = at;
    return record;
  }
  Story story_;
};

}  // namespace sim::centrifuge
