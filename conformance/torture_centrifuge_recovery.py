#!/usr/bin/python3
"""The recovery property for as long as you like: ./dev torture centrifuge_recovery [reconnects] [first seed] [runs]. Each run has its
own seed and its share of the reconnects, on 1 to 4 workers and once more where the histories hold everything. The last lines are tables."""
import collections
import json
import os
import re
import subprocess
import sys

reconnects = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
runs = int(sys.argv[3]) if len(sys.argv) > 3 else 2
test = os.path.join(os.path.dirname(os.path.abspath(__file__)), "test_centrifuge_recovery.py")
COLUMNS = ("connections", "reconnects", "recovered", "lost", "either", "false positions", "error 112", "unsubscribed 2500", "closed 3008", "messages", "published")
MAPS = ("recovered", "synchronised", "error 112", "pages of state", "pages of changes", "checks", "published")
streams, maps = collections.Counter(), collections.Counter()
failed = False
for seed in range(first, first + runs):
    environment = {**os.environ, "SEED": str(seed), "RECONNECTS": str(reconnects // (5 * runs)), "CLIENTS": "24", "SECONDS_MAX": "1200"}
    run = subprocess.run([sys.executable, test], env=environment, stderr=subprocess.PIPE, text=True)
    print(f"seed {seed}:", flush=True)
    for line in re.findall(r"\{\".*\}", run.stderr):
        print(f"  {line}", flush=True)
        run_of = json.loads(line)
        columns, sums = (MAPS, maps) if run_of.pop("maps", False) else (COLUMNS, streams)
        sums.update({key: value for key, value in run_of.items() if key in columns})
    if run.returncode != 0:
        failed = True
        print(run.stderr)
for what, columns, sums in (("streams", COLUMNS, streams), ("maps", MAPS, maps)):
    print(f"\n{what}\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns) + "\n| " + " | ".join(f"{sums[column]:,}" for column in columns) + " |")
sys.exit(failed)
