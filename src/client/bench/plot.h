// A report as a picture: an SVG file with the latency by percentile, and throughput and open connections over time.
// Readable on white, with fonts that every viewer has. Pure.
#pragma once

#include <string>

#include "client/bench/report.h"

namespace client::bench {

std::string to_svg(const Report& report);

}  // namespace client::bench
