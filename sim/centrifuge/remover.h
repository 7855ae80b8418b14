// Removes histories by the server API, one channel after the other, and writes down when.
#pragma once

#include <string>
#include <vector>

#include "base/entropy.h"
#include "http/response_reader.h"
#include "sim/centrifuge/story.h"
#include "sim/crowd.h"

namespace sim::centrifuge {

class Remover final : public Guest {
 public:
  Remover(Crowd& crowd, const Link& link, std::vector<std::string> channels, base::Duration pause_max,
          std::vector<Removal>& removals, std::uint64_t seed);
  void stop() { stopping_ = true; }
  bool finished() const { return stopping_ && !waiting_; }
  void ready() override;
  void handle_timeout() override;

 private:
  Crowd& crowd_;
  std::vector<std::string> channels_;
  base::Duration pause_max_;
  std::vector<Removal>& removals_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  http::ResponseReader response_;
  std::string input_;
  bool waiting_ = false, stopping_ = false;
};

}  // namespace sim::centrifuge
