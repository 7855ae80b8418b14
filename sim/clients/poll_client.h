// One long poll (docs/protocol.md).
#pragma once

#include "http/response_reader.h"
#include "sim/clients/door_client.h"

namespace sim {

class PollClient final : public DoorClient {
 public:
  PollClient(Visit visit, const DoorOptions& options);

  std::string request() override;
  void receive(std::span<char> bytes, base::Instant now, std::string& out) override;
  void receive_eof() override;

 private:
  void take_answer(base::Instant now);

  DoorOptions options_;
  http::ResponseReader response_;
};

}  // namespace sim
