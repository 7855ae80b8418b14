// Does what a command says and returns the exit code of the process. Results go to standard output, remarks and errors
// to standard error.
#pragma once

#include "app/command.h"

namespace app {

inline constexpr int kExitDone = 0;
inline constexpr int kExitWrongConfig = 1;
inline constexpr int kExitSomeLeftOut = 3;  // 2 is kExitUsage (command_line.h)

int run(const Command& command);

}  // namespace app
