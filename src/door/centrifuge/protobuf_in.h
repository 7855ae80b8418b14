// Commands, or in a client replies, from a frame of Protobuf: messages, each after its length as a varint. Pure; any
// thread.
//
//   ProtobufReader reader(frame);
//   Command command;
//   while (reader.next(command) == Next::command) ...
//
// As the specification of the wire says: unknown fields are skipped, of a doubled field the last counts, doubled
// messages are merged. Refused: a known field with another wire type, numbers beyond the range of their field, strings
// that are no UTF-8, groups (no client of this protocol ever had them).
#pragma once

#include <string_view>

#include "door/centrifuge/decode.h"
#include "door/centrifuge/protocol.h"

namespace door::centrifuge {

class ProtobufReader {
 public:
  // The frame must outlive what is decoded from it. An empty frame is malformed.
  explicit ProtobufReader(std::string_view frame) : rest_(frame) {}

  // The next command, overwritten as a whole; unspecified unless the answer is `command`. Earlier commands stay valid.
  Next next(Command& command) { return next_of(command); }
  Next next(Reply& reply) { return next_of(reply); }
  // What of the frame has not been read: as a frame of its own it gives what is left.
  std::string_view rest() const { return rest_; }

  // The frame is one message without a length instead: the first message of a unidirectional client, the body of POST
  // /emulation. False: malformed. No bytes are a message without fields.
  bool read(ConnectRequest& request) { return read_whole(request); }
  bool read(EmulationRequest& request) { return read_whole(request); }

 private:
  struct Field;
  class Taker;

  template <typename Envelope>
  Next next_of(Envelope& envelope);
  template <typename Message>
  bool read_whole(Message& message);
  template <typename Message>
  bool read_message(std::string_view bytes, Message& message);

  template <typename Message>
  bool read_field(const Field& field, Message& message);
  template <typename Message>
  bool read_field(const Field& field, std::optional<Message>& message);
  template <typename Element>
  bool read_field(const Field& field, std::vector<Element>& list);
  template <typename Value>
  bool read_field(const Field& field, Map<Value>& map);
  bool read_field(const Field& field, std::string_view& text);
  bool read_field(const Field& field, Payload& payload);
  bool read_field(const Field& field, bool& truth);
  bool read_field(const Field& field, std::uint64_t& number);
  bool read_field(const Field& field, std::int64_t& number);
  bool read_field(const Field& field, std::uint32_t& number);
  bool read_field(const Field& field, std::int32_t& number);

  std::string_view rest_;
  std::uint32_t elements_ = 0;  // of the command or reply being read
  std::uint32_t elements_max_ = kElementsPerCommandMax;
  int filter_depth_ = 0;
  Next state_ = Next::malformed;
  bool begun_ = false;
};

}  // namespace door::centrifuge
