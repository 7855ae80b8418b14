// Where the server is and who we are, as a person says it: the same for every use of the client library.
#pragma once

#include <cstdint>
#include <string>

namespace client {

struct Endpoint {
  // http://host[:port], https://, ws://, wss:// (http and ws mean the same here), or unix:/path/to.sock. A path is a
  // prefix before /ws and /pub ("https://host/push" behind a proxy); bench takes it as it is.
  std::string url = "http://127.0.0.1:8000";
  std::string token;                                                      // Authorization: Bearer; empty: none
  std::string tls_ca_file;                                                // PEM; empty: the system's
  enum class Verify : std::uint8_t { yes, no } tls_verify = Verify::yes;  // no: for tests only
};

}  // namespace client
