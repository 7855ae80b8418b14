"""Recovery of the Centrifuge protocol over real sockets: cut, fallen behind and recovered at random, judged by a model that knows
what was published when. RECONNECTS (of subscriptions, for each number of workers) and SEED are taken from the environment."""
import asyncio
import json
import os
import sys
import unittest

import centrifuge_recovery
import map_recovery
import recovery_model
import rig

RECONNECTS = int(os.environ.get("RECONNECTS", "100"))
CLIENTS = int(os.environ.get("CLIENTS", "12"))
SEED = os.environ.get("SEED", "1")
SECONDS_MAX = float(os.environ.get("SECONDS_MAX", "120"))  # only what hangs needs as long


def run(workers, seed, **options):
    with rig.Server("--workers", str(workers), config=centrifuge_recovery.CONFIG) as server:
        return asyncio.run(asyncio.wait_for(centrifuge_recovery.run(server.port, RECONNECTS, CLIENTS, seed, **options), SECONDS_MAX))


class Recovery(unittest.TestCase):
    def test_every_answer_is_what_the_history_makes_it(self):
        for workers in (1, 2, 3, 4):
            with self.subTest(workers=workers):
                channels, logs = run(workers, f"{SEED} {workers}")
                problems, totals = recovery_model.judge(channels, logs)
                print(json.dumps({"workers": workers, "seed": SEED, **dict(sorted(totals.items()))}), file=sys.stderr)
                self.assertEqual(problems, [])
                self.assertGreaterEqual(totals["reconnects"], RECONNECTS // 2)
                self.assertGreater(totals["recovered"], RECONNECTS // 10)
                self.assertGreater(totals["lost"], RECONNECTS // 50)
                self.assertLess(totals["either"], RECONNECTS // 4)
                self.doctored(channels, logs)

    def test_a_history_that_holds_everything_recovers_everybody(self):
        channels, logs = run(2, f"{SEED} all", namespaces=("all", "drop"))
        problems, totals = recovery_model.judge(channels, logs)
        print(json.dumps({"workers": 2, "seed": SEED, "namespaces": "all, drop", **dict(sorted(totals.items()))}), file=sys.stderr)
        self.assertEqual(problems, [])
        self.assertEqual(totals["lost"], 0)
        # Of several bursts at once, more than one answer brings: where clients are slow enough to come back to that.
        self.assertLess(totals["either"], RECONNECTS // 10)
        self.assertGreater(totals["unsubscribed 2500"], 0, "nobody fell behind")

    def test_maps(self):
        """Whatever happens while a client pages, is away or comes back: what it holds is the state of the map at its offset."""
        for workers in (1, 3):
            with self.subTest(workers=workers):
                with rig.Server("--workers", str(workers), config=map_recovery.CONFIG) as server:
                    problems, totals, maps = asyncio.run(asyncio.wait_for(
                        map_recovery.run(server.port, 4 * RECONNECTS, CLIENTS, f"{SEED} {workers}"), SECONDS_MAX))
                print(json.dumps({"maps": True, "workers": workers, "seed": SEED, **dict(sorted(totals.items()))}), file=sys.stderr)
                self.assertEqual(problems, [])
                for kind in ("recovered", "synchronised", "error 112", "pages of state", "pages of changes"):
                    self.assertGreater(totals[kind], RECONNECTS // 20, kind)
                self.falsified(maps["mapall:1"])

    def falsified(self, known):
        """The model finds what was falsified."""
        offset, entries, what = max(known.checks, key=lambda check: len(check[1]))
        key = next(iter(entries))
        for wrong in ({**entries, key: -1}, {**entries, "another": 1}, {k: v for k, v in entries.items() if k != key}):
            known.checks.append((offset, wrong, what))
            problems = []
            known.judge(problems)
            self.assertEqual(len(problems), 1)
            known.checks.pop()

    def test_answers_that_are_larger_than_a_queue(self):
        """Two histories of their default size, recovered at once by one that reads at its own pace: not a slow reader, who
        would be closed, come again and be closed again."""
        with rig.Server("--workers", "1") as server:
            with server.connect() as publisher:
                for channel in "ab":
                    for _ in range(780):
                        publisher.request("POST", f"/pub/{channel}", b"\0" * 1150, {"Content-Type": "application/octet-stream"})
            with server.ws("/connection/websocket", receive_buffer=8192) as socket:
                recover = {"recoverable": True, "recover": True, "offset": 0, "epoch": ""}
                socket.send_text("\n".join(['{"id":1,"connect":{}}'] + [
                    json.dumps({"id": 2 + i, "subscribe": {"channel": channel, **recover}}) for i, channel in enumerate("ab")]))
                answers = {}
                while len(answers) < 3:
                    for line in socket.recv().split("\n"):
                        answers[json.loads(line)["id"]] = json.loads(line)
                self.assertEqual([len(answers[i]["subscribe"]["publications"]) for i in (2, 3)], [780, 780])

    def doctored(self, channels, logs):
        """The model finds what was falsified: it is no use if it cannot say no."""
        name, records = max(logs.items(), key=lambda each: sum(record[0] == "pub" for record in each[1]))
        pubs = [i for i, record in enumerate(records) if record[0] == "pub" and records[i - 1][:2] == record[:2]]
        middle = pubs[len(pubs) // 2]
        kind, channel, offset, key, epoch, at = records[middle]
        # Of an answer that brought nothing the model always knows that nothing was missing.
        place, answer, name_of_answer = next((i, record, each) for each, log in logs.items() for i, record in enumerate(log)
                                             if record[0] == "answer" and record[2].get("recovered") and not record[2]["publications"])
        top, log = answer[2]["offset"], logs[name_of_answer]
        falsified = {
            "a lost message": records[:middle] + records[middle + 1:],
            "a doubled message": records[:middle + 1] + records[middle:],
            "two messages in the wrong order": records[:middle - 1] + [records[middle], records[middle - 1]] + records[middle + 1:],
            "another payload": records[:middle] + [(kind, channel, offset, ("nobody", 1), epoch, at)] + records[middle + 1:],
            "another epoch": records[:middle] + [(kind, channel, offset, key, "aaaaaaaa", at)] + records[middle + 1:],
            "a client that stopped early": records[:-1],
        }
        for what, text in falsified.items():
            self.assertTrue(recovery_model.judge(channels, {name: text})[0], f"the model did not find {what}")
        loss = ("answer", answer[1], {**answer[2], "recovered": False, "publications": [], "offset": top}, answer[3])
        self.assertTrue(recovery_model.judge(channels, {name_of_answer: log[:place] + [loss] + log[place + 1:]})[0],
                        "the model did not find a loss where none was")
        self.assertEqual(recovery_model.judge(channels, {name: records})[0], [])


if __name__ == "__main__":
    rig.main()
