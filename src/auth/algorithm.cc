#include "auth/algorithm.h"

#include <algorithm>
#include <array>

namespace auth {
namespace {

constexpr std::array<std::string_view, kAlgorithmCount> kNames = {"HS256", "HS384", "HS512", "RS256", "RS384",
                                                                  "RS512", "PS256", "PS384", "PS512", "ES256",
                                                                  "ES384", "ES512", "EdDSA"};

}  // namespace

std::string_view to_string(Algorithm algorithm) { return kNames[static_cast<std::size_t>(algorithm)]; }

std::optional<Algorithm> algorithm_named(std::string_view name) {
  if (name == "Ed25519") return Algorithm::eddsa;
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Algorithm>(found - kNames.begin());
}

std::size_t hash_bytes(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hs256:
    case Algorithm::rs256:
    case Algorithm::ps256:
    case Algorithm::es256:
      return 32;
    case Algorithm::hs384:
    case Algorithm::rs384:
    case Algorithm::ps384:
    case Algorithm::es384:
      return 48;
    default:
      return 64;
  }
}

}  // namespace auth
