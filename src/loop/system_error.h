// An errno value as text for the operator: "address already in use (EADDRINUSE)". Any thread.
#pragma once

#include <string>

namespace loop {

std::string error_text(int error);

}  // namespace loop
