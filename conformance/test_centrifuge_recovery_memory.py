"""Recoveries of a client that does not read: one answer at a time is made for it, and when it reads it gets them all. Seen in the memory of
the server's process."""
import json
import pathlib
import unittest

import rig
from centrifuge_wire import Json, Protobuf, Socket

CHANNELS, MESSAGES, BYTES = 50, 64, 16_000  # 1 MiB of history each
CONFIG = """
[server]
dev = true
listen = ["127.0.0.1:PORT"]
workers = WORKERS
[channels]
history_messages_max = 64
history_bytes_max = "2MiB"
[limits]
channels_per_peer_max = 64
queue_bytes_max = "256KiB"
message_bytes_max = "64KiB"
queue_age_max = "10m"
new_channels_per_s_max = 10000
"""
# An answer, three times while it is made (the texts, the frame, the block of the queue, each of which grows by doubling), and what the
# allocator keeps. All answers at once would be 50 MiB and more.
GROWTH_MAX = 16 << 20


class RecoveryMemory(unittest.TestCase):
    def status(self, name):
        for line in pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(name)

    def run_with(self, workers, form):
        self.server = rig.Server(config=CONFIG.replace("WORKERS", str(workers))).start()
        self.addCleanup(self.server.stop)
        with self.server.connect() as connection:
            for channel in range(CHANNELS):
                for n in range(MESSAGES):
                    answer = connection.request("POST", f"/pub/c{channel}", json.dumps(f"{n} " + "x" * BYTES), {"Content-Type": "application/json"})
                    self.assertEqual(answer.status, 200)
        pathlib.Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")  # VmHWM counts from here
        before = self.status("VmHWM")
        socket = Socket(self.server, form, receive_buffer=8192)
        self.addCleanup(socket.close)
        socket.ask(connect={})
        commands = [socket.numbered({"subscribe": {"channel": f"c{n}", "recoverable": True, "recover": True}}) for n in range(CHANNELS)]
        ping = socket.numbered({"presence_stats": {"channel": "c0"}})
        socket.send(*commands, ping)
        # Others are served meanwhile, and everything that the server does without being read has been done.
        queued = lambda: self.server.metrics()["wirebird_queue_bytes"]
        self.server.until(lambda: queued() > 128 << 10, "nothing was answered")
        last = -1
        while (now := queued()) != last:
            last = now
        self.assertLess(last, 2 * MESSAGES * BYTES)
        seen = {}
        others = 0
        while len(seen) < CHANNELS or others == 0:
            reply = socket.next()
            if reply.get("id") == ping["id"]:
                others += 1
                continue
            result = reply["subscribe"]
            self.assertTrue(result["recovered"], reply["id"])
            self.assertNotIn(reply["id"], seen)
            seen[reply["id"]] = [int(each["data"].split()[0]) for each in result["publications"]]
        self.assertEqual(list(seen.values()), [list(range(MESSAGES))] * CHANNELS)
        self.assertEqual(sorted(seen), [command["id"] for command in commands])
        growth = self.status("VmHWM") - before
        self.assertLess(growth, GROWTH_MAX, f"{growth >> 20} MiB")
        # All of them are live.
        for n in (0, CHANNELS - 1):
            self.server.publish(f"c{n}", '"live"', "application/json")
            self.assertEqual(socket.push()[:2], ("pub", f"c{n}"))

    def test_one_worker(self):
        self.run_with(1, Json)

    @unittest.skipIf(rig.SANITIZED, "the memory of a sanitizer")
    def test_two_workers(self):
        self.run_with(2, Protobuf)

    def test_who_leaves_meanwhile(self):
        self.server = rig.Server(config=CONFIG.replace("WORKERS", "2")).start()
        self.addCleanup(self.server.stop)
        for n in range(200):
            self.server.publish("c0", json.dumps("x" * BYTES), "application/json")
        socket = Socket(self.server, Json, receive_buffer=8192)
        socket.ask(connect={})
        commands = [socket.numbered({"subscribe": {"channel": "c0" if n == 0 else f"e{n}", "recoverable": True, "recover": True}}) for n in range(20)]
        # A subscription that waits for its turn ends too, in the order of the commands.
        leave = socket.numbered({"unsubscribe": {"channel": "e19"}})
        again = socket.numbered({"subscribe": {"channel": "e19"}})
        twice = {"id": 900, "subscribe": {"channel": "e5"}}
        socket.send(*commands, twice, leave, again)
        replies = [socket.next() for _ in range(23)]
        self.assertEqual([reply["id"] for reply in replies if "error" in reply], [900])
        self.assertEqual(replies[-2:], [{"id": leave["id"], "unsubscribe": {}}, {"id": again["id"], "subscribe": {}}])
        # And one that is gone leaves nothing.
        commands = [socket.numbered({"unsubscribe": {"channel": "c0"}})]
        commands += [socket.numbered({"subscribe": {"channel": channel, "recoverable": True, "recover": True}}) for channel in ("c0", "f1", "f2")]
        socket.send(*commands)
        self.server.until(lambda: self.server.metrics()["wirebird_subscriptions"] >= 1, "nothing has begun")
        socket.close()
        self.server.until(lambda: self.server.metrics()["wirebird_subscriptions"] == 0, "subscriptions stay")


if __name__ == "__main__":
    rig.main()
