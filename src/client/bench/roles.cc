#include "client/bench/roles.h"

#include <algorithm>

namespace client::bench {

Roles Roles::of(const BenchOptions& options) {
  using Mode = BenchOptions::Mode;
  Roles roles;
  const bool has_counterparts = options.mode == Mode::fan_out || options.mode == Mode::fan_in;
  roles.channels = options.mode == Mode::connect || options.mode == Mode::echo ? 1 : options.channels;
  roles.counterparts = has_counterparts ? roles.channels : 0;
  roles.probes = roles.counterparts + options.connections;
  const Range counterparts{0, roles.counterparts};
  const Range connections{roles.counterparts, roles.probes};
  switch (options.mode) {
    case Mode::connect:
      break;
    case Mode::idle:
    case Mode::reconnect:
      roles.subscribers = connections;
      break;
    case Mode::echo:
      roles.publishers = connections;
      break;
    case Mode::fan_out:
      roles.publishers = counterparts;
      roles.subscribers = connections;
      break;
    case Mode::fan_in:
      roles.publishers = connections;
      roles.subscribers = counterparts;
      break;
    case Mode::mixed: {
      const std::uint32_t some = options.publishers > 0 ? options.publishers : std::max(1U, options.connections / 10);
      roles.publishers = {0, some};
      roles.subscribers = connections;
      break;
    }
  }
  return roles;
}

}  // namespace client::bench
