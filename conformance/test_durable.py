"""Durable channels: what was acknowledged is there after a crash and a restart, on every door, once, in its place."""
import json
import pathlib
import signal
import tempfile
import threading
import time
import unittest

import rig
import wire
from centrifuge_wire import Socket

KILLS = 20
PUBLISHERS = 8


class Durable(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="wirebird-data-")
        self.addCleanup(folder.cleanup)
        self.data = pathlib.Path(folder.name) / "data"

    def server(self, *arguments, **options):
        return rig.Server("--workers", "2", "--data", str(self.data), *arguments, **options)

    @staticmethod
    def crash(server):
        server.signal(signal.SIGKILL)
        server.wait()
        server.gone()

    @staticmethod
    def api(server, method, headers=(), **body):
        return server.http("POST", f"/api/{method}", json.dumps(body), {"Content-Type": "application/json", **dict(headers)})

    def history(self, server, channel):
        """All that is held, page by page: [(offset, text)], and the epoch."""
        found, epoch = [], ""
        while True:
            since = {"since": {"offset": found[-1][0] if found else 0, "epoch": epoch}}
            answer = self.api(server, "history", channel=channel, limit=1000, **since)
            self.assertEqual(answer.status, 200, answer.body)
            result = answer.json["result"]
            epoch = result["epoch"]
            if not result["publications"]:
                return found, epoch
            found += [(each["offset"], each["data"]) for each in result["publications"]]

    def test_publish_says_what_it_survives(self):
        with self.server() as server:
            first = self.api(server, "publish", channel="durable:a", data={"n": 1}, ack="durable").json
            self.assertEqual((first["level"], first["offset"]), ("durable", 1))
            second = self.api(server, "publish", channel="durable:a", data={"n": 2}).json
            self.assertEqual((second["level"], second["offset"], second["epoch"]), ("durable", 2, first["epoch"]))
            third = server.publish("durable:a", '{"n":3}', "application/json")
            self.assertEqual((third["level"], third["offset"], third["epoch"]), ("durable", 3, first["epoch"]))
            self.assertEqual(server.publish("memory", "x")["level"], "accepted")
            refused = self.api(server, "publish", channel="memory", data=1, ack="durable")
            self.assertEqual((refused.status, refused.code), (400, "E_NOT_DURABLE"))
            self.assertEqual(self.api(server, "publish", channel="durable:a", data=1, ack="maybe").code, "E_PARAMETER")
            self.assertEqual(self.history(server, "durable:a"),
                             ([(1, {"n": 1}), (2, {"n": 2}), (3, {"n": 3})], first["epoch"]))
            metrics = server.metrics()
            self.assertEqual(metrics['wirebird_storage_state{state="open"}'], 1)
            self.assertGreaterEqual(metrics["wirebird_storage_commands_total"], 3)

    def test_every_door_goes_on_after_a_restart(self):
        with self.server() as server:
            with server.ws("/ws/durable:a?meta=1&since=-10") as socket:
                begin = socket.recv_json()["position"]
                socket.send_text("one")
                record = socket.recv_json()
                self.assertEqual((record["text"], record["offset"]), ("one", 1))
                self.assertEqual(begin, f"{record['epoch']}:0")
            cursor = f"{record['epoch']}:1"
            server.publish("durable:a", "two")
            server.publish("durable:a", "three")
        with self.server() as server:
            server.publish("durable:a", "four")
            with server.ws(f"/ws/durable:a?meta=1&since={cursor}") as socket:
                texts = [socket.recv_json() for _ in range(4)]
                self.assertEqual([each.get("text") for each in texts if "text" in each], ["two", "three", "four"])
                self.assertNotIn("gap", texts[0])
            events = server.events("/sse/durable:a", cursor)
            texts = []
            while len(texts) < 3:
                record = json.loads(events.next()["data"] or "{}")
                self.assertNotIn("gap", record)
                texts += [record["text"]] if "text" in record else []
            self.assertEqual(texts, ["two", "three", "four"])
            events.close()
            with server.ws("/ws/durable:a?since=-2") as socket:
                self.assertEqual([socket.recv(), socket.recv()], ["three", "four"])

    def test_recovery_of_the_centrifuge_protocol(self):
        request = {"channel": "durable:c", "positioned": True, "recoverable": True}
        with self.server() as server:
            socket = Socket(server)
            socket.ask(connect={})
            epoch = socket.ask(subscribe=request)["epoch"]
            socket.ask(publish={"channel": "durable:c", "data": {"n": 1}})
            self.assertEqual(socket.push()[2]["offset"], 1)
            socket.close()
            server.publish("durable:c", '{"n":2}', "application/json")
        with self.server() as server:
            socket = Socket(server)
            socket.ask(connect={})
            result = socket.ask(subscribe={**request, "recover": True, "epoch": epoch, "offset": 1})
            self.assertTrue(result["recovered"])
            self.assertEqual((result["epoch"], [each["data"] for each in result["publications"]]), (epoch, [{"n": 2}]))
            history = socket.ask(history={"channel": "durable:c", "limit": 10})
            self.assertEqual([each["offset"] for each in history["publications"]], [1, 2])
            socket.close()

    def test_pages_from_the_disk_while_it_is_published_on(self):
        count = 3000  # a thousand are in memory
        with self.server() as server:
            with server.connect() as connection:
                for number in range(count):
                    answer = connection.request("POST", "/pub/durable:long", str(number))
                    self.assertEqual(answer.status, 200)
            epoch = answer.json["epoch"]
        with self.server() as server:
            stop = threading.Event()
            published = []

            def publish():
                with server.connect() as connection:
                    while not stop.is_set():
                        text = str(count + len(published))
                        self.assertEqual(connection.request("POST", "/pub/durable:long", text).status, 200)
                        published.append(text)

            publisher = threading.Thread(target=publish)
            publisher.start()
            try:
                with server.ws(f"/ws/durable:long?since={epoch}:0") as socket:
                    for number in range(count + 50):
                        self.assertEqual(socket.recv(), str(number))
            finally:
                stop.set()
                publisher.join()

    def test_a_repeat_has_the_same_answer_after_a_crash(self):
        server = self.server().start()
        body = {"channel": "durable:once", "data": {"paid": 1}, "idempotency_key": "order-1"}
        first = self.api(server, "publish", **body).json
        self.crash(server)
        with self.server() as server:
            again = self.api(server, "publish", **body).json
            for name in ("offset", "epoch", "time", "level"):
                self.assertEqual(again[name], first[name])
            other = self.api(server, "publish", **{**body, "data": {"paid": 2}})
            self.assertEqual((other.status, other.code), (409, "E_IDEMPOTENCY"))
            self.assertEqual(len(self.history(server, "durable:once")[0]), 1)

    def test_removing_history(self):
        with self.server() as server:
            for text in ("one", "two"):
                epoch = server.publish("durable:a", text)["epoch"]
            self.assertEqual(self.api(server, "history_remove", channel="durable:a").status, 200)
            self.assertEqual(self.history(server, "durable:a"), ([], epoch))
        with self.server() as server:
            self.assertEqual(server.publish("durable:a", "three")["offset"], 3)
            with server.ws(f"/ws/durable:a?meta=1&since={epoch}:1") as socket:
                gap = socket.recv_json()["gap"]
                self.assertEqual((gap["from"], gap["reason"]), (2, "expired"))

    def test_killed_under_load(self):
        """No acknowledged record is lost, none is there twice, positions stand, and who watches misses nothing."""
        acked, restarts, epochs = {}, [], set()
        for round_number in range(KILLS):
            began = time.monotonic()
            server = self.server().start()
            restarts.append(time.monotonic() - began)
            halfway, enough = threading.Event(), 5 + round_number * 3

            def publish(name, server=server, halfway=halfway, enough=enough):
                mine = 0
                try:
                    with server.connect() as connection:
                        while True:
                            text = f"{round_number}-{name}-{mine}"
                            answer = connection.request("POST", f"/pub/durable:{name % 3}", text)
                            if answer.status != 200:
                                return
                            acked[text] = (name % 3, answer.json["offset"])
                            epochs.add((name % 3, answer.json["epoch"]))
                            mine += 1
                            if mine == enough:
                                halfway.set()
                except (OSError, EOFError):
                    pass  # cut off without an answer: unknown

            threads = [threading.Thread(target=publish, args=(name,)) for name in range(PUBLISHERS)]
            for thread in threads:
                thread.start()
            self.assertTrue(halfway.wait(wire.DEADLINE_S))
            self.crash(server)
            for thread in threads:
                thread.join()
        self.assertEqual(len(epochs), 3, "a crash loses nothing, so no epoch changes")
        with self.server() as server:
            for channel in range(3):
                found, _ = self.history(server, f"durable:{channel}")
                self.assertEqual([offset for offset, _ in found], list(range(1, len(found) + 1)))
                texts = {text: offset for offset, text in found}
                self.assertEqual(len(texts), len(found), "something is there twice")
                for text, (where, offset) in acked.items():
                    if where == channel:
                        self.assertEqual(texts.get(text), offset, text)
        print(f"{KILLS} kills, {len(acked)} acknowledged, restart {sorted(restarts)[len(restarts) // 2]:.3f} s in the "
              f"middle, {max(restarts):.3f} s at most", flush=True)

    def test_second_server_is_refused(self):
        with self.server() as server:
            with self.assertRaises(AssertionError) as refused:
                self.server().start()
            self.assertIn("not_started", str(refused.exception))
            self.assertIn(f"process {server.process.pid}", str(refused.exception))

    def test_durable_needs_a_directory(self):
        config = """
            [server]
            listen = ["127.0.0.1:PORT"]
            admin_listen = ["127.0.0.1:ADMIN"]
            [namespaces.orders]
            durable = true
        """
        with self.assertRaises(AssertionError) as refused:
            rig.Server(dev=False, config=config).start()
        self.assertIn("namespaces.orders.durable", str(refused.exception).replace("[", "").replace("]", ""))
        self.assertIn("data_dir", str(refused.exception))

    def test_in_production_mode(self):
        config = """
            [server]
            listen = ["127.0.0.1:PORT"]
            admin_listen = ["127.0.0.1:ADMIN"]
            data_dir = "FOLDER/data"
            [channels]
            publish = "anyone"
            subscribe = "anyone"
            [namespaces.orders]
            durable = true
            publish = "anyone"
            subscribe = "anyone"
        """
        with rig.Server(dev=False, config=config) as server:
            self.assertEqual(server.publish("orders:1", "x")["level"], "durable")
            self.assertEqual(server.publish("durable:1", "x")["level"], "accepted")
            server.configure(config.replace("durable = true", "durable = false"))
            server.signal(signal.SIGHUP)
            server.until(lambda: "reload_refused" in server.log(), "the reload was not refused")
            self.assertEqual(server.publish("orders:1", "y")["offset"], 2)


if __name__ == "__main__":
    rig.main()
