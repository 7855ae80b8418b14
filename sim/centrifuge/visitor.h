// A client of the Centrifuge protocol that never stays: it connects, watches for a while, sometimes without reading, is
// cut off or leaves in one of many ways, stays away for a while and comes back.
#pragma once

#include <memory>

#include "sim/centrifuge/speaker.h"
#include "sim/crowd.h"

namespace sim::centrifuge {

struct VisitorPlan {
  Link link;
  base::Duration stay_max = std::chrono::milliseconds(50);
  base::Duration away_max = std::chrono::milliseconds(50);
  std::uint32_t deaf_percent = 0;  // of its visits: for a part of them it does not read
  std::uint32_t dark_percent = 5;  // of its visits end without a word to the server
};

class Visitor final : public Guest {
 public:
  Visitor(Crowd& crowd, VisitorPlan plan, std::unique_ptr<Speaker> speaker, std::uint64_t seed);

  // No more cuts and lies: comes back and stays.
  void finish();
  bool settled() const { return finishing_ && wire_.is_open() && speaker_->settled(); }
  std::uint64_t reconnects() const { return connects_ == 0 ? 0 : connects_ - 1; }
  Story take_story();  // at the end

  void ready() override;
  void handle_timeout() override;

 private:
  void come();
  void leave();
  void go_away();
  void hand_over();
  void set_timer();
  base::Duration some(base::Duration longest);

  Crowd& crowd_;
  VisitorPlan plan_;
  std::unique_ptr<Speaker> speaker_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  std::string input_;
  base::Instant leave_at_ = base::kNever, deaf_at_ = base::kNever, hear_at_ = base::kNever;
  std::uint64_t connects_ = 0;
  bool finishing_ = false;
};

}  // namespace sim::centrifuge
