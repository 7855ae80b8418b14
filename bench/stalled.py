"""10 % of the receivers stop reading: what that costs the others, what it holds, and whether every message and ping of those who
stopped is accounted for when they read again (docs/performance.md, goal 11)."""
import contextlib
import re
import statistics
import urllib.request

from contestants import Wirebird
from page import Table, number, ratio, spread
from processes import HOST, folder, run_json

QUEUE = 64 * 1024
REASONS = {"drop": "slow_reader", "conflate": "conflated"}


class Namespaces(Wirebird):
    """A namespace for each policy. Nobody is closed for what he does not read within a bench."""

    def prepare(self, folder, port):
        command = super().prepare(folder, port)
        with open(folder / "wirebird.toml", "a", encoding="utf-8") as config:
            config.write(f"[limits]\nqueue_bytes_max = {QUEUE}\nmessage_bytes_max = {QUEUE}\nqueue_age_max = \"10m\"\n")
            for policy in REASONS:
                config.write(f"[namespaces.{policy}]\nsubscribe = \"anyone\"\npublish = \"anyone\"\n"
                             f"history_messages_max = 0\nslow_reader = \"{policy}\"\n")
        return command


def missed(server, policy):
    """Messages that gaps have announced, as the server counts them."""
    with urllib.request.urlopen(f"http://{HOST}:{server.port}/metrics") as answer:
        text = answer.read().decode()
    return int(re.search(rf'wirebird_missed_messages_total{{reason="{REASONS[policy]}"}} (\d+)', text)[1])


def run(rig, server, policy, stalled, fill):
    before = missed(server, policy)
    command = [rig.drain, "fan-out", "--port", server.port, "--connections", rig.receivers, "--bytes", 128, "--k", 1,
               "--rounds", rig.rounds, "--warm", max(2, rig.rounds // 5), "--path", f"/ws/{policy}:bench?meta=1"]
    command += ["--cpu", server.client_cpu] if server.client_cpu is not None else []
    command += [word for pid in server.pids() for word in ("--cpu-of", pid)]
    report = run_json(command + (["--stalled", stalled, "--fill", fill] if stalled else []))
    report["counted"] = missed(server, policy) - before
    return report


def flaws(report):
    found = [] if report["flawless"] else [f"{report['failure']} {report['reasons']}".strip() or "not flawless"]
    if report["lost"]:
        found.append(f"{report['lost']:,} lost")
    if report.get("announced", 0) != report["counted"]:
        found.append(f"{report.get('announced', 0):,} announced, {report['counted']:,} counted")
    return found


def table(rig, binary):
    stalled = rig.receivers // 10
    title = f"{stalled:,} of {rig.receivers:,} receivers stop reading, envelopes of 128 B, 1 message per turn"
    made = Table(title, ["policy", "CPU ns per delivery to the others", "unstalled ÷ this", "bytes held per stalled ÷ cap",
                         "pongs ÷ pings", "missed by the stalled", "flaws"],
                 f"Their queues (cap {QUEUE // 1024} KiB) are full before it is measured. Flaws: anything lost by the others; a message "
                 "of the stalled that neither came nor was announced; announced messages that the server counted otherwise.")
    lines = {}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Namespaces(binary).start(stack.enter_context(folder())))
        for repetition in range(rig.repetitions):
            for policy in REASONS if repetition % 2 == 0 else reversed(REASONS):
                for count in (0, stalled):
                    lines.setdefault((policy, count), []).append(run(rig, server, policy, count, rig.fill))
    for (policy, count), reports in lines.items():
        name = policy if count else f"{policy}, nobody stalls"
        found = list(dict.fromkeys(flaw for report in reports for flaw in flaws(report)))
        whole = [(own, base) for own, base in zip(reports, lines[policy, 0]) if own["flawless"] and base["flawless"]]
        compared = [base["cpu_ns_per_delivery"] / own["cpu_ns_per_delivery"] for own, base in whole]
        cells = ["-", "-", "-"]
        if count:
            held = [report["resident_growth"] / count / QUEUE for report in reports]
            cells = [spread(held, ratio), f"{sum(r['pongs'] for r in reports)} / {sum(r['pings'] for r in reports)}",
                     number(statistics.median(report["announced"] for report in reports))]
        made.add(name, spread([report["cpu_ns_per_delivery"] for report in reports if report["flawless"]]),
                 spread(compared, ratio), *cells, ", ".join(found) or "none")
        made.raw.append({"name": name, "reports": reports})
        rig.flaws += [f"wirebird, {name}: {flaw}" for flaw in found]
    return made.close()
