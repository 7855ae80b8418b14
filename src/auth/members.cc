#include "auth/members.h"

#include <algorithm>
#include <utility>

namespace auth {

std::optional<Members> Members::parse(std::string_view json) {
  const auto value = codec::JsonValue::parse(json);
  return value ? of(*value) : std::nullopt;
}

std::optional<Members> Members::of(codec::JsonValue object) {
  if (object.type() != codec::JsonValue::Type::object) return std::nullopt;
  Members made;
  codec::JsonMembers members(object);
  while (auto member = members.next()) made.members_.push_back(*std::move(member));
  std::ranges::sort(made.members_, {}, &codec::JsonMember::name);
  const auto twice = std::ranges::adjacent_find(made.members_, {}, &codec::JsonMember::name);
  if (twice != made.members_.end()) return std::nullopt;
  return made;
}

const codec::JsonValue* Members::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(members_, name, {}, &codec::JsonMember::name);
  return found != members_.end() && found->name == name ? &found->value : nullptr;
}

}  // namespace auth
