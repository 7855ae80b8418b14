"""What two workers say to each other while one fans out to the subscribers of both, and whether they ever wait for each
other: mails, wake-ups and turns from /metrics, context switches from /proc, calls of futex from strace."""
import json
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import urllib.request

from page import Table
from processes import Failed, HOST, folder
from speed import Entry, drain_command

METRICS = {"mails": "wirebird_mails_total", "deliveries": "wirebird_mail_deliveries_total",
           "wakeups": "wirebird_wakeups_total", "turns": "wirebird_turns_total"}
FUTEX_ROUNDS = 200  # while every system call is looked at, the server is slow


def metrics(server):
    with urllib.request.urlopen(f"http://{HOST}:{server.port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {key: float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1]) for key, name in METRICS.items()}


def switches(server):
    """Context switches of all threads: they had nothing to do or waited; the kernel took the CPU away."""
    found = {"voluntary": 0, "involuntary": 0}
    for status in pathlib.Path(f"/proc/{server.process.pid}/task").glob("*/status"):
        text = status.read_text()
        found["voluntary"] += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE)[1])
        found["involuntary"] += int(re.search(r"^nonvoluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE)[1])
    return found


class Futexes:
    """Counts the calls of futex of a whole server between start() and stop()."""

    def __init__(self, server, place):
        self.server, self.table = server, pathlib.Path(place, "futex")

    def start(self):
        self.process = subprocess.Popen(["strace", "-c", "-f", "-e", "trace=futex", "-o", str(self.table), "-p",
                                         str(self.server.process.pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        if " attached" not in said:  # with all threads
            self.stop()
            raise Failed(f"unknown: {said.strip()}")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()

    def calls(self):
        for line in self.table.read_text().splitlines():
            fields = line.split()
            if fields and fields[-1] == "futex":
                return int(fields[3])
        return 0


def gated(command, at_gate):
    """Runs the client; calls at_gate("begin") and at_gate("end") while it waits. Its report."""
    with subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            said = json.loads(line)
            if "gate" not in said:
                return said
            at_gate(said["gate"])
            process.stdin.write("\n")
            process.stdin.flush()
    raise Failed(f"{command[0]} ended with {process.returncode}")


def count(rig, entry, server, receivers):
    """One repetition: what happened per publish goes into the report."""
    seen = {}

    def at_gate(name):
        seen[name] = {**metrics(server), **switches(server)}

    command = drain_command(rig, server, "fan-out", receivers, 128, 1, rig.rounds, 1, entry.contestant.flags("fan-out", 128))
    report = gated(command + ["--gate", "yes"], at_gate)
    if report["flawless"]:
        report |= {key: (seen["end"][key] - seen["begin"][key]) / report["rounds"] for key in seen["begin"]}
    else:
        entry.flaws.append(f"{report['failure']} {report['reasons']}".strip())
    entry.reports.append(report)


def futexes(rig, entry, server, receivers, place):
    """A text: calls per 1,000 publishes, or why nobody knows."""
    if not shutil.which("strace"):
        return "strace is not installed"
    watch, rounds = Futexes(server, place), min(rig.rounds, FUTEX_ROUNDS)
    command = drain_command(rig, server, "fan-out", receivers, 128, 1, rounds, 1, entry.contestant.flags("fan-out", 128))
    try:
        report = gated(command + ["--gate", "yes"], lambda name: watch.start() if name == "begin" else watch.stop())
    except Failed as failure:
        return str(failure)
    if not report["flawless"]:
        entry.flaws.append(f"{report['failure']} {report['reasons']}".strip())
        return "unknown"
    return f"{watch.calls() * 1000 / rounds:.0f}"


def between_workers(rig, two):
    table = Table("Mail between two workers, 128 B, 1 message per turn",
                  ["receivers", "deliveries mailed per publish", "all mails per publish", "wake-ups per publish",
                   "turns per publish", "wake-ups per turn", "futex calls per 1,000 publishes",
                   "context switches per publish: own will, taken away", "flaws"],
                  "Medians of the repetitions. All mails: with the request of a publisher that is not on the channel's worker and "
                  "its answer. One round in flight. The last figures are of all threads of the server.")
    for receivers in rig.mail_receivers:
        entry = Entry(two, f"{receivers:,} receivers")
        with folder() as place, two.start(place) as server:
            for _ in range(rig.repetitions):
                count(rig, entry, server, receivers)
            locks = futexes(rig, entry, server, receivers, place)

        def median(key):
            return statistics.median(entry.values(key) or [0])

        turns = median("turns")
        table.add(f"{receivers:,}", *(f"{median(key):.2f}" for key in ("deliveries", "mails", "wakeups", "turns")),
                  f"{median('wakeups') / turns if turns else 0:.2f}", locks,
                  f"{median('voluntary'):.2f}, {median('involuntary'):.2f}", entry.flaw())
        table.raw.append({"name": entry.label, "reports": entry.reports, "futex_calls_per_1000_publishes": locks})
        rig.note_flaw(entry)
    return table.close()
