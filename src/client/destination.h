// A server to connect to: its URL, its addresses, and what its certificate must prove. Resolving blocks.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "client/core/server_url.h"
#include "client/endpoint.h"
#include "loop/connect.h"
#include "loop/tls.h"

namespace client {

class Destination {
 public:
  // Checks the URL and the token and loads the certificates; asks no resolver. The error is a sentence for a person.
  static std::expected<Destination, std::string> from(const Endpoint& endpoint);

  // Asks the system's resolver (again), so that a server that moved is found.
  std::expected<void, std::string> resolve();

  const ServerUrl& url() const { return url_; }
  const std::string& token() const { return token_; }
  const std::vector<loop::Endpoint>& addresses() const { return addresses_; }  // empty before resolve()
  const loop::TlsClientConfig* tls() const { return tls_ ? &*tls_ : nullptr; }

 private:
  Destination() = default;

  ServerUrl url_;
  std::string token_;
  std::vector<loop::Endpoint> addresses_;
  std::optional<loop::TlsClientConfig> tls_;
};

}  // namespace client
