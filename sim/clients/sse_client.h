// Server-sent events (docs/protocol.md; the stream's grammar is that of the HTML standard).
#pragma once

#include "http/response_reader.h"
#include "sim/clients/door_client.h"

namespace sim {

class SseClient final : public DoorClient {
 public:
  SseClient(Visit visit, const DoorOptions& options);

  std::string request() override;
  void receive(std::span<char> bytes, base::Instant now, std::string& out) override;
  void receive_eof() override;

 private:
  void take_text(std::string_view text, base::Instant now);
  void take_line(base::Instant now);
  void take_event(base::Instant now);

  DoorOptions options_;
  http::ResponseReader response_;
  std::string line_;
  bool after_cr_ = false;
  std::string type_, data_, id_;
  bool has_data_ = false, has_id_ = false;
};

}  // namespace sim
