#include "loop/tls.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <fstream>
#include <functional>
#include <thread>

#include "base/entropy.h"
#include "loop/kernel_sockets.h"
#include "loop/memory_sockets.h"
#include "loop/test_certificate.h"
#include "loop/test_sockets.h"

namespace loop {
namespace {

using test::MemorySockets;

constexpr SocketId kServer = 0;
constexpr SocketId kClient = 1;

const test::TestCertificate& certificate() {
  static const test::TestCertificate made = test::make_certificate();
  return made;
}

TicketKeys ticket_keys(std::uint64_t seed = 1) {
  base::SeededEntropy entropy(seed);
  return TicketKeys::generate(entropy);
}

TlsServerConfig server_config(const TicketKeys& keys = ticket_keys()) {
  return TlsServerConfig::from_pem(certificate().certificate_pem, certificate().key_pem, keys).value();
}

// Our server and our client on one memory wire.
struct TlsPair {
  explicit TlsPair(const TlsServerConfig& server_options = server_config(),
                   const TlsClientConfig& client_options = TlsClientConfig::insecure().value(),
                   const std::string& host = "localhost")
      : server(server_options), client(client_options, host) {}

  // Until both are done or one has failed.
  bool shake_hands() {
    while (true) {
      const HandshakeStatus s = server.handshake(wire, kServer);
      const HandshakeStatus c = client.handshake(wire, kClient);
      if (s == HandshakeStatus::failed || c == HandshakeStatus::failed) return false;
      if (server.wants_write()) server.flush(wire, kServer);
      if (client.wants_write()) client.flush(wire, kClient);
      if (s == HandshakeStatus::done && c == HandshakeStatus::done) return true;
    }
  }

  MemorySockets wire;
  TlsConnection server;
  TlsConnection client;
};

IoResult write_text(TlsConnection& from, Sockets& sockets, SocketId socket, std::string_view text) {
  return from.write(sockets, socket, std::array{text});
}

std::string read_all(TlsConnection& by, Sockets& sockets, SocketId socket, std::size_t piece = 1000) {
  std::string text;
  std::vector<char> buffer(piece);
  while (true) {
    const IoResult result = by.read(sockets, socket, buffer);
    if (result.status != IoStatus::ok) return text;
    text.append(buffer.data(), result.bytes);
  }
}

TEST(Tls, TalksBothWays) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  EXPECT_EQ(pair.server.version(), "TLSv1.3");
  EXPECT_FALSE(pair.server.resumed());
  EXPECT_EQ(write_text(pair.client, pair.wire, kClient, "question").bytes, 8u);
  EXPECT_EQ(read_all(pair.server, pair.wire, kServer), "question");
  EXPECT_EQ(write_text(pair.server, pair.wire, kServer, "answer").bytes, 6u);
  EXPECT_EQ(read_all(pair.client, pair.wire, kClient), "answer");
  EXPECT_EQ(pair.server.error_text(), "no error");
}

// The same conversation however the bytes are cut, in both directions and on both calls.
TEST(Tls, ManyWays) {
  base::SeededEntropy entropy(5);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{6}, std::size_t{100},
                                  std::size_t{1400}, MemorySockets::kUnlimited}) {
    for (const bool stutter : {false, true}) {
      for (const bool cut_reads : {false, true}) {
        TlsPair pair;
        (cut_reads ? pair.wire.read_max : pair.wire.write_max) = piece;
        pair.wire.stutter = stutter;
        pair.wire.capacity = 8000;
        ASSERT_TRUE(pair.shake_hands()) << pair.server.error_text() << pair.client.error_text();

        std::string sent;
        std::string received;
        const std::size_t goal = piece < 100 ? 3000 : 100'000;
        while (received.size() < goal) {
          std::vector<std::string> pieces(1 + entropy.below(64));
          for (std::string& one : pieces) one.assign(entropy.below(5) == 0 ? 0 : entropy.below(800), 'a');
          pieces.back() = std::to_string(entropy.next());
          const std::vector<std::string_view> slices(pieces.begin(), pieces.end());
          const IoResult result = pair.server.write(pair.wire, kServer, slices);
          if (result.status == IoStatus::ok) {
            std::string all;
            for (const std::string& one : pieces) all += one;
            sent.append(all, 0, result.bytes);
          } else {
            ASSERT_EQ(result.status, IoStatus::would_block);
            ASSERT_TRUE(pair.server.wants_write());
          }
          received += read_all(pair.client, pair.wire, kClient, 1 + entropy.below(5000));
        }
        while (pair.server.wants_write() || received.size() < sent.size()) {
          pair.server.flush(pair.wire, kServer);
          received += read_all(pair.client, pair.wire, kClient);
        }
        ASSERT_EQ(received, sent);
      }
    }
  }
}

TEST(Tls, LargeSlicesCrossRecords) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  const std::string large(50'000, 'L');
  const std::array<std::string_view, 5> slices{"head", large, "", "middle", std::string_view(large).substr(0, 16'384)};
  std::string all;
  for (const std::string_view slice : slices) all += slice;
  EXPECT_EQ(pair.server.write(pair.wire, kServer, slices).bytes, all.size());
  EXPECT_EQ(read_all(pair.client, pair.wire, kClient), all);
}

TEST(Tls, OneReadTakesManyRecordsWithFewCalls) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  read_all(pair.client, pair.wire, kClient);
  for (int i = 0; i < 50; ++i) write_text(pair.server, pair.wire, kServer, "message");
  const std::size_t calls_before = pair.wire.read_calls[kClient];
  EXPECT_EQ(read_all(pair.client, pair.wire, kClient).size(), 350u);
  EXPECT_LE(pair.wire.read_calls[kClient] - calls_before, 3u);
}

TEST(Tls, BufferedInputIsAnnounced) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  write_text(pair.client, pair.wire, kClient, "abc");
  write_text(pair.client, pair.wire, kClient, "def");
  std::array<char, 2> two{};
  std::string got;
  do {
    const IoResult result = pair.server.read(pair.wire, kServer, two);
    ASSERT_EQ(result.status, IoStatus::ok);
    got.append(two.data(), result.bytes);
    EXPECT_TRUE(pair.wire.incoming(kServer).empty());  // the socket would not become readable
  } while (pair.server.has_buffered_input());
  EXPECT_EQ(got, "abcdef");
  EXPECT_EQ(pair.server.read(pair.wire, kServer, two).status, IoStatus::would_block);

  // Half a record is nothing to read again for.
  write_text(pair.client, pair.wire, kClient, "xy");
  std::string& incoming = pair.wire.incoming(kServer);
  const std::string rest = incoming.substr(incoming.size() - 5);
  incoming.resize(incoming.size() - 5);
  EXPECT_EQ(pair.server.read(pair.wire, kServer, two).status, IoStatus::would_block);
  EXPECT_FALSE(pair.server.has_buffered_input());
  incoming += rest;
  EXPECT_EQ(pair.server.read(pair.wire, kServer, two).bytes, 2u);
}

TEST(Tls, DataThenCloseNotifyIsDataThenEof) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  write_text(pair.client, pair.wire, kClient, "last");
  EXPECT_EQ(pair.client.shutdown(pair.wire, kClient).status, IoStatus::ok);
  std::array<char, 100> buffer{};
  EXPECT_EQ(pair.server.read(pair.wire, kServer, buffer).bytes, 4u);
  EXPECT_TRUE(pair.server.has_buffered_input());  // the socket stays silent from now on
  EXPECT_EQ(pair.server.read(pair.wire, kServer, buffer).status, IoStatus::eof);
  // The other direction is still open.
  EXPECT_EQ(write_text(pair.server, pair.wire, kServer, "bye").status, IoStatus::ok);
  EXPECT_EQ(read_all(pair.client, pair.wire, kClient), "bye");
  EXPECT_EQ(pair.server.shutdown(pair.wire, kServer).status, IoStatus::ok);
  EXPECT_EQ(pair.client.read(pair.wire, kClient, buffer).status, IoStatus::eof);
}

TEST(Tls, CloseWithoutNotifyIsEofAndInTheHandshakeAFailure) {
  std::array<char, 100> buffer{};
  {
    TlsPair pair;
    ASSERT_TRUE(pair.shake_hands());
    write_text(pair.client, pair.wire, kClient, "last");
    pair.wire.close_write(kClient);
    EXPECT_EQ(pair.server.read(pair.wire, kServer, buffer).bytes, 4u);
    EXPECT_EQ(pair.server.read(pair.wire, kServer, buffer).status, IoStatus::eof);
  }
  for (const bool after_hello : {false, true}) {
    TlsPair pair;
    if (after_hello) pair.client.handshake(pair.wire, kClient);
    pair.wire.close_write(kClient);
    while (pair.server.handshake(pair.wire, kServer) != HandshakeStatus::failed) {
    }
    EXPECT_EQ(pair.server.error_text(), "the peer closed the connection during the TLS handshake");
  }
}

// A balancer may send its PROXY header and the client's first bytes in one segment; the owner has then read both.
TEST(Tls, TakesWhatCameBehindAProxyHeader) {
  for (const std::size_t early : {std::size_t{1}, std::size_t{5}, std::size_t{100}, std::size_t{10'000}}) {
    TlsPair pair;
    pair.client.handshake(pair.wire, kClient);
    std::string& incoming = pair.wire.incoming(kServer);
    const std::string taken = incoming.substr(0, early);
    incoming.erase(0, taken.size());
    pair.server.take_received(taken);
    EXPECT_TRUE(pair.shake_hands()) << pair.server.error_text();
    write_text(pair.client, pair.wire, kClient, "question");
    EXPECT_EQ(read_all(pair.server, pair.wire, kServer), "question");
  }
  TlsPair pair;
  pair.server.take_received(std::string(40'000, '\x16'));
  EXPECT_EQ(pair.server.handshake(pair.wire, kServer), HandshakeStatus::failed);
}

TEST(Tls, ASlowReaderHoldsOneRecord) {
  TlsPair pair;
  ASSERT_TRUE(pair.shake_hands());
  const std::string block(100'000, 'b');
  pair.wire.capacity = 5000;
  std::string sent;
  IoResult result = write_text(pair.server, pair.wire, kServer, block);
  ASSERT_EQ(result.status, IoStatus::ok);
  EXPECT_EQ(result.bytes, 16'384u);
  EXPECT_TRUE(pair.server.wants_write());
  EXPECT_LE(pair.server.held_bytes(), 17'000u + 16'384u + 300u);
  EXPECT_EQ(write_text(pair.server, pair.wire, kServer, block).status, IoStatus::would_block);
  EXPECT_EQ(pair.server.flush(pair.wire, kServer).status, IoStatus::would_block);

  std::string received;
  while (pair.server.wants_write()) {
    received += read_all(pair.client, pair.wire, kClient);
    pair.server.flush(pair.wire, kServer);
  }
  received += read_all(pair.client, pair.wire, kClient);
  EXPECT_EQ(received.size(), 16'384u);
  EXPECT_LE(pair.server.held_bytes(), 16'000u);
}

// Beast's and SQLite's way: fail the first call, the second, ... until everything goes well.
TEST(Tls, FailsCleanlyAtEveryCallOfTheSocket) {
  bool went_well = false;
  for (std::size_t calls = 0; !went_well; ++calls) {
    ASSERT_LT(calls, 1000u);
    TlsPair pair;
    pair.wire.fail_after = calls;
    std::array<char, 100> buffer{};
    if (!pair.shake_hands()) {
      EXPECT_EQ(pair.server.handshake(pair.wire, kServer), HandshakeStatus::failed);
      continue;
    }
    const IoResult written = write_text(pair.server, pair.wire, kServer, "x");
    const IoResult read = pair.client.read(pair.wire, kClient, buffer);
    const IoResult shut = pair.server.shutdown(pair.wire, kServer);
    for (const IoResult& result : {written, read, shut}) {
      EXPECT_EQ(result.status == IoStatus::failed, result.error != 0);
    }
    went_well = written.status == IoStatus::ok && read.status == IoStatus::ok && shut.status == IoStatus::ok;
    if (!went_well) {
      const bool told = pair.server.error_text() != "no error" || pair.client.error_text() != "no error";
      EXPECT_TRUE(told);
    }
  }
}

TEST(Tls, AFlippedBitNeverDoesMoreThanFail) {
  base::SeededEntropy entropy(11);
  const TlsServerConfig config = server_config();
  const TlsClientConfig client_config = TlsClientConfig::insecure().value();
  int failures = 0;
  for (int round = 0; round < 100; ++round) {
    TlsPair pair(config, client_config);
    pair.wire.flip_at = entropy.below(1200);
    // A flipped length leaves both waiting; the owner's deadline ends that.
    HandshakeStatus s = HandshakeStatus::want_read;
    HandshakeStatus c = HandshakeStatus::want_read;
    for (int step = 0; step < 10; ++step) {
      c = pair.client.handshake(pair.wire, kClient);
      s = pair.server.handshake(pair.wire, kServer);
    }
    if (s != HandshakeStatus::done || c != HandshakeStatus::done) ++failures;
  }
  EXPECT_GT(failures, 75);  // the rest hit the session ticket, which comes after
}

TEST(Tls, OverTheKernelsSockets) {
  test::Pair sockets;
  const TlsServerConfig config = server_config();
  TlsConnection server(config);
  const TlsClientConfig client_config = TlsClientConfig::insecure().value();
  TlsConnection client(client_config, "localhost");
  HandshakeStatus s = HandshakeStatus::want_read;
  HandshakeStatus c = HandshakeStatus::want_read;
  while (s != HandshakeStatus::done || c != HandshakeStatus::done) {
    c = client.handshake(sockets.sockets, sockets.client);
    s = server.handshake(sockets.sockets, sockets.server);
    ASSERT_NE(s, HandshakeStatus::failed);
    ASSERT_NE(c, HandshakeStatus::failed);
  }
  const std::string block(1'000'000, 'k');
  std::string_view rest = block;
  std::string received;
  while (received.size() < block.size()) {
    if (!rest.empty()) {
      const IoResult result = write_text(server, sockets.sockets, sockets.server, rest);
      if (result.status == IoStatus::ok) rest.remove_prefix(result.bytes);
    } else {
      server.flush(sockets.sockets, sockets.server);
    }
    received += read_all(client, sockets.sockets, sockets.client, 100'000);
  }
  EXPECT_EQ(received, block);
}

TEST(Tls, ClientsVerifyTheNameAndTheChain) {
  const test::Folder folder;
  std::ofstream(folder / "ca.pem") << certificate().certificate_pem;
  const TlsClientConfig trusting = TlsClientConfig::with_roots_file(folder / "ca.pem").value();
  const TlsServerConfig server = server_config();
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    TlsPair pair(server, trusting, host);
    EXPECT_TRUE(pair.shake_hands()) << pair.client.error_text();
  }
  for (const std::string host : {"example.com", "127.0.0.2", "::1", "localhost.example.com"}) {
    TlsPair pair(server, trusting, host);
    EXPECT_FALSE(pair.shake_hands());
    EXPECT_TRUE(pair.client.error_text().starts_with("TLS: certificate verify failed (")) << pair.client.error_text();
  }
  const TlsClientConfig system = TlsClientConfig::with_system_roots().value();
  TlsPair pair(server, system);
  EXPECT_FALSE(pair.shake_hands());
  EXPECT_EQ(pair.client.error_text(), "TLS: certificate verify failed (self-signed certificate)");

  EXPECT_EQ(TlsClientConfig::with_roots_file("/nonexistent").error(),
            "/nonexistent: no such file or directory (ENOENT)");
}

TEST(Tls, ConfigErrorsNameTheFileAndTheReason) {
  const test::Folder folder;
  const auto file = [&](const std::string& name, const std::string& content) {
    std::ofstream(folder / name, std::ios::binary) << content;
    return folder / name;
  };
  const std::string cert = file("cert", certificate().certificate_pem);
  const std::string key = file("key", certificate().key_pem);
  const std::string both = file("both", certificate().key_pem + certificate().certificate_pem);
  const std::string other_key = file("other", test::make_certificate().key_pem);
  const std::string encrypted = file("encrypted", certificate().encrypted_key_pem);
  const std::string empty = file("empty", "");
  const std::string text = file("text", "This is not a certificate.\n");
  std::string spoiled = certificate().certificate_pem;
  spoiled[100] = '!';
  const std::string damaged = file("damaged", certificate().certificate_pem + spoiled);
  const std::string huge = file("huge", std::string(2 << 20, 'x'));
  const std::string folder_name = folder / "";
  const std::string nothing = folder / "nothing";

  const auto error_of = [](const std::string& certificate_file, const std::string& key_file) {
    const auto config = TlsServerConfig::load(certificate_file, key_file, ticket_keys());
    return config ? "none" : config.error();
  };
  EXPECT_EQ(error_of(cert, key), "none");
  EXPECT_EQ(error_of(both, both), "none");
  EXPECT_EQ(error_of(nothing, key), nothing + ": no such file or directory (ENOENT)");
  EXPECT_EQ(error_of(cert, nothing), nothing + ": no such file or directory (ENOENT)");
  EXPECT_EQ(error_of(folder_name, key), folder_name + ": is a directory (EISDIR)");
  EXPECT_EQ(error_of(huge, key), huge + ": larger than 1 MiB; this is not a PEM file");
  for (const std::string& name : {empty, text, key}) {
    EXPECT_EQ(error_of(name, key), name + ": no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
  }
  for (const std::string& name : {empty, text, cert}) {
    EXPECT_EQ(error_of(cert, name), name + ": no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  }
  EXPECT_EQ(error_of(cert, encrypted), encrypted + ": the key is encrypted; the server needs it without a passphrase");
  EXPECT_EQ(error_of(cert, other_key), other_key + ": the key does not belong to the first certificate in " + cert);
  EXPECT_TRUE(error_of(damaged, key).starts_with(damaged + ": certificate 2 is damaged: ")) << error_of(damaged, key);
}

TEST(Tls, ConfigKnowsWhenTheCertificateExpires) {
  const std::int64_t now_ms = std::int64_t{::time(nullptr)} * 1000;
  const std::int64_t expires_ms = server_config().expires().ms;
  EXPECT_GT(expires_ms, now_ms + 3'000'000);
  EXPECT_LT(expires_ms, now_ms + 4'000'000);
}

// A client by OpenSSL's own calls, for what ours never does.
class RawClient {
 public:
  explicit RawClient(const std::function<void(SSL_CTX*)>& configure = [](SSL_CTX*) {})
      : context_(SSL_CTX_new(TLS_client_method())) {
    configure(context_.get());
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
  }

  SSL* ssl() { return ssl_.get(); }

  // Moves bytes between OpenSSL's buffers and the wire.
  void pump(MemorySockets& wire) {
    std::string& incoming = wire.incoming(kClient);
    if (!incoming.empty()) BIO_write(in_, incoming.data(), static_cast<int>(incoming.size()));
    incoming.clear();
    std::array<char, 4096> buffer{};
    for (int size = 0; (size = BIO_read(out_, buffer.data(), buffer.size())) > 0;) {
      wire.incoming(kServer).append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  bool shake_hands(MemorySockets& wire, TlsConnection& server) {
    bool done = false;
    bool server_done = false;
    for (int i = 0; i < 20 && !(done && server_done); ++i) {
      ERR_clear_error();
      done = SSL_do_handshake(ssl()) == 1;
      pump(wire);
      const HandshakeStatus status = server.handshake(wire, kServer);
      if (status == HandshakeStatus::failed) return false;
      server_done = status == HandshakeStatus::done;
      pump(wire);
    }
    return done && server_done;
  }

  std::string read_all(MemorySockets& wire) {
    pump(wire);
    std::string text;
    std::array<char, 4096> buffer{};
    for (int size = 0; (size = SSL_read(ssl(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    pump(wire);
    return text;
  }

 private:
  std::unique_ptr<SSL_CTX, SslContextFree> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
};

struct RawPair {
  explicit RawPair(
      const std::function<void(SSL_CTX*)>& configure = [](SSL_CTX*) {}, const TlsServerConfig& config = server_config())
      : server(config), client(configure) {}
  bool shake_hands() { return client.shake_hands(wire, server); }

  MemorySockets wire;
  TlsConnection server;
  RawClient client;
};

void only_tls12(SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); }

TEST(Tls, SpeaksTls12AndNothingOlder) {
  RawPair pair(only_tls12);
  ASSERT_TRUE(pair.shake_hands()) << pair.server.error_text();
  EXPECT_EQ(pair.server.version(), "TLSv1.2");
  write_text(pair.server, pair.wire, kServer, "hello");
  EXPECT_EQ(pair.client.read_all(pair.wire), "hello");
  SSL_write(pair.client.ssl(), "back", 4);
  pair.client.pump(pair.wire);
  EXPECT_EQ(read_all(pair.server, pair.wire, kServer), "back");

  RawPair old([](SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  });
  EXPECT_FALSE(old.shake_hands());
  EXPECT_EQ(old.server.error_text(), "TLS: unsupported protocol");
}

TEST(Tls, ProtocolNegotiation) {
  const auto offer = [](std::string_view protocols) {
    return [protocols](SSL_CTX* context) {
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                              static_cast<unsigned>(protocols.size()));
    };
  };
  RawPair both(offer("\x02h2\x08http/1.1"));
  ASSERT_TRUE(both.shake_hands());
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(both.client.ssl(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");

  RawPair neither(offer("\x02h2\x08http/1.0"));
  EXPECT_FALSE(neither.shake_hands());
  EXPECT_EQ(neither.server.error_text(), "TLS: no application protocol");

  RawPair silent;
  EXPECT_TRUE(silent.shake_hands());
}

TEST(Tls, ASecondHelloIsAnswered) {
  // The server does not take P-521, the client's first guess: HelloRetryRequest (RFC 8446 4.1.4).
  RawPair pair(
      [](SSL_CTX* context) { SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>("P-521:X25519")); });
  ASSERT_TRUE(pair.shake_hands()) << pair.server.error_text();
  EXPECT_EQ(pair.server.version(), "TLSv1.3");

  RawPair finite(
      [](SSL_CTX* context) { SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>("ffdhe2048")); });
  EXPECT_FALSE(finite.shake_hands());
}

TEST(Tls, SmallFragmentsOnRequest) {
  RawPair pair(
      [](SSL_CTX* context) { SSL_CTX_set_tlsext_max_fragment_length(context, TLSEXT_max_fragment_length_512); });
  ASSERT_TRUE(pair.shake_hands());
  const std::string block(10'000, 'f');
  EXPECT_EQ(write_text(pair.server, pair.wire, kServer, block).bytes, block.size());
  EXPECT_EQ(pair.client.read_all(pair.wire), block);
}

TEST(Tls, PlainHttpIsAFailureInWords) {
  TlsPair pair;
  pair.wire.incoming(kServer) = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(pair.server.handshake(pair.wire, kServer), HandshakeStatus::failed);
  EXPECT_EQ(pair.server.error_text(), "TLS: http request");
}

// T10: nine bytes that announce much pin next to nothing, and the announcement of too much is refused at once.
TEST(Tls, T10_AClaimedHelloPinsOnlyWhatArrived) {
  const TlsServerConfig config = server_config();
  {
    MemorySockets wire;
    TlsConnection server(config);
    wire.incoming(kServer) = std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc", 9);
    EXPECT_EQ(server.handshake(wire, kServer), HandshakeStatus::want_read);
    EXPECT_LT(server.held_bytes(), 400u);
    wire.incoming(kServer) = std::string(10'000, '\0');
    EXPECT_EQ(server.handshake(wire, kServer), HandshakeStatus::want_read);
    EXPECT_LT(server.held_bytes(), 20'480u);
  }
  {
    MemorySockets wire;
    TlsConnection server(config);
    wire.incoming(kServer) = std::string("\x16\x03\x01\x40\x00\x01\xff\xff\xff", 9);
    EXPECT_EQ(server.handshake(wire, kServer), HandshakeStatus::failed);
    EXPECT_EQ(server.error_text(), "the ClientHello is larger than 16 KiB");
  }
  {
    // In records of one byte the headers count too.
    MemorySockets wire;
    TlsConnection server(config);
    std::string& bytes = wire.incoming(kServer);
    for (const char byte : std::string_view("\x01\x00\x3f\x00", 4))
      bytes += std::string("\x16\x03\x01\x00\x01", 5) + byte;
    for (int i = 0; i < 5000; ++i) bytes += std::string("\x16\x03\x01\x00\x01\x00", 6);
    EXPECT_EQ(server.handshake(wire, kServer), HandshakeStatus::failed);
  }
  {
    // The second hello is no way around.
    RawPair pair([](SSL_CTX* context) {
      SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>("P-521:X25519"));
    });
    SSL_do_handshake(pair.client.ssl());
    pair.client.pump(pair.wire);
    ASSERT_EQ(pair.server.handshake(pair.wire, kServer), HandshakeStatus::want_read);
    pair.wire.incoming(kServer) = std::string("\x14\x03\x03\x00\x01\x01\x16\x03\x03\x40\x00\x01\x01\xff\xff", 15);
    EXPECT_EQ(pair.server.handshake(pair.wire, kServer), HandshakeStatus::failed);
    EXPECT_EQ(pair.server.error_text(), "the ClientHello is larger than 16 KiB");
  }
}

// T16: a thousand key updates are refused, a few are not, and traffic earns more.
TEST(Tls, T16_KeyUpdatesHaveABudget) {
  RawPair pair;
  ASSERT_TRUE(pair.shake_hands());
  std::array<char, 1000> buffer{};
  const auto update = [&] {
    SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_write(pair.client.ssl(), "x", 1);
    pair.client.pump(pair.wire);
    const IoResult result = pair.server.read(pair.wire, kServer, buffer);
    if (result.status == IoStatus::ok) {
      write_text(pair.server, pair.wire, kServer, "y");
      pair.client.read_all(pair.wire);
    }
    return result;
  };
  for (int i = 0; i < 16; ++i) ASSERT_EQ(update().status, IoStatus::ok) << i;

  const std::string block(10'000, 'd');
  for (std::size_t sent = 0; sent < 3 << 20; sent += block.size()) {
    SSL_write(pair.client.ssl(), block.data(), static_cast<int>(block.size()));
    pair.client.pump(pair.wire);
    read_all(pair.server, pair.wire, kServer);
  }
  for (int i = 0; i < 3; ++i) ASSERT_EQ(update().status, IoStatus::ok) << i;

  int accepted = 0;
  IoResult result = update();
  for (; result.status == IoStatus::ok && accepted < 1000; ++accepted) result = update();
  EXPECT_LE(accepted, 1);
  EXPECT_EQ(pair.server.read(pair.wire, kServer, buffer).status, IoStatus::failed);
  EXPECT_EQ(pair.server.error_text(), "too many key updates or attempts to renegotiate");
  EXPECT_EQ(write_text(pair.server, pair.wire, kServer, "z").status, IoStatus::failed);
}

TEST(Tls, T16_AThousandKeyUpdatesInOneBatchAreRefused) {
  RawPair pair;
  ASSERT_TRUE(pair.shake_hands());
  for (int i = 0; i < 1000; ++i) {
    SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(pair.client.ssl());
  }
  pair.client.pump(pair.wire);
  std::array<char, 1000> buffer{};
  EXPECT_EQ(pair.server.read(pair.wire, kServer, buffer).status, IoStatus::failed);
  EXPECT_EQ(pair.server.error_text(), "too many key updates or attempts to renegotiate");
}

TEST(Tls, T16_RenegotiationIsRefused) {
  RawPair pair(only_tls12);
  ASSERT_TRUE(pair.shake_hands());
  std::array<char, 1000> buffer{};
  SSL_renegotiate(pair.client.ssl());
  SSL_do_handshake(pair.client.ssl());
  pair.client.pump(pair.wire);
  const std::string attempt = pair.wire.incoming(kServer);
  EXPECT_FALSE(attempt.empty());
  EXPECT_EQ(pair.server.read(pair.wire, kServer, buffer).status, IoStatus::would_block);
  pair.client.pump(pair.wire);
  SSL_do_handshake(pair.client.ssl());
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
}

// Sessions, the way a client keeps them.
struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, SessionFree>;

Session session_from(const TlsServerConfig& config) {
  RawPair pair([](SSL_CTX*) {}, config);
  EXPECT_TRUE(pair.shake_hands());
  write_text(pair.server, pair.wire, kServer, "x");
  pair.client.read_all(pair.wire);
  SSL_shutdown(pair.client.ssl());  // OpenSSL does not trust the session of a connection that was just dropped
  return Session(SSL_get1_session(pair.client.ssl()));
}

bool resumes(const TlsServerConfig& config, const Session& session) {
  RawPair pair([](SSL_CTX*) {}, config);
  SSL_set_session(pair.client.ssl(), session.get());
  EXPECT_TRUE(pair.shake_hands());
  EXPECT_EQ(pair.server.resumed(), SSL_session_reused(pair.client.ssl()) == 1);
  SSL_shutdown(pair.client.ssl());
  return pair.server.resumed();
}

TEST(Tls, TicketsOutliveAReloadAndOneRotation) {
  base::SeededEntropy entropy(9);
  const TicketKeys keys = TicketKeys::generate(entropy);
  const Session session = session_from(server_config(keys));

  EXPECT_TRUE(resumes(server_config(keys), session));  // another worker
  const test::TestCertificate renewed = test::make_certificate();
  EXPECT_TRUE(resumes(TlsServerConfig::from_pem(renewed.certificate_pem, renewed.key_pem, keys).value(), session));

  const TicketKeys second = keys.rotated(entropy);
  EXPECT_TRUE(resumes(server_config(second), session));
  EXPECT_FALSE(resumes(server_config(second.rotated(entropy)), session));
  EXPECT_FALSE(resumes(server_config(ticket_keys(77)), session));
}

TEST(Tls, ConnectionsOutliveTheirConfig) {
  auto config = std::make_unique<TlsServerConfig>(server_config());
  TlsPair pair(*config);
  config.reset();
  EXPECT_TRUE(pair.shake_hands());
}

TEST(Tls, OneConfigServesManyThreads) {
  const TlsServerConfig config = server_config();
  const TlsClientConfig client = TlsClientConfig::insecure().value();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        TlsPair pair(config, client);
        if (!pair.shake_hands()) continue;
        write_text(pair.server, pair.wire, kServer, "hello");
        if (read_all(pair.client, pair.wire, kClient) == "hello") ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 40);
}

TEST(Tls, HeldBytesIsAnUpperBound) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the allocator does not say what is in use";
#endif
  const TlsServerConfig config = server_config();
  constexpr std::size_t kCount = 50;
  struct Measured {
    bool shake_hands() { return client.shake_hands(wire, *server); }
    MemorySockets wire;
    std::unique_ptr<TlsConnection> server;
    RawClient client;
  };
  std::vector<std::unique_ptr<Measured>> pairs;
  for (std::size_t i = 0; i < kCount; ++i) pairs.push_back(std::make_unique<Measured>());
  for (auto& pair : pairs) SSL_do_handshake(pair->client.ssl());
  for (auto& pair : pairs) pair->client.pump(pair->wire);

  // The servers' halves only: the clients' are made before and grow after.
  const std::size_t before = ::mallinfo2().uordblks;
  for (auto& pair : pairs) {
    pair->server = std::make_unique<TlsConnection>(config);
    ASSERT_EQ(pair->server->handshake(pair->wire, kServer), HandshakeStatus::want_read);
  }
  std::size_t flights = 0;
  for (auto& pair : pairs) flights += pair->wire.incoming(kClient).capacity();
  const std::size_t greeting = (::mallinfo2().uordblks - before - flights) / kCount;
  RecordProperty("handshake_bytes", static_cast<int>(greeting));
  EXPECT_LE(greeting, pairs[0]->server->held_bytes());
  EXPECT_GE(greeting * 2, pairs[0]->server->held_bytes());

  for (auto& pair : pairs) ASSERT_TRUE(pair->shake_hands());
  const std::size_t held = pairs[0]->server->held_bytes();
  const std::size_t with = ::mallinfo2().uordblks;
  for (auto& pair : pairs) pair->server.reset();
  const std::size_t resting = (with - ::mallinfo2().uordblks) / kCount;
  RecordProperty("resting_bytes", static_cast<int>(resting));
  EXPECT_LE(resting, held);
  EXPECT_GE(resting * 2, held);
}

}  // namespace
}  // namespace loop
