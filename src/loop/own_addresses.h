// The addresses of this machine's interfaces. Any thread.
#pragma once

#include <string_view>
#include <vector>

#include "loop/io.h"

namespace loop {

// Without ports; empty if the kernel does not say. Loopback is among them.
std::vector<Address> own_addresses();

// Where a listener can be reached: "127.0.0.1:8000" there alone, "0.0.0.0:8000" on every IPv4 address of the machine,
// "[::]:8000" on every address; with the port. Empty for a Unix socket.
std::vector<Address> reachable_at(std::string_view listener);

}  // namespace loop
