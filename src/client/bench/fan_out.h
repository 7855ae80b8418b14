// Workload fan-out: one publisher per channel sends at a fixed rate, whatever comes back; every subscriber must get
// every message of its channel. docs/client-cpp.md defines the times.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "client/bench/payload.h"
#include "client/bench/report.h"
#include "client/bench/sequence.h"
#include "client/bench/workload.h"
#include "loop/io.h"

namespace client::bench {

class FanOut final : public Workload {
 public:
  // The first `channels` probes publish, one per channel; subscriber `i` after them reads channel i % channels. All
  // must outlive the workload.
  FanOut(std::vector<std::unique_ptr<Probe>>& probes, loop::Clock& clock, Report& report, std::uint32_t channels,
         std::uint32_t messages_per_s);

  void begin(base::Instant now) override;
  void message(std::size_t index, std::string_view payload, base::Instant first_byte, base::Instant now) override;
  void ready(std::size_t, base::Instant) override {}
  base::Instant tick(base::Instant now) override;
  void end(base::Instant now) override;
  bool settled() const override;
  void conclude() override;

 private:
  // First arrivals of the last messages of a channel; a copy that comes after so many newer ones has no known first.
  static constexpr std::size_t kRemembered = 4096;
  struct Arrival {
    std::uint64_t sequence = ~std::uint64_t{0};
    base::Instant first{};
  };
  struct Channel {
    std::uint64_t sent = 0;
    std::vector<Arrival> arrivals;
  };
  std::size_t channel_of(std::size_t index) const { return (index - channels_.size()) % channels_.size(); }

  std::vector<std::unique_ptr<Probe>>& probes_;
  loop::Clock& clock_;
  Report& report_;
  base::Duration interval_;
  bool sending_ = false;
  base::Instant started_{};
  std::uint64_t made_ = 0;
  std::vector<Channel> channels_;
  std::vector<Sequence> subscribers_;  // by probe
  std::string payload_;
};

}  // namespace client::bench
