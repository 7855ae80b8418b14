// sim_centrifuge [--seed N] [--count N] [--reconnects N] [--verbose 1]: replays runs of the recovery property of the
// Centrifuge door and says what became of them.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "sim/centrifuge/recovery_run.h"

namespace {

using sim::centrifuge::Verdict;
using Number = unsigned long long;

void print(const Verdict& verdict) {
  std::printf("  connections %llu, reconnects %llu, messages told %llu of %llu published, joins and leaves %llu\n",
              Number{verdict.connections}, Number{verdict.reconnects}, Number{verdict.messages},
              Number{verdict.published}, Number{verdict.joins});
  std::printf(
      "  subscriptions recovered %llu, lost %llu (either was right: %llu; from false places: %llu), error 112 %llu, "
      "cut before an answer %llu\n",
      Number{verdict.recovered}, Number{verdict.lost}, Number{verdict.either}, Number{verdict.false_places},
      Number{verdict.refused}, Number{verdict.unanswered});
  std::printf("  unsubscribed with 2500 %llu, closed with 3008 %llu, with 3010 %llu; new epochs %llu\n",
              Number{verdict.dismissed}, Number{verdict.slow}, Number{verdict.broken}, Number{verdict.epochs});
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 1, count = 1, reconnects = 400;
  bool verbose = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    if (name == "--seed") seed = value;
    if (name == "--count") count = value;
    if (name == "--reconnects") reconnects = value;
    if (name == "--verbose") verbose = value != 0;
  }
  bool failed = false;
  Verdict total;
  std::uint64_t trace = 0;
  for (std::uint64_t each = seed; each < seed + count; ++each) {
    const sim::centrifuge::RecoveryRun run =
        sim::centrifuge::run_recovery(sim::centrifuge::options_of(each, reconnects));
    trace = trace * 31 + run.trace;
    if (verbose || !run.verdict.problems.empty()) {
      std::printf("seed %llu: %s; trace %016llx\n", Number{each}, run.shape.c_str(), Number{run.trace});
      print(run.verdict);
    }
    for (const std::string& problem : run.verdict.problems) std::printf("  PROBLEM %s\n", problem.c_str());
    failed = failed || !run.verdict.problems.empty();
    total.add(run.verdict);
  }
  std::printf("seeds %llu to %llu, trace %016llx: %s\n", Number{seed}, Number{seed + count - 1}, Number{trace},
              failed ? "FAILED" : "fine");
  print(total);
  return failed ? 1 : 0;
}
