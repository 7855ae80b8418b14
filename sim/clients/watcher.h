// A client that stays: one visit through one door, in the hands of a test that makes its network misbehave.
#pragma once

#include <memory>
#include <string>

#include "sim/clients/door_client.h"
#include "sim/crowd.h"

namespace sim {

class Watcher final : public Guest {
 public:
  Watcher(Crowd& crowd, Door door, std::vector<std::string> channels, const Link& link, std::uint64_t seed,
          std::vector<Place> since = {}, const DoorOptions& options = {});

  Wire& wire() { return wire_; }
  void be_deaf(bool deaf);
  bool over() const { return client_->over(); }
  bool lost() const { return lost_; }  // the connection has ended, in whatever way
  const Visit& visit() const { return client_->visit(); }
  const std::vector<Place>& places() const { return client_->places(); }
  std::uint64_t messages() const;
  bool started() const { return !client_->visit().told.empty(); }
  // Offsets of one channel's messages run from its first to `head` without a hole, and there was no gap.
  bool saw_everything(std::uint64_t head) const;

  void ready() override;
  void handle_timeout() override {}

 private:
  Crowd& crowd_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  std::unique_ptr<DoorClient> client_;
  std::string input_, output_;
  bool lost_ = false;
};

}  // namespace sim
