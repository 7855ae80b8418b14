#include "client/bench/process_usage.h"

#include <gtest/gtest.h>

#include <string>

namespace client::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStat =
    "4242 (wirebird) S 1 4242 4242 34816 4242 4194304 1234 0 5 0 321 99 7 8 20 0 3 0 123456 12345678 999 "
    "18446744073709551615\n";
constexpr std::string_view kStatus =
    "Name:\twirebird\nUmask:\t0022\nState:\tS (sleeping)\nVmHWM:\t   20000 kB\nVmRSS:\t   10240 kB\nThreads:\t3\n";

TEST(ProcessUsage, ReadsTheTextsOfProc) {
  const auto usage = read_process_usage(kStat, kStatus, 100);
  ASSERT_TRUE(usage);
  EXPECT_EQ(*usage, (ProcessUsage{3210ms, 990ms, 10240 * 1024}));
  EXPECT_EQ(read_process_usage(kStat, kStatus, 1000)->user, 321ms);
}

TEST(ProcessUsage, ANameMayHoldAnything) {
  std::string stat(kStat);
  stat.replace(stat.find("(wirebird)"), 10, "(a) R 1 (b) c)");
  EXPECT_EQ(read_process_usage(stat, kStatus, 100)->system, 990ms);
}

TEST(ProcessUsage, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(read_process_usage("", "", 100));
  EXPECT_FALSE(read_process_usage(kStat, "", 100));
  EXPECT_FALSE(read_process_usage(kStat, "Name:\tzombie\nState:\tZ (zombie)\n", 100));
  EXPECT_FALSE(read_process_usage(kStat, kStatus, 0));
  for (std::size_t cut = 0; cut < kStat.find(" 321 99 ") + 5; ++cut) {
    EXPECT_FALSE(read_process_usage(kStat.substr(0, cut), kStatus, 100)) << cut;
  }
}

}  // namespace
}  // namespace client::bench
