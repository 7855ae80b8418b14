#!/usr/bin/python3
"""Measures this server, the physical limit and other push servers, on this machine and in one run, and prints a page.

    ./dev bench [--quick] [--output docs/evidence/bench.md] [--json FILE] [--only fan-out,deflate,workers,latency,echo,memory,stalled,limit]

What the figures mean: docs/performance.md. `--smoke` is the test of the bench itself: few connections, few messages, this
server, the limit and, if it is there, npm's ws; it fails if anything was lost and looks at no time.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import contestants
import latency
import mail
import memory
import page
import speed
import stalled
from processes import Failed, ROOT, cpus

PARTS = ("fan-out", "deflate", "workers", "latency", "echo", "memory", "stalled", "limit")


class Rig:
    """What every measurement needs: the programs, the sizes, and where flaws are noted."""

    def __init__(self, options):
        build = pathlib.Path(options.build).resolve()
        self.binary = pathlib.Path(options.binary).resolve() if options.binary else build / "wirebird"
        programs = build / "bench"
        self.drain, self.limit = programs / "bench_drain", programs / "bench_limit"
        self.bare, self.bare_tls = programs / "bench_bare_server", programs / "bench_bare_tls"
        self.pin = None
        server, client = cpus(1)
        if server:
            self.pin = (*server, client)
        self.repetitions, self.rounds, self.receivers, self.echo_connections = 7, 200, 1000, 200
        self.idle, self.idle_tls = (500, 9500), (200, 2200)
        self.echo_sizes = (20, 1024, 16384)
        self.mail_receivers, self.held_receivers, self.paced_s = (100, 1000), (20, 100), 2
        self.fill = 150  # rounds of 16 messages, which fill the queues of those who do not read
        if options.quick:
            self.repetitions, self.rounds, self.idle, self.idle_tls, self.paced_s = 2, 50, (500, 3000), (100, 500), 1
        if options.smoke:
            self.repetitions, self.rounds, self.receivers, self.echo_connections = 1, 10, 50, 20
            self.idle, self.idle_tls, self.echo_sizes = (20, 100), (10, 30), (20, 16384)
            self.mail_receivers, self.held_receivers, self.paced_s = (20, 50), (5, 10), 0.05
        if options.repetitions:
            self.repetitions = options.repetitions
        self.flaws = []

    def note_flaw(self, entry):
        if entry.flaw() != "none":
            self.flaws.append(f"{entry.label}: {entry.flaw()}")


def certificate(place):
    """A certificate that lives as long as this run."""
    files = (f"{place}/certificate.pem", f"{place}/key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-out", files[0], "-keyout", files[1]],
                   check=True, capture_output=True)
    return files


def tables(rig, parts, peers, place):
    """Every table, one after the other."""
    ours, bare = contestants.Wirebird(rig.binary), contestants.Bare(rig.bare)
    everybody = [bare, ours, *peers]
    if "fan-out" in parts:
        each_send = contestants.Wirebird(rig.binary, batcher=False)
        yield speed.fan_out(rig, [each_send, *everybody], 1)
        yield speed.fan_out(rig, [each_send, *everybody], 16)
    if "deflate" in parts:
        yield speed.deflate(rig, ours, [contestants.Ws(deflate=True)] if any(peer.name == "ws (npm)" for peer in peers) else [])
    if "workers" in parts:
        two = contestants.Wirebird(rig.binary, 2)
        yield speed.workers(rig, ours, two)
        yield mail.between_workers(rig, two)
    if "latency" in parts:
        yield latency.to_the_last(rig, bare, ours)
        for receivers, rate, max_delay in zip(rig.held_receivers, (8000, 1000), ("1ms", "8ms")):
            yield latency.held_back(rig, ours, contestants.Wirebird(rig.binary, max_delay=max_delay), receivers, rate)
    if "echo" in parts:
        for size in rig.echo_sizes:
            yield speed.echo(rig, everybody, size)
    if "memory" in parts:
        yield memory.idle(rig, everybody)
        files = certificate(place)
        yield memory.tls(rig, contestants.Wirebird(rig.binary, tls=files), contestants.BareTls(rig.bare_tls, files))
    if "stalled" in parts:
        yield stalled.table(rig, rig.binary)
    if "limit" in parts:
        yield speed.alone(rig)


def introduction(rig, options, peers, missing):
    mode = " --smoke" if options.smoke else " --quick" if options.quick else ""
    servers = [f"wirebird {contestants.Wirebird(rig.binary).version()}"] + [f"{peer.name} {peer.version()}" for peer in peers]
    order = ", at real-time priority" if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR) else ""
    where = f"each server on CPU {rig.pin[0]}, the client on CPU {rig.pin[1]}" if rig.pin else "not pinned: one CPU"
    repetitions = f"{rig.repetitions} interleaved repetition{'s' if rig.repetitions > 1 else ''}"
    lines = ["# Bench", "",
             f"Made by `./dev bench{mode}` on {time.strftime('%Y-%m-%d', time.gmtime())}. {page.machine()}; {where}{order}.",
             f"{repetitions}; cells are minimum / **median** / maximum.",
             "What the figures mean: [performance.md](../performance.md).", "",
             "Equal work: the same payload to the same receivers, one worker thread unless said otherwise, no history, no",
             "compression unless said, plain TCP unless said.", "", "Measured: " + "; ".join(servers) + "."]
    return lines + ([""] + [f"Left out: {name}: {why}." for name, why in missing] if missing else [])


def check_structure(done):
    """For the test of the bench: every table has the lines and figures that it promises."""
    for table in done:
        if not table.rows or any(len(row) != len(table.head) or not all(row) for row in table.rows):
            raise Failed(f"the table '{table.title}' is not whole: {table.rows}")
        for entry in table.raw:
            if not (entry.get("reports") or entry.get("growth")):
                raise Failed(f"no repetition of {entry['name']} in '{table.title}'")
            for report in entry.get("reports", []):
                if report["cpu_ns_per_delivery"] <= 0 or report["deliveries"] <= 0:
                    raise Failed(f"{entry['name']} in '{table.title}' measured nothing: {report}")
    json.loads(json.dumps([table.json() for table in done]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build/release"), help="folder with the binaries")
    parser.add_argument("--binary", help="the server, if it is not the one in the build folder")
    parser.add_argument("--quick", action="store_true", help="2 short repetitions, to see that everything works")
    parser.add_argument("--smoke", action="store_true", help="the test of the bench itself")
    parser.add_argument("--repetitions", type=int, help="instead of 7")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas: " + ",".join(PARTS))
    parser.add_argument("--without-peers", action="store_true", help="this server and the limit only")
    parser.add_argument("--output", help="write the page here too")
    parser.add_argument("--json", help="write every repetition here")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    rig = Rig(options)
    peers = [] if options.without_peers else [contestants.Ws()] if options.smoke else contestants.peers()
    missing = [(peer.name, why) for peer in peers if (why := peer.missing())]
    peers = [peer for peer in peers if not peer.missing()]
    text = introduction(rig, options, peers, missing)
    print("\n".join(text) + "\n", flush=True)
    done = []
    with tempfile.TemporaryDirectory(prefix="wirebird-bench-") as place:
        try:
            for table in tables(rig, parts, peers, place):
                done.append(table)
                print(table.text(), flush=True)
            if options.smoke:
                check_structure(done)
        except Failed as failure:
            sys.exit(f"bench: {failure}")
    if options.output:
        pathlib.Path(options.output).write_text("\n".join(text + [""] + [table.text() for table in done]), encoding="utf-8")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps([table.json() for table in done], indent=1) + "\n", encoding="utf-8")
    if rig.flaws:
        print("bench: " + "; ".join(rig.flaws), file=sys.stderr)
    # A peer that loses something says so in its line; here nothing may be lost.
    return 1 if any(flaw.startswith(("wirebird", speed.BASELINE)) or options.smoke for flaw in rig.flaws) else 0


if __name__ == "__main__":
    sys.exit(main())
