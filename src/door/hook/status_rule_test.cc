#include "door/hook/status_rule.h"

#include <gtest/gtest.h>

namespace door::hook {
namespace {

TEST(StatusRule, Parsed) {
  EXPECT_EQ(parse_status_rule("403 error 1403 not allowed"), (StatusRule{403, Error{1403, "not allowed", false}}));
  EXPECT_EQ(parse_status_rule("429 temporary 1429 too many"), (StatusRule{429, Error{1429, "too many", true}}));
  EXPECT_EQ(parse_status_rule("401 disconnect 4501 unauthorized"), (StatusRule{401, Disconnect{4501, "unauthorized"}}));
  EXPECT_EQ(parse_status_rule("404 error 1404"), (StatusRule{404, Error{1404, "", false}}));
}

TEST(StatusRule, Refused) {
  for (const auto* text : {"",
                           "403",
                           "403 error",
                           "error 403 1403",
                           "403 error x",
                           "403 error 2000 a",
                           "403 error 1 a",
                           "99 error 1403 a",
                           "600 error 1403 a",
                           "200 error 1403 a",
                           "403 Error 1403 a",
                           "403  error 1403 a",
                           "403 disconnect 1403 a",
                           "403 disconnect 5000 a",
                           "403 disconnect 4001 a reason of more than thirty-two bytes",
                           "403 disconnect 4001 caf\xc3\xa9",
                           "403 error 1403 \xff",
                           "-403 error 1403 a",
                           "403 error -1403 a",
                           "4294967699 error 1403 a"}) {
    EXPECT_FALSE(parse_status_rule(text)) << text;
  }
}

TEST(StatusRule, Found) {
  const StatusRule rules[] = {{403, Error{1403, "", false}}, {500, Disconnect{4000, ""}}};
  EXPECT_EQ(find_rule(rules, 403), &rules[0]);
  EXPECT_EQ(find_rule(rules, 500), &rules[1]);
  EXPECT_EQ(find_rule(rules, 404), nullptr);
}

}  // namespace
}  // namespace door::hook
