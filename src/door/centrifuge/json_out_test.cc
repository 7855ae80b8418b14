#include "door/centrifuge/json_out.h"

#include <gtest/gtest.h>

#include "codec/json_in.h"
#include "door/centrifuge/protobuf_out.h"

namespace door::centrifuge {
namespace {

std::string publication(Payload data) {
  std::string out;
  append_json(out, Reply{0, {}, Push{0, "c", Publication{.data = data}}});
  EXPECT_EQ(codec::check_json(out), base::Error::none) << out;
  EXPECT_EQ(out.find('\n'), std::string::npos);
  return out;
}

TEST(CentrifugeJsonOut, EveryKindOfPayload) {
  EXPECT_EQ(publication({R"({"any":1.10})", hub::Kind::json}),
            R"({"push":{"channel":"c","pub":{"data":{"any":1.10}}}})");
  EXPECT_EQ(publication({"he\"llo\n", hub::Kind::text}), R"({"push":{"channel":"c","pub":{"data":"he\"llo\n"}}})");
  EXPECT_EQ(publication({"", hub::Kind::text}), R"({"push":{"channel":"c","pub":{"data":""}}})");
  EXPECT_EQ(publication({{"\0\n\2", 3}, hub::Kind::binary}),
            R"({"push":{"channel":"c","pub":{"data":{"base64":"AAoC"}}}})");
  EXPECT_EQ(publication({"", hub::Kind::binary}), R"({"push":{"channel":"c","pub":{"data":{"base64":""}}}})");
  EXPECT_EQ(publication({}), R"({"push":{"channel":"c","pub":{}}})");
}

TEST(CentrifugeJsonOut, NamesAreEscaped) {
  std::string out;
  append_json(out, Reply{0, {}, PresenceResult{{{"a\"\n", {"u\\", "", {}, {}}}}}});
  EXPECT_EQ(out, R"({"presence":{"presence":{"a\"\n":{"user":"u\\","client":""}}}})");
}

TEST(CentrifugeJsonOut, Appends) {
  std::string out = "{}\n";
  append_json(out, Reply{});
  out += '\n';
  append_json(out, Reply{1, {}, PingResult{}});
  EXPECT_EQ(out, "{}\n{}\n{\"id\":1,\"ping\":{}}");
}

TEST(CentrifugeProtobufOut, EveryKindOfPayloadIsItsBytes) {
  for (const hub::Kind kind : {hub::Kind::json, hub::Kind::text, hub::Kind::binary}) {
    std::string out;
    append_protobuf_bare(out, Push{0, "", Publication{.data = {"12", kind}}});
    EXPECT_EQ(out, "\x22\x04\x22\x02\x31\x32");
    out.clear();
    append_protobuf_bare(out, Push{0, "", Publication{.data = {"", kind}}});
    EXPECT_EQ(out, std::string("\x22\x00", 2));
  }
}

TEST(CentrifugeProtobufOut, LengthsOfSeveralBytes) {
  for (const std::size_t size : {0U, 1U, 119U, 120U, 121U, 127U, 128U, 16'383U, 16'384U, 3'000'000U}) {
    const std::string data(size, 'x');
    std::string out = "before";
    append_protobuf(out, Reply{0, {}, RpcResult{{data}}});
    const std::string_view framed = std::string_view(out).substr(6);
    std::uint64_t length = 0;
    std::size_t at = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(framed[at++]);
      length |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) break;
    }
    EXPECT_EQ(length, framed.size() - at) << size;
    EXPECT_TRUE(framed.ends_with(data));
  }
}

}  // namespace
}  // namespace door::centrifuge
