// The members of one JSON object of a request, read strictly: what is misspelt, doubled or of another type must not be
// ignored. The first thing that is wrong sticks; what is read after it are defaults. A value; refers to the request's
// text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/refusal.h"
#include "base/time.h"
#include "codec/json_in.h"

namespace door::server_api {

class Fields {
 public:
  // An object with members of `names` only. `hint` names them.
  Fields(const codec::JsonValue& object, std::span<const std::string_view> names, std::string_view hint);

  const std::optional<base::Refusal>& refusal() const { return refusal_; }
  void refuse(const base::Refusal& refusal) {
    if (!refusal_) refusal_ = refusal;
  }
  void refuse(std::string_view hint) { refuse({base::Error::bad_parameter, hint}); }

  const codec::JsonValue* find(std::string_view name) const;  // null: absent

  // Absent: empty, false, 0, nullopt. `hint` says what it must be.
  std::string text(std::string_view name, std::size_t bytes_max, std::string_view hint);
  bool boolean(std::string_view name, std::string_view hint);
  std::optional<std::uint64_t> number(std::string_view name, std::string_view hint);
  std::optional<std::int64_t> integer(std::string_view name, std::string_view hint);
  // Seconds since 1970; 0 and absent: 0.
  base::WallTime seconds(std::string_view name, std::string_view hint);
  // The raw text of a JSON value; or that value as base64 under `b64`. Empty if there is none.
  std::string json(std::string_view name, std::string_view b64, std::size_t bytes_max, std::string_view hint);

  std::string channel(std::string_view name = "channel");
  // Names of at most 255 bytes without control characters.
  std::string name(std::string_view name, std::string_view hint);
  std::vector<std::string> names(std::string_view name, std::size_t count_max, std::string_view hint);

 private:
  std::vector<codec::JsonMember> members_;
  std::optional<base::Refusal> refusal_;
};

// UTF-8 (as it comes from JSON) without control characters, at most 255 bytes.
bool is_name(std::string_view text);

}  // namespace door::server_api
