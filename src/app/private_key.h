// PrivateKey: signs tokens for gen-token. It draws random numbers from OpenSSL, so it is no part of the room auth,
// which only checks signatures. Resource; used by one thread.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/algorithm.h"
#include "auth/public_key.h"

namespace app {

class PrivateKey {
 public:
  // The first private key of a PEM text without a passphrase: PKCS#8, or the older forms of RSA and EC. Its public half
  // must be one that the server takes. The error is the end of a sentence that begins with the name of the file.
  static std::expected<PrivateKey, std::string> from_pem(std::string_view text);

  auth::AlgorithmSet algorithms() const { return public_half_.algorithms(); }
  auth::Algorithm first_algorithm() const;  // the one people mean: RS256, ES256, ...

  // `algorithm` is one of algorithms(). The signature as JWS carries it.
  std::string sign(auth::Algorithm algorithm, std::string_view text) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;

  PrivateKey(Handle evp, auth::PublicKey public_half) : evp_(std::move(evp)), public_half_(std::move(public_half)) {}

  Handle evp_;
  auth::PublicKey public_half_;
};

}  // namespace app
