"""SIGTERM under load: every client is told, what was accepted is delivered, and the process ends with 0."""
import json
import signal
import threading
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
