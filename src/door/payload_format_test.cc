#include "door/payload_format.h"

#include <gtest/gtest.h>

namespace door {
namespace {

using base::Error;
using hub::Kind;

Error answer(PayloadFormat format, Kind kind, std::string_view payload) {
  const auto checked = check_payload(format, kind, payload);
  return checked ? Error::none : checked.error().error;
}

TEST(PayloadFormat, EveryFormatWithEveryKind) {
  struct Row {
    Kind kind;
    std::string_view payload;
    bool json, json_object, binary;
  };
  const Row rows[] = {
      {Kind::json, "{}", true, true, false},    {Kind::json, " \t{\"a\":1}", true, true, false},
      {Kind::json, "[{}]", true, false, false}, {Kind::json, "\"{\"", true, false, false},
      {Kind::json, "1", true, false, false},    {Kind::text, "{}", false, false, false},
      {Kind::binary, "{}", false, false, true}, {Kind::binary, "", false, false, true},
      {Kind::text, "", false, false, false},
  };
  const auto expected = [](bool taken) { return taken ? Error::none : Error::payload_format; };
  for (const Row& row : rows) {
    EXPECT_EQ(answer(PayloadFormat::any, row.kind, row.payload), Error::none) << row.payload;
    EXPECT_EQ(answer(PayloadFormat::json, row.kind, row.payload), expected(row.json)) << row.payload;
    EXPECT_EQ(answer(PayloadFormat::json_object, row.kind, row.payload), expected(row.json_object)) << row.payload;
    EXPECT_EQ(answer(PayloadFormat::binary, row.kind, row.payload), expected(row.binary)) << row.payload;
  }
}

}  // namespace
}  // namespace door
