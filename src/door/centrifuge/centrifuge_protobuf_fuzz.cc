// A frame of Protobuf commands: whatever is read can be written and is read again as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/json_in.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"

namespace {

using namespace door::centrifuge;

void check(const Command& command) {
  std::string message;
  append_protobuf(message, command);
  ProtobufReader again(message);
  Command same;
  ASSERT(again.next(same) == Next::command);
  ASSERT(same == command);
  ASSERT(again.next(same) == Next::end);

  // Payloads become {"base64":...} and so need one level more, which they have.
  std::string text;
  append_json(text, command);
  JsonReader other(text);
  ASSERT(other.next(same) == Next::command);
  ASSERT(same.id == command.id && same.request.index() == command.request.index());
  std::string text_again;
  append_json(text_again, same);
  ASSERT(text_again == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view frame(reinterpret_cast<const char*>(bytes), size);
  ProtobufReader reader(frame);
  Command command;
  Next next;
  while ((next = reader.next(command)) == Next::command) check(command);
  ASSERT(reader.next(command) == next);

  ConnectRequest connect;
  if (ProtobufReader(frame).read(connect)) check(Command{1, connect});
  EmulationRequest emulation;
  ProtobufReader(frame).read(emulation);
  return 0;
}
