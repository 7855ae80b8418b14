#!/usr/bin/python3
"""Measures the release binary and, in the same run on the same machine, npm's `ws` and the physical limit; prints a page.

    bench/run.py [--quick] [--binary build/release/wirebird] [--output docs/evidence/bench.md] [--json FILE]

What is measured, and how:

* idle memory: growth of the server's resident memory per idle plain WebSocket with one channel, between two counts of
  connections, so that what the program needs anyway drops out. The kernel's socket buffers are not in it, for nobody.
* echo and fan-out: `wirebird bench` against each server; docs/client-cpp.md defines the times. The load generator is one
  thread on the same machine: on two cores it is a limit of its own, the same for every server.
* bare epoll echo, one send() per copy: bench/limit, the same socket work without a protocol and without putting messages
  together. A server that writes several messages at once can deliver more than the second.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WS = ROOT / "conformance/node_modules/ws"
HOST = "127.0.0.1"


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Server:
    """A server process that listens when it is entered."""

    def __init__(self, command, port):
        self.command, self.port = command, port

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((HOST, self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.log.seek(0)
                    raise SystemExit(f"{self.command} did not start:\n{self.log.read().decode()}") from None
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")


class Bench:
    def __init__(self, binary):
        self.binary = binary

    def servers(self):
        """(name, a fresh server) for everything that can run here."""
        port = free_port()
        yield "wirebird", Server([self.binary, "serve", "--dev", "--listen", f"{HOST}:{port}"], port)
        if shutil.which("node") and WS.exists():
            port = free_port()
            yield "ws (Node.js)", Server(["node", str(ROOT / "bench/peers/ws_server.js"), str(port)], port)

    def run(self, mode, server, path, *arguments):
        done = subprocess.run([self.binary, "bench", mode, "--url", f"http://{HOST}:{server.port}{path}", "--json", *arguments],
                              capture_output=True, text=True)
        if not done.stdout:
            raise SystemExit(f"bench {mode} failed: {done.stderr}")
        return json.loads(done.stdout)

    def idle_bytes(self, server, count):
        """Resident memory while `count` idle subscribers are connected."""
        bench = subprocess.Popen([self.binary, "bench", "idle", "--url", f"http://{HOST}:{server.port}", "--json",
                                  "--connections", str(count), "--connect-rate", "4000", "--duration", "4s"],
                                 stdout=subprocess.PIPE, text=True)
        peak = 0
        while bench.poll() is None:
            peak = max(peak, server.resident_bytes())
            time.sleep(0.05)
        report = json.loads(bench.stdout.read())
        if not report["flawless"]:
            raise SystemExit(f"idle connections were not all open: {report['connections']}")
        return peak

    def limit(self, folder, *arguments):
        program = pathlib.Path(folder, "limit")
        if not program.exists():
            subprocess.run(["g++", "-std=c++20", "-O2", "-pthread", "-o", str(program), str(ROOT / "bench/limit/limit.cc")],
                           check=True)
        return json.loads(subprocess.run([str(program), *map(str, arguments)], check=True, capture_output=True, text=True).stdout)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // (1 << 20)
    return f"{len(os.sched_getaffinity(0))} cores of {model}, {memory} GiB, Linux {platform.release()}"


def flaws(report):
    """What a reader must know about a line."""
    messages, connections = report.get("messages", {}), report["connections"]
    parts = [f"{messages[key]} {key}" for key in ("lost", "doubled", "damaged") if messages.get(key)]
    parts += [f"{connections[key]} {key}" for key in ("failed", "dropped") if connections[key]]
    return ", ".join(parts) or "none"


def number(value):
    return f"{value:,.0f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" for _ in head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def idle_memory(bench, quick):
    low, high = (500, 3000) if quick else (2000, 12000)
    rows = []
    for name, server in bench.servers():
        with server:
            few = bench.idle_bytes(server, low)
            many = bench.idle_bytes(server, high)
            rows.append([name, f"{few / 1048576:.1f}", f"{many / 1048576:.1f}", number((many - few) / (high - low))])
    head = ["server", f"MiB with {low:,}", f"MiB with {high:,}", "bytes per connection"]
    return "Idle memory, one channel each", head, rows


def echo(bench, quick, folder):
    duration = "2s" if quick else "10s"
    rows = []
    for connections, in_flight, size in ((1, 1, 64), (100, 1, 64), (1000, 1, 64), (100, 16, 64), (10, 1, 65536)):
        for name, server in bench.servers():
            with server:
                report = bench.run("echo", server, "/echo", "--connections", str(connections), "--in-flight", str(in_flight),
                                   "--bytes", str(size), "--duration", duration)
            times = report["times_us"]
            rows.append([name, number(connections), in_flight, number(size), number(report["messages"]["received_per_s"]),
                         number(times["total"]["p50"]), number(times["total"]["p99"]), number(times["processing"]["p50"]),
                         number(times["transfer"]["p50"]), number(times["connect"]["p50"]), flaws(report)])
        if in_flight == 1:
            limit = bench.limit(folder, "echo", connections, size, 2)
            rows.append(["bare epoll echo", number(connections), 1, number(size), number(limit["messages_per_s"]), "", "", "", "", "", ""])
    head = ["server", "connections", "in flight", "bytes", "messages/s", "round trip p50 us", "p99", "processing p50", "transfer p50",
            "connect p50", "flaws"]
    return "Echo", head, rows


def fan_out(bench, quick, folder):
    duration = "2s" if quick else "10s"
    rows = []
    for subscribers, rate in ((100, 1000), (1000, 50), (1000, 200), (1000, 400)):
        for name, server in bench.servers():
            with server:
                report = bench.run("fan-out", server, "", "--connections", str(subscribers), "--rate", str(rate), "--bytes", "64",
                                   "--duration", duration)
            times, messages = report["times_us"], report["messages"]
            rows.append([name, number(subscribers), number(rate), number(messages["received_per_s"]), number(times["total"]["p50"]),
                         number(times["total"]["p99"]), number(times["processing"]["p50"]), number(times["transfer"]["p50"]),
                         number(messages["behind_max_us"]), flaws(report)])
        limit = bench.limit(folder, "fan-out", subscribers, 66, 2)
        rows.append(["one send() per copy", number(subscribers), "full", number(limit["messages_per_s"]), "", "", "", "", "", ""])
    head = ["server", "subscribers", "publishes/s", "deliveries/s", "delivery p50 us", "p99", "first copy p50", "spread p50",
            "bench late", "flaws"]
    return "Fan-out, one channel", head, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(ROOT / "build/release/wirebird"))
    parser.add_argument("--quick", action="store_true", help="short runs, to see that everything works")
    parser.add_argument("--output", help="write the page here too")
    parser.add_argument("--json", help="write the tables here as JSON")
    options = parser.parse_args()
    bench = Bench(options.binary)
    version = subprocess.run([options.binary, "version"], capture_output=True, text=True, check=True).stdout.strip()
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip() if shutil.which("node") else "none"
    peer = json.loads((WS / "package.json").read_text())["version"] if WS.exists() else "none"
    parts = ["# Bench", "", f"{version}; Node.js {node} with ws {peer}. {machine()}. Load generator and server share the machine.",
             f"Made by `bench/run.py{' --quick' if options.quick else ''}` on {time.strftime('%Y-%m-%d', time.gmtime())}; load of the",
             f"machine before it began: {os.getloadavg()[0]:.1f}.", ""]
    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        for measure in (lambda: idle_memory(bench, options.quick), lambda: echo(bench, options.quick, folder),
                        lambda: fan_out(bench, options.quick, folder)):
            title, head, rows = measure()
            parts += [f"## {title}", "", table(head, rows), ""]
            tables[title] = [dict(zip(head, row)) for row in rows]
            print("\n".join(parts[-4:]), flush=True)
    page = "\n".join(parts)
    if options.output:
        pathlib.Path(options.output).write_text(page, encoding="utf-8")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
