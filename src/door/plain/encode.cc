#include "door/plain/encode.h"

#include "door/envelope.h"

namespace door::plain {

ws::Opcode raw_opcode(const hub::Message& message) noexcept {
  return message.kind() == hub::Kind::binary ? ws::Opcode::binary : ws::Opcode::text;
}

void append_raw(std::string& out, const hub::Message& message) {
  ws::append_server_frame(out, raw_opcode(message), message.payload());
}

void append_envelope(std::string& out, std::string_view channel, const hub::Epoch& epoch, const hub::Message& message) {
  // The frame header needs the length of the record, so the record is made first; once per message, not per subscriber.
  std::string record;
  door::append_envelope(record, channel, epoch, message);
  ws::append_server_frame(out, ws::Opcode::text, record);
}

}  // namespace door::plain
