// The flags of `wirebird bench`.
#pragma once

#include <CLI/CLI.hpp>

#include "client/bench/options.h"

namespace app {

// `options` must outlive the verb's last parse.
void add_bench_flags(CLI::App& verb, client::BenchOptions& options);

}  // namespace app
