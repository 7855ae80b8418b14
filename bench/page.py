"""Figures as text: spread of repetitions, tables, and what the machine was doing."""
import os
import pathlib
import platform
import statistics


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // (1 << 20)
    return f"{len(os.sched_getaffinity(0))} cores of {model}, {memory} GiB, Linux {platform.release()}"


def pressure():
    """How long, in percent of the last 10 s, somebody waited for a CPU; and the load of the last minute."""
    try:
        line = pathlib.Path("/proc/pressure/cpu").read_text().splitlines()[0]
        waited = line.split("avg10=")[1].split()[0] + " %"
    except OSError:
        waited = "unknown"
    return f"{waited}, load {os.getloadavg()[0]:.1f}"


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}"


def spread(values, form=number):
    """min / **median** / max"""
    if not values:
        return ""
    return f"{form(min(values))} / **{form(statistics.median(values))}** / {form(max(values))}"


def ratio(value):
    return f"{value:.2f}"


class Table:
    def __init__(self, title, head, note=""):
        self.title, self.head, self.note = title, head, note
        self.rows = []
        self.before = pressure()
        self.raw = []  # every repetition, for the JSON

    def add(self, *row):
        self.rows.append([str(cell) for cell in row])

    def text(self):
        lines = [f"## {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines += ["| " + " | ".join(self.head) + " |", "|" + "---|" * len(self.head)]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines + ["", f"Waiting for a CPU before: {self.before}; after: {self.after}.", ""])

    def close(self):
        self.after = pressure()
        return self

    def json(self):
        rows = [dict(zip(self.head, row)) for row in self.rows]
        return {"title": self.title, "pressure": [self.before, self.after], "rows": rows, "repetitions": self.raw}
