// A client that never stays: it connects through a door of its choice, watches for a while, is cut off or leaves in one
// of many ways, stays away for a while and resumes where it was, through any door. It writes down what it was told and
// judges nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/clients/door_client.h"
#include "sim/crowd.h"

namespace sim {

struct SubscriberPlan {
  std::vector<std::string> channels;
  std::vector<Door> doors;  // to choose from; raw doors take one channel
  Link link;
  base::Duration stay_max = std::chrono::milliseconds(100);
  base::Duration away_max = std::chrono::milliseconds(100);
  bool ask_from_now = true;  // false: the first visit starts at `first`
  std::vector<Place> first;
};

class Subscriber final : public Guest {
 public:
  Subscriber(Crowd& crowd, SubscriberPlan plan, Log& log, std::uint64_t seed);

  // Stays away until told to finish.
  void rest();
  // No more cuts: stays until it has reached `heads` (one per channel), then leaves for good.
  void finish(std::vector<Place> heads);
  bool finished() const { return finished_; }
  std::uint64_t reconnects() const { return reconnects_; }
  const std::vector<Place>& places() const { return places_; }

  void ready() override;
  void handle_timeout() override;

 private:
  void begin_visit(bool new_connection);
  void end_visit();
  void leave();
  void go_away();
  bool at_head() const;
  base::Duration some(base::Duration longest);

  Crowd& crowd_;
  SubscriberPlan plan_;
  Log& log_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  std::unique_ptr<DoorClient> client_;  // while on a visit
  std::vector<Place> places_;
  std::string input_, output_;
  base::Instant leave_at_ = base::kNever;
  bool leaving_ = false;      // has said goodbye, reads what still comes
  bool raw_refused_ = false;  // a raw door cannot say where a gap ends: resume by another one
  std::uint64_t reconnects_ = 0, connects_ = 0;
  std::vector<Place> heads_;
  bool resting_ = false, finishing_ = false, finished_ = false;
};

}  // namespace sim
