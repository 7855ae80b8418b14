#!/usr/bin/python3
"""Clients that ask and do not listen, and a server that runs out of memory: what is held for them stays bounded, others notice
nothing, and who reads slowly but steadily gets everything (threat T11, robustness F13, F23)."""
import re
import select
import signal
import socket
import tempfile
import threading
import unittest

import rig
import wire
from test_tls import make_certificate
from wire import TEXT, Closed, client_frame

MIB = 1 << 20


NARROW = 16 * 1024  # what the kernel takes for such a connection


def connect_narrow(server):
    return wire.Connection(server.address, receive_buffer=NARROW).socket


def push_until_it_blocks(connection, data, most):
    """Sends `data` again and again until the other side takes no more of it, or `most` bytes."""
    connection.settimeout(1)
    sent = 0
    try:
        while sent < most:
            sent += connection.send(data)
    except OSError:
        pass  # blocked for a second, or ended
    return sent


class WhoDoesNotListen(rig.ServerTest):
    canaries = True

    def test_pipelined_requests_without_reading(self):
        before = self.server.resident_bytes()
        with connect_narrow(self.server) as connection:
            sent = push_until_it_blocks(connection, b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000, 64 * MIB)
            self.assertLess(sent, 64 * MIB)
            self.assert_held(before, 16 * MIB)

    def test_and_then_reading_them_all(self):
        count = 20_000
        requests = b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n" * count + b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with connect_narrow(self.server) as connection:
            answers = 0
            connection.setblocking(False)
            while True:
                _, writable, _ = select.select([connection], [connection] if requests else [], [], wire.DEADLINE_S)
                if writable:
                    requests = requests[connection.send(requests):]
                try:
                    data = connection.recv(65536)
                except BlockingIOError:
                    continue
                if not data:
                    break
                answers += data.count(b"HTTP/1.1 200 OK\r\n")  # a head may be cut in two: at least nearly all are counted
        self.assertGreater(answers, count * 0.99)

    def test_refused_frames_without_reading(self):
        before = self.server.resident_bytes()
        with self.server.ws("/ws/refused?meta=1&kind=json") as watcher:
            push_until_it_blocks(watcher.socket, client_frame(TEXT, b"{") * 9000, 256 * MIB)
            self.assert_held(before, 16 * MIB)

    def test_bodies_that_nobody_wants_are_not_read(self):
        for head in (b"POST /nowhere", b"GET /health", b"POST /health"):
            with self.server.connect() as connection:
                connection.send(head + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
                response = connection.read_response()  # before one byte of the body
                self.assertIn(response.status, (200, 404, 405))
                self.assertIn("close", response.tokens("Connection"))

    def test_a_body_behind_a_bad_ticket_is_not_read(self):
        with rig.Server(dev=False, config='[server]\nlisten=["127.0.0.1:PORT"]\nadmin_listen=["127.0.0.1:ADMIN"]\n') as closed:
            with closed.connect() as connection:
                connection.send(b"POST /pub/a?ticket=junk HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n")
                self.assertEqual(connection.read_response().status, 401)

    def test_pipelined_publishes_are_all_answered_after_a_half_close(self):
        for i in range(10):
            with self.server.connect() as connection:
                connection.send("".join(f"POST /pub/half-{i}-{n} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"
                                        for n in range(8)).encode())
                connection.socket.shutdown(socket.SHUT_WR)
                self.assertEqual([connection.read_response().status for _ in range(8)], [200] * 8)
                self.assertTrue(connection.at_end())

    def test_small_bombs_hold_nobody_up(self):
        """A client whose compressed messages always leave something for the next turn is read once a turn, not once for each time
        that it was read before: others are served in between, and the server does not get slower the longer it lasts."""
        frame = client_frame(TEXT, wire.deflate(b"{" * 500_000), rsv=wire.RSV1)
        offer = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
        with rig.Server("--workers", "1") as server, server.ws("/ws/bombs?meta=1&kind=json", deflate_offer=offer) as attacker:
            stop = threading.Event()

            def attack():
                try:
                    while not stop.is_set():
                        attacker.socket.sendall(frame * 50)
                except OSError:
                    pass

            def listen():
                try:
                    while attacker.socket.recv(65536):
                        pass
                except OSError:
                    pass

            threads = [threading.Thread(target=attack), threading.Thread(target=listen)]
            for thread in threads:
                thread.start()
            with server.connect() as healthy:
                def counts():
                    metrics = server.metrics()
                    return metrics["wirebird_turns_total"], metrics['wirebird_refusals_total{code="E_JSON"}']

                server.until(lambda: counts()[1] > 300, lambda: f"{counts()} turns and refusals")
                turns, refused = counts()
                while counts()[1] < refused + 300:
                    self.assertEqual(healthy.request("GET", "/health").status, 200)
                after = counts()
            stop.set()
            attacker.socket.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()
            self.assertLess((after[1] - refused) / (after[0] - turns), 4)  # bombs in one turn; each is twice its budget

    def test_catching_up_on_many_channels_is_paced(self):
        names = [f"many-{i}" for i in range(32)]
        with self.server.connect() as publisher:
            for name in names:
                for _ in range(3):
                    publisher.request("POST", f"/pub/{name}", b"\x01" * 100_000, {"Content-Type": "text/plain"})
        query = "&".join(f"channel={name}" for name in names)
        before = self.server.resident_bytes()
        for door in ("poll", "sse"):
            with connect_narrow(self.server) as connection:
                connection.send(f"GET /{door}?{query}&since=-3 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                self.assertTrue(connection.recv(1))
                self.assert_held(before, 32 * MIB)  # of 32 channels * 3 messages * 600 KB as JSON
        with self.server.ws(f"/ws?{query}&since=-3") as watcher:
            self.server.publish(names[0], "live")  # a reader that catches up is not slow
            seen = 0
            while seen < 3 * len(names) + 1:
                seen += "offset" in watcher.recv_json()

    def test_from_now_means_now(self):
        """Also for a channel that stands behind one with much to catch up on."""
        for _ in range(20):
            self.server.publish("long-story", "x" * 50_000)
        epoch = self.server.http("GET", "/api/history?channel=long-story").json["epoch"]
        reader = self.server.ws(f"/ws?channel=long-story&channel=fresh&since={epoch}:0,", receive_buffer=NARROW)
        self.server.until(lambda: self.server.metrics()["wirebird_queue_bytes"] > 100_000, lambda: "nothing waits for the reader")
        self.server.publish("fresh", "I was published now")
        got = bytes(reader.buffer)
        while b"I was published now" not in got:
            data = reader.socket.recv(65536)
            self.assertTrue(data, "the connection ended")
            got = got[-100:] + data
        reader.close()

    def test_a_poll_with_too_much_to_tell_goes_on_with_its_cursor(self):
        names = [f"much-{i}" for i in range(8)]
        for name in names:
            for i in range(3):
                self.server.publish(name, f"{i}" * 200_000)
        query, cursor, got = "&".join(f"channel={name}" for name in names), "-3", []
        while len(got) < 3 * len(names):
            answer = self.server.http("GET", f"/poll?{query}&since={cursor}").json
            got += [(each["channel"], each["text"][0]) for each in answer["messages"]]
            cursor = answer["cursor"]
        self.assertEqual(sorted(got), sorted((name, str(i)) for name in names for i in range(3)))


class SlowButSteady(rig.ServerTest):
    def test_an_answer_with_close_is_not_cut(self):
        for i in range(6):
            self.server.publish("steady", "x" * 120_000)
        with connect_narrow(self.server) as connection:
            connection.send(b"GET /api/history?channel=steady HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            got = b""
            slowness = threading.Event()
            while data := connection.recv(8192):
                got += data
                slowness.wait(len(data) / 100_000)  # 100 kB/s, which takes longer than a goodbye to somebody who reads nothing
        length = int(re.search(rb"Content-Length: (\d+)", got)[1])
        self.assertEqual(len(got.partition(b"\r\n\r\n")[2]), length)


class Reload(unittest.TestCase):
    CONFIG = '[limits]\nqueue_bytes_max="%s"\n[channels]\nhistory_bytes_max="64MiB"\n'

    def test_a_longer_queue_leaves_nobody_waiting(self):
        """Who waits for room when a reload moves the mark goes on."""
        count = 400
        with rig.Server(config=self.CONFIG % "1MiB") as server:
            with server.connect() as publisher:
                for _ in range(count):
                    publisher.request("POST", "/pub/c", b"x" * 40_000, {"Content-Type": "text/plain"})
            reader = server.ws(f"/ws/c?since=-{count}&meta=1", receive_buffer=NARROW)
            server.until(lambda: server.metrics()["wirebird_queue_bytes"] > 500_000, lambda: "the queue never filled")
            server.configure(self.CONFIG % "64MiB")
            server.signal(signal.SIGHUP)
            server.until(lambda: "reload" in server.log(), server.log)
            got = bytes(reader.buffer)
            while got.count(b'"offset":') < count:
                data = reader.socket.recv(1 << 20)
                self.assertTrue(data, "the connection ended")
                got = got[-8:] + data if got.count(b'"offset":') == 0 else got + data
            reader.close()


class Drain(unittest.TestCase):
    def test_an_unfinished_tls_handshake_does_not_stop_it(self):
        folder = tempfile.TemporaryDirectory(prefix="wirebird-test-")
        self.addCleanup(folder.cleanup)
        certificate, key = make_certificate(folder.name, "drain")
        config = f'[server]\nlisten=["https://127.0.0.1:PORT"]\n[tls]\ncertificate_file="{certificate}"\nkey_file="{key}"\n'
        server = TlsServer(config=config).start()
        opened = [socket.create_connection(server.address) for _ in range(3)]
        opened[0].sendall(b"\x16\x03\x01\x02")
        idle = server.descriptors()
        opened.append(socket.create_connection(server.address))
        server.until(lambda: server.descriptors() > idle, lambda: "nothing was accepted")
        server.signal(signal.SIGTERM)
        for each in opened:
            try:
                each.sendall(b"\x16\x03\x01\x02\x00")
            except OSError:
                pass
            each.close()
        self.assertEqual(server.wait(), 0, server.log())


class TlsServer(rig.Server):
    def ready(self):
        with socket.create_connection(self.address):
            return True


class OutOfMemory(unittest.TestCase):
    """The steps of overload, by the memory that half-sent bodies take, and the way back."""

    @unittest.skipIf(rig.SANITIZED, "sanitizers keep freed memory")
    def test_new_work_is_refused_and_comes_back(self):
        with rig.Server("--workers", "1", config='[limits]\nmemory_bytes_max="64MiB"\n') as server:
            watcher = server.ws("/ws/kept?meta=1")
            self.assertIn("position", watcher.recv_json())
            health = server.connect()
            held = []
            while health.request("GET", "/ready").status == 200:
                try:
                    each = socket.create_connection(server.address)
                    each.settimeout(5)
                    each.sendall(b"POST /pub/kept HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1040000\r\n\r\n" + b"x" * 1_030_000)
                    held.append(each)
                except OSError:
                    pass  # the last ones are refused while they send
                self.assertLess(len(held), 400)
            self.assertEqual(health.request("GET", "/ready").json["status"], "overloaded")
            with server.connect() as refused:
                answer = refused.read_response()
                self.assertEqual((answer.status, answer.code), (503, "E_MEMORY"))
            for each in held:
                each.close()
            server.until(lambda: health.request("GET", "/ready").status == 200, server.log)
            self.assertEqual(health.request("POST", "/pub/kept", "after").status, 200)
            self.assertEqual(watcher.recv_json()["text"], "after")
            self.assertIn("overload", server.log())
            watcher.close()
            health.close()


if __name__ == "__main__":
    rig.main()
