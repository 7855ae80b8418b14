// Workload echo: every connection keeps `in_flight` messages on the way and sends the next when an answer has come.
// docs/client-cpp.md defines the times.
#pragma once

#include <string>
#include <vector>

#include "client/bench/connections.h"
#include "client/bench/report.h"
#include "client/bench/sequence.h"
#include "client/bench/workload.h"

namespace client::bench {

class Echo final : public Workload {
 public:
  // All must outlive the workload.
  Echo(Connections& connections, Rig& rig, Report& report, std::uint32_t in_flight);

  void begin(base::Instant now) override;
  void message(std::size_t index, const Stamp& stamp, base::Instant first_byte, base::Instant now) override;
  void ready(std::size_t index, base::Instant now) override;
  base::Instant tick(base::Instant now) override;
  void end(base::Instant now) override;
  bool settled() const override;
  void conclude() override;

 private:
  struct Sent {
    base::Instant begun;
    base::Instant written;  // kNever: the kernel has not taken all of it yet
  };
  struct Conversation {
    Sequence answers;
    std::uint64_t sent = 0;
    std::uint64_t unwritten = 0;  // the first number whose end the kernel has not taken
    std::vector<Sent> window;     // by number modulo its size
  };
  void send(std::size_t index);

  Connections& connections_;
  Rig& rig_;
  Report& report_;
  std::uint32_t in_flight_;
  bool sending_ = false;
  std::vector<Conversation> conversations_;
  std::string payload_;
  std::string message_;
};

}  // namespace client::bench
