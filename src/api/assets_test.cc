#include "api/assets.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <string>

namespace api {
namespace {

std::string gunzip(std::string_view compressed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string in{compressed};
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    char chunk[16 * 1024];
    stream.next_out = reinterpret_cast<Bytef*>(chunk);
    stream.avail_out = sizeof chunk;
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(chunk, sizeof chunk - stream.avail_out);
  }
  EXPECT_EQ(result, Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

TEST(Assets, AreSortedAndHaveAFrontPage) {
  EXPECT_EQ(std::ranges::adjacent_find(assets(), std::ranges::greater_equal{}, &Asset::path), assets().end());
  ASSERT_NE(find_asset("/"), nullptr);
  EXPECT_EQ(find_asset("/")->content_type, "text/html; charset=utf-8");
}

TEST(Assets, AreFoundByTheirExactPath) {
  for (const Asset& asset : assets()) EXPECT_EQ(find_asset(asset.path), &asset);
  for (const std::string_view path : {"", "//", "/index.html", "/assets/", "/assets/../", "/zzz"}) {
    EXPECT_EQ(find_asset(path), nullptr) << path;
  }
}

TEST(Assets, HaveStrongQuotedEtags) {
  for (const Asset& asset : assets()) {
    EXPECT_GT(asset.etag.size(), 2U);
    EXPECT_TRUE(asset.etag.starts_with('"') && asset.etag.ends_with('"')) << asset.etag;
  }
}

TEST(Assets, CompressedFormIsTheSameAndSmaller) {
  for (const Asset& asset : assets()) {
    if (asset.gzip.empty()) continue;
    EXPECT_LT(asset.gzip.size(), asset.bytes.size()) << asset.path;
    EXPECT_EQ(gunzip(asset.gzip), asset.bytes) << asset.path;
  }
}

TEST(Assets, OnlyHashedNamesAreKeptForEver) {
  EXPECT_FALSE(is_immutable({"/", "", "", "", ""}));
  EXPECT_FALSE(is_immutable({"/favicon.svg", "", "", "", ""}));
  EXPECT_TRUE(is_immutable({"/assets/index-3f2a9c1b.js", "", "", "", ""}));
}

// The Content-Security-Policy would break such a page.
TEST(Assets, FrontPageHasNoInlineScriptAndNoOtherHost) {
  const std::string_view page = find_asset("/")->bytes;
  EXPECT_EQ(page.find("<script>"), std::string_view::npos);
  EXPECT_EQ(page.find(" onclick="), std::string_view::npos);
  EXPECT_EQ(page.find("https://"), std::string_view::npos);
  EXPECT_EQ(page.find("http://"), std::string_view::npos);
}

}  // namespace
}  // namespace api
