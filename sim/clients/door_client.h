// The client side of one door, for tests: bytes in, bytes out, and a Visit that says what it was told. Pure: no
// network, no clock. Deliberately independent of src/door: what that writes, this reads from the protocol document.
//
// Order of use: request() once; receive() for what arrives, sending what it appends to `out`; receive_eof() at the end.
// After over() nothing more is expected on this visit.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/time.h"
#include "codec/json_in.h"
#include "sim/log.h"

namespace sim {

struct DoorOptions {
  std::string since;          // as it is, instead of the visit's places: "-5", a time
  bool deflate = false;       // WebSocket: offer permessage-deflate
  bool last_event_id = true;  // SSE: resume by header, not by `since`
  std::uint32_t poll_limit = 256;
  std::uint32_t poll_timeout_s = 2;
};

class DoorClient {
 public:
  virtual ~DoorClient() = default;
  virtual std::string request() = 0;
  virtual void receive(std::span<char> bytes, base::Instant now, std::string& out) = 0;
  virtual void receive_eof() = 0;
  virtual void leave(std::string& out) { out.clear(); }  // what a polite client sends before it goes

  bool over() const { return over_; }
  bool keeps_connection() const { return keeps_connection_; }  // once over: another request may follow on it
  const std::vector<Place>& places() const { return places_; }
  Visit& visit() { return visit_; }

 protected:
  explicit DoorClient(Visit visit) : visit_(std::move(visit)), places_(visit_.since) {}

  void end(Visit::End end, std::uint16_t code = 0, std::string_view reason = {});
  // An envelope or control record of docs/protocol.md. False: it is none, and the visit has ended.
  bool take_record(std::string_view json, base::Instant now);
  void take_cursor(std::string_view cursor, base::Instant now, bool with_the_last);
  void take_message(Told told);

  Visit visit_;
  std::vector<Place> places_;  // one per channel: where to go on
  bool over_ = false;
  bool keeps_connection_ = false;
};

std::unique_ptr<DoorClient> make_client(Visit visit, const DoorOptions& options, base::Entropy& entropy);

// "/ws/{channel}" or "/ws?channel=a&channel=b", with a `&` or `?` at its end.
std::string target_of(std::string_view door, const std::vector<std::string>& channels);
std::string cursor_text(const std::vector<Place>& places);  // empty if every place is
std::string since_text(const Visit& visit, const DoorOptions& options);
std::optional<Place> parse_place(std::string_view text);

}  // namespace sim
