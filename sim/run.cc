// sim_run --seed N [--count N] [--reconnects N] [--stepped-clock 1]: replays runs of the reconnect property and says
// what became of them.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "sim/reconnect_run.h"

namespace {

void print(std::uint64_t seed, const sim::ReconnectRun& run) {
  const sim::Verdict& verdict = run.verdict;
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), run.shape.c_str());
  std::printf("  reconnects %llu, visits %llu, messages told %llu, turns %llu, trace %016llx\n",
              static_cast<unsigned long long>(verdict.reconnects), static_cast<unsigned long long>(verdict.visits),
              static_cast<unsigned long long>(verdict.messages), static_cast<unsigned long long>(run.turns),
              static_cast<unsigned long long>(run.trace));
  std::printf("  resumed %llu, gaps %llu (either was right: %llu), cut before an answer %llu, live gaps %llu\n",
              static_cast<unsigned long long>(verdict.recovered), static_cast<unsigned long long>(verdict.gaps),
              static_cast<unsigned long long>(verdict.either), static_cast<unsigned long long>(verdict.unknown),
              static_cast<unsigned long long>(verdict.live_gaps));
  for (const std::string& problem : verdict.problems) std::printf("  PROBLEM %s\n", problem.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 1, count = 1, reconnects = 500;
  bool stepped = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seed") seed = value;
    if (name == "--count") count = value;
    if (name == "--reconnects") reconnects = value;
    if (name == "--stepped-clock") stepped = value != 0;
  }
  bool failed = false;
  sim::Verdict total;
  for (std::uint64_t each = seed; each < seed + count; ++each) {
    const sim::ReconnectRun run =
        sim::run_reconnects(stepped ? sim::stepped_options_of(each, reconnects) : sim::options_of(each, reconnects));
    print(each, run);
    failed = failed || !run.verdict.problems.empty();
    total.add(run.verdict);
  }
  std::printf("%llu seeds, %llu reconnects, %llu messages: %s\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(total.reconnects), static_cast<unsigned long long>(total.messages),
              failed ? "FAILED" : "fine");
  return failed ? 1 : 0;
}
