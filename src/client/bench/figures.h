// Numbers as people read them: "1.23 ms", "12.3 MiB", "1,234,567". Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace client::bench {

double microseconds(base::Duration duration);
double seconds(base::Duration duration);
double percent(std::uint64_t part, std::uint64_t whole);      // 0 of 0 is 0
double per_second(std::uint64_t count, base::Duration time);  // 0 in no time
std::string human_time(base::Duration duration);              // "950.0 us", "1.23 ms", "12.00 s"
std::string human_bytes(std::uint64_t bytes);                 // "512 B", "1.5 KiB", "2.0 GiB"
std::string human_count(std::uint64_t count);                 // "1,234,567"

}  // namespace client::bench
