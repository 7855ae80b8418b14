// What `wirebird serve` prints when it is ready: where it listens and what to try first.
#pragma once

#include <span>
#include <string>

#include "server/options.h"

namespace app {

// `listeners` as bound. In --dev with a curl line and an HTML snippet to copy.
std::string banner(const server::Options& options, std::span<const server::Listener> listeners);

}  // namespace app
