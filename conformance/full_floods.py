#!/usr/bin/python3
"""Floods (./dev check --full): the attacks of test_bad_input.py in their full size, with the canaries watching."""
import random
import struct
import threading

import rig
import wire
from test_bad_input import MIB, AttackTest
from wire import BINARY, CLOSE, CONTINUATION, Closed, Refused, client_frame


class FragmentsOnAThousandConnections(AttackTest):
    """T01 in full: 65 fragments on 1,000 connections at once; what is held per byte received stays small."""

    def test_it(self):
        before = self.server.resident_bytes()
        opened = [self.server.ws("/echo") for _ in range(1000)]
        idle = self.server.resident_bytes()
        for socket in opened:
            socket.send(b"".join(client_frame(BINARY if i == 0 else CONTINUATION, b"x" * 100, fin=False) for i in range(64)))
        self.server.http("GET", "/health")
        self.assert_held(idle, 1000 * 6400 * 4)
        for socket in opened:
            socket.send_frame(CONTINUATION, b"x", fin=False)
            self.assert_closed(1009, "E_TOO_MANY_FRAGMENTS", socket)
        self.assert_held(before, 64 * MIB)


class EveryCloseCode(AttackTest):
    """T25 in full."""

    def test_all_65536(self):
        valid = set(range(1000, 1004)) | set(range(1007, 1015)) | set(range(3000, 5000))
        wrong = []
        for code in range(65536):
            with self.server.ws("/echo") as socket:
                socket.send_close(code)
                got = socket.recv_frame()
                answer = struct.unpack("!H", got.payload[:2])[0]
                if got.opcode != CLOSE or answer != (code if code in valid else 1002):
                    wrong.append((code, answer))
        self.assertEqual(wrong, [])


class SlowSenders(AttackTest):
    """T14 in full: thousands of connections that send one byte now and then."""

    arguments = ("--limits-request-time-max=5s", "--limits-connections-max=6000")

    def test_4000(self):
        descriptors = self.server.descriptors()
        opened = [self.server.connect() for _ in range(4000)]
        text = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
        for at in range(8):
            for connection in opened:
                try:
                    connection.send(text[at:at + 1])
                except OSError:
                    pass
        for connection in opened:
            self.assertTrue(connection.read_to_end().startswith(b"HTTP/1.1 408"))
            connection.close()
        self.settle(descriptors)


class Refusals(AttackTest):
    """T17 in full: 100,000 refusals from several threads."""

    def test_it(self):
        def refuse():
            with self.server.connect() as connection:
                for _ in range(25_000):
                    connection.request("GET", "/nowhere")

        threads = [threading.Thread(target=refuse) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLess(len(self.server.log().splitlines()), 1000)
        self.assertEqual(sum(v for k, v in self.server.metrics().items() if '"E_NOT_FOUND"' in k), 100_000)


class Chaos(AttackTest):
    """T20, T21 in full: the scripts and mutations of test_bad_input.py with other seeds."""

    def test_scripts(self):
        from test_bad_input import T20UseAfterClose
        chance = random.Random(2020)
        for i in range(20_000):
            T20UseAfterClose.script(self, chance, f"chaos-{i % 7}")


class HandshakeMixes(AttackTest):
    """T04 in full."""

    def test_ten_thousand_offers(self):
        chance = random.Random(4)
        pieces = ["server_max_window_bits", "client_max_window_bits", "server_no_context_takeover", "client_no_context_takeover", "x",
                  "=", "7", "8", "15", "16", '""', '"10"', ";", ",", " ", "\t", "permessage-deflate", "=99999999999999999999", "\\"]
        for _ in range(10_000):
            offer = "permessage-deflate" + "".join(chance.choice(pieces) for _ in range(chance.randrange(8)))
            try:
                with self.server.ws("/echo", deflate_offer=offer) as socket:
                    socket.send_text("x")
                    self.assertEqual(socket.recv(), "x")
            except Refused as refused:
                self.assertEqual((refused.response.status, refused.response.code), (400, "E_EXTENSION"), offer)


class PingFlood(AttackTest):
    """T12 in full."""

    def test_a_million_pings(self):
        for _ in range(20):
            socket = self.server.ws("/echo")
            try:
                for _ in range(50):
                    socket.send(client_frame(wire.PING, b"x") * 1000)
            except OSError:
                pass
            try:
                while True:
                    socket.recv()
            except (Closed, OSError) as end:
                if isinstance(end, Closed):
                    self.assertIn(end.code, (1008, 1006))


if __name__ == "__main__":
    rig.main()
