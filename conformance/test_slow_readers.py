#!/usr/bin/python3
"""Readers that stop reading, in namespaces that drop or conflate: what they miss is announced exactly, what is counted is what
they missed, and control frames have their own place behind a full queue (docs/protocol.md, Slow readers)."""
import json
import signal
import threading
import unittest

import rig
from wire import CLOSE, PING, PONG, client_frame

CONFIG = """[limits]
queue_bytes_max="64KiB"
message_bytes_max="64KiB"
[namespaces.close]
slow_reader="close"
[namespaces.drop]
slow_reader="drop"
[namespaces.conflate]
slow_reader="conflate"
"""
REASON = {"drop": "slow_reader", "conflate": "conflated"}
COUNTER = {"drop": "dropped", "conflate": "conflated"}
FILL = "x" * 8000


class Follower:
    """What a reader is told of one channel, by either door; whoever skips an offset without a word fails."""

    def __init__(self, connection, door):
        self.connection, self.door = connection, door
        self.messages = self.missed = 0
        self.reasons = set()
        self.next = None
        self.last = None

    def take(self):
        record = self.connection.recv_json() if self.door == "ws" else self.event()
        if record is None:
            return
        if "gap" in record:
            gap = record["gap"]
            assert gap["from"] == self.next and gap["to"] >= gap["from"], (gap, self.next)
            assert record["position"].endswith(f":{gap['to']}"), record
            self.missed += gap["to"] - gap["from"] + 1
            self.next = gap["to"] + 1
            self.reasons.add(gap["reason"])
        elif "offset" in record:
            assert record["offset"] == self.next, (record["offset"], self.next)
            self.next += 1
            self.messages += 1
        else:
            self.next = int(record["position"].split(":")[1]) + 1
        self.last = record

    def event(self):
        event = self.connection.next()
        cursor = int(event["id"].split(":")[1])
        if event["data"] is None:
            self.next = cursor + 1
            return None
        record = json.loads(event["data"])
        assert cursor == record.get("offset", record.get("gap", {}).get("to")), event
        return record

    def until(self, head):
        while self.next is None or self.next <= head:
            self.take()


class Readers(rig.ServerTest):
    options = {"config": CONFIG}

    def open(self, door, channel):
        if door == "ws":
            connection = self.server.ws(f"/ws/{channel}?meta=1")
        else:
            connection = self.server.events(f"/sse/{channel}")
        follower = Follower(connection, door)
        while follower.next is None:
            follower.take()
        self.addCleanup(connection.close)
        return follower

    def listed(self, channel):
        return self.server.http("GET", f"/api/channels?prefix={channel}").json["channels"][0]

    def publish_until_it_lags(self, channel, most=400):
        """How many messages it took, and some more."""
        with self.server.connect() as publisher:
            def publish():
                self.assertEqual(publisher.request("POST", f"/pub/{channel}", FILL, {"Content-Type": "text/plain"}).status, 200)
            for count in range(1, most):
                publish()
                if count % 10 == 0 and self.listed(channel)["lagging"] > 0:
                    for _ in range(25):
                        publish()
                    return count + 25
        self.fail(f"nobody lags after {most} messages")


class Policies(Readers):
    def test_missed_is_announced_and_counted_exactly(self):
        for policy in ("drop", "conflate"):
            for door in ("ws", "sse"):
                with self.subTest(policy=policy, door=door):
                    self.one_reader_stalls(policy, door)

    def one_reader_stalls(self, policy, door):
        channel = f"{policy}:{self.channel()}-{door}"
        total = f'wirebird_missed_messages_total{{reason="{REASON[policy]}"}}'
        missed_before = self.server.metrics()[total]
        stalled, healthy = self.open(door, channel), self.open(door, channel)
        head = [None]
        told = threading.Event()

        def follow():
            while not told.is_set() or healthy.next <= head[0]:
                healthy.take()

        thread = threading.Thread(target=follow)
        thread.start()
        head[0] = self.publish_until_it_lags(channel) + 1
        self.assertEqual(self.listed(channel)["subscribers"], 2)
        told.set()
        self.server.publish(channel, "the newest")
        thread.join()
        # It reads again, and nothing more is published.
        stalled.until(head[0])
        self.assertGreater(stalled.missed, 0)
        self.assertEqual(stalled.reasons, {REASON[policy]})
        self.assertEqual(stalled.messages + stalled.missed, head[0])
        if policy == "conflate":
            self.assertEqual(stalled.last.get("text"), "the newest")
        self.server.publish(channel, "after")
        for each in (stalled, healthy):
            each.until(head[0] + 1)
            self.assertEqual(each.last["text"], "after")
        counted = self.listed(channel)
        missed = stalled.missed + healthy.missed  # none of the second, unless this machine holds it up
        self.assertEqual(counted[COUNTER[policy]], missed)
        self.assertEqual(counted["queued"], stalled.messages + healthy.messages)
        self.assertEqual(counted["queued"] + missed, 2 * (head[0] + 1))
        self.assertEqual([counted[key] for key in ("lagging", "overload", "closed")], [0, 0, 0])
        self.assertEqual(self.server.metrics()[total] - missed_before, missed)

    def test_close_is_still_close(self):
        channel = f"close:{self.channel()}"
        reader = self.open("ws", channel).connection
        with self.server.connect() as publisher:
            for _ in range(400):
                publisher.request("POST", f"/pub/{channel}", FILL, {"Content-Type": "text/plain"})
        self.assert_closed(4408, "E_SLOW_CONSUMER", reader)
        self.assertEqual(self.listed(channel)["closed"], 1)

    def test_a_raw_websocket_is_closed_for_it_cannot_be_told(self):
        for policy in ("drop", "conflate"):
            channel = f"{policy}:{self.channel()}"
            with self.server.ws(f"/ws/{channel}") as reader, self.server.connect() as publisher:
                for _ in range(400):
                    publisher.request("POST", f"/pub/{channel}", FILL, {"Content-Type": "text/plain"})
                self.assert_closed(4408, "E_SLOW_CONSUMER", reader)


class Queues(Readers):
    """One worker, so that nothing but the reader's queue is in the metrics that it writes."""

    arguments = ("--workers", "1")

    def test_the_queue_of_a_stalled_reader_stays_within_its_cap(self):
        for policy, most in (("drop", 64 * 1024), ("conflate", 16 * 1024)):
            channel = f"{policy}:{self.channel()}"
            self.nothing_queued()
            stalled = self.open("ws", channel)
            self.publish_until_it_lags(channel)
            self.assertLessEqual(self.queued(), most)
            stalled.connection.close()

    def queued(self):
        return self.server.metrics()["wirebird_queue_bytes"]

    def nothing_queued(self):
        self.server.until(lambda: self.queued() == 0, "something stays in a queue")

    def ping(self, reader, payload):
        """Until the server has taken it: several that come together are answered by one pong (RFC 6455 section 5.5.3). False: it
        does not take any more."""
        before = self.queued()
        reader.send_frame(PING, payload)
        return self.server.until(lambda: (now := self.queued()) != before and (now, now == before + len(payload) + 2),
                                 "the ping is not answered")

    def stall(self, channel):
        """A reader whose queue lags and whose socket takes nothing: the first pongs make the server try."""
        self.nothing_queued()
        reader = self.open("ws", channel).connection
        self.publish_until_it_lags(channel)
        while not self.ping(reader, "try")[1]:
            pass
        return reader

    def test_every_ping_is_answered_behind_a_full_queue(self):
        for policy in ("drop", "conflate"):
            channel = f"{policy}:{self.channel()}"
            reader = self.stall(channel)
            pings = [f"ping {i}" for i in range(50)]
            for each in pings:
                self.assertTrue(self.ping(reader, each)[1])
            pongs = []
            while len(pongs) < len(pings):
                frame = reader.recv_frame()
                self.assertNotEqual(frame.opcode, CLOSE, frame.payload)
                if frame.opcode == PONG and frame.payload != b"try":
                    pongs.append(frame.payload.decode())
            self.assertEqual(pongs, pings)
            self.assertEqual(reader.finish(), (1000, ""))

    def test_pings_without_reading_come_to_an_end(self):
        channel = f"drop:{self.channel()}"
        reader = self.stall(channel)
        most, answered = self.queued(), True
        while answered:
            queued, answered = self.ping(reader, "p" * 125)
            most = max(most, queued)
        self.assertGreater(most, 64 * 1024)
        self.assertLessEqual(most, 68 * 1024)
        self.assertEqual(self.listed(channel)["closed"], 1)
        self.assert_closed(4408, "E_SLOW_CONSUMER", reader)


class Reload(unittest.TestCase):
    def test_a_new_policy_counts_for_who_is_there(self):
        with rig.Server(config=CONFIG) as server, server.ws("/ws/close:c?meta=1") as reader:
            follower = Follower(reader, "ws")
            follower.take()
            server.configure(CONFIG.replace('slow_reader="close"', 'slow_reader="conflate"'))
            server.signal(signal.SIGHUP)
            server.until(lambda: "reload" in server.log(), server.log)
            for _ in range(400):
                server.publish("close:c", FILL)
            follower.until(400)
            self.assertEqual(follower.reasons, {"conflated"})


if __name__ == "__main__":
    rig.main()
