#!/usr/bin/python3
"""The reconnect property for as long as you like: ./dev torture reconnect [runs] [reconnects per run]. Each run has its own seed."""
import os
import subprocess
import sys

runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
reconnects = sys.argv[2] if len(sys.argv) > 2 else "20000"
for seed in range(1, runs + 1):
    print(f"seed {seed} of {runs}", flush=True)
    environment = {**os.environ, "SEED": str(seed), "RECONNECTS": reconnects}
    test = os.path.join(os.path.dirname(os.path.abspath(__file__)), "test_reconnect.py")
    if subprocess.run([sys.executable, test], env=environment).returncode != 0:
        sys.exit(f"failed with seed {seed}")
