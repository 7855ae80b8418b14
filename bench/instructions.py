#!/usr/bin/python3
"""User instructions per delivery, counted by callgrind, against the record in bench/instructions.json.

    ./dev bench instructions [--record]

Instructions do not depend on what else the machine does, so a change that makes a delivery dearer is seen at once: more than
5 % above the record fails. A figure rises in the record only in a commit that names the cause; one that fell by more than 5 %
should be recorded. `--record` writes what was counted.

Each figure is the difference of two runs with different numbers of rounds, so that start, connecting and ending drop out; one
round is in flight, so that every turn does the same work.
"""
import argparse
import json
import pathlib
import re
import signal
import sys
import tempfile

import contestants
from processes import Failed, ROOT, run_json

RECORD = ROOT / "bench/instructions.json"
RECEIVERS, BYTES = 1000, 128
FEW, MANY = 10, 210  # rounds: so many that what varies while connecting is below 1 % of the difference
TOLERANCE = 0.05
BARE_MAX = 60  # of the bare loop, which makes one send(): a slow baseline is none


def collected(path):
    """The sum of a callgrind file."""
    return int(re.search(r"^(?:summary|totals): (\d+)", path.read_text(), re.MULTILINE)[1])


def callgrind(out):
    return ["valgrind", "--tool=callgrind", "-q", f"--callgrind-out-file={out}"]


def of_server(contestant, programs, rounds, k, deflate=False):
    """(instructions, deliveries) of a server's whole life."""
    with tempfile.TemporaryDirectory(prefix="wirebird-bench-") as place:
        out = pathlib.Path(place, "callgrind")
        server = contestant.start(place)
        server.command = callgrind(out) + server.command
        with server:
            report = run_json([programs["drain"], "fan-out", "--port", server.port, "--connections", RECEIVERS, "--bytes", BYTES,
                               "--k", k, "--rounds", rounds, "--warm", 1, "--in-flight", 1, "--stall-ms", 60000,
                               *contestant.flags("fan-out", BYTES), *(["--deflate", "yes"] if deflate else [])])
            if not report["flawless"]:
                raise Failed(f"the run was not flawless: {report}\n{server.log_path.read_text(errors='replace')[-2000:]}")
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(60)
        return collected(out), report["taken_in_all"]


def of_limit(programs, rounds, k):
    with tempfile.TemporaryDirectory(prefix="wirebird-bench-") as place:
        out = pathlib.Path(place, "callgrind")
        frame = BYTES + 4  # with the head of a server's frame
        report = run_json(callgrind(out) + [programs["limit"], "fan-out", "--connections", RECEIVERS, "--bytes", frame, "--k", k,
                                            "--rounds", rounds, "--warm", 1])
        if not report["flawless"]:
            raise Failed(f"the run was not flawless: {report}")
        return collected(out), report["deliveries"] + RECEIVERS * k


def plain(k, deflate=False, batcher=False):
    return lambda programs, rounds: of_server(contestants.Wirebird(programs["wirebird"], batcher=batcher), programs, rounds, k, deflate)


def centrifuge(form, k, delta=False):
    return lambda programs, rounds: of_server(contestants.Centrifuge(programs["wirebird"], form, delta, batcher=False), programs,
                                              rounds, k)


CASES = {
    "1 message per turn": plain(1),
    "16 messages per turn": plain(16),
    "1 message per turn, deflate": plain(1, deflate=True),
    "1 message per turn, batcher": plain(1, batcher=True),
    "Centrifuge JSON, 1 message per turn": centrifuge("JSON", 1),
    "Centrifuge JSON, 16 messages per turn": centrifuge("JSON", 16),
    "Centrifuge Protobuf, 1 message per turn": centrifuge("Protobuf", 1),
    "Centrifuge Protobuf, 16 messages per turn": centrifuge("Protobuf", 16),
    "Centrifuge JSON, delta": centrifuge("JSON", 1, delta=True),
    "Centrifuge Protobuf, delta": centrifuge("Protobuf", 1, delta=True),
    "bare loop, 1 message per send": lambda programs, rounds: of_limit(programs, rounds, 1),
    "bare loop, 16 messages per send": lambda programs, rounds: of_limit(programs, rounds, 16),
}


def count(case, programs):
    few, many = case(programs, FEW), case(programs, MANY)
    return (many[0] - few[0]) / (many[1] - few[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build/release"), help="folder with the binaries")
    parser.add_argument("--binary", help="the server, if it is not the one in the build folder")
    parser.add_argument("--only", help="cases whose name contains this; the others keep their record")
    parser.add_argument("--record", action="store_true", help="write what was counted to bench/instructions.json")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    programs = {"wirebird": pathlib.Path(options.binary).resolve() if options.binary else build / "wirebird",
                "drain": build / "bench/bench_drain", "limit": build / "bench/bench_limit"}
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    counted, failed = dict(record), False
    for name, case in CASES.items():
        if options.only and options.only not in name:
            continue
        value = counted[name] = round(count(case, programs), 1)
        recorded = record.get(name)
        verdict = "not recorded yet"
        if recorded:
            change = value / recorded - 1
            verdict = f"recorded {recorded}, {change:+.1%}"
            if change > TOLERANCE:
                verdict += "  FAIL: find the cause, or name it in the commit that records this (--record)"
                failed = True
            elif change < -TOLERANCE:
                verdict += "  better: lower the record (--record)"
        if name.startswith("bare") and value > BARE_MAX:
            verdict += f"  FAIL: the baseline may take {BARE_MAX}"
            failed = True
        print(f"{name:41} {value:8.1f} user instructions per delivery  ({verdict})", flush=True)
    if options.record:
        RECORD.write_text(json.dumps({name: counted[name] for name in CASES if name in counted}, indent=2) + "\n", encoding="utf-8")
        return 0
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"instructions: {failure}")
