#!/usr/bin/python3
"""The Autobahn test suite, server and client: ./dev torture autobahn [case patterns]

Needs its program `wstest`, named by the environment variable WSTEST or in PATH. It is written for Python 2.7, which Debian 12
does not have; with a Python 2.7 from elsewhere:  python2.7 -m virtualenv DIR; DIR/bin/pip install autobahntestsuite
Prints each result that is not OK. docs/evidence/autobahn.md says what came out and why.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import rig

WSTEST = os.environ.get("WSTEST") or shutil.which("wstest")
PROGRAM = pathlib.Path(rig.BINARY).parent / "conformance/autobahn_client"
FINE = ("OK", "INFORMATIONAL")


def report(side, folder):
    """Prints the results; returns how many failed."""
    (results,) = json.loads((folder / "index.json").read_text()).values()
    counts, failed = {}, 0
    for case in sorted(results, key=lambda name: [int(part) for part in name.split(".")]):
        kinds = results[case]["behavior"], results[case]["behaviorClose"]
        counts[kinds] = counts.get(kinds, 0) + 1
        if kinds[0] not in FINE or kinds[1] not in FINE:
            print(f"{side} {case}: {kinds[0]}, close {kinds[1]}")
            failed += "FAILED" in kinds or "WRONG CODE" in kinds
    print(f"{side}: {len(results)} cases: " + ", ".join(f"{n} {a}/{b}" for (a, b), n in sorted(counts.items())), flush=True)
    return failed


KEEP = os.environ.get("REPORTS")  # a folder that keeps the reports of the suite


def server_side(cases, folder):
    # The suite's limit cases send up to 16 MiB; 10.x and 12.x many fragments.
    with rig.Server("--limits-message-bytes-max=64MiB", "--limits-queue-bytes-max=128MiB", "--limits-fragments-max=10000",
                    "--limits-message-time-max=2m", "--websocket-deflate-context-takeover") as server:
        spec = folder / "client.json"
        spec.write_text(json.dumps({
            "outdir": str(folder / "server"), "servers": [{"agent": "wirebird", "url": f"ws://127.0.0.1:{server.port}/echo"}],
            "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}}))
        subprocess.run([WSTEST, "-m", "fuzzingclient", "-s", str(spec)], check=True, stdout=subprocess.DEVNULL)
    return report("server", folder / "server")


def client_side(cases, folder):
    port, keeper = rig.reserve_port()
    spec = folder / "server.json"
    spec.write_text(json.dumps({"url": f"ws://127.0.0.1:{port}", "outdir": str(folder / "client"), "cases": cases, "exclude-cases": [],
                                "exclude-agent-cases": {}}))
    with subprocess.Popen([WSTEST, "-m", "fuzzingserver", "-s", str(spec), "-u", "0"], stdout=subprocess.PIPE, text=True) as suite:
        while "Using explicit case" not in (line := suite.stdout.readline()) and "Ok, will run" not in line:
            if not line:
                sys.exit("wstest ended")
        subprocess.run([str(PROGRAM), str(port)], check=True)
        suite.terminate()
    return report("client", folder / "client")


def main():
    if not WSTEST:
        sys.exit(__doc__)
    cases = sys.argv[1:] or ["*"]
    with contextlib.nullcontext(KEEP) if KEEP else tempfile.TemporaryDirectory(prefix="wirebird-autobahn-") as name:
        folder = pathlib.Path(name)
        failed = server_side(cases, folder)
        if PROGRAM.exists():
            failed += client_side(cases, folder)
        else:
            print(f"no {PROGRAM}: cmake --build BUILD --target autobahn_client")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
