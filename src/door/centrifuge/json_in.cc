#include "door/centrifuge/json_in.h"

#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>

#include "door/centrifuge/schema.h"

namespace door::centrifuge {
namespace {

using codec::JsonValue;

// Around the deepest payload of a command: the command, connect, its map of subscriptions, one of them. Of a reply: the
// reply, connect, its map of subscriptions, one of them, its publications, one of them, who published it.
template <typename Envelope>
constexpr int kDepthMax = codec::kJsonDepthMax + (std::same_as<Envelope, Reply> ? 7 : 4);
// A filter has two brackets for each level, and stands at least as deep.
static_assert(4 + 2 * kFilterDepthMax - 1 <= kDepthMax<Command>);

// Up to the first newline that stands outside of brackets, or all of it. Text that is no JSON may be cut anywhere.
std::size_t object_length(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == '\n' && depth <= 0) return i;
  }
  return text.size();
}

template <typename Number>
bool narrow(std::optional<Number> wide, std::integral auto& number) {
  using Narrow = std::remove_reference_t<decltype(number)>;
  if (!wide || !std::in_range<Narrow>(*wide)) return false;
  number = static_cast<Narrow>(*wide);
  return true;
}

}  // namespace

// Gives one member of an object to the field of that name. A visitor of schema.h.
template <typename Message>
class JsonReader::Member {
 public:
  Member(JsonReader& reader, const codec::JsonMember& member, std::uint32_t& seen)
      : reader_(reader), member_(member), seen_(seen) {}

  template <typename Field, typename... Tags>
  void operator()(int number, const char* name, Field& field, Tags...) {
    if (!takes(number, name)) return;
    if (member_.value.type() == JsonValue::Type::null && !std::same_as<Field, Payload>) return;
    valid_ = reader_.read_value(member_.value, field);
  }
  void zigzag(int number, const char* name, std::int64_t& field) { operator()(number, name, field); }
  void bytes(int number, const char* name, std::string_view& field) { operator()(number, name, field); }
  template <typename Alternative, typename Variant>
  void one_of(int number, const char* name, Variant& variant) {
    if (!takes(number, name) || member_.value.type() == JsonValue::Type::null) return;
    Alternative ignored;
    Alternative* place = place_for<Alternative>(variant);
    valid_ = reader_.read_object(member_.value, place != nullptr ? *place : ignored);
  }

  bool valid() const { return valid_; }

 private:
  bool takes(int number, const char* name) {
    if (done_ || member_.name != name) return false;
    done_ = true;
    const std::uint32_t bit = std::uint32_t{1} << number;
    valid_ = (seen_ & bit) == 0;
    seen_ |= bit;
    return valid_;
  }

  JsonReader& reader_;
  const codec::JsonMember& member_;
  std::uint32_t& seen_;  // one bit for each number
  bool done_ = false;
  bool valid_ = true;
};

template <typename Envelope>
Next JsonReader::next_of(Envelope& envelope) {
  if (begun_ && state_ != Next::command) return state_;
  if (begun_ && rest_.empty()) return state_ = Next::end;
  begun_ = true;
  envelope = Envelope{};
  if constexpr (std::same_as<Envelope, Reply>) elements_max_ = kElementsPerReplyMax;
  return state_ = read_text(take_object(), envelope) ? Next::command : Next::malformed;
}

std::string_view JsonReader::take_object() {
  // Nearly every frame is one line, and then the last of them.
  const std::size_t length = rest_.find('\n') == std::string_view::npos ? rest_.size() : object_length(rest_);
  const std::string_view object = rest_.substr(0, length);
  rest_.remove_prefix(std::min(length + 1, rest_.size()));
  return object;
}

template <typename Message>
bool JsonReader::read_whole(Message& message) {
  message = Message{};
  return read_text(std::exchange(rest_, {}), message);
}

template <typename Message>
bool JsonReader::read_text(std::string_view text, Message& message) {
  elements_ = 0;
  std::expected<JsonValue, base::Error> value = JsonValue::parse(text);
  line_ends_ = text.find('\n') != std::string_view::npos || text.find('\r') != std::string_view::npos;
  // What is within the depth of a payload has no payload that is deeper.
  deep_ = !value && value.error() == base::Error::json_depth;
  if (deep_) value = JsonValue::parse(text, kDepthMax<Message>);
  return value && read_object(*value, message);
}

template <typename Message>
bool JsonReader::read_object(JsonValue value, Message& message) {
  if (value.type() != JsonValue::Type::object) return false;
  std::uint32_t seen = 0;
  codec::JsonMembers members(value);
  while (const std::optional<codec::JsonMember> found = members.next()) {
    Member<Message> member(*this, *found, seen);
    fields(member, message);
    if (!member.valid()) return false;
  }
  SettleMaps settle;
  fields(settle, message);
  return !settle.doubled();
}

template <typename Message>
bool JsonReader::read_value(JsonValue value, Message& message) {
  if constexpr (std::same_as<Message, FilterNode>) {
    if (filter_depth_ == kFilterDepthMax) return false;
    ++filter_depth_;
    const bool valid = read_object(value, message);
    --filter_depth_;
    return valid;
  } else {
    return read_object(value, message);
  }
}

template <typename Message>
bool JsonReader::read_value(JsonValue value, std::optional<Message>& message) {
  return read_value(value, message.emplace());
}

template <typename Element>
bool JsonReader::read_value(JsonValue value, std::vector<Element>& list) {
  if (value.type() != JsonValue::Type::array) return false;
  codec::JsonElements elements(value);
  while (const std::optional<JsonValue> element = elements.next()) {
    if (++elements_ > elements_max_ || !read_value(*element, list.emplace_back())) return false;
  }
  return true;
}

template <typename Value>
bool JsonReader::read_value(JsonValue value, Map<Value>& map) {
  if (value.type() != JsonValue::Type::object) return false;
  codec::JsonMembers members(value);
  while (std::optional<codec::JsonMember> member = members.next()) {
    if (++elements_ > elements_max_) return false;
    auto& [key, place] = map.emplace_back();
    key = keep(std::move(member->name));
    if (member->value.type() != JsonValue::Type::null && !read_value(member->value, place)) return false;
  }
  return true;
}

bool JsonReader::read_value(JsonValue value, std::string_view& text) {
  const std::string_view raw = value.raw();
  if (value.type() != JsonValue::Type::string) return false;
  text = raw.find('\\') == std::string_view::npos ? raw.substr(1, raw.size() - 2) : keep(*value.string());
  return true;
}

bool JsonReader::read_value(JsonValue value, Payload& payload) {
  payload = {value.raw(), hub::Kind::json};
  if (deep_ && codec::check_json(payload.bytes) != base::Error::none) return false;
  if (!line_ends_) return true;
  std::string flat(payload.bytes);
  std::erase_if(flat, [](char c) { return c == '\r' || c == '\n'; });
  payload.bytes = keep(std::move(flat));
  return true;
}

bool JsonReader::read_value(JsonValue value, bool& truth) {
  const std::optional<bool> found = value.boolean();
  truth = found.value_or(false);
  return found.has_value();
}

bool JsonReader::read_value(JsonValue value, std::uint64_t& number) { return narrow(value.unsigned_integer(), number); }
bool JsonReader::read_value(JsonValue value, std::int64_t& number) { return narrow(value.integer(), number); }
bool JsonReader::read_value(JsonValue value, std::uint32_t& number) { return narrow(value.unsigned_integer(), number); }
bool JsonReader::read_value(JsonValue value, std::int32_t& number) { return narrow(value.integer(), number); }

template Next JsonReader::next_of(Command&);
template Next JsonReader::next_of(Reply&);
template bool JsonReader::read_whole(ConnectRequest&);
template bool JsonReader::read_whole(EmulationRequest&);

}  // namespace door::centrifuge
