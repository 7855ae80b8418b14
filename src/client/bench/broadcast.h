// Workloads fan-out, fan-in and mixed: publishers send at a fixed rate of all of them together, whatever comes back;
// every subscriber must get every message of its channel. docs/client-cpp.md defines the times.
#pragma once

#include <string>
#include <vector>

#include "client/bench/connections.h"
#include "client/bench/report.h"
#include "client/bench/roles.h"
#include "client/bench/sequence.h"
#include "client/bench/workload.h"

namespace client::bench {

class Broadcast final : public Workload {
 public:
  // All must outlive the workload.
  Broadcast(Connections& connections, Rig& rig, const Roles& roles, Report& report, std::uint32_t messages_per_s);

  // A subscription may take effect after the server said that it is open, or after a message that it does not answer.
  // So the run begins when every subscriber has heard something.
  base::Instant warm_up(base::Instant now) override;
  bool is_warm() const override;
  void begin(base::Instant now) override;
  void message(std::size_t index, const Stamp& stamp, base::Instant first_byte, base::Instant now) override;
  base::Instant tick(base::Instant now) override;
  void end(base::Instant now) override;
  bool settled() const override;
  void conclude() override;

 private:
  // First arrivals of the last messages of a publisher; a copy that comes after so many newer ones has no known first.
  struct Arrival {
    std::uint64_t number = ~std::uint64_t{0};
    base::Instant first{};
  };
  struct Publisher {
    std::uint64_t sent = 0;
    std::vector<Arrival> arrivals;  // by number modulo its size
  };
  struct Subscriber {
    std::vector<Sequence> from;  // by the publishers of its channel
    std::uint64_t passed = 0;    // numbers of others that came or were skipped
    bool has_heard = false;
  };

  Publisher& publisher(std::size_t index) { return publishers_[index - roles_.publishers.first]; }
  Subscriber& subscriber(std::size_t index) { return subscribers_[index - roles_.subscribers.first]; }
  // The next one in turn that may send; a publisher that waits is passed over. None: all wait.
  bool choose_publisher();
  void publish(std::size_t index, const Stamp& stamp);
  void note_arrival(const Stamp& stamp, base::Instant now);
  bool all_answered() const;
  std::uint64_t sent_by(std::size_t index) const;

  Connections& connections_;
  Rig& rig_;
  const Roles& roles_;
  Report& report_;
  const std::uint32_t messages_per_s_;
  bool sending_ = false;
  base::Instant started_{};
  base::Instant next_warm_up_{};
  std::uint64_t warm_ups_ = 0;
  std::uint64_t made_ = 0;
  std::size_t turn_ = 0;  // the probe that publishes next
  std::vector<Publisher> publishers_;
  std::vector<Subscriber> subscribers_;
  std::vector<std::uint64_t> sent_on_;  // by channel
  std::string payload_;
  std::string message_;
};

}  // namespace client::bench
