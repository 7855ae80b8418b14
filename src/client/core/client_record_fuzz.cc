// Any bytes as a record of the envelope: nothing crashes, and what is read can be written and read again.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "client/core/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto record = client::read_record({reinterpret_cast<const char*>(data), size});
  if (!record) return 0;
  std::string out;
  std::visit(
      [&](const auto& content) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(content)>, client::UnknownRecord>) {
          client::append_json(out, record->channel, content);
        }
      },
      record->content);
  if (out.empty()) return 0;
  auto again = client::read_record(out);
  ASSERT(again && again->channel == record->channel && again->content.index() == record->content.index());
  if (const auto* message = std::get_if<client::MessageRecord>(&record->content)) {
    ASSERT(std::get<client::MessageRecord>(again->content).payload == message->payload);
  }
  return 0;
}
