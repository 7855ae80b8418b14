#include "server/out_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/entropy.h"

namespace server {
namespace {

std::string unwritten(const OutQueue& queue) {
  std::array<std::string_view, OutQueue::kSlicesMax> slices;
  std::string text;
  for (std::size_t i = 0, count = queue.gather(slices); i < count; ++i) text += slices[i];
  return text;
}

TEST(OutQueue, ShortWritesLoseNothingAndRepeatNothing) {
  base::SeededEntropy entropy(1);
  OutQueue queue;
  std::string expected, written;
  for (int step = 0; step < 20000; ++step) {
    if (entropy.below(2) == 0) {
      const std::string block(1 + entropy.below(20), static_cast<char>('a' + entropy.below(26)));
      queue.push(base::SharedBytes::copy(block));
      expected += block;
    } else if (const std::string left = unwritten(queue); !left.empty()) {
      const std::size_t count = 1 + entropy.below(static_cast<std::uint32_t>(left.size()));
      written += left.substr(0, count);
      queue.written(count);
    }
    ASSERT_EQ(queue.bytes(), expected.size() - written.size());
    ASSERT_EQ(queue.empty(), queue.bytes() == 0);
  }
  while (!queue.empty()) {
    const std::string left = unwritten(queue);
    written += left;
    queue.written(left.size());
  }
  EXPECT_EQ(written, expected);
}

TEST(OutQueue, DroppingKeepsTheBlockThatIsPartlyWritten) {
  OutQueue queue;
  queue.push(base::SharedBytes::copy("first"));
  queue.push(base::SharedBytes::copy("second"));
  queue.written(2);
  queue.drop_unsent();
  EXPECT_EQ(unwritten(queue), "rst");
  queue.written(3);
  EXPECT_TRUE(queue.empty());
  queue.push(base::SharedBytes::copy("third"));
  queue.drop_unsent();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
}

}  // namespace
}  // namespace server
