// A client that keeps no rule (T20): one short script after another of opening doors, sending what is right, wrong or
// cut off, publishing, pinging, closing in every way, in any order. It expects nothing; what it must not do is harm the
// server or anybody else.
#pragma once

#include <string>
#include <vector>

#include "base/entropy.h"
#include "sim/crowd.h"

namespace sim {

class Vandal final : public Guest {
 public:
  Vandal(Crowd& crowd, std::vector<std::string> channels, std::uint64_t scripts, std::uint64_t seed);

  bool finished() const { return scripts_left_ == 0 && !wire_.is_open(); }
  void ready() override;
  void handle_timeout() override;

 private:
  void begin();
  void act();
  std::string a_request();
  std::string a_frame();
  std::string garbage(std::uint32_t longest);
  std::uint32_t below(std::uint32_t bound) { return entropy_.below(bound); }

  Crowd& crowd_;
  std::vector<std::string> channels_;
  std::uint64_t scripts_left_;
  base::SeededEntropy entropy_;
  std::size_t number_;
  Wire wire_;
  std::uint32_t actions_left_ = 0;
  std::string input_;
};

}  // namespace sim
