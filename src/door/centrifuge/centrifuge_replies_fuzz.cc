// A frame of replies, as a client reads it, in one of the two formats (the first byte says which): whatever is read can
// be written, in both formats, and is read again as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"

namespace {

using namespace door::centrifuge;

template <typename Reader>
Reply read_one(Reader& reader) {
  Reply reply;
  ASSERT(reader.next(reply) == Next::reply);
  return reply;
}

std::string json(const Reply& reply) {
  std::string text;
  append_json(text, reply);
  return text;
}

std::string protobuf(const Reply& reply) {
  std::string message;
  append_protobuf(message, reply);
  return message;
}

// Some members are written even if they are zero, and payloads of no kind as base64, so a second reading is compared
// with the first writing.
void check(const Reply& reply) {
  const std::string text = json(reply);
  ASSERT(text.find_first_of("\r\n") == std::string::npos);
  JsonReader json_reader(text);
  const Reply from_json = read_one(json_reader);
  ASSERT(json(from_json) == text);

  const std::string message = protobuf(reply);
  ProtobufReader protobuf_reader(message);
  const Reply from_protobuf = read_one(protobuf_reader);
  ASSERT(protobuf(from_protobuf) == message);
}

template <typename Reader>
void read_all(std::string_view frame) {
  Reader reader(frame);
  Reply reply;
  Next next;
  while ((next = reader.next(reply)) == Next::reply) check(reply);
  ASSERT(reader.next(reply) == next);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view frame(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (*bytes == 'J') {
    read_all<JsonReader>(frame);
  } else {
    read_all<ProtobufReader>(frame);
  }
  return 0;
}
