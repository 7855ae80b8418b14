#include "client/bench/sequence.h"

#include <gtest/gtest.h>

namespace client::bench {
namespace {

TEST(Sequence, CountsLostAndDoubled) {
  Sequence sequence;
  EXPECT_EQ(sequence.receive(0), Sequence::Verdict::expected);
  EXPECT_EQ(sequence.receive(0), Sequence::Verdict::again);
  EXPECT_EQ(sequence.receive(3), Sequence::Verdict::jumped);
  EXPECT_EQ(sequence.receive(4), Sequence::Verdict::expected);
  sequence.end(10);
  EXPECT_EQ(sequence.lost(), 2u + 5u);
  EXPECT_EQ(sequence.doubled(), 1u);
  Sequence late(5);
  EXPECT_EQ(late.receive(5), Sequence::Verdict::expected);
  late.end(6);
  EXPECT_EQ(late.lost(), 0u);
}

}  // namespace
}  // namespace client::bench
