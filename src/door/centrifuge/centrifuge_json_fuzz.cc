// A frame of JSON commands: whatever is read can be written, in both formats, and is read again as the same.
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

std::string json(const Command& command) {
  std::string text;
  append_json(text, command);
  return text;
}

void check(const Command& command) {
  const std::string text = json(command);
  ASSERT(text.find_first_of("\r\n") == std::string::npos);
  ASSERT(codec::check_json(text, codec::kJsonDepthMax + 4) == base::Error::none);
  JsonReader again(text);
  Command same;
  ASSERT(again.next(same) == Next::command);
  ASSERT(same == command);
  ASSERT(again.next(same) == Next::end);

  std::string message;
  append_protobuf(message, command);
  ProtobufReader other(message);
  ASSERT(other.next(same) == Next::command);
  std::string message_again;  // its payloads have another kind, which Protobuf does not show
  append_protobuf(message_again, same);
  ASSERT(message_again == message);
  ASSERT(other.next(same) == Next::end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view frame(reinterpret_cast<const char*>(bytes), size);
  JsonReader reader(frame);
  Command command;
  Next next;
  while ((next = reader.next(command)) == Next::command) check(command);
  ASSERT(reader.next(command) == next);

  ConnectRequest connect;
  JsonReader bare(frame);
  if (bare.read(connect)) check(Command{1, connect});
  EmulationRequest emulation;
  JsonReader body(frame);
  body.read(emulation);
  return 0;
}
