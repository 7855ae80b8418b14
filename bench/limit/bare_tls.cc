// Memory of TLS without a server around it: accepts, does the handshakes with OpenSSL objects that release their
// buffers, and keeps the connections. The baseline for idle TLS connections.
//
//   bare_tls PORT CERTIFICATE KEY       serves until it is ended
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <unordered_map>
#include <vector>

#include "bench/native.h"

namespace {

using bench::die;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

SSL_CTX* make_context(const char* certificate, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  // As a server for many idle clients sets it: no session cache, one ticket, buffers only while something moves.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    die("the certificate or its key");
  }
  return context;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bare_tls PORT CERTIFICATE KEY\n");
    return 2;
  }
  bench::raise_descriptor_limit();
  SSL_CTX* context = make_context(argv[2], argv[3]);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  if (listener < 0 || bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
      listen(listener, 4096) < 0) {
    die("listen");
  }
  int poller = epoll_create1(EPOLL_CLOEXEC);
  auto watch = [&](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
  };
  watch(listener);
  std::unordered_map<int, std::unique_ptr<SSL, FreeSsl>> connections;
  std::vector<epoll_event> events(512);
  std::vector<char> buffer(64 * 1024);
  while (true) {
    int ready = epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        while ((fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
          SSL* ssl = SSL_new(context);
          SSL_set_fd(ssl, fd);
          SSL_set_accept_state(ssl);
          connections[fd].reset(ssl);
          watch(fd);
        }
        continue;
      }
      SSL* ssl = connections[fd].get();
      int got = SSL_is_init_finished(ssl) != 0 ? SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()))
                                               : SSL_do_handshake(ssl);
      int error = SSL_get_error(ssl, got);
      if (got > 0 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) continue;
      connections.erase(fd);
      close(fd);
    }
  }
}
