"""Keeping connections honest: pings, dead peers, heartbeats, connection caps, and whose address counts behind a proxy."""
import contextlib
import socket as sockets
import struct

import rig
import wire
from wire import PING, Refused


class Pings(rig.ServerTest):
    arguments = ("--websocket-ping-interval=1s",)
    canaries = True

    def test_a_silent_client_is_pinged_and_stays(self):
        with self.server.ws("/echo") as socket:
            for _ in range(3):
                frame = socket.recv_frame()
                self.assertEqual(frame.opcode, PING)
                socket.send_frame(wire.PONG, frame.payload)
            socket.send_text("alive")
            self.assertEqual(socket.recv(), "alive")

    def test_a_client_that_answers_no_ping_is_dead(self):
        """T15: a half-open peer looks like this; the last Close frame is for those that only forgot to answer."""
        for target in ("/echo", f"/ws/{self.channel()}", f"/ws/{self.channel()}?meta=1"):
            with self.server.ws(target) as socket:
                opcodes = []
                while True:
                    frame = socket.recv_frame()
                    opcodes.append(frame.opcode)
                    if frame.opcode == wire.CLOSE:
                        break
                code, reason = struct.unpack("!H", frame.payload[:2])[0], frame.payload[2:].decode()
                self.assertEqual((code, reason.split(" ")[0]), (4408, "E_DEAD_PEER"))
                self.assertEqual(opcodes.count(PING), 2)

    def test_traffic_is_a_sign_of_life_too(self):
        with self.server.ws("/echo") as socket:
            pings = 0
            while pings < 4:  # answers no ping, but talks
                frame = socket.recv_frame()
                if frame.opcode == PING:
                    pings += 1
                    socket.send_text("not a pong")
                else:
                    self.assertEqual(frame.payload, b"not a pong")

    def test_a_dead_subscriber_leaves_its_channel(self):
        channel = self.channel()
        with self.server.ws(f"/ws/{channel}"):
            def count():
                listed = self.server.http("GET", f"/api/channels?prefix={channel}").json["channels"]
                return listed[0]["subscribers"] if listed else 0
            self.assertEqual(count(), 1)
            self.server.until(lambda: count() == 0, "the dead subscriber is still there")


class Heartbeats(rig.ServerTest):
    arguments = ("--sse-heartbeat-interval=1s",)

    def test_a_silent_event_stream_gets_comments(self):
        with self.server.events(f"/sse/{self.channel()}") as events:
            events.next()
            for _ in range(2):
                events.comment()


class ConnectionCaps(rig.ServerTest):
    arguments = ("--limits-connections-max=30", "--workers=2")

    def test_one_more_is_told_so(self):
        with contextlib.ExitStack() as stack:
            opened, refusal = 0, None
            while refusal is None:
                try:
                    stack.enter_context(self.server.ws("/echo"))
                    opened += 1
                    self.assertLessEqual(opened, 30)
                except Refused as refused:
                    refusal = refused.response
            self.assert_refused(503, "E_TOO_MANY_CONNECTIONS", refusal)
            self.assertGreaterEqual(opened, 29)
        self.server.until(lambda: self.server.connect().request("GET", "/health").status == 200, "no room came back")


class CapsPerAddress(rig.ServerTest):
    arguments = ("--limits-connections-per-address-max=5", "--trusted-proxies=127.0.0.2/32")

    @staticmethod
    def from_address(server, address, target="/echo", **headers):
        """A WebSocket whose TCP connection comes from that loopback address."""
        real = sockets.socket.connect
        try:
            def connect(self, to):
                self.bind((address, 0))
                return real(self, to)
            sockets.socket.connect = connect
            return server.ws(target, {name.replace("_", "-"): value for name, value in headers.items()})
        finally:
            sockets.socket.connect = real

    def test_six_from_one_address(self):
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(self.from_address(self.server, "127.0.0.5"))
            with self.assertRaises(Refused) as caught:
                self.from_address(self.server, "127.0.0.5")
            self.assert_refused(429, "E_TOO_MANY_FROM_ADDRESS", caught.exception.response)
            stack.enter_context(self.from_address(self.server, "127.0.0.6"))

    def test_a_trusted_proxy_speaks_for_its_clients(self):
        with contextlib.ExitStack() as stack:
            for name in ("X_Forwarded_For", "Forwarded"):
                for i in range(4):
                    value = f"203.0.113.{i}" if name == "X_Forwarded_For" else f"for=203.0.113.{i}"
                    stack.enter_context(self.from_address(self.server, "127.0.0.2", **{name: value}))
            for i in range(3):
                stack.enter_context(self.from_address(self.server, "127.0.0.2", X_Forwarded_For="10.9.9.9, 198.51.100.7"))
            with contextlib.suppress(Refused):
                for i in range(3):
                    stack.enter_context(self.from_address(self.server, "127.0.0.2", X_Forwarded_For="8.8.8.8, 198.51.100.7"))
                self.fail("the last address before the proxy is the one that counts, not what the client wrote before it")

    def test_anybody_else_is_not_believed(self):
        with contextlib.ExitStack() as stack:
            for i in range(5):
                stack.enter_context(self.from_address(self.server, "127.0.0.7", X_Forwarded_For=f"203.0.113.{i}"))
            with self.assertRaises(Refused):
                self.from_address(self.server, "127.0.0.7", X_Forwarded_For="203.0.113.99")


class ProxyProtocol(rig.ServerTest):
    arguments = ("--proxy-protocol", "--trusted-proxies=127.0.0.1/32", "--limits-connections-per-address-max=3")
    SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

    @classmethod
    def setUpClass(cls):
        rig.Server.ready, original = lambda self: cls.answer(self, cls.v2("127.0.0.1"))[0].status == 200, rig.Server.ready
        try:
            super().setUpClass()
        finally:
            rig.Server.ready = original

    @classmethod
    def v2(cls, source, command=1):
        addresses = sockets.inet_aton(source) + sockets.inet_aton("127.0.0.1") + struct.pack("!HH", 4711, 80)
        return cls.SIGNATURE + struct.pack("!BBH", 0x20 | command, 0x11, len(addresses)) + addresses

    @staticmethod
    def answer(server, head):
        connection = wire.Connection(server.address)
        connection.send(head + b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.read_response(), connection

    def test_the_address_in_the_header_counts(self):
        with contextlib.ExitStack() as stack:
            for last in range(4):
                for _ in range(3):
                    response, connection = self.answer(self.server, self.v2(f"203.0.113.{last}"))
                    stack.enter_context(connection)
                    self.assertEqual(response.status, 200)
            response, connection = self.answer(self.server, self.v2("203.0.113.0"))
            stack.enter_context(connection)
            self.assertEqual((response.status, response.code), (429, "E_TOO_MANY_FROM_ADDRESS"))

    def test_local_and_unknown_families(self):
        local = self.SIGNATURE + struct.pack("!BBH", 0x20, 0, 0)
        self.assertEqual(self.answer(self.server, local)[0].status, 200)
        with_extra = self.SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 12 + 7) + self.v2("203.0.113.77")[16:] + b"\x04\x00\x04abcd"
        self.assertEqual(self.answer(self.server, with_extra)[0].status, 200)

    def test_without_a_header_or_with_a_bad_one(self):
        for head in (b"", b"PROXY TCP4 203.0.113.1 127.0.0.1 1 2\r\n", self.SIGNATURE[:-1] + b"X" + b"\x21\x11\0\0",
                     self.SIGNATURE + struct.pack("!BBH", 0x31, 0x11, 12) + bytes(12), self.SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 3) + bytes(3),
                     self.SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 65535)):
            with self.subTest(head), wire.Connection(self.server.address) as connection:
                connection.send(head + b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
                connection.socket.shutdown(sockets.SHUT_WR)
                self.assertNotIn(b"200 OK", connection.read_to_end())


if __name__ == "__main__":
    rig.main()
