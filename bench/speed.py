"""CPU time per delivery: fan-out and echo, every server in turn, again and again, so that what disturbs the machine disturbs
all of them alike."""
import contextlib
import statistics

from page import Table, number, ratio, spread
from processes import Failed, folder, run_json

BASELINE = "bare loop"


class Entry:
    """One line of a table while it is measured."""

    def __init__(self, contestant, label=None, flags=(), bytes_=None):
        self.contestant, self.label, self.extra, self.bytes = contestant, label or contestant.name, list(flags), bytes_
        self.reports, self.flaws = [], []

    def values(self, key):
        return [report[key] for report in self.reports if report["flawless"]]

    def flaw(self):
        lost = sum(report["lost"] for report in self.reports)
        return ", ".join(dict.fromkeys(([f"{lost:,} lost"] if lost else []) + self.flaws)) or "none"


def measure(rig, mode, entries, connections, size, k, rounds, in_flight=4):
    """Runs all entries `rig.repetitions` times; each time begins with another of them."""
    with contextlib.ExitStack() as stack:
        running = []
        for entry in entries:
            try:
                server = stack.enter_context(entry.contestant.start(stack.enter_context(folder()), mode))
                running.append((entry, server))
            except Failed as failure:
                entry.flaws.append(str(failure).splitlines()[0])
        for repetition in range(rig.repetitions):
            turn = repetition % len(running)
            for entry, server in running[turn:] + running[:turn]:
                bytes_ = entry.bytes or size
                command = [rig.drain, mode, "--port", server.port, "--connections", connections, "--bytes", bytes_, "--k", k,
                           "--rounds", rounds, "--warm", max(1, rounds // 10), "--in-flight", in_flight]
                command += ["--cpu", server.client_cpu] if server.client_cpu is not None else []
                command += [word for pid in server.pids() for word in ("--cpu-of", pid)]
                report = run_json(command + entry.contestant.flags(mode, bytes_) + entry.extra)
                entry.reports.append(report)
                if not report["flawless"]:
                    entry.flaws.append(f"{report['failure']} {report['reasons']}".strip())
    return entries


def limits(entry, baseline, key="cpu_ns_per_delivery"):
    """Baseline over entry, for repetitions where both are whole."""
    return [bare[key] / own[key] for own, bare in zip(entry.reports, baseline.reports) if own["flawless"] and bare["flawless"]]


def fill(rig, table, entries, baseline):
    for entry in entries:
        costs = entry.values("cpu_ns_per_delivery")
        row = [entry.label, spread(costs), spread(limits(entry, baseline), ratio) if baseline else None,
               f"{statistics.median(entry.values('sends_per_delivery')):.4f}" if costs else "",
               number(statistics.median(entry.values("deliveries_per_s"))) if costs else "", entry.flaw()]
        table.add(*(cell for cell in row if cell is not None))
        table.raw.append({"name": entry.label, "reports": entry.reports})
        rig.note_flaw(entry)
    return table.close()


HEAD = ["server", "CPU ns per delivery", "R_send", "sends per delivery", "deliveries/s", "flaws"]


def fan_out(rig, contestants, k):
    connections, rounds = rig.receivers, rig.rounds if k == 1 else max(4, rig.rounds * 3 // 10)
    table = Table(f"Fan-out, {connections:,} receivers, 128 B, {k} message{'s' if k > 1 else ''} per turn", HEAD,
                  f"Equal work is {1 / k:.4f} sends per delivery; R_send compares equal work only where that column says so.")
    entries = measure(rig, "fan-out", [Entry(one) for one in contestants if one.fan_out], connections, 128, k, rounds)
    return fill(rig, table, entries, next(entry for entry in entries if entry.label == BASELINE))


def deflate(rig, ours, peers):
    """All receivers negotiated permessage-deflate, against the same server without it."""
    table = Table(f"Fan-out, {rig.receivers:,} receivers, compressed, 1 message per turn",
                  [cell for cell in HEAD if cell != "R_send"], "The same server with and without compression of every message.")
    entries = []
    for contestant in [ours, *peers]:
        for size in (128, 1024):
            entries.append(Entry(contestant, f"{contestant.name}, {size} B, deflate", ["--deflate", "yes"], size))
            if contestant is ours:
                entries.append(Entry(contestant, f"{contestant.name}, {size} B, plain", bytes_=size))
    measure(rig, "fan-out", entries, rig.receivers, None, 1, max(4, rig.rounds // 5))
    return fill(rig, table, entries, None)


def workers(rig, one, two):
    table = Table(f"One worker and two, {rig.receivers:,} receivers, 128 B, 1 message per turn",
                  ["server", "CPU ns per delivery", "one worker's ÷ this", "sends per delivery", "deliveries/s", "flaws"],
                  "One round in flight, so that no worker finds two in one turn. Where the machine has two CPUs, the second worker "
                  "shares one with the client.")
    entries = measure(rig, "fan-out", [Entry(one), Entry(two)], rig.receivers, 128, 1, rig.rounds, in_flight=1)
    return fill(rig, table, entries, entries[0])


def echo(rig, contestants, size):
    connections = rig.echo_connections
    table = Table(f"Echo, {connections} connections, {size:,} B, one message in flight on each",
                  ["server", "CPU ns per echo", "bare ÷ server", "sends per echo", "echoes/s", "flaws"])
    rounds = rig.rounds if size < 10_000 else max(4, rig.rounds // 3)
    entries = measure(rig, "echo", [Entry(one) for one in contestants if one.echo], connections, size, 1, rounds)
    return fill(rig, table, entries, next(entry for entry in entries if entry.label == BASELINE))


def alone(rig):
    """bench/limit/limit.cc: the bare loops with a client that does nothing but drain."""
    table = Table("The bare loops alone", ["loop", "bytes", "k", "CPU ns per delivery", "sends per delivery", "again", "deliveries/s"],
                  "The bare loops with a client that only drains; every run checked that bytes drained = bytes sent.")
    pin = [] if rig.pin is None else ["--server-cpu", rig.pin[0], "--client-cpu", rig.pin[1]]
    cases = [("fan-out", 132, 1, rig.receivers), ("fan-out", 132, 16, rig.receivers)]
    cases += [("echo", size, 1, rig.echo_connections) for size in (22, 1028, 16388)]
    reports = {case: [] for case in cases}
    for _ in range(rig.repetitions):
        for case in cases:
            mode, size, k, connections = case
            report = run_json([rig.limit, mode, "--connections", connections, "--bytes", size, "--k", k, "--rounds",
                               rig.rounds if k == 1 else max(4, rig.rounds * 3 // 10), *pin])
            if not report["flawless"]:
                raise Failed(f"the baseline lost something: {report}")
            reports[case].append(report)
    for (mode, size, k, _), found in reports.items():
        table.add(mode, number(size), k, spread([one["cpu_ns_per_delivery"] for one in found]), f"{found[0]['sends_per_delivery']:.4f}",
                  sum(one["again"] for one in found), number(statistics.median(one["deliveries_per_s"] for one in found)))
        table.raw.append({"name": f"{mode} {size} {k}", "reports": found})
    return table.close()
