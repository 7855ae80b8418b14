// GET /metrics: the counters of all workers in the text format of Prometheus (version 0.0.4).
#pragma once

#include <string>

#include "server/desk.h"

namespace server {

void append_metrics(std::string& out, const Desk& desk);

}  // namespace server
