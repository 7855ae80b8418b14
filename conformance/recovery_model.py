"""Judges what clients of the Centrifuge protocol wrote down (centrifuge_recovery.py). Knows when each message was published and
what each history holds, and nothing of the server.

Per client and channel: each subscription begins where the one before stood, or an answer says that something was lost; behind
that every offset comes once, in order, with what was published. `recovered` must be what the history at that moment makes it.
That moment lies between the client's command and its answer, so the model says yes, no, or (within that window) either.
"""
import bisect
import collections

# The server reads its clock once per turn of its loop, and turns are long where processors are few: at least so much, and twice what
# publishers have seen of it.
CLOCK_MS = 50
ANSWER_BYTES = 7 << 20  # what one answer brings at most is a limit of the server's; near it either is right

History = collections.namedtuple("History", "messages age_ms drops", defaults=(None, None, False))


class Channel:
    """What its publishers know: {offset: (key, time, size)}, and when which publish was sent and answered."""

    def __init__(self, name, history):
        self.name, self.history = name, history
        self.epoch = None
        self.clock_ms = CLOCK_MS
        self.messages, self.sent, self.acked = {}, [], []
        self.problems = []

    def published(self, key, size, answer, sent, acked):
        if self.epoch not in (None, answer["epoch"]):
            self.problems.append(f"{self.name}: the epoch became {answer['epoch']}")
        if answer["offset"] in self.messages:
            self.problems.append(f"{self.name}: offset {answer['offset']} was given twice")
        self.epoch = answer["epoch"]
        self.clock_ms = max(self.clock_ms, 2 * (sent - answer["time"]))
        self.messages[answer["offset"]] = (key, answer["time"], size)
        self.sent.append(sent)
        self.acked.append((acked, answer["offset"]))

    @property
    def head(self):
        return len(self.messages)

    def close(self):
        """Nothing more is published: makes ready for questions."""
        if sorted(self.messages) != list(range(1, self.head + 1)):
            self.problems.append(f"{self.name}: the offsets of {self.head} publishes are not 1 to {self.head}")
        last = {}
        for offset in sorted(self.messages):
            publisher, number = self.messages[offset][0]
            if number != last.get(publisher, 0) + 1:
                self.problems.append(f"{self.name}: {offset} is number {number} of publisher {publisher}, before it came {last.get(publisher, 0)}")
            last[publisher] = number
        self.sent.sort()
        self.acked.sort()
        self._moments = [moment for moment, _ in self.acked]
        self._heads, most = [], 0
        for _, offset in self.acked:
            most = max(most, offset)
            self._heads.append(most)

    def head_at_least(self, moment):
        place = bisect.bisect_left(self._moments, moment)
        return self._heads[place - 1] if place else 0

    def head_at_most(self, moment):
        return bisect.bisect_right(self.sent, moment)

    def held(self, position, top, asked, answered):
        """Whether everything after `position` was held at some moment between, when the head was at most `top`."""
        low = self.head_at_least(asked)
        if position > top:
            return "no"
        if position == top:
            return "yes"
        first = position + 1
        verdicts = []
        if self.history.messages is not None:
            verdicts.append("yes" if first > top - self.history.messages else "no" if first <= low - self.history.messages else "either")
        if self.history.age_ms is not None:
            expires = self.messages[first][1] + self.history.age_ms
            by_age = "yes" if answered + self.clock_ms < expires else "no" if asked - self.clock_ms > expires else "either"
            verdicts.append("either" if by_age == "no" and position >= low else by_age)  # perhaps nothing was missing yet
        if sum(self.messages[offset][2] for offset in range(first, top + 1)) > ANSWER_BYTES:
            verdicts.append("either")
        return "no" if "no" in verdicts else "either" if "either" in verdicts else "yes"


class Judge:
    """One client: its records in their order."""

    def __init__(self, name, channels, totals, problems):
        self.name, self.channels, self.totals, self.problems = name, channels, totals, problems
        self.position = {}  # channel: offset; absent: it begins anew
        self.asked = {}

    def problem(self, channel, text):
        self.problems.append(f"{self.name}, {channel}: {text}")

    def take(self, kind, channel, *values):
        getattr(self, kind)(channel, *values)

    def ask(self, channel, recover, flag, sent):
        """recover: None, or (offset, epoch) of the command and whether they are its true position."""
        if recover is not None and recover[2] and recover[0] != self.position.get(channel):
            self.problem(channel, f"asked from {recover[0]}, stood at {self.position.get(channel)}")  # a mistake of the client
        self.asked[channel] = (recover, flag, sent)

    def answer(self, channel, result, at):
        recover, flag, sent = self.asked.pop(channel)
        known = self.channels[channel]
        keys = result.get("publications", [])
        recovered, top = result.get("recovered", False), result.get("offset", 0)
        if not (result.get("positioned") and result.get("recoverable")) or result.get("epoch") != known.epoch:
            self.problem(channel, f"the answer is {result}")
        if result.get("was_recovering", False) != (recover is not None):
            self.problem(channel, f"was_recovering is wrong in {result}")
        if recovered:
            if recover is None or top != recover[0]:
                return self.problem(channel, f"recovered is not what was asked: {recover}, {result}")
            self.position[channel] = top
            for publication in keys:
                self.pub(channel, *publication, at)
            top = self.position[channel]
        elif keys:
            self.problem(channel, "publications without recovered")
        if not known.head_at_least(sent) <= top <= known.head_at_most(at):
            self.problem(channel, f"the answer goes up to {top}, the head was between {known.head_at_least(sent)} and {known.head_at_most(at)}")
        self.decide(channel, recover, flag, sent, at, top, recovered)
        self.position[channel] = top

    def decide(self, channel, recover, flag, sent, at, top, recovered):
        if recover is None:
            return
        true_place = recover[2]
        if not true_place:
            self.totals["false positions"] += 1
            expected = "no"
        else:
            self.totals["reconnects"] += 1
            expected = self.channels[channel].held(recover[0], top, sent, at)
            self.totals["either" if expected == "either" else "recovered" if recovered else "lost"] += 1
        if not recovered and flag == 2:
            self.problem(channel, "it asked for error 112 instead of recovered = false")
        if expected != "either" and recovered != (expected == "yes"):
            self.problem(channel, f"recovered is {recovered} from {recover}, must be {expected}; the head was {top}")

    def error(self, channel, code, at):
        recover, flag, sent = self.asked.pop(channel)
        known = self.channels[channel]
        if code != 112 or flag != 2 or recover is None:
            return self.problem(channel, f"error {code}")
        self.totals["error 112"] += 1
        if recover[2]:
            self.totals["reconnects"] += 1
            # Of an error the head is not known: it was at least one of those between.
            if known.held(recover[0], max(known.head_at_most(at), recover[0]), sent, at) == "yes":
                self.problem(channel, f"error 112 from {recover}, which was held")
        self.position.pop(channel, None)

    def pub(self, channel, offset, key, epoch, at):
        known = self.channels[channel]
        place = self.position.get(channel)
        if place is None or offset != place + 1:
            what = "a doubled or late message" if place is not None and offset <= place else "a silent gap"
            self.problem(channel, f"{what}: {offset} came at {place}")
        message = known.messages.get(offset)
        if message is None or message[0] != key:
            self.problem(channel, f"{offset} is {key}, published was {message}")
        if epoch not in (None, known.epoch):
            self.problem(channel, f"{offset} is of the epoch {epoch}")
        if offset > known.head_at_most(at):
            self.problem(channel, f"{offset} came before it was published")
        self.position[channel] = offset
        self.totals["messages"] += 1

    def unsub(self, channel, code):
        self.totals["unsubscribed 2500"] += 1
        if code != 2500 or not self.channels[channel].history.drops:
            self.problem(channel, f"unsubscribed with {code}")

    def cut(self, _):
        self.totals["connections"] += 1
        self.asked.clear()

    def closed(self, channel, code, reason):
        self.totals[f"closed {code}"] += 1
        if code not in (1006, 3008):
            self.problem(channel, f"disconnected with {code} {reason}")

    def end(self, _):
        for name, offset in self.position.items():
            if offset != self.channels[name].head:
                self.problem(name, f"ended at {offset}, the head is {self.channels[name].head}")


def judge(channels, logs):
    """(problems, totals) of {client: records}."""
    problems, totals = [], collections.Counter()
    for channel in channels.values():
        channel.close()
        problems += channel.problems
    for name, records in logs.items():
        one = Judge(name, channels, totals, problems)
        for record in records:
            one.take(*record)
        if not records or records[-1][0] != "end":
            problems.append(f"{name}: did not reach the heads")
    totals["published"] = sum(channel.head for channel in channels.values())
    return problems, totals
