// Single-valued parameters of a query, as every door reads them: absent, or once and well formed. Stateless.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "codec/url.h"

namespace door {

// "0" or "1"; bad_parameter for everything else and for a doubled one.
std::expected<std::optional<bool>, base::Error> parse_switch(const codec::Query& query, std::string_view name);

// Digits only, from `min` to `max`; otherwise bad_parameter.
std::expected<std::uint32_t, base::Error> parse_number(std::string_view text, std::uint32_t min, std::uint32_t max);

// The same of a parameter; `absent` if it is not there.
std::expected<std::uint32_t, base::Error> parse_number(const codec::Query& query, std::string_view name,
                                                       std::uint32_t min, std::uint32_t max, std::uint32_t absent);

}  // namespace door
