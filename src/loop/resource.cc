#include "loop/resource.h"

#include <dirent.h>
#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace loop {

namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The words of a file's first line; none if there is no such file.
std::vector<std::string> first_words(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

// The folders that may limit this process for one controller: its group and every parent, under both versions' mounts.
// A container often sees only the root of its own group at the mount, whatever path /proc tells; the walk ends there.
std::vector<std::string> group_folders(const std::string& root, std::string_view controller) {
  std::vector<std::string> folders;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:memory:/path" or, version 2, "0::/path"
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line.size() == second + 1 || line[second + 1] != '/') continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::vector<std::string> mounts;
    if (controllers.empty()) {
      mounts = {root + "/sys/fs/cgroup", root + "/sys/fs/cgroup/unified"};
    } else if (("," + controllers + ",").find("," + std::string(controller) + ",") != std::string::npos) {
      mounts = {root + "/sys/fs/cgroup/" + controllers, root + "/sys/fs/cgroup/" + std::string(controller)};
    }
    for (const std::string& mount : mounts) {
      std::string path = line.substr(second + 1);
      while (path.size() > 1) {
        folders.push_back(mount + path);
        path.resize(std::max<std::size_t>(1, path.rfind('/')));
      }
      folders.push_back(mount);
    }
  }
  return folders;
}

std::uint64_t first_number(const std::string& path) {
  const std::vector<std::string> words = first_words(path);
  return words.empty() ? kUnlimited : to_number(words[0]).value_or(kUnlimited);  // "max" is no number
}

std::uint64_t machine_memory(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);  // "MemTotal:  16384 kB"
    std::string name;
    std::uint64_t kilobytes = 0;
    if (words >> name >> kilobytes && name == "MemTotal:") return kilobytes * 1024;
  }
  return kUnlimited;
}

// Quota over period, rounded up; 0: no quota.
unsigned quota_processors(const std::string& quota_text, const std::string& period_text) {
  const std::optional<std::uint64_t> quota = to_number(quota_text);  // "max" and -1: none
  const std::optional<std::uint64_t> period = to_number(period_text);
  if (!quota || !period || *quota == 0 || *period == 0) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>(1 + (*quota - 1) / *period, 1 << 20));
}

}  // namespace

void tune_allocator() { static_cast<void>(::mallopt(M_MXFAST, 0)); }  // the cache of each thread stays

void return_free_memory() { static_cast<void>(::malloc_trim(0)); }

double processor_seconds() {
  timespec used{};
  static_cast<void>(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used));
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::uint64_t resident_bytes() {
  const std::vector<std::string> words = first_words("/proc/self/statm");  // total, resident, ... in pages
  if (words.size() < 2) return 0;
  return to_number(words[1]).value_or(0) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t memory_limit_bytes(const std::string& root) {
  std::uint64_t limit = machine_memory(root);
  for (const std::string& folder : group_folders(root, "memory")) {
    limit = std::min({limit, first_number(folder + "/memory.max"), first_number(folder + "/memory.limit_in_bytes")});
  }
  return limit;
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
  }
  return descriptor_limit();
}

std::uint64_t open_descriptors() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(folder);
  return count - 1;  // the folder itself
}

unsigned processor_count(const std::string& root) {
  unsigned count = 1;
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) count = static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  for (const std::string& folder : group_folders(root, "cpu")) {
    std::vector<std::string> words = first_words(folder + "/cpu.max");  // version 2: "quota period"
    if (words.size() != 2) {
      words = first_words(folder + "/cpu.cfs_quota_us");
      std::ranges::copy(first_words(folder + "/cpu.cfs_period_us"), std::back_inserter(words));
    }
    if (words.size() != 2) continue;
    if (const unsigned allowed = quota_processors(words[0], words[1]); allowed > 0) count = std::min(count, allowed);
  }
  return count;
}

}  // namespace loop
