#include "door/centrifuge/key_bases.h"

#include <gtest/gtest.h>

#include <string>

namespace door::centrifuge {
namespace {

hub::MessageRef change(std::string key, std::string_view payload, bool removed = false) {
  return hub::Message::make(hub::Kind::json, payload, {}, {.key = std::move(key), .removed = removed});
}

TEST(KeyBases, EachKeyHasItsOwn) {
  KeyBases bases;
  const hub::MessageRef a1 = change("a", "1"), b1 = change("b", "2"), a2 = change("a", "3");
  EXPECT_EQ(bases.exchange(a1), nullptr);
  EXPECT_EQ(bases.exchange(b1), nullptr);
  EXPECT_EQ(bases.exchange(a2), a1);
  EXPECT_EQ(bases.exchange(change("b", "4")), b1);
  EXPECT_EQ(bases.size(), 2U);
}

TEST(KeyBases, WhatIsRemovedBeginsAnew) {
  KeyBases bases;
  bases.exchange(change("a", "1"));
  bases.exchange(change("a", "", true));
  EXPECT_EQ(bases.size(), 0U);
  EXPECT_EQ(bases.exchange(change("a", "2")), nullptr);
}

TEST(KeyBases, KeysOutliveTheMessagesThatBroughtThem) {
  KeyBases bases;
  bases.exchange(change("a key that is too long to lie inside of the string object itself", "1"));
  for (int n = 0; n < 3; ++n) {
    EXPECT_NE(bases.exchange(change("a key that is too long to lie inside of the string object itself", "2")), nullptr);
  }
}

TEST(KeyBases, AreBounded) {
  KeyBases bases;
  for (std::size_t n = 0; n < 2 * kKeyBasesMax; ++n) bases.exchange(change(std::to_string(n), "1"));
  EXPECT_EQ(bases.size(), kKeyBasesMax);
  EXPECT_NE(bases.exchange(change("0", "2")), nullptr);
  EXPECT_EQ(bases.exchange(change(std::to_string(2 * kKeyBasesMax - 1), "2")), nullptr);
  bases.exchange(change("0", "", true));
  bases.exchange(change("new", "1"));
  EXPECT_NE(bases.exchange(change("new", "2")), nullptr);
}

}  // namespace
}  // namespace door::centrifuge
