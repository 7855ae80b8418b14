#include "door/centrifuge/protobuf_in.h"

#include <concepts>
#include <cstddef>
#include <limits>
#include <utility>

#include "codec/utf8.h"
#include "door/centrifuge/protobuf_wire.h"
#include "door/centrifuge/schema.h"

namespace door::centrifuge {
namespace {

bool take_varint(std::string_view& rest, std::uint64_t& value) {
  value = 0;
  for (unsigned i = 0; i < rest.size() && i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<unsigned char>(rest[i]);
    if (i + 1 == kVarintBytesMax && byte > 1) return false;  // bit 64 and above
    value |= std::uint64_t{byte & 0x7fU} << (7 * i);
    if (byte < 0x80) {
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool take_bytes(std::string_view& rest, std::uint64_t length, std::string_view& bytes) {
  if (length > rest.size()) return false;
  bytes = rest.substr(0, static_cast<std::size_t>(length));
  rest.remove_prefix(bytes.size());
  return true;
}

bool take_prefixed(std::string_view& rest, std::string_view& bytes) {
  std::uint64_t length = 0;
  return take_varint(rest, length) && take_bytes(rest, length, bytes);
}

// The entry of a map is a message of its own.
template <typename Value>
struct Entry {
  std::pair<std::string_view, Value>& place;
};

template <typename Visit, typename Value>
void fields(Visit& visit, Entry<Value>& entry) {
  visit(1, "key", entry.place.first);
  visit(2, "value", entry.place.second);
}

}  // namespace

// One field off the wire.
struct ProtobufReader::Field {
  std::uint64_t number = 0;
  Wire wire = Wire::varint;
  std::uint64_t value = 0;  // of a varint
  std::string_view bytes;   // of everything else

  bool take(std::string_view& rest) {
    std::uint64_t tag = 0;
    if (!take_varint(rest, tag)) return false;
    number = tag >> 3;
    wire = static_cast<Wire>(tag & 7);
    if (number == 0 || number > kFieldNumberMax) return false;
    switch (wire) {
      case Wire::varint:
        return take_varint(rest, value);
      case Wire::fixed64:
        return take_bytes(rest, 8, bytes);
      case Wire::prefixed:
        return take_prefixed(rest, bytes);
      case Wire::fixed32:
        return take_bytes(rest, 4, bytes);
    }
    return false;
  }
};

// Gives one field off the wire to the member of that number. A visitor of schema.h.
class ProtobufReader::Taker {
 public:
  Taker(ProtobufReader& reader, const Field& field) : reader_(reader), field_(field) {}

  template <typename Member, typename... Tags>
  void operator()(unsigned number, const char*, Member& member, Tags...) {
    if (field_.number == number) valid_ = reader_.read_field(field_, member);
  }
  void zigzag(unsigned number, const char*, std::int64_t& member) {
    if (field_.number != number) return;
    valid_ = field_.wire == Wire::varint;
    member = from_zigzag(field_.value);
  }
  void bytes(unsigned number, const char*, std::string_view& member) {
    if (field_.number != number) return;
    valid_ = field_.wire == Wire::prefixed;
    member = field_.bytes;
  }
  template <typename Alternative, typename Variant>
  void one_of(unsigned number, const char*, Variant& variant) {
    if (field_.number != number) return;
    Alternative ignored;
    Alternative* place = place_for<Alternative>(variant);
    valid_ = reader_.read_field(field_, place != nullptr ? *place : ignored);
  }

  bool valid() const { return valid_; }

 private:
  ProtobufReader& reader_;
  const Field& field_;
  bool valid_ = true;
};

template <typename Envelope>
Next ProtobufReader::next_of(Envelope& envelope) {
  if (begun_ && state_ != Next::command) return state_;
  if (begun_ && rest_.empty()) return state_ = Next::end;
  begun_ = true;
  envelope = Envelope{};
  elements_ = 0;
  if constexpr (std::same_as<Envelope, Reply>) elements_max_ = kElementsPerReplyMax;
  std::string_view bytes;
  const bool valid = take_prefixed(rest_, bytes) && read_message(bytes, envelope);
  return state_ = valid ? Next::command : Next::malformed;
}

template <typename Message>
bool ProtobufReader::read_whole(Message& message) {
  message = Message{};
  elements_ = 0;
  return read_message(std::exchange(rest_, {}), message);
}

template <typename Message>
bool ProtobufReader::read_message(std::string_view bytes, Message& message) {
  while (!bytes.empty()) {
    Field field;
    if (!field.take(bytes)) return false;
    Taker taker(*this, field);
    fields(taker, message);
    if (!taker.valid()) return false;
  }
  SettleMaps settle;
  fields(settle, message);
  return true;
}

template <typename Message>
bool ProtobufReader::read_field(const Field& field, Message& message) {
  if (field.wire != Wire::prefixed) return false;
  if constexpr (std::same_as<Message, FilterNode>) {
    if (filter_depth_ == kFilterDepthMax) return false;
    ++filter_depth_;
    const bool valid = read_message(field.bytes, message);
    --filter_depth_;
    return valid;
  } else {
    return read_message(field.bytes, message);
  }
}

template <typename Message>
bool ProtobufReader::read_field(const Field& field, std::optional<Message>& message) {
  return read_field(field, message ? *message : message.emplace());
}

template <typename Element>
bool ProtobufReader::read_field(const Field& field, std::vector<Element>& list) {
  return ++elements_ <= elements_max_ && read_field(field, list.emplace_back());
}

template <typename Value>
bool ProtobufReader::read_field(const Field& field, Map<Value>& map) {
  if (++elements_ > elements_max_) return false;
  Entry<Value> entry{map.emplace_back()};
  return read_field(field, entry);
}

bool ProtobufReader::read_field(const Field& field, std::string_view& text) {
  text = field.bytes;
  return field.wire == Wire::prefixed && codec::utf8_valid(text);
}

bool ProtobufReader::read_field(const Field& field, Payload& payload) {
  payload = field.bytes.empty() ? Payload{} : Payload{field.bytes, hub::Kind::binary};
  return field.wire == Wire::prefixed;
}

bool ProtobufReader::read_field(const Field& field, bool& truth) {
  truth = field.value != 0;
  return field.wire == Wire::varint;
}

bool ProtobufReader::read_field(const Field& field, std::uint64_t& number) {
  number = field.value;
  return field.wire == Wire::varint;
}

bool ProtobufReader::read_field(const Field& field, std::int64_t& number) {
  number = static_cast<std::int64_t>(field.value);
  return field.wire == Wire::varint;
}

bool ProtobufReader::read_field(const Field& field, std::uint32_t& number) {
  number = static_cast<std::uint32_t>(field.value);
  return field.wire == Wire::varint && std::in_range<std::uint32_t>(field.value);
}

bool ProtobufReader::read_field(const Field& field, std::int32_t& number) {
  const auto wide = static_cast<std::int64_t>(field.value);
  number = static_cast<std::int32_t>(wide);
  return field.wire == Wire::varint && std::in_range<std::int32_t>(wide);
}

template Next ProtobufReader::next_of(Command&);
template Next ProtobufReader::next_of(Reply&);
template bool ProtobufReader::read_whole(ConnectRequest&);
template bool ProtobufReader::read_whole(EmulationRequest&);

}  // namespace door::centrifuge
