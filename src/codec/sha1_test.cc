#include "codec/sha1.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/base64.h"

namespace codec {
namespace {

std::string digest64(std::string_view bytes) {
  const auto digest = sha1(bytes);
  return base64_encode({digest.data(), digest.size()});
}

TEST(Sha1, KnownDigests) {
  EXPECT_EQ(digest64(""), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
  EXPECT_EQ(digest64("abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
  // The example of RFC 6455 section 1.3.
  EXPECT_EQ(digest64("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace codec
