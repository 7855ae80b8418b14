#include "door/server_api/fields.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "codec/base64.h"
#include "door/channel_name.h"
#include "door/server_api/request.h"

namespace door::server_api {

using codec::JsonValue;

bool is_name(std::string_view text) {
  return text.size() <= kNameBytesMax && std::ranges::none_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

Fields::Fields(const JsonValue& object, std::span<const std::string_view> names, std::string_view hint) {
  if (object.type() != JsonValue::Type::object) refuse("a JSON object");
  codec::JsonMembers members(object);
  while (std::optional<codec::JsonMember> member = members.next()) {
    const bool known = std::ranges::find(names, member->name) != names.end();
    if (!known || find(member->name) != nullptr) {
      refuse(hint);
      break;
    }
    members_.push_back(std::move(*member));
  }
}

const JsonValue* Fields::find(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &codec::JsonMember::name);
  return found == members_.end() ? nullptr : &found->value;
}

std::string Fields::text(std::string_view name, std::size_t bytes_max, std::string_view hint) {
  const JsonValue* value = find(name);
  if (value == nullptr) return {};
  std::optional<std::string> text = value->string();
  if (!text || text->size() > bytes_max) {
    refuse(hint);
    return {};
  }
  return *std::move(text);
}

bool Fields::boolean(std::string_view name, std::string_view hint) {
  const JsonValue* value = find(name);
  if (value == nullptr) return false;
  const std::optional<bool> boolean = value->boolean();
  if (!boolean) refuse(hint);
  return boolean.value_or(false);
}

std::optional<std::uint64_t> Fields::number(std::string_view name, std::string_view hint) {
  const JsonValue* value = find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> number = value->unsigned_integer();
  if (!number) refuse(hint);
  return number;
}

std::optional<std::int64_t> Fields::integer(std::string_view name, std::string_view hint) {
  const JsonValue* value = find(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> integer = value->integer();
  if (!integer) refuse(hint);
  return integer;
}

base::WallTime Fields::seconds(std::string_view name, std::string_view hint) {
  const std::uint64_t seconds = number(name, hint).value_or(0);
  constexpr std::uint64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / 1000;
  return {static_cast<std::int64_t>(std::min(seconds, kSecondsMax)) * 1000};
}

std::string Fields::json(std::string_view name, std::string_view b64, std::size_t bytes_max, std::string_view hint) {
  const JsonValue* plain = find(name);
  const JsonValue* coded = b64.empty() ? nullptr : find(b64);
  if (plain != nullptr && coded != nullptr) {
    refuse(hint);
    return {};
  }
  std::string raw;
  if (plain != nullptr) {
    raw = plain->raw();
  } else if (coded != nullptr) {
    const std::optional<std::string> text = coded->string();
    std::optional<std::string> bytes = text ? codec::base64_decode(*text) : std::nullopt;
    if (!bytes) {
      refuse(hint);
      return {};
    }
    raw = *std::move(bytes);
  } else {
    return {};
  }
  std::expected<std::string, base::Error> valid = codec::validate_json(raw);
  if (!valid) {
    refuse({valid.error(), hint});
    return {};
  }
  if (valid->size() > bytes_max) {
    refuse(hint);
    return {};
  }
  return *std::move(valid);
}

std::string Fields::channel(std::string_view name) {
  const JsonValue* value = find(name);
  std::optional<std::string> channel = value != nullptr ? value->string() : std::nullopt;
  if (!channel) {
    refuse("channel: a JSON string");
    return {};
  }
  if (const auto checked = check_channel_name(*channel); !checked) refuse(checked.error());
  return *std::move(channel);
}

std::string Fields::name(std::string_view name, std::string_view hint) {
  std::string text = this->text(name, kNameBytesMax, hint);
  if (!is_name(text)) refuse(hint);
  return text;
}

std::vector<std::string> Fields::names(std::string_view name, std::size_t count_max, std::string_view hint) {
  std::vector<std::string> names;
  const JsonValue* value = find(name);
  if (value == nullptr) return names;
  if (value->type() != JsonValue::Type::array) {
    refuse(hint);
    return names;
  }
  codec::JsonElements elements(*value);
  while (std::optional<JsonValue> element = elements.next()) {
    std::optional<std::string> text = element->string();
    if (!text || !is_name(*text) || names.size() == count_max) {
      refuse(hint);
      return names;
    }
    names.push_back(*std::move(text));
  }
  return names;
}

}  // namespace door::server_api
