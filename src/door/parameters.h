// Single-valued parameters of a query, as every door reads them: absent, or once and well formed. Stateless.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/refusal.h"
#include "codec/url.h"

namespace door {

// "0" or "1"; otherwise, and for a doubled one, bad_parameter with `hint`.
std::expected<std::optional<bool>, base::Refusal> parse_switch(const codec::Query& query, std::string_view name,
                                                               std::string_view hint);

struct NumberParameter {
  std::string_view name;
  std::uint32_t min;
  std::uint32_t max;
  std::uint32_t absent;   // what counts if it is not there
  std::string_view hint;  // "limit: 1 to 1000"
};

// Digits only, from `min` to `max`; otherwise bad_parameter.
std::expected<std::uint32_t, base::Refusal> parse_number(std::string_view text, const NumberParameter& parameter);
std::expected<std::uint32_t, base::Refusal> parse_number(const codec::Query& query, const NumberParameter& parameter);

}  // namespace door
