// TLS by OpenSSL 3. A config is built once from certificate and key and shared read-only by all threads; a reload
// builds a new one, and connections keep the one they began with. A TlsConnection belongs to one connection on one
// worker; it has the shape of loop::Sockets, so that its owner reads and writes plaintext as if it were a socket.
//
// Order: handshake() on every readiness until it says done (its deadline is the owner's); then read() and write();
// shutdown() once; then drop it. After `failed` only error_text() and held_bytes() are of use.
//
// Two things differ from a socket. Readiness of the socket does not tell everything: after a read() that said ok,
// has_buffered_input() says whether to read again without waiting. And records are whole: one that the socket took only
// in part stays here (wants_write()), and the owner polls for writability and calls flush() or write().
//
// Server side: TLS 1.2 and 1.3, ALPN http/1.1, no renegotiation, no compression, no session cache, tickets with keys
// from outside. A ClientHello pins what has arrived of it, and above 16 KiB it is refused (T10); key updates and
// attempts to renegotiate have a budget (T16).
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "base/time.h"
#include "loop/hello_guard.h"
#include "loop/io.h"

namespace loop {

struct SslContextFree {
  void operator()(SSL_CTX* context) const;
};
struct SslFree {
  void operator()(SSL* ssl) const;
};

// Keys of session tickets (RFC 5077, RFC 8446 4.6.1). Made once by `app` and given to every config of every worker, so
// that a client can resume on another worker and after a certificate reload. Secret.
struct TicketKeys {
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> hmac{};
    std::array<unsigned char, 32> aes{};
  };
  Key current;   // makes and reads tickets
  Key previous;  // reads them; such a ticket is renewed

  static TicketKeys generate(base::Entropy& entropy);
  TicketKeys rotated(base::Entropy& entropy) const;  // a new current; the old one becomes previous
};

class TlsServerConfig {
 public:
  // PEM files: the certificate followed by its chain, and an unencrypted private key that belongs to it. The error
  // names the file and what is wrong with it.
  static std::expected<TlsServerConfig, std::string> load(const std::string& certificate_file,
                                                          const std::string& key_file, const TicketKeys& keys);
  // The same from memory; the names are for error texts.
  static std::expected<TlsServerConfig, std::string> from_pem(std::string_view certificate_pem,
                                                              std::string_view key_pem, const TicketKeys& keys,
                                                              std::string_view certificate_name = "certificate",
                                                              std::string_view key_name = "key");

  base::WallTime expires() const { return expires_; }  // of the certificate: for a warning and a gauge

 private:
  friend class TlsConnection;
  TlsServerConfig() = default;
  std::unique_ptr<SSL_CTX, SslContextFree> context_;
  base::WallTime expires_;
};

class TlsClientConfig {
 public:
  static std::expected<TlsClientConfig, std::string> with_system_roots();
  static std::expected<TlsClientConfig, std::string> with_roots_file(const std::string& file);
  static std::expected<TlsClientConfig, std::string> insecure();  // believes every certificate: for tests only

 private:
  friend class TlsConnection;
  TlsClientConfig() = default;
  std::unique_ptr<SSL_CTX, SslContextFree> context_;
};

enum class HandshakeStatus : std::uint8_t { done, want_read, want_write, failed };

class TlsConnection {
 public:
  explicit TlsConnection(const TlsServerConfig& config);
  // `host`: the name or IP address the server must prove to be, without port.
  TlsConnection(const TlsClientConfig& config, const std::string& host);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  // Server, before the first handshake(): bytes of the client that its owner has already read from the socket, because
  // they came in one piece with a PROXY header. Does not keep the view.
  void take_received(std::string_view bytes);

  // want_read: poll for reading. want_write: unsent bytes wait for the socket; poll for both.
  HandshakeStatus handshake(Sockets& sockets, SocketId socket);

  // Plaintext. Reads until `into` is full or the socket has nothing more. eof: the peer said close_notify or closed.
  IoResult read(Sockets& sockets, SocketId socket, std::span<char> into);
  // After a read that said ok: the next one has something to say although the socket may not become readable.
  bool has_buffered_input() const { return buffered_; }

  // Takes plaintext only while no ciphertext is left over, in records of at most 16 KiB; what it took counts as
  // written. would_block: nothing was taken. The slices must hold at least one byte.
  IoResult write(Sockets& sockets, SocketId socket, std::span<const std::string_view> slices);

  bool wants_write() const { return !unsent_.empty(); }
  // ok: nothing is left over (`bytes` may be 0); would_block: something still is.
  IoResult flush(Sockets& sockets, SocketId socket);

  // Queues close_notify and flushes; the owner flushes the rest while wants_write(), then shuts the socket down.
  IoResult shutdown(Sockets& sockets, SocketId socket);

  // Memory this connection pins now, for the accounts: OpenSSL's state and buffers, and unsent ciphertext. An
  // estimate from above (tls_test.cc compares it with the allocator).
  std::size_t held_bytes() const;

  bool resumed() const;              // after the handshake: by a session ticket
  std::string_view version() const;  // after the handshake: "TLSv1.3"
  std::string error_text() const;    // after failed: for a log line; holds no bytes of the peer

 private:
  friend struct TlsWire;  // what OpenSSL calls back, in tls.cc

  // Exists until the handshake is done. A server makes its SSL object only when the whole ClientHello is here.
  struct Greeting {
    std::unique_ptr<SSL_CTX, SslContextFree> context;  // server, before there is an SSL object
    HelloGuard guard;
    std::string received;  // read from the socket, not yet by OpenSSL
    std::size_t taken = 0;
  };
  enum class Side : std::uint8_t { server, client };
  enum class Failure : std::uint8_t { none, tls, socket, closed, hello, control_flood, unsent, memory };
  class Call;  // lends the socket to the callbacks

  bool make_ssl(SSL_CTX* context);
  bool take_hello(std::string_view bytes);
  bool receive_hello();
  bool failed() const { return failure_ != Failure::none; }
  void fail(Failure failure);
  void fail_by_ssl(int ssl_error);
  IoResult failure_result() const;
  IoResult flush_unsent();
  void spend_control_credit();
  void earn_control_credit(std::size_t bytes_read);

  std::unique_ptr<SSL, SslFree> ssl_;
  std::unique_ptr<Greeting> greeting_;
  std::string unsent_;              // ciphertext the socket did not take; holds no memory while empty
  std::size_t unsent_begin_ = 0;    // what lies before has been written
  Sockets* sockets_ = nullptr;      // during a call
  SocketId socket_ = kNoSocket;     // during a call
  int socket_error_ = 0;            // errno of Failure::socket
  unsigned long tls_error_ = 0;     // OpenSSL's, of Failure::tls
  std::uint32_t earned_bytes_ = 0;  // towards the next control credit
  std::uint8_t control_credit_;
  Side side_;
  Failure failure_ = Failure::none;
  bool established_ = false;
  bool peer_finished_ = false;  // close_notify or end of the stream
  bool buffered_ = false;
};

}  // namespace loop
