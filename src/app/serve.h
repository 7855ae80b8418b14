// The verb serve: runs the server until SIGTERM. On SIGHUP the sources are loaded again (load_options), and the new
// options are mailed to the workers if they are right.
#pragma once

#include "app/config.h"
#include "server/options.h"

namespace app {

// Returns the exit code of the process. `sources` are what `options` was loaded from.
int run_serve(server::OptionsRef options, const ConfigSources& sources);

}  // namespace app
