// Members: a JSON object of which no name stands twice, at this level: two readers must not see two values (threat
// T07). A view of the text it was read from, valid as long as that; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "codec/json_in.h"

namespace auth {

class Members {
 public:
  // nullopt: it is not valid JSON, no object, or a name stands there twice. Sorts once: n log n in the number of names.
  static std::optional<Members> parse(std::string_view json);
  static std::optional<Members> of(codec::JsonValue object);

  const codec::JsonValue* find(std::string_view name) const;           // nullptr: there is none
  std::span<const codec::JsonMember> all() const { return members_; }  // by name

 private:
  std::vector<codec::JsonMember> members_;
};

}  // namespace auth
