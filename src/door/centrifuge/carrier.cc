#include "door/centrifuge/carrier.h"

#include <utility>

#include "base/assert.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_out.h"

namespace door::centrifuge {

void Packer::add(const Reply& reply) {
  if (carrier_.unidirectional) return add_bare(reply);
  if (carrier_.transport == Carrier::Transport::websocket) {
    if (carrier_.format == Carrier::Format::protobuf) return append_protobuf(frame_, reply);
    if (!frame_.empty()) frame_ += '\n';
    return append_json(frame_, reply);
  }
  if (carrier_.format == Carrier::Format::protobuf) return append_protobuf(packed_, reply);
  std::string object;
  append_json(object, reply);
  add_alone(object);
}

void Packer::add_bare(const Reply& reply) {
  const Push ping;
  const Push* push = std::get_if<Push>(&reply.body);
  ASSERT(push != nullptr || reply.body.index() == 0);
  if (push == nullptr) push = &ping;
  if (carrier_.format == Carrier::Format::protobuf && carrier_.transport == Carrier::Transport::stream) {
    return append_protobuf(packed_, *push);
  }
  std::string message;
  if (carrier_.format == Carrier::Format::protobuf) {
    append_protobuf_bare(message, *push);
  } else {
    append_json(message, *push);
  }
  add_alone(message);
}

void Packer::add_alone(std::string_view message) {
  switch (carrier_.transport) {
    case Carrier::Transport::websocket:
      return ws::append_server_frame(packed_, opcode(), message);
    case Carrier::Transport::stream:
      packed_.append(message).append("\n");
      return;
    case Carrier::Transport::sse:
      packed_.append("data: ").append(message).append("\n\n");
      return;
  }
}

ws::Opcode Packer::opcode() const {
  return carrier_.format == Carrier::Format::json ? ws::Opcode::text : ws::Opcode::binary;
}

std::string Packer::take() {
  if (!frame_.empty()) {
    ws::append_server_frame(packed_, opcode(), frame_);
    frame_.clear();
  }
  return std::exchange(packed_, {});
}

}  // namespace door::centrifuge
