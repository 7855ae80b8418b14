#!/usr/bin/python3
"""The recovery property of the Centrifuge door in the simulator, for as long as you like: ./dev torture centrifuge_simulated [reconnects] [first seed].
A thousand reconnects per seed, in slices, over virtual time and network (sim/centrifuge). The last lines are a table."""
import collections
import os
import re
import subprocess
import sys
import time

reconnects = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
EACH, SLICE = 1000, 50
runner = os.path.join(os.path.dirname(os.path.abspath(os.environ["WIREBIRD"])), "sim", "sim_centrifuge_run")
COUNTS = ("connections", "reconnects", "messages told", "published", "joins and leaves", "recovered", "lost", "either was right", "from false places",
          "error 112", "cut before an answer", "with 2500", "with 3008", "with 3010", "new epochs")


def count(text, name):
    if name == "published":
        return int(re.search(r"of (\d+) published", text)[1])
    return int(re.search(re.escape(name) + r":? (\d+)", text)[1])


sums, failed, started = collections.Counter(), False, time.time()
seeds = range(first, first + -(-reconnects // EACH))
for seed in seeds[::SLICE]:
    many = min(SLICE, seeds[-1] + 1 - seed)
    run = subprocess.run([runner, "--seed", str(seed), "--count", str(many), "--reconnects", str(EACH)], stdout=subprocess.PIPE, text=True)
    total = run.stdout[run.stdout.rindex("\nseeds ") + 1 if "\nseeds " in run.stdout else 0:]
    for name in COUNTS:
        sums[name] += count(total, name)
    print(total.splitlines()[0], flush=True)
    if run.returncode != 0:
        failed = True
        print(run.stdout, flush=True)
print(f"\nseeds {seeds[0]} to {seeds[-1]}, {time.time() - started:.0f} s: {'FAILED' if failed else 'fine'}\n")
print("| what | how many |\n|---|---:|")
for name in COUNTS:
    print(f"| {name} | {sums[name]:,} |")
sys.exit(failed)
