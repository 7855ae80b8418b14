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

    def run(self, rig, server, mode, connections, size, k, rounds, in_flight):
        """One repetition; its report."""
        bytes_ = self.bytes or size
        report = drain(rig, server, mode, connections, bytes_, k, rounds, in_flight, self.contestant.flags(mode, bytes_) + self.extra)
        self.reports.append(report)
        if not report["flawless"]:
            self.flaws.append(f"{report['failure']} {report['reasons']}".strip())
        return report

    def flaw(self):
        lost = sum(report["lost"] for report in self.reports)
        return ", ".join(dict.fromkeys(([f"{lost:,} lost"] if lost else []) + self.flaws)) or "none"


def drain_command(rig, server, mode, connections, bytes_, k, rounds, in_flight, flags):
    command = [rig.drain, mode, "--port", server.port, "--connections", connections, "--bytes", bytes_, "--k", k,
               "--rounds", rounds, "--warm", max(2, rounds // 5), "--in-flight", in_flight]
    command += ["--cpu", server.client_cpu] if server.client_cpu is not None else []
    return command + [word for pid in server.pids() for word in ("--cpu-of", pid)] + flags


def drain(*arguments):
    return run_json(drain_command(*arguments))


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
        if not running:
            raise Failed("no server could be started: " + "; ".join(entry.flaw() for entry in entries))
        for repetition in range(rig.repetitions):
            turn = repetition % len(running)
            for entry, server in running[turn:] + running[:turn]:
                entry.run(rig, server, mode, connections, size, k, rounds, in_flight)
    return entries


def against(entry, baseline):
    """Baseline over entry, repetition by repetition, where both are whole."""
    return [base["cpu_ns_per_delivery"] / own["cpu_ns_per_delivery"] for own, base in zip(entry.reports, baseline.reports)
            if own["flawless"] and base["flawless"]]


def fill(rig, table, entries, baseline_of):
    """Five columns: cost, ratio, sends, rate, flaws. `baseline_of(entry)` is what the entry is compared with."""
    def median(entry, key, form):
        values = entry.values(key)
        return form(statistics.median(values)) if values else ""

    for entry in entries:
        table.add(entry.label, spread(entry.values("cpu_ns_per_delivery")), spread(against(entry, baseline_of(entry)), ratio),
                  median(entry, "sends_per_delivery", "{:.4f}".format), median(entry, "deliveries_per_s", number), entry.flaw())
        table.raw.append({"name": entry.label, "reports": entry.reports})
        rig.note_flaw(entry)
    return table.close()


def bare_of(entries):
    bare = next(entry for entry in entries if entry.label == BASELINE)
    return lambda entry: bare


HEAD = ["server", "CPU ns per delivery", "R_send", "sends per delivery", "deliveries/s", "flaws"]


def fan_out(rig, contestants, k):
    connections, rounds = rig.receivers, rig.rounds if k == 1 else max(4, rig.rounds // 2)
    table = Table(f"Fan-out, {connections:,} receivers, 128 B, {k} message{'s' if k > 1 else ''} per turn", HEAD,
                  f"Equal work is {1 / k:.4f} sends per delivery; R_send compares equal work only where that column says so.")
    entries = measure(rig, "fan-out", [Entry(one) for one in contestants if one.fan_out], connections, 128, k, rounds)
    return fill(rig, table, entries, bare_of(entries))


def deflate(rig, ours, peers):
    """All receivers negotiated permessage-deflate, against our server without it."""
    table = Table(f"Fan-out, {rig.receivers:,} receivers, compressed, 1 message per turn",
                  ["server", "CPU ns per delivery", "our plain ÷ this", "sends per delivery", "deliveries/s", "flaws"],
                  "Every receiver negotiated permessage-deflate without context takeover; the text is words and figures.")
    entries, plain = [], {}
    for size in (128, 1024):
        plain[size] = Entry(ours, f"{ours.name}, {size:,} B, plain", bytes_=size)
        entries.append(plain[size])
        entries += [Entry(one, f"{one.name}, {size:,} B, deflate", ["--deflate", "yes"], size) for one in [ours, *peers]]
    measure(rig, "fan-out", entries, rig.receivers, None, 1, max(4, rig.rounds // 5))
    return fill(rig, table, entries, lambda entry: plain[entry.bytes])


def workers(rig, one, two):
    table = Table(f"One worker and two, {rig.receivers:,} receivers, 128 B, 1 message per turn",
                  ["server", "CPU ns per delivery", "one worker's ÷ this", "sends per delivery", "deliveries/s", "flaws"],
                  "One round in flight, so that no worker finds two in one turn. Where the machine has two CPUs, the second "
                  "worker shares one with the client.")
    entries = measure(rig, "fan-out", [Entry(one), Entry(two)], rig.receivers, 128, 1, rig.rounds, in_flight=1)
    return fill(rig, table, entries, lambda entry: entries[0])


def echo(rig, contestants, size):
    connections = rig.echo_connections
    table = Table(f"Echo, {connections} connections, {size:,} B, one message in flight on each",
                  ["server", "CPU ns per echo", "bare ÷ server", "sends per echo", "echoes/s", "flaws"])
    rounds = rig.rounds if size < 10_000 else max(4, rig.rounds // 3)
    entries = measure(rig, "echo", [Entry(one) for one in contestants if one.echo], connections, size, 1, rounds)
    return fill(rig, table, entries, bare_of(entries))


def alone(rig):
    """bench/limit/limit.cc: the bare loops with a client that does nothing but drain."""
    table = Table("The bare loops alone",
                  ["loop", "bytes", "k", "CPU ns per delivery", "sends per delivery", "again", "deliveries/s"],
                  "The bare loops with a client that only drains; every run checked that bytes drained = bytes sent.")
    pin = [] if rig.pin is None else ["--server-cpu", rig.pin[0], "--client-cpu", rig.pin[1]]
    cases = [("fan-out", 132, 1, rig.receivers), ("fan-out", 132, 16, rig.receivers)]
    cases += [("echo", size, 1, rig.echo_connections) for size in (22, 1028, 16388)]
    reports = {case: [] for case in cases}
    for _ in range(rig.repetitions):
        for case in cases:
            mode, size, k, connections = case
            report = run_json([rig.limit, mode, "--connections", connections, "--bytes", size, "--k", k, "--rounds",
                               rig.rounds if k == 1 else max(4, rig.rounds // 2), *pin])
            if not report["flawless"]:
                raise Failed(f"the baseline lost something: {report}")
            reports[case].append(report)
    for (mode, size, k, _), found in reports.items():
        table.add(mode, f"{size:,}", k, spread([one["cpu_ns_per_delivery"] for one in found]),
                  f"{found[0]['sends_per_delivery']:.4f}", sum(one["again"] for one in found),
                  number(statistics.median(one["deliveries_per_s"] for one in found)))
        table.raw.append({"name": f"{mode} {size} {k}", "reports": found})
    return table.close()
