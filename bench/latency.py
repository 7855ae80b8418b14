"""How long a message takes to its last receiver while messages come at a fixed rate, and what it gains and costs to hold
deliveries back (`max_delay`)."""
import statistics

from page import Table, number, ratio, spread
from processes import Failed, folder
from speed import Entry, drain, measure


def capacity(rig, contestant):
    """Messages per second that it delivers when it gets the next as soon as it can."""
    with folder() as place, contestant.start(place) as server:
        report = drain(rig, server, "fan-out", rig.receivers, 128, 1, rig.rounds, 4, contestant.flags("fan-out", 128))
    if not report["flawless"]:
        raise Failed(f"{contestant.name} lost something: {report}")
    return report["deliveries_per_s"] / rig.receivers


def paced(rig, contestants, connections, rate):
    entries = [Entry(one, flags=["--rate", rate]) for one in contestants]
    return measure(rig, "latency", entries, connections, 128, 1, max(20, int(rate * rig.paced_s)))


def paired(entry, other, key):
    """Both values of each repetition that is whole for both."""
    return [(own[key], base[key]) for own, base in zip(entry.reports, other.reports) if own["flawless"] and base["flawless"]]


def finish(rig, table, entries):
    for entry in entries:
        table.raw.append({"name": entry.label, "reports": entry.reports})
        rig.note_flaw(entry)
    return table.close()


def to_the_last(rig, bare, ours):
    rate = max(1, int(capacity(rig, ours) / 2))
    table = Table(f"From publish to the last of {rig.receivers:,} receivers, 128 B, {rate:,} messages per second",
                  ["server", "p50 us", "p99 us", "max us", "p99 ÷ bare", "CPU ns per delivery", "flaws"],
                  f"The rate is half of what {ours.name} delivered at its own pace; the bare loop gets the same. One client "
                  "thread publishes and reads everything, its own work is in every figure alike.")
    entries = paced(rig, [bare, ours], rig.receivers, rate)
    for entry in entries:
        against = [own / base for own, base in paired(entry, entries[0], "p99_us")]
        table.add(entry.label, *(spread(entry.values(key)) for key in ("p50_us", "p99_us", "max_us")), spread(against, ratio),
                  spread(entry.values("cpu_ns_per_delivery")), entry.flaw())
    return finish(rig, table, entries)


def held_back(rig, at_once, held, receivers, rate):
    table = Table(f"max_delay, {receivers} receivers, 128 B, {rate:,} messages per second",
                  ["server", "p50 us", "p99 us", "p99 added us", "CPU ns per delivery", "at once ÷ this", "sends per delivery",
                   "flaws"],
                  f"One message every {1_000_000 // rate:,} us, from publish to the last receiver; {held.max_delay} hold 8 of them. "
                  "CPU is compared where the sends of the first line are near 1: else it did not keep up, and put together what waited.")
    entries = paced(rig, [at_once, held], receivers, rate)
    for entry in entries:
        added = [own - base for own, base in paired(entry, entries[0], "p99_us")]
        saved = [base / own for own, base in paired(entry, entries[0], "cpu_ns_per_delivery")]
        sends = entry.values("sends_per_delivery")
        table.add(entry.label, spread(entry.values("p50_us")), spread(entry.values("p99_us")), spread(added, number),
                  spread(entry.values("cpu_ns_per_delivery")), spread(saved, ratio),
                  f"{statistics.median(sends):.4f}" if sends else "", entry.flaw())
    return finish(rig, table, entries)
