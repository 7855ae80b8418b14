#include "loop/tcp_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace loop {

namespace {

void set(int socket, int level, int option, int value) {
  // A kernel that lacks an option serves without it.
  static_cast<void>(::setsockopt(socket, level, option, &value, sizeof value));
}

}  // namespace

void set_tcp_options(int socket) {
  int domain = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) return;
  if (domain != AF_INET && domain != AF_INET6) return;

  // Output is gathered once per turn; what is handed over should leave at once.
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);

  // A peer that vanished while we are silent: asked after 60 s, given up 60 s later (4 probes, 15 s apart). Pings find
  // most of them sooner; this finds those whose protocol has none.
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(socket, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);

  // A peer that vanished while it owes us an acknowledgement: 30 s instead of the 15 minutes of retransmission. It
  // also overrides the count of probes above (tcp(7)).
  set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000);

  // Unsent bytes the kernel keeps for a slow reader. The rest waits in the peer's own queue, where it is counted and
  // can be dropped or conflated. 64 KiB is one full gather write.
  set(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 64 * 1024);
}

}  // namespace loop
