#include "loop/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "loop/address.h"
#include "loop/system_error.h"

namespace loop {

namespace {

// The most a record carries (RFC 8446 5.1): one record per batch of output.
constexpr std::size_t kRecordBytesMax = 16 * 1024;

// Application data is written only while nothing is unsent, so it adds one record. The rest of the room is for a
// certificate chain and for answers to the peer's control messages.
constexpr std::size_t kUnsentBytesMax = 64 * 1024;

// A hello of 16 KiB in sensible records; in records of one byte it would need six times as much.
constexpr std::size_t kHelloWithRecordsMax = HelloGuard::kHelloBytesMax + 1024;

// T16. Honest peers update keys once per tens of gigabytes, and a server sends a few tickets.
constexpr std::uint8_t kControlCreditMax = 16;
constexpr std::uint32_t kBytesPerControlCredit = 1 << 20;

// Measured with OpenSSL 3.0 (tls_test.cc, HeldBytesIsAnUpperBound): an established connection, a handshake in
// progress, and a buffer for one record.
constexpr std::size_t kRestingBytes = 15'000;
constexpr std::size_t kHandshakeBytes = 50'000;
constexpr std::size_t kRecordBufferBytes = 17'000;

}  // namespace

// Lends the socket to the BIO while OpenSSL runs.
class TlsConnection::Call {
 public:
  Call(TlsConnection& connection, Sockets& sockets, SocketId socket) : connection_(connection) {
    connection_.sockets_ = &sockets;
    connection_.socket_ = socket;
    ERR_clear_error();  // SSL_get_error() looks at the thread's queue
  }
  ~Call() {
    connection_.sockets_ = nullptr;
    connection_.socket_ = kNoSocket;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  TlsConnection& connection_;
};

// What OpenSSL calls. Nothing may be thrown through it.
struct TlsWire {
  static TlsConnection& connection_of(BIO* bio) { return *static_cast<TlsConnection*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* into, int size) {
    TlsConnection& connection = connection_of(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0 || connection.failed()) return -1;
    const auto wanted = static_cast<std::size_t>(size);

    TlsConnection::Greeting* const greeting = connection.greeting_.get();
    if (greeting != nullptr && greeting->taken < greeting->received.size()) {
      const std::size_t taken = std::min(wanted, greeting->received.size() - greeting->taken);
      std::memcpy(into, greeting->received.data() + greeting->taken, taken);
      greeting->taken += taken;
      if (greeting->taken == greeting->received.size()) {
        greeting->received = {};
        greeting->taken = 0;
      }
      return static_cast<int>(taken);
    }

    const IoResult result = connection.sockets_->read(connection.socket_, {into, wanted});
    switch (result.status) {
      case IoStatus::ok:
        break;
      case IoStatus::would_block:
        BIO_set_retry_read(bio);
        return -1;
      case IoStatus::eof:
        connection.peer_finished_ = true;
        return 0;
      case IoStatus::failed:
        connection.socket_error_ = result.error;
        connection.fail(TlsConnection::Failure::socket);
        return -1;
    }
    if (greeting != nullptr && connection.side_ == TlsConnection::Side::server && !watch(connection, into, result)) {
      return -1;
    }
    return static_cast<int>(result.bytes);
  }

  // Before the handshake is done OpenSSL reads the header and the body of one record at a time, so it has digested
  // everything before these bytes.
  static bool watch(TlsConnection& connection, const char* bytes, const IoResult& result) {
    constexpr std::uint8_t kChangeCipherSpec = 20;
    HelloGuard& guard = connection.greeting_->guard;
    if (!guard.accepts({bytes, result.bytes})) {
      connection.fail(TlsConnection::Failure::hello);
      return false;
    }
    // In TLS 1.2 the record after it is encrypted; in 1.3 it means nothing.
    if (guard.record_type() == kChangeCipherSpec && SSL_version(connection.ssl_.get()) < TLS1_3_VERSION) guard.stop();
    return true;
  }

  // Takes everything, so that a record that OpenSSL has made is never made again; what the socket does not take now
  // stays in unsent_.
  static int write(BIO* bio, const char* bytes, int size) {
    TlsConnection& connection = connection_of(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0 || connection.failed()) return -1;
    std::string_view rest(bytes, static_cast<std::size_t>(size));
    while (connection.unsent_.empty() && !rest.empty()) {
      const IoResult result = connection.sockets_->write(connection.socket_, std::array{rest});
      if (result.status == IoStatus::failed || result.status == IoStatus::eof) {
        connection.socket_error_ = result.error;
        connection.fail(TlsConnection::Failure::socket);
        return -1;
      }
      if (result.status == IoStatus::would_block) break;
      rest.remove_prefix(result.bytes);
    }
    if (rest.size() > kUnsentBytesMax - std::min(kUnsentBytesMax, connection.unsent_.size())) {
      connection.fail(TlsConnection::Failure::unsent);
      return -1;
    }
    try {
      connection.unsent_.append(rest);
    } catch (...) {
      connection.fail(TlsConnection::Failure::memory);
      return -1;
    }
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO* new_bio(TlsConnection& connection) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wirebird sockets");
      ASSERT(made != nullptr);
      BIO_meth_set_read(made, &TlsWire::read);
      BIO_meth_set_write(made, &TlsWire::write);
      BIO_meth_set_ctrl(made, &TlsWire::control);
      return made;
    }();
    BIO* const bio = BIO_new(method);
    if (bio == nullptr) return nullptr;
    BIO_set_data(bio, &connection);
    BIO_set_init(bio, 1);
    return bio;
  }

  // Counts what costs us work and carries no data: handshake messages after the handshake, and our warnings, with
  // which OpenSSL answers every attempt to renegotiate.
  static void message(int outgoing, int, int type, const void* bytes, std::size_t size, SSL* ssl, void*) {
    TlsConnection& connection = connection_of(SSL_get_rbio(ssl));
    if (!connection.established_) return;
    const auto* const content = static_cast<const unsigned char*>(bytes);
    const bool handshake = outgoing == 0 && type == SSL3_RT_HANDSHAKE;
    const bool warning = outgoing == 1 && type == SSL3_RT_ALERT && size == 2 && content[0] == SSL3_AL_WARNING &&
                         content[1] != SSL3_AD_CLOSE_NOTIFY;
    if (handshake || warning) connection.spend_control_credit();
  }
};

TlsConnection::TlsConnection(const TlsServerConfig& config)
    : greeting_(std::make_unique<Greeting>()), control_credit_(kControlCreditMax), side_(Side::server) {
  SSL_CTX_up_ref(config.context_.get());
  greeting_->context.reset(config.context_.get());
}

TlsConnection::TlsConnection(const TlsClientConfig& config, const std::string& host)
    : greeting_(std::make_unique<Greeting>()), control_credit_(kControlCreditMax), side_(Side::client) {
  if (!make_ssl(config.context_.get())) return;
  const bool named = !parse_ip(host);
  bool ok = true;
  if (named) {
    // SSL_set_tlsext_host_name() without its C cast.
    ok = SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(host.c_str())) == 1 &&
         SSL_set1_host(ssl_.get(), host.c_str()) == 1;
    SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  } else {
    ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str()) == 1;
  }
  if (!ok) fail(Failure::tls);
}

TlsConnection::~TlsConnection() = default;

bool TlsConnection::make_ssl(SSL_CTX* context) {
  ssl_.reset(SSL_new(context));
  BIO* const bio = ssl_ == nullptr ? nullptr : TlsWire::new_bio(*this);
  if (bio == nullptr) {
    fail(Failure::memory);
    return false;
  }
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_msg_callback(ssl_.get(), &TlsWire::message);
  if (side_ == Side::server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
  return true;
}

void TlsConnection::fail(Failure failure) {
  if (!failed()) failure_ = failure;
}

void TlsConnection::fail_by_ssl(int ssl_error) {
  if (failed()) return;  // a callback knows better
  if (ssl_error == SSL_ERROR_SYSCALL && peer_finished_) {
    fail(Failure::closed);
    return;
  }
  tls_error_ = ERR_get_error();  // the first is the cause
  fail(Failure::tls);
}

IoResult TlsConnection::failure_result() const {
  switch (failure_) {
    case Failure::socket:
      return {IoStatus::failed, 0, socket_error_};
    case Failure::closed:
      return {IoStatus::failed, 0, ECONNRESET};
    case Failure::memory:
      return {IoStatus::failed, 0, ENOMEM};
    default:
      return {IoStatus::failed, 0, EPROTO};
  }
}

bool TlsConnection::take_hello(std::string_view bytes) {
  if (!greeting_->guard.accepts(bytes) || bytes.size() > kHelloWithRecordsMax - greeting_->received.size()) {
    fail(Failure::hello);
    return false;
  }
  greeting_->received.append(bytes);
  return true;
}

void TlsConnection::take_received(std::string_view bytes) {
  ASSERT(side_ == Side::server && ssl_ == nullptr && greeting_ != nullptr);
  take_hello(bytes);
}

// True once the SSL object exists.
bool TlsConnection::receive_hello() {
  if (ssl_ != nullptr) return true;
  while (greeting_->guard.incomplete()) {
    std::array<char, 4096> buffer;
    const IoResult result = sockets_->read(socket_, buffer);
    if (result.status == IoStatus::would_block) return false;
    if (result.status == IoStatus::failed) {
      socket_error_ = result.error;
      fail(Failure::socket);
      return false;
    }
    if (result.status == IoStatus::eof) {
      peer_finished_ = true;
      fail(Failure::closed);
      return false;
    }
    if (!take_hello({buffer.data(), result.bytes})) return false;
  }
  const std::unique_ptr<SSL_CTX, SslContextFree> context = std::move(greeting_->context);
  return make_ssl(context.get());
}

HandshakeStatus TlsConnection::handshake(Sockets& sockets, SocketId socket) {
  if (established_) return HandshakeStatus::done;
  if (failed()) return HandshakeStatus::failed;
  const Call call(*this, sockets, socket);
  if (flush_unsent().status == IoStatus::failed) return HandshakeStatus::failed;
  if (side_ == Side::server && !receive_hello()) {
    return failed() ? HandshakeStatus::failed : HandshakeStatus::want_read;
  }

  const int result = SSL_do_handshake(ssl_.get());
  // Nothing that came with the hello can be left: what ends a handshake is computed from our answer to it.
  if (result == 1 && !greeting_->received.empty()) fail(Failure::tls);
  if (result == 1 && !failed()) {
    established_ = true;
    greeting_.reset();
    // From now on one read takes all the records that fit the buffer, instead of header and body apart.
    SSL_set_read_ahead(ssl_.get(), 1);
    return HandshakeStatus::done;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ && !failed()) {
    return wants_write() ? HandshakeStatus::want_write : HandshakeStatus::want_read;
  }
  fail_by_ssl(error);
  return HandshakeStatus::failed;
}

IoResult TlsConnection::read(Sockets& sockets, SocketId socket, std::span<char> into) {
  ASSERT(established_);
  ASSERT(!into.empty());
  const Call call(*this, sockets, socket);
  buffered_ = false;
  std::size_t total = 0;
  while (!failed() && total < into.size()) {
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data() + total, into.size() - total, &got);
    if (result == 1) {
      total += got;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ && !failed()) {
      if (total == 0) return {IoStatus::would_block};
      earn_control_credit(total);
      return {IoStatus::ok, total};
    }
    if (error == SSL_ERROR_ZERO_RETURN) peer_finished_ = true;
    // Without close_notify too: what we carry (WebSocket, HTTP with lengths) knows its own end.
    if (!peer_finished_) fail_by_ssl(error);
    break;
  }
  if (total > 0) {
    earn_control_credit(total);
    buffered_ = failed() || peer_finished_ || SSL_has_pending(ssl_.get()) == 1;
    return {IoStatus::ok, total};
  }
  return failed() ? failure_result() : IoResult{IoStatus::eof};
}

IoResult TlsConnection::write(Sockets& sockets, SocketId socket, std::span<const std::string_view> slices) {
  ASSERT(established_);
  if (failed()) return failure_result();
  const Call call(*this, sockets, socket);
  const IoResult flushed = flush_unsent();
  if (flushed.status != IoStatus::ok) return flushed;

  std::size_t total = 0;
  std::size_t slice = 0;
  std::size_t offset = 0;  // in slices[slice]
  while (!wants_write()) {
    while (slice < slices.size() && offset == slices[slice].size()) {
      ++slice;
      offset = 0;
    }
    if (slice == slices.size()) break;
    // One record. A slice that fills it, or is the last, is not copied.
    std::array<char, kRecordBytesMax> gathered;
    std::string_view record = slices[slice].substr(offset, kRecordBytesMax);
    if (record.size() == kRecordBytesMax || slice + 1 == slices.size()) {
      offset += record.size();
    } else {
      std::size_t have = 0;
      while (slice < slices.size() && have < gathered.size()) {
        const std::string_view piece = slices[slice].substr(offset, gathered.size() - have);
        std::ranges::copy(piece, gathered.begin() + static_cast<std::ptrdiff_t>(have));
        have += piece.size();
        offset += piece.size();
        if (offset < slices[slice].size()) break;
        ++slice;
        offset = 0;
      }
      record = {gathered.data(), have};
    }

    std::size_t written = 0;
    const int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &written);
    if (result != 1 || failed()) {
      fail_by_ssl(SSL_get_error(ssl_.get(), result));
      return failure_result();
    }
    ASSERT(written == record.size());  // the BIO takes everything, in several records if the peer asked for small ones
    total += written;
  }
  ASSERT(total > 0);
  return {IoStatus::ok, total};
}

IoResult TlsConnection::flush(Sockets& sockets, SocketId socket) {
  const Call call(*this, sockets, socket);
  return failed() ? failure_result() : flush_unsent();
}

IoResult TlsConnection::flush_unsent() {
  std::size_t total = 0;
  while (wants_write()) {
    const std::string_view rest = std::string_view(unsent_).substr(unsent_begin_);
    const IoResult result = sockets_->write(socket_, std::array{rest});
    if (result.status == IoStatus::would_block) return result;
    if (result.status != IoStatus::ok) {
      socket_error_ = result.error;
      fail(Failure::socket);
      return failure_result();
    }
    total += result.bytes;
    unsent_begin_ += result.bytes;
    if (unsent_begin_ == unsent_.size()) {
      unsent_ = {};
      unsent_.shrink_to_fit();
      unsent_begin_ = 0;
    }
  }
  return {IoStatus::ok, total};
}

IoResult TlsConnection::shutdown(Sockets& sockets, SocketId socket) {
  const Call call(*this, sockets, socket);
  if (failed()) return failure_result();
  if (established_ && (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) {
    const int result = SSL_shutdown(ssl_.get());  // 0: sent, the peer's has not come; it is not waited for
    if (result < 0 && SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
      fail_by_ssl(SSL_get_error(ssl_.get(), result));
      return failure_result();
    }
  }
  return flush_unsent();
}

void TlsConnection::spend_control_credit() {
  if (control_credit_ == 0) {
    fail(Failure::control_flood);
  } else {
    --control_credit_;
  }
}

void TlsConnection::earn_control_credit(std::size_t bytes_read) {
  if (control_credit_ == kControlCreditMax) return;
  const std::uint64_t earned = std::uint64_t{earned_bytes_} + bytes_read;
  const std::uint64_t credits = earned / kBytesPerControlCredit;
  earned_bytes_ = static_cast<std::uint32_t>(earned % kBytesPerControlCredit);
  control_credit_ = static_cast<std::uint8_t>(std::min<std::uint64_t>(kControlCreditMax, control_credit_ + credits));
}

std::size_t TlsConnection::held_bytes() const {
  std::size_t bytes = sizeof *this + unsent_.capacity();
  if (greeting_ != nullptr) bytes += sizeof *greeting_ + greeting_->received.capacity();
  if (ssl_ == nullptr) return bytes;
  if (!established_) return bytes + kHandshakeBytes;
  return bytes + kRestingBytes + (SSL_has_pending(ssl_.get()) == 1 ? kRecordBufferBytes : 0);
}

bool TlsConnection::resumed() const { return established_ && SSL_session_reused(ssl_.get()) == 1; }

std::string_view TlsConnection::version() const { return ssl_ == nullptr ? "" : SSL_get_version(ssl_.get()); }

std::string TlsConnection::error_text() const {
  switch (failure_) {
    case Failure::none:
      return "no error";
    case Failure::socket:
      return loop::error_text(socket_error_);
    case Failure::closed:
      return "the peer closed the connection during the TLS handshake";
    case Failure::hello:
      return "the ClientHello is larger than 16 KiB";
    case Failure::control_flood:
      return "too many key updates or attempts to renegotiate";
    case Failure::unsent:
      return "the peer asks for answers without reading them";
    case Failure::memory:
      return "no memory for TLS";
    case Failure::tls:
      break;
  }
  const char* const reason = ERR_reason_error_string(tls_error_);
  std::string text = reason == nullptr ? "TLS failed" : std::string("TLS: ") + reason;
  const long verdict = ssl_ == nullptr ? X509_V_OK : SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK && side_ == Side::client) {
    text += std::string(" (") + X509_verify_cert_error_string(verdict) + ")";
  }
  return text;
}

}  // namespace loop
