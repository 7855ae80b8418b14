// An error of the registry and what exactly is wrong here, for the person who reads the answer. Programs look at the
// error alone. Plain value; any thread.
#pragma once

#include <string_view>

#include "base/error.h"

namespace base {

struct Refusal {
  Error error = Error::none;
  std::string_view hint;  // a constant, never the text of a peer: "timeout: 1 to 60"; empty: the sentence says it all

  Refusal(Error why, std::string_view detail = {}) noexcept : error(why), hint(detail) {}  // implicit
  friend bool operator==(const Refusal& a, Error b) noexcept { return a.error == b; }
};

inline std::string_view to_string(const Refusal& refusal) noexcept { return to_string(refusal.error); }

}  // namespace base
