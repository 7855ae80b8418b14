// The socket options every TCP connection of ours has. Linux copies them from a listener to what it accepts, so they
// cost no call per connection (listen_test.cc proves it).
#pragma once

namespace loop {

// Does nothing to a socket that is not TCP.
void set_tcp_options(int socket);

}  // namespace loop
