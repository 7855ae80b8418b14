"""SIGTERM under load: every client is told, what was accepted is delivered, and the process ends with 0."""
import json
import signal
import threading
import time
import unittest

import rig
import wire
from wire import Closed


class Drain(unittest.TestCase):
    arguments = ("--drain-time-max=5s", "--drain-window=2s")

    def test_under_load(self):
        server = rig.Server(*self.arguments).start()
        sockets = [server.ws("/ws/drain?meta=1") for _ in range(20)] + [server.ws("/ws/drain?since=-1000&publish=0") for _ in range(20)]
        streams = [server.events("/sse/drain") for _ in range(20)]
        for socket in sockets[:20]:
            self.assertIn("position", socket.recv_json())
        for events in streams:
            events.next()
        cursor = server.http("GET", "/poll/drain").json["cursor"]
        polls = []
        for _ in range(20):
            poll = server.connect()
            poll.send(f"GET /poll/never-published?timeout=60&since={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            polls.append(poll)
        acked, halfway = [], threading.Event()

        def publish():
            try:
                with server.connect() as connection:
                    while True:
                        answer = connection.request("POST", "/pub/drain", str(len(acked)), {"Content-Type": "application/json"})
                        if answer.status != 200:
                            acked.append(answer)
                            return
                        acked.append(answer.json["offset"])
                        if len(acked) == 300:
                            halfway.set()
            except (OSError, EOFError):
                acked.append(None)  # cut off without an answer: unknown
            finally:
                halfway.set()

        publisher = threading.Thread(target=publish)
        publisher.start()
        self.assertTrue(halfway.wait(wire.DEADLINE_S))
        server.signal(signal.SIGTERM)

        heads = set()
        for number, socket in enumerate(sockets):
            offsets = []
            try:
                while True:
                    record = json.loads(socket.recv())
                    offsets.append(record["offset"] if number < 20 else record + 1)
            except Closed as closed:
                self.assertEqual(closed.code, 1012, closed.reason)
                code, _, hint = closed.reason.partition(" ")
                self.assertEqual(code, "E_DRAINING")
                window = json.loads(hint)
                self.assertLessEqual(window["retry_min_ms"], window["retry_max_ms"])
                socket.send_close(1012)
            self.assertEqual(offsets, list(range(1, len(offsets) + 1)))
            heads.add(len(offsets))
        retries = set()
        for events in streams:
            offsets = []
            try:
                while True:
                    event = events.next()
                    if event["data"] is not None:
                        offsets.append(json.loads(event["data"])["offset"])
            except (EOFError, ValueError):
                pass
            self.assertEqual(offsets, list(range(1, len(offsets) + 1)))
            self.assertTrue(100 <= events.parser.retry <= 2000, events.parser.retry)
            retries.add(events.parser.retry)
        self.assertGreater(len(retries), 5)  # and not all the same
        for poll in polls:
            response = poll.read_response()
            self.assertIn(response.status, (200, 503))
            self.assertTrue(poll.at_end())
        publisher.join(wire.DEADLINE_S)
        ended = acked.pop()
        if ended is not None:
            self.assertEqual((ended.status, ended.code), (503, "E_DRAINING"))
        # What was answered before the first Close frame was delivered to everybody; nobody stopped far behind.
        self.assertGreaterEqual(min(heads), 300)
        server.stop()

    def test_many_polls_and_streams_are_let_go_one_after_the_other(self):
        """Over the first half of drain_time_max: half of 2 s."""
        server = rig.Server("--workers=1", "--drain-time-max=2s").start()
        cursor = server.http("GET", "/poll/x").json["cursor"]
        polls = [server.connect() for _ in range(150)]
        for poll in polls:
            poll.send(f"GET /poll/x?timeout=60&since={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        streams = [server.events("/sse/x") for _ in range(150)]
        server.until(lambda: server.metrics().get('wirebird_connections{door="poll"}') == 150, "the polls did not arrive")
        server.signal(signal.SIGTERM)
        ended = []

        def answered(poll):
            response = poll.read_response()
            self.assertEqual((response.status, response.json), (200, {"messages": [], "cursor": cursor}))
            self.assertEqual(response.header("Connection"), "close")
            ended.append(time.monotonic())

        def over(events):
            events.read_to_end()
            ended.append(time.monotonic())

        threads = [threading.Thread(target=answered, args=(poll,)) for poll in polls]
        threads += [threading.Thread(target=over, args=(events,)) for events in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(wire.DEADLINE_S)
        self.assertEqual(len(ended), 300)
        self.assertGreater(max(ended) - min(ended), 0.5)
        server.stop()

    def test_an_idle_server_ends_at_once(self):
        server = rig.Server(*self.arguments).start()
        server.stop()

    def test_new_connections_are_not_taken(self):
        server = rig.Server(*self.arguments).start()
        with server.ws("/echo") as socket:
            server.signal(signal.SIGTERM)
            with self.assertRaises(Closed):
                socket.recv()
            with self.assertRaises((OSError, EOFError)):
                server.http("GET", "/health")
                server.wait()
                server.http("GET", "/health")
            socket.send_close(1012)
        server.stop()

    def test_clients_that_do_not_answer_hold_nothing_up(self):
        server = rig.Server("--drain-time-max=1s").start()
        silent = [server.ws("/echo") for _ in range(20)]
        half_requests = [server.connect() for _ in range(20)]
        for connection in half_requests:
            connection.send(b"POST /pub/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf")
        server.stop()
        for connection in silent + half_requests:
            connection.close()

    def test_a_second_signal_does_no_harm(self):
        server = rig.Server(*self.arguments).start()
        with server.ws("/echo"):
            server.signal(signal.SIGTERM)
            server.signal(signal.SIGTERM)
        server.stop()

    def test_sigint_is_the_same(self):
        server = rig.Server(*self.arguments).start()
        with server.ws("/echo") as socket:
            server.signal(signal.SIGINT)
            with self.assertRaises(Closed) as caught:
                socket.recv()
            self.assertEqual(caught.exception.code, 1012)
            socket.send_close(1012)
        self.assertEqual(server.wait(), 0)
        server.stop()


if __name__ == "__main__":
    rig.main()
