#include "loop/resource.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "loop/test_sockets.h"

namespace loop {
namespace {

// A machine made of files.
class Machine {
 public:
  Machine& file(const std::string& path, const std::string& content) {
    const std::filesystem::path full = root() + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << content;
    return *this;
  }
  std::string root() const { return folder_ / "root"; }

 private:
  test::Folder folder_;
};

constexpr std::uint64_t kMiB = 1 << 20;
constexpr const char* kMeminfo = "MemTotal:        4194304 kB\nMemFree:          100000 kB\n";

TEST(Resource, MemoryOfTheMachineWithoutGroups) {
  Machine machine;
  machine.file("/proc/meminfo", kMeminfo);
  EXPECT_EQ(memory_limit_bytes(machine.root()), 4096 * kMiB);
}

TEST(Resource, MemoryOfTheTightestGroupVersion2) {
  Machine machine;
  machine.file("/proc/meminfo", kMeminfo)
      .file("/proc/self/cgroup", "0::/system.slice/wirebird.service\n")
      .file("/sys/fs/cgroup/system.slice/wirebird.service/memory.max", "max\n")
      .file("/sys/fs/cgroup/system.slice/memory.max", "536870912\n");
  EXPECT_EQ(memory_limit_bytes(machine.root()), 512 * kMiB);
  machine.file("/sys/fs/cgroup/system.slice/wirebird.service/memory.max", "268435456\n");
  EXPECT_EQ(memory_limit_bytes(machine.root()), 256 * kMiB);
}

TEST(Resource, MemoryOfAContainerThatSeesOnlyItsOwnGroup) {
  Machine machine;
  machine.file("/proc/meminfo", kMeminfo)
      .file("/proc/self/cgroup", "0::/../../outside\n")
      .file("/sys/fs/cgroup/memory.max", "134217728\n");
  EXPECT_EQ(memory_limit_bytes(machine.root()), 128 * kMiB);
}

TEST(Resource, MemoryOfVersion1) {
  Machine machine;
  machine.file("/proc/meminfo", kMeminfo)
      .file("/proc/self/cgroup", "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n")
      .file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(memory_limit_bytes(machine.root()), 4096 * kMiB);
  machine.file("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "67108864\n");
  EXPECT_EQ(memory_limit_bytes(machine.root()), 64 * kMiB);
}

TEST(Resource, NonsenseInGroupFilesIsNoLimit) {
  Machine machine;
  machine.file("/proc/meminfo", kMeminfo)
      .file("/proc/self/cgroup", "nonsense\n0::\n:\n4:memory\n1::x\n0::/a\n")
      .file("/sys/fs/cgroup/a/memory.max", "12x\n")
      .file("/sys/fs/cgroup/memory.max", "");
  EXPECT_EQ(memory_limit_bytes(machine.root()), 4096 * kMiB);
}

TEST(Resource, ProcessorsAreCutByTheQuota) {
  const unsigned here = processor_count("/nonexistent");
  EXPECT_GE(here, 1u);
  EXPECT_LE(here, std::max(1u, std::thread::hardware_concurrency()));

  Machine machine;
  machine.file("/proc/self/cgroup", "0::/a\n").file("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(processor_count(machine.root()), here);
  machine.file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  EXPECT_EQ(processor_count(machine.root()), 1u);
  machine.file("/sys/fs/cgroup/a/cpu.max", "100001 100000\n");
  EXPECT_EQ(processor_count(machine.root()), std::min(here, 2u));

  Machine old;
  old.file("/proc/self/cgroup", "5:cpu,cpuacct:/\n")
      .file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
      .file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(processor_count(old.root()), here);
  old.file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
  EXPECT_EQ(processor_count(old.root()), 1u);
}

TEST(Resource, ThisProcess) {
  const std::uint64_t before = resident_bytes();
  EXPECT_GT(before, kMiB);
  constexpr std::size_t kMuch = 64 * kMiB;
  void* const pages = ::mmap(nullptr, kMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  EXPECT_GT(resident_bytes(), before + kMuch / 2);
  ::munmap(pages, kMuch);
  EXPECT_GT(memory_limit_bytes(), 64 * kMiB);

  const std::uint64_t open = open_descriptors();
  const int one = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(open_descriptors(), open + 1);
  ::close(one);

  const std::uint64_t limit = raise_descriptor_limit();
  EXPECT_EQ(limit, descriptor_limit());
  EXPECT_GT(limit, open);
}

}  // namespace
}  // namespace loop
