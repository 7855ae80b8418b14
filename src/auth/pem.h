// PEM (RFC 7468): labelled blocks of base64 in a text, as openssl writes them. Text between the blocks is a remark and
// ignored. Blocks with headers inside (encrypted keys of the old form) are not read. Stateless; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

struct PemBlock {
  std::string label;  // "PUBLIC KEY"
  std::string bytes;  // DER, as far as is known here
};

// The blocks in their order, none if there are none. The error is the end of a sentence that begins with the name of
// the file.
std::expected<std::vector<PemBlock>, std::string_view> parse_pem(std::string_view text);

}  // namespace auth
