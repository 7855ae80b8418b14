#include "codec/sha1.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace codec {

std::array<char, 20> sha1(std::string_view bytes) noexcept {
  std::array<unsigned char, 20> digest{};
  unsigned size = 0;
  ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  ASSERT(size == digest.size());
  std::array<char, 20> result;
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<char>(digest[i]);
  return result;
}

}  // namespace codec
