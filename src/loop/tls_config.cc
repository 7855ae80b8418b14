// Building the contexts: the only place where certificates and keys are read.
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "base/assert.h"
#include "loop/system_error.h"
#include "loop/tls.h"

namespace loop {

void SslContextFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
void SslFree::operator()(SSL* ssl) const { SSL_free(ssl); }

namespace {

using Context = std::unique_ptr<SSL_CTX, SslContextFree>;

template <auto kFree>
struct FreeBy {
  void operator()(auto* thing) const { kFree(thing); }
};
using Bio = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;

// Certificate files are a few KiB; this keeps a wrong path (a device, a disk image) from being read whole.
constexpr std::size_t kPemBytesMax = 1 << 20;

// The protocols we speak inside TLS, in the wire form of RFC 7301: length, name.
constexpr std::array<unsigned char, 9> kProtocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

std::string first_reason() {
  const char* const reason = ERR_reason_error_string(ERR_get_error());
  return reason == nullptr ? "unknown reason" : reason;
}

std::unexpected<std::string> refuse(std::string_view name, std::string_view reason) {
  return std::unexpected(std::string(name) + ": " + std::string(reason));
}

std::expected<std::string, std::string> read_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return refuse(path, error_text(errno));
  std::string content(kPemBytesMax + 1, '\0');
  std::size_t have = 0;
  ssize_t got = 0;
  do {
    got = ::read(file, content.data() + have, content.size() - have);
    if (got > 0) have += static_cast<std::size_t>(got);
  } while ((got > 0 && have < content.size()) || (got < 0 && errno == EINTR));
  const int error = got < 0 ? errno : 0;
  ::close(file);
  if (error != 0) return refuse(path, error_text(error));
  if (have > kPemBytesMax) return refuse(path, "larger than 1 MiB; this is not a PEM file");
  content.resize(have);
  return content;
}

Bio bio_of(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

bool no_more_pem() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

std::expected<std::vector<Certificate>, std::string> read_chain(std::string_view pem, std::string_view name) {
  const Bio bio = bio_of(pem);
  std::vector<Certificate> chain;
  while (true) {
    ERR_clear_error();
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    chain.push_back(std::move(certificate));
  }
  if (!no_more_pem()) {
    return refuse(name, "certificate " + std::to_string(chain.size() + 1) + " is damaged: " + first_reason());
  }
  if (chain.empty()) return refuse(name, "no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
  return chain;
}

// Called when a key is encrypted. We have nobody to ask.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::expected<PrivateKey, std::string> read_key(std::string_view pem, std::string_view name) {
  const Bio bio = bio_of(pem);
  bool encrypted = false;
  ERR_clear_error();
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &refuse_passphrase, &encrypted));
  if (key != nullptr) return key;
  if (encrypted) return refuse(name, "the key is encrypted; the server needs it without a passphrase");
  // OpenSSL 3 says "unsupported" of this as of much else.
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
    return refuse(name, "no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  }
  return refuse(name, "the key is damaged: " + first_reason());
}

base::WallTime not_after(const X509& certificate) {
  std::tm time{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) return {};
  return {std::int64_t{::timegm(&time)} * 1000};
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  for (unsigned at = 0; at < offered_size; at += 1u + offered[at]) {
    const std::size_t left = offered_size - at;
    if (left < kProtocols.size() || !std::equal(kProtocols.begin(), kProtocols.end(), offered + at)) continue;
    *out = offered + at + 1;
    *out_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 3.2: no_application_protocol
}

void free_ticket_keys(void*, void* keys, CRYPTO_EX_DATA*, int, long, void*) {
  if (keys == nullptr) return;
  OPENSSL_cleanse(keys, sizeof(TicketKeys));
  delete static_cast<TicketKeys*>(keys);
}

int ticket_keys_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_ticket_keys);
  return index;
}

bool use_ticket_key(const TicketKeys::Key& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                    bool making) {
  std::array<unsigned char, 32> secret = key.hmac;  // the parameter is not const
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  const bool ok = EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
                  EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.aes.data(), iv, making ? 1 : 0) == 1;
  OPENSSL_cleanse(secret.data(), secret.size());
  return ok;
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3). -1: failed, 0: unknown key, 1: good, 2: good, but make a new ticket.
int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int making) {
  const auto* const keys =
      static_cast<const TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ticket_keys_index()));
  if (making == 1) {
    std::ranges::copy(keys->current.name, name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    return use_ticket_key(keys->current, iv, cipher, mac, true) ? 1 : -1;
  }
  for (const TicketKeys::Key* key : {&keys->current, &keys->previous}) {
    if (!std::equal(key->name.begin(), key->name.end(), name)) continue;
    if (!use_ticket_key(*key, iv, cipher, mac, false)) return -1;
    return key == &keys->current ? 1 : 2;
  }
  return 0;
}

Context new_context(const SSL_METHOD* method) {
  ERR_clear_error();
  Context context(SSL_CTX_new(method));
  ASSERT(context != nullptr);  // at start-up and reload only; fails for want of memory or a broken OpenSSL
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Without buffers an idle connection is 15 KiB instead of 40.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  // For 1.2; all suites of 1.3 are fine. Forward secrecy and authenticated encryption only.
  const int ciphers = SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  ASSERT(ciphers == 1);
  // Two that every client has. The client would choose among more, and P-384 costs 18 times as much as these, ffdhe8192
  // 130 times (T16; openssl speed).
  const long groups = SSL_CTX_ctrl(context.get(), SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>("X25519:P-256"));
  ASSERT(groups == 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

std::expected<TlsClientConfig, std::string> no_roots(std::string_view name) { return refuse(name, first_reason()); }

}  // namespace

TicketKeys TicketKeys::generate(base::Entropy& entropy) {
  const auto fill = [&entropy](auto& bytes) {
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(entropy.next() >> 56);
  };
  TicketKeys keys;
  for (Key* key : {&keys.current, &keys.previous}) {
    fill(key->name);
    fill(key->hmac);
    fill(key->aes);
  }
  return keys;
}

TicketKeys TicketKeys::rotated(base::Entropy& entropy) const {
  TicketKeys keys = generate(entropy);
  keys.previous = current;
  return keys;
}

std::expected<TlsServerConfig, std::string> TlsServerConfig::load(const std::string& certificate_file,
                                                                  const std::string& key_file, const TicketKeys& keys) {
  const std::expected<std::string, std::string> certificate = read_file(certificate_file);
  if (!certificate) return std::unexpected(certificate.error());
  std::expected<std::string, std::string> key = read_file(key_file);
  if (!key) return std::unexpected(key.error());
  auto config = from_pem(*certificate, *key, keys, certificate_file, key_file);
  OPENSSL_cleanse(key->data(), key->size());
  return config;
}

std::expected<TlsServerConfig, std::string> TlsServerConfig::from_pem(std::string_view certificate_pem,
                                                                      std::string_view key_pem, const TicketKeys& keys,
                                                                      std::string_view certificate_name,
                                                                      std::string_view key_name) {
  auto chain = read_chain(certificate_pem, certificate_name);
  if (!chain) return std::unexpected(chain.error());
  auto key = read_key(key_pem, key_name);
  if (!key) return std::unexpected(key.error());

  Context context = new_context(TLS_server_method());
  X509* const leaf = chain->front().get();
  if (SSL_CTX_use_certificate(context.get(), leaf) != 1) {
    return refuse(certificate_name, "the certificate cannot be used: " + first_reason());
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), (*chain)[i].get()) != 1) {
      return refuse(certificate_name, "certificate " + std::to_string(i + 1) + " cannot be used: " + first_reason());
    }
  }
  if (X509_check_private_key(leaf, key->get()) != 1) {
    return refuse(key_name, "the key does not belong to the first certificate in " + std::string(certificate_name));
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1) {
    return refuse(key_name, "the key cannot be used: " + first_reason());
  }

  SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, nullptr);
  constexpr unsigned char kSessionContext[] = "wirebird";
  SSL_CTX_set_session_id_context(context.get(), kSessionContext, sizeof kSessionContext - 1);
  SSL_CTX_set_ex_data(context.get(), ticket_keys_index(), new TicketKeys(keys));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context.get(), &ticket_key);
  SSL_CTX_set_num_tickets(context.get(), 1);  // a client holds one connection; each ticket costs a write
  // A connection lives for hours, and its ticket is wanted when it ends.
  SSL_CTX_set_timeout(context.get(), 24 * 60 * 60);

  TlsServerConfig config;
  config.context_ = std::move(context);
  config.expires_ = not_after(*leaf);
  return config;
}

std::expected<TlsClientConfig, std::string> TlsClientConfig::with_system_roots() {
  TlsClientConfig config = *insecure();
  if (SSL_CTX_set_default_verify_paths(config.context_.get()) != 1) return no_roots("system certificates");
  SSL_CTX_set_verify(config.context_.get(), SSL_VERIFY_PEER, nullptr);
  return config;
}

std::expected<TlsClientConfig, std::string> TlsClientConfig::with_roots_file(const std::string& file) {
  TlsClientConfig config = *insecure();
  const std::expected<std::string, std::string> pem = read_file(file);
  if (!pem) return std::unexpected(pem.error());
  auto roots = read_chain(*pem, file);
  if (!roots) return std::unexpected(roots.error());
  for (const Certificate& root : *roots) X509_STORE_add_cert(SSL_CTX_get_cert_store(config.context_.get()), root.get());
  SSL_CTX_set_verify(config.context_.get(), SSL_VERIFY_PEER, nullptr);
  return config;
}

std::expected<TlsClientConfig, std::string> TlsClientConfig::insecure() {
  TlsClientConfig config;
  config.context_ = new_context(TLS_client_method());
  SSL_CTX_set_alpn_protos(config.context_.get(), kProtocols.data(), kProtocols.size());  // 0 is success
  SSL_CTX_set_verify(config.context_.get(), SSL_VERIFY_NONE, nullptr);
  return config;
}

}  // namespace loop
