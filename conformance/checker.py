#!/usr/bin/python3
"""Judges what the clients and publishers of reconnect.py wrote down. Reads only their logs and knows nothing of the server.

  checker.py FOLDER                                the history held everything: no gap may be announced
  checker.py FOLDER --history 50 --age-ms 1000     the history held the last 50 messages, at most 1 s old

The promise, per client: each connection goes on exactly where the one before stopped; offsets come one after the other,
once, with the payload that was published; what is missing is announced before the next message, as a gap with the right
borders. With --history an independent model of the log says for each reconnect whether the position was still held; the
announcements must equal it. The moment at which the server looked lies between the client's request and its answer, so the
model answers yes, no, or (within that window) either; how often it was "either" is part of the verdict.
Writes one JSON object; the exit code is 0 if there is no problem.
"""
import argparse
import bisect
import json
import pathlib
import sys

CLOCK_MS = 5  # the server reads its clock once per turn of its loop


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Published:
    """One channel as its publisher saw it."""

    def __init__(self, path, problems):
        records = lines(path)
        self.epoch = records[0]["epoch"]
        self.head = len(records)
        self.time = {}
        for i, record in enumerate(records, 1):
            if record["offset"] != i or record["epoch"] != self.epoch:
                problems.append(f"{path.name}: message {i} was answered {record['epoch']}:{record['offset']}")
            self.time[i] = record["time"]
        self.sent = [record["sent"] for record in records]
        self.acked = [record["acked"] for record in records]

    def head_at_least(self, moment):
        return bisect.bisect_left(self.acked, moment)

    def head_at_most(self, moment):
        return bisect.bisect_right(self.sent, moment)


class Model:
    """Whether a log of `history` messages and `age_ms` still held everything after a position."""

    def __init__(self, history, age_ms):
        self.history = history
        self.age_ms = age_ms

    def held(self, channel, position, low_head, high_head, asked, answered):
        """"yes", "no" or "either", for a look at some moment between asked and answered, when the head was between
        low_head and high_head."""
        if self.history is None or position >= high_head:
            return "yes"
        first = position + 1  # the oldest message that is needed
        by_count = "yes" if first > high_head - self.history else "no" if first <= low_head - self.history else "either"
        expires = channel.time[first] + self.age_ms
        by_age = "yes" if answered + CLOCK_MS < expires else "no" if asked - CLOCK_MS > expires + 1 else "either"
        if position >= low_head:  # perhaps nothing was missing when the server looked
            by_age = "yes" if by_age == "yes" else "either"
        verdicts = (by_count, by_age)
        return "no" if "no" in verdicts else "yes" if verdicts == ("yes", "yes") else "either"


class Client:
    def __init__(self, path, channels, model, problems, totals):
        self.path, self.channels, self.model, self.problems, self.totals = path, channels, model, problems, totals
        self.cursor = None  # where this client stands, by what it was sent
        self.open = None    # the record of the present connection
        self.decided = True  # whether the outcome of its resuming is known

    def problem(self, text):
        self.problems.append(f"{self.path.name}: {text} (connection opened at {self.open and self.open['open']:.0f})")

    def judge(self):
        records = lines(self.path)
        for record in records:
            self.take(record)
        if not records or not records[-1].get("end"):
            self.problem("did not reach the head")
        elif self.cursor is not None and self.cursor[1] != self.channel.head:
            self.problem(f"ended at {self.cursor[1]}, the head is {self.channel.head}")

    def take(self, record):
        if "open" in record:
            self.open = record
            self.channel = self.channels[record["channel"]]
            since = record["since"]
            if since != (f"{self.cursor[0]}:{self.cursor[1]}" if self.cursor else None):
                self.problem(f"resumed with {since}, stood at {self.cursor}")
            self.decided = since is None
            if since is not None:
                self.totals["polls" if record.get("again") else "reconnects"] += 1
        elif "message" in record:
            self.message(record)
        elif "gap" in record:
            self.gap(record)
        elif "position" in record:
            epoch, offset = record["position"].split(":")
            position = (epoch, int(offset))
            if self.cursor is None:
                if not self.channel.head_at_least(self.open["open"]) <= position[1] <= self.channel.head_at_most(record["at"]):
                    self.problem(f"began at {position[1]}, which was not the head")
                self.cursor = position
            elif position != self.cursor:
                self.problem(f"asked for what follows {self.cursor}, was told {position}")
        elif "closed" in record:
            self.totals["closed"][str(record["closed"])] = self.totals["closed"].get(str(record["closed"]), 0) + 1
            if record["closed"] == 4410:
                if self.cursor is None or self.decided:
                    self.problem("closed with E_GAP where nothing could be missing")
                else:
                    self.decide("gap", self.cursor[1], record["at"])
                self.cursor = None
            elif record["closed"] not in (1006, 4408):
                self.problem(f"closed with {record['closed']} {record['reason']}")
        elif "skipped" in record:
            self.cursor = (self.channel.epoch, record["skipped"])
        elif "unexpected" in record:
            self.problem(f"got {record['unexpected']}")

    def message(self, record):
        offset = record["message"]
        self.totals["messages"] += 1
        if record["epoch"] != self.channel.epoch:
            self.problem(f"message {offset} has epoch {record['epoch']}")
        if record["payload"] != offset or (record["time"] is not None and record["time"] != self.channel.time.get(offset)):
            self.problem(f"message {offset} is not the one that was published")
        if self.cursor is not None:
            if offset != self.cursor[1] + 1:
                self.problem(f"{offset} came after {self.cursor[1]}: {'a silent gap' if offset > self.cursor[1] else 'again'}")
            elif not self.decided:
                self.decide("recovered", self.cursor[1], record["at"])
        self.decided = True
        self.cursor = (record["epoch"], offset)

    def gap(self, record):
        gap = record["gap"]
        epoch, offset = record["position"].split(":")
        if self.cursor is None or gap["from"] != self.cursor[1] + 1 or gap["to"] < gap["from"]:
            self.problem(f"gap {gap} at {self.cursor}")
        elif int(offset) != gap["to"] or epoch != self.channel.epoch:
            self.problem(f"gap {gap} with position {record['position']}")
        elif self.decided:
            self.problem(f"gap {gap} in the middle of a connection")
        elif gap["reason"] != "expired":
            self.problem(f"gap {gap}: the reason is that the messages had expired")
        else:
            low, high = self.channel.head_at_least(self.open["open"]), self.channel.head_at_most(record["at"])
            if not low <= gap["to"] <= high:
                self.problem(f"gap {gap}: the head was between {low} and {high}")
            self.decide("gap", self.cursor[1], record["at"], gap["to"])
        self.cursor = (epoch, int(offset))

    def decide(self, outcome, position, at, head=None):
        """The server said "gap" or "recovered"; `head` where it also said which head it saw."""
        self.decided = True
        self.totals[outcome] += 1
        low = head if head is not None else self.channel.head_at_least(self.open["open"])
        high = head if head is not None else self.channel.head_at_most(at)
        held = self.model.held(self.channel, position, low, high, self.open["open"], at)
        if held == "either":
            self.totals["either"] += 1
        elif (held == "yes") != (outcome == "recovered"):
            self.problem(f"{outcome} after position {position} by {self.open['door']}, but the log {'held' if held == 'yes' else 'no longer held'} it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--history", type=int)
    parser.add_argument("--age-ms", type=int)
    options = parser.parse_args()
    problems = []
    totals = {"reconnects": 0, "polls": 0, "messages": 0, "recovered": 0, "gap": 0, "either": 0, "closed": {}}
    channels = {path.stem.removeprefix("publisher-"): Published(path, problems) for path in options.folder.glob("publisher-*.jsonl")}
    model = Model(options.history, options.age_ms)
    for path in sorted(options.folder.glob("client-*.jsonl")):
        Client(path, channels, model, problems, totals).judge()
    totals["published"] = sum(channel.head for channel in channels.values())
    print(json.dumps({"problems": problems[:20], "problem_count": len(problems), **totals}))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
