#include "door/centrifuge/protobuf_out.h"

#include <concepts>

#include "door/centrifuge/protobuf_wire.h"
#include "door/centrifuge/schema.h"

namespace door::centrifuge {
namespace {

// A message's length stands before it, so its size is counted first, by the same visitor with another sink. A message
// is counted once for every message around it; replies are at most five deep, and counting is additions only.

template <typename Message>
std::size_t size_of(const Message& message);

struct Count {
  std::size_t size = 0;
  void varint(std::uint64_t value) { size += varint_size(value); }
  void bytes(std::string_view bytes) { size += bytes.size(); }
};

struct Write {
  std::string& out;
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      out += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out += static_cast<char>(value);
  }
  void bytes(std::string_view bytes) { out += bytes; }
};

// The entry of a map is a message of its own.
template <typename Value>
struct Entry {
  const std::pair<std::string_view, Value>& place;
};

template <typename Visit, typename Value>
void fields(Visit& visit, const Entry<Value>& entry) {
  visit(1, "key", entry.place.first);
  visit.always(2, entry.place.second);
}

// Gives the varints and bytes of one message to its sink. A visitor of schema.h.
template <typename Sink>
class Fields {
 public:
  explicit Fields(Sink& sink) : sink_(sink) {}

  void operator()(unsigned number, const char*, std::integral auto value) {
    if (value == 0) return;
    tag(number, Wire::varint);
    sink_.varint(static_cast<std::uint64_t>(value));  // a negative number is ten bytes long, in int32 too
  }
  void operator()(unsigned number, const char*, std::string_view text) {
    if (!text.empty()) always(number, text);
  }
  void operator()(unsigned number, const char*, const Payload& payload) {
    if (!payload.bytes.empty()) always(number, payload.bytes);
  }
  template <typename Message>
  void operator()(unsigned number, const char*, const std::optional<Message>& message) {
    if (message) always(number, *message);
  }
  template <typename Element>
  void operator()(unsigned number, const char*, const std::vector<Element>& list) {
    for (const Element& element : list) always(number, element);
  }
  template <typename Value>
  void operator()(unsigned number, const char*, const Map<Value>& map) {
    for (const auto& entry : map) always(number, Entry<Value>{entry});
  }
  template <typename Member>
  void operator()(unsigned number, const char* name, const Member& member, Always) {
    operator()(number, name, member);
  }
  void zigzag(unsigned number, const char* name, std::int64_t value) { operator()(number, name, to_zigzag(value)); }
  void bytes(unsigned number, const char* name, std::string_view bytes) { operator()(number, name, bytes); }
  template <typename Message, typename Variant>
  void one_of(unsigned number, const char*, const Variant& variant) {
    if (const auto* message = std::get_if<Message>(&variant)) always(number, *message);
  }

  void always(unsigned number, std::string_view bytes) {
    tag(number, Wire::prefixed);
    sink_.varint(bytes.size());
    sink_.bytes(bytes);
  }
  template <typename Message>
  void always(unsigned number, const Message& message) {
    tag(number, Wire::prefixed);
    const std::size_t size = size_of(message);
    sink_.varint(size);
    if constexpr (std::same_as<Sink, Count>) {
      sink_.size += size;
    } else {
      fields(*this, message);
    }
  }

 private:
  void tag(unsigned number, Wire wire) { sink_.varint(number << 3 | static_cast<unsigned>(wire)); }

  Sink& sink_;
};

template <typename Message>
std::size_t size_of(const Message& message) {
  Count count;
  Fields<Count> visitor(count);
  fields(visitor, message);
  return count.size;
}

template <typename Message>
void append(std::string& out, const Message& message) {
  Write write{out};
  Fields<Write> visitor(write);
  fields(visitor, message);
}

template <typename Message>
void append_prefixed(std::string& out, const Message& message) {
  const std::size_t size = size_of(message);
  Write{out}.varint(size);
  append(out, message);
}

}  // namespace

void append_protobuf(std::string& out, const Reply& reply) { append_prefixed(out, reply); }
void append_protobuf(std::string& out, const Command& command) { append_prefixed(out, command); }
void append_protobuf(std::string& out, const Push& push) { append_prefixed(out, push); }
void append_protobuf_bare(std::string& out, const Push& push) { append(out, push); }

}  // namespace door::centrifuge
