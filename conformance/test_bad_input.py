"""What bad input gets: an exact code and text, and nothing else happens. The names T.. are the threats of docs/threats.md.

While each class runs, ten healthy clients on each door and a publisher of numbered messages go on (canaries.py); they must lose
nothing, and no connection of theirs may be cut.
"""
import itertools
import os
import pathlib
import random
import re
import socket as sockets
import struct
import zlib

import rig
import wire
from wire import BINARY, CONTINUATION, PING, RSV1, TEXT, Closed, Refused, client_frame, deflate, frame_head

MESSAGE_MAX = 1 << 20
MIB = 1 << 20


class AttackTest(rig.ServerTest):
    canaries = True

    def settle(self, descriptors):
        """What the attack held comes back. A canary may have been between two connections when it was counted before."""
        self.server.until(lambda: self.server.descriptors() <= descriptors + 2,
                          lambda: f"{self.server.descriptors()} descriptors, {descriptors} before")

    def cpu_ns(self):
        tasks = pathlib.Path(f"/proc/{self.server.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks)

    def request(self, text):
        return self.server.raw(text if isinstance(text, bytes) else text.encode("latin-1"))

    def refused_and_closed(self, status, code, data):
        with self.server.connect() as connection:
            connection.send(data if isinstance(data, bytes) else data.encode("latin-1"))
            response = connection.read_response()
            self.assert_refused(status, code, response)
            self.assertIn("close", response.tokens("Connection"))
            self.assertTrue(connection.at_end(), "something came after the refusal")


class T01TooManyFragments(AttackTest):
    def test_a_65th_fragment_closes_1009(self):
        before = self.server.resident_bytes()
        opened = [self.server.ws("/echo") for _ in range(300)]
        for socket in opened:
            socket.send(b"".join(client_frame(BINARY if i == 0 else CONTINUATION, b"x", fin=False) for i in range(64)))
        self.assert_held(before, 32 * MIB)
        for socket in opened:
            socket.send_frame(CONTINUATION, b"x", fin=False)
        for socket in opened:
            self.assert_closed(1009, "E_TOO_MANY_FRAGMENTS", socket)


class T01FragmentsNeverFinished(AttackTest):
    arguments = ("--limits-message-time-max=1s",)

    def test_a_hundred_thousand_continuations(self):
        socket = self.server.ws("/echo")
        flood = client_frame(BINARY, b"x", fin=False) + client_frame(CONTINUATION, b"x", fin=False) * 131_000
        try:
            socket.send(flood)
        except OSError:
            pass  # the server has ended the connection before all of it was sent
        try:
            self.assert_closed(1009, "E_TOO_MANY_FRAGMENTS", socket)
        except AssertionError:
            self.assertEqual(socket.read_to_end(), b"")  # a reset may overtake the Close frame

    def test_a_message_that_is_not_finished_in_time(self):
        for part in (client_frame(BINARY, b"x", fin=False), client_frame(TEXT, b"never whole")[:-3], b"\x82"):
            socket = self.server.ws("/echo")
            socket.send(part)
            self.assert_closed(1008, "E_TOO_SLOW", socket)


class T02FrameLengthLies(AttackTest):
    def test_every_power_of_two_and_its_neighbours(self):
        for power, delta in itertools.product(range(0, 65), (-1, 0, 1)):
            length = (1 << power) + delta
            if not 0 <= length < 1 << 64:
                continue
            forms = [form for form, most in ((7, 125), (16, 65535), (64, (1 << 64) - 1)) if length <= most]
            for form in forms:
                shortest = form == forms[0]
                socket = self.server.ws("/echo")
                socket.send(frame_head(BINARY, length, key=b"\0\0\0\0", form=form))
                if length >> 63 or not shortest:
                    self.assert_closed(1002, "E_FRAME_LENGTH", socket)
                elif length > MESSAGE_MAX:
                    self.assert_closed(1009, "E_MESSAGE_TOO_BIG", socket)
                else:
                    socket.send(bytes(length))
                    self.assertEqual(len(socket.recv()), length)
                    socket.close()

    def test_sums_that_pass_the_limit(self):
        for have in (1, MESSAGE_MAX - 1, MESSAGE_MAX):
            for more in (MESSAGE_MAX - have + 1, MESSAGE_MAX, (1 << 32) - have, (1 << 63) - 1):
                socket = self.server.ws("/echo")
                socket.send(client_frame(BINARY, bytes(have), fin=False))
                socket.send(frame_head(CONTINUATION, more, key=b"\0\0\0\0"))
                self.assert_closed(1009, "E_MESSAGE_TOO_BIG", socket)

    def test_nothing_is_allocated_for_a_declared_length(self):
        before = self.server.resident_bytes()
        opened = [self.server.ws("/echo") for _ in range(200)]
        for socket in opened:
            socket.send(frame_head(BINARY, MESSAGE_MAX, key=b"\0\0\0\0") + b"x")
        for socket in opened:  # in step: the server has read what was sent
            socket.send(b"y")
        self.server.http("GET", "/health")
        self.assert_held(before, 32 * MIB)
        for socket in opened:
            socket.close()


class T03DecompressionBombs(AttackTest):
    def open(self):
        return self.server.ws("/echo", deflate_offer="permessage-deflate")

    def test_zeros(self):
        before = self.server.resident_bytes()
        for size in (MESSAGE_MAX + 1, 64 * MIB, 512 * MIB):
            socket = self.open()
            maker = zlib.compressobj(9, wbits=-15)
            data = b"".join(maker.compress(bytes(MIB)) for _ in range(size // MIB)) + maker.compress(b"\0")
            data += maker.flush(zlib.Z_SYNC_FLUSH)[:-4]
            socket.send_frame(BINARY, data, rsv=RSV1)
            self.assert_closed(1009, "E_INFLATED_TOO_BIG", socket)
        self.assert_held(before, 16 * MIB)

    def test_split_over_frames(self):
        socket = self.open()
        data = deflate(bytes(8 * MIB))
        step = len(data) // 40
        try:
            for i in range(0, len(data), step):
                last = i + step >= len(data)
                socket.send_frame(BINARY if i == 0 else CONTINUATION, data[i:i + step], fin=last, rsv=RSV1 if i == 0 else 0)
        except OSError:
            pass
        self.assert_closed(1009, "E_INFLATED_TOO_BIG", socket)

    def test_a_compressed_body_is_not_taken(self):
        answer = self.request("POST /pub/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
        self.assertIn((answer.status, answer.code), ((400, "E_BAD_REQUEST"), (501, "E_NOT_IMPLEMENTED")))


class T04CompressionParameters(AttackTest):
    def test_every_mix(self):
        names = ("server_max_window_bits", "client_max_window_bits", "server_no_context_takeover", "client_no_context_takeover")
        values = ("", "=7", "=8", "=9", "=15", "=16", '=""', "=-1", "=4294967304")
        outcomes = {101: 0, 400: 0}
        mixes = [f"{name}{value}" for name in names for value in values]
        mixes += [f"{a}; {b}" for a, b in random.Random(4).sample(list(itertools.product(mixes, mixes)), 500)]
        for mix in mixes:
            try:
                socket = self.server.ws("/echo", deflate_offer=f"permessage-deflate; {mix}")
                socket.send_text("alive")
                self.assertEqual(socket.recv(), "alive")
                socket.close()
                outcomes[101] += 1
            except Refused as refused:
                self.assert_refused(400, "E_EXTENSION", refused.response)
                outcomes[400] += 1
        self.assertGreater(outcomes[101], 0)


class T05HeaderFloods(AttackTest):
    def test_too_many_headers(self):
        for count in (101, 2000):
            self.refused_and_closed(431, "E_HEADERS_TOO_LARGE",
                                    "GET /health HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"X-{i}: y\r\n" for i in range(count)) + "\r\n")
        answer = self.request("GET /health HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"X-{i}: y\r\n" for i in range(99)) + "\r\n")
        self.assertEqual(answer.status, 200)

    def test_one_huge_header(self):
        for size in (16 * 1024, 1_000_000):
            with self.server.connect() as connection:
                try:
                    connection.send(f"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Big: {'y' * size}\r\n\r\n".encode())
                except OSError:
                    pass
                self.assert_refused(431, "E_HEADERS_TOO_LARGE", connection.read_response())

    def test_a_header_that_never_ends(self):
        with self.server.connect() as connection:
            connection.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Big: ")
            with self.assertRaises(OSError):
                while True:
                    connection.send(b"y" * 65536)

    def test_a_huge_request_line(self):
        self.refused_and_closed(414, "E_URI_TOO_LONG", f"GET /{'a' * 8192} HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def test_each_header_of_the_handshake_missing_doubled_empty_huge(self):
        good = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Version": "13"}
        for name in good:
            for what, lines in (("missing", []), ("doubled", [f"{name}: {good[name]}"] * 2), ("empty", [f"{name}:"]),
                                ("huge", [f"{name}: {'x' * 100_000}"])):
                with self.subTest((name, what)), self.server.connect() as connection:
                    text = "GET /echo HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in good.items() if k != name)
                    try:
                        connection.send((text + "".join(line + "\r\n" for line in lines) + "\r\n").encode())
                    except OSError:
                        pass
                    response = connection.read_response()
                    if what == "doubled" and name in ("Upgrade", "Connection"):
                        self.assertIn(response.status, (101, 400))  # a list may be cut into several lines
                    elif what == "empty" and name == "Host":
                        self.assertIn(response.status, (101, 400))  # RFC 9112 3.2: empty where there is no authority
                    else:
                        self.assertIn(response.status, (400, 426, 431))
                        self.assertTrue(response.code.startswith("E_"))


class T06QuadraticParsing(AttackTest):
    canaries = False  # this class measures processor time

    def cost(self, send, size):
        """Processor time of the server, in ns, of eight times `send(size)`."""
        send(size)
        before = self.cpu_ns()
        for _ in range(8):
            send(size)
        return self.cpu_ns() - before

    def linear(self, send, small, large):
        ratio = self.cost(send, large) / self.cost(send, small)
        self.assertLess(ratio, 2.5 * large / small)

    def test_json_bodies(self):
        # Repetitions and shapes that made parsers of others quadratic.
        shapes = {
            "spaces": lambda n: b" " * n + b"1", "array": lambda n: b"[" + b"1," * (n // 2) + b"1]",
            "escapes": lambda n: b'"' + b"\\n" * (n // 2) + b'"', "quotes": lambda n: b"[" + b'"",' * (n // 3) + b'""]',
            "keys": lambda n: b"{" + b",".join(b'"k%d":0' % i for i in range(n // 12)) + b"}",
            "number": lambda n: b"1" * n, "open": lambda n: b"[" * n, "unterminated": lambda n: b'"' + b"\\" * n,
        }
        for name, shape in shapes.items():
            with self.subTest(name), self.server.connect():
                def send(size):
                    answer = self.server.http("POST", "/pub/t06", shape(size), {"Content-Type": "application/json"})
                    self.assertIn(answer.status, (200, 400))
                self.linear(send, 128 * 1024, MIB - 1024)

    def test_headers_and_paths(self):
        shapes = {
            "subprotocols": lambda n: ("/echo", {"Sec-WebSocket-Protocol": " ," * (n // 2) + "a"}),
            "extensions": lambda n: ("/echo", {"Sec-WebSocket-Extensions": "a;b=" + '"\\"' * (n // 3)}),
            "accept": lambda n: ("/health", {"Accept": ",q=0.1;" * (n // 7)}),
            "spaces": lambda n: ("/health", {"X-Spaces": "a" + " " * n + "b"}),
            "percent": lambda n: ("/sse/" + "%41" * (n // 6), {}),
            "dots": lambda n: ("/pub/" + "../" * (n // 6), {}),
            "query": lambda n: ("/poll?" + "channel=&" * (n // 18), {}),
            "cookies": lambda n: ("/health", {"Cookie": "a=b;" * (n // 4)}),
        }
        for name, shape in shapes.items():
            with self.subTest(name):
                def send(size):
                    target, headers = shape(size)
                    self.assertIn(self.server.http("GET", target, headers=headers).status, (200, 400, 405, 426))
                self.linear(send, 2048, 14 * 1024)


class T11QueuesWithoutBound(AttackTest):
    PAYLOAD = "q" * 60_000

    def stopped_reader(self, target, kind):
        """A client that subscribes with a small receive window and then never reads."""
        socket = kind(self.server.address, target)
        return socket

    def flood(self, channel, messages):
        with self.server.connect() as connection:
            for _ in range(messages):
                self.assertEqual(connection.request("POST", f"/pub/{channel}", self.PAYLOAD).status, 200)

    def until_gone(self, channel):
        """Publishes until the channel has no subscriber any more."""
        watch = rig.Deadline()
        while True:
            self.flood(channel, 20)
            listed = self.server.http("GET", f"/api/channels?prefix={channel}").json["channels"]
            if listed[0]["subscribers"] == 0:
                return
            watch.check("the slow reader is still there")

    def test_a_websocket_that_does_not_read(self):
        channel = self.channel()
        before = self.server.resident_bytes()
        with self.server.ws(f"/ws/{channel}?meta=1") as socket:
            position = socket.recv_json()["position"]
            self.until_gone(channel)
            offset = int(position.split(":")[1])
            try:
                while True:
                    offset += 1
                    self.assertEqual(socket.recv_json()["offset"], offset)
            except Closed as closed:
                self.assertIn(closed.code, (4408, 1006))  # 1006: the rest did not fit any more
                if closed.code == 4408:
                    self.assertEqual(closed.reason.split(" ")[0], "E_SLOW_CONSUMER")
        self.assert_held(before, 32 * MIB)

    def test_an_event_stream_that_does_not_read(self):
        channel = self.channel()
        with self.server.events(f"/sse/{channel}") as events:
            events.next()
            self.until_gone(channel)
            count = 0
            with self.assertRaises((EOFError, ValueError)):
                while True:
                    events.next()
                    count += 1
            self.assertGreater(count, 0)

    def test_a_poll_that_does_not_read_its_answer(self):
        channel = self.channel()
        self.flood(channel, 17)
        descriptors = self.server.descriptors()
        opened = []
        for _ in range(20):
            connection = self.server.connect()
            connection.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            connection.send(f"GET /poll/{channel}?since=-17 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 20)
            opened.append(connection)
        self.assertEqual(self.server.http("GET", "/health").status, 200)
        for connection in opened:
            connection.close()
        self.settle(descriptors)

    def test_pipelined_requests_are_bounded(self):
        with self.server.connect() as connection:
            connection.socket.setblocking(False)
            sent = 0
            request = b"GET /api/info HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000
            try:
                while sent < 64 * MIB:
                    sent += connection.socket.send(request)
            except (BlockingIOError, ConnectionError):
                pass
            self.assertLess(sent, 64 * MIB)


class T12ControlFrameFloods(AttackTest):
    def test_too_many_pings(self):
        socket = self.server.ws("/echo")
        try:
            for _ in range(50):
                socket.send(client_frame(PING, b"x") * 1000)
        except OSError:
            pass
        try:
            self.assert_closed(1008, "E_CONTROL_RATE", socket)
        except ConnectionError:
            pass  # a reset may overtake the Close frame: the flood was still on its way
        self.assertGreaterEqual(self.counted("E_CONTROL_RATE"), 1)

    def test_a_hundred_pings_are_welcome(self):
        socket = self.server.ws("/echo")
        for i in range(100):
            socket.send_frame(PING, str(i))
            self.assertEqual(socket.recv_frame().payload, str(i).encode())
        socket.finish()

    def counted(self, code):
        return sum(value for name, value in self.server.metrics().items() if f'"{code}"' in name)


class T14SlowSenders(AttackTest):
    arguments = ("--limits-request-time-max=1s", "--limits-keep-alive-time-max=2s", "--limits-message-time-max=1s")
    PARTS = [b"G", b"GET /health HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
             b"POST /pub/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this",
             b"POST /pub/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"]

    def test_requests_that_do_not_finish(self):
        descriptors = self.server.descriptors()
        opened = []
        for part in self.PARTS * 40:
            connection = self.server.connect()
            connection.send(part)
            opened.append(connection)
        for connection in opened:
            self.assert_refused(408, "E_TOO_SLOW", connection.read_response())
            self.assertTrue(connection.at_end())
            connection.close()
        self.settle(descriptors)

    def test_the_deadline_is_for_the_request_and_not_for_each_byte(self):
        with self.server.connect() as connection:
            connection.socket.settimeout(0.1)
            text = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"y" * 1000
            for i in range(len(text)):
                try:
                    connection.send(text[i:i + 1])
                    connection.buffer += connection.socket.recv(4096)
                    break
                except TimeoutError:
                    continue
            connection.socket.settimeout(wire.DEADLINE_S)
            self.assert_refused(408, "E_TOO_SLOW", connection.read_response())

    def test_connections_that_say_nothing_are_ended(self):
        opened = [self.server.connect() for _ in range(100)]
        for connection in opened:
            self.assertIn(b"E_TOO_SLOW", connection.read_to_end() or b"E_TOO_SLOW")
            connection.close()

    def test_an_idle_keep_alive_connection_is_ended_quietly(self):
        with self.server.connect() as connection:
            self.assertEqual(connection.request("GET", "/health").status, 200)
            self.assertTrue(connection.at_end())


class T17LogFloods(AttackTest):
    def test_many_refusals_few_lines_exact_counter(self):
        before = len(self.server.log().splitlines())
        count = 2000
        with self.server.connect() as connection:
            for _ in range(count):
                self.assertEqual(connection.request("GET", "/nowhere").status, 404)
        for _ in range(500):
            with self.assertRaises(Refused):
                self.server.ws("/echo", {"Sec-WebSocket-Version": "12"})
        lines = len(self.server.log().splitlines()) - before
        self.assertLess(lines, 100)
        metrics = self.server.metrics()
        self.assertEqual(sum(v for k, v in metrics.items() if '"E_NOT_FOUND"' in k), count)
        self.assertEqual(sum(v for k, v in metrics.items() if '"E_UPGRADE"' in k), 500)


class T20UseAfterClose(AttackTest):
    """Clients that do everything in any order and vanish at any moment; with ./dev check --full under the sanitizers."""

    def script(self, chance, channel):
        kind = chance.choice(["/echo", f"/ws/{channel}", f"/ws/{channel}?meta=1&since=-5", f"/ws?channel={channel}&channel=other",
                              f"/ws/{channel}?kind=json&since=-1"])
        socket = self.server.ws(kind, deflate_offer=chance.choice([None, "permessage-deflate"]))
        actions = [
            lambda: socket.send_text("hello"), lambda: socket.send_binary(os.urandom(chance.randrange(3000))),
            lambda: socket.send_frame(TEXT, "part", fin=False), lambda: socket.send_frame(CONTINUATION, "rest"),
            lambda: socket.send_frame(PING, "p"), lambda: socket.send_close(1000), lambda: socket.send_close(),
            lambda: socket.send_frame(chance.randrange(16), b"x", rsv=chance.choice([0, 0, 0, RSV1])),
            lambda: socket.send(client_frame(TEXT, "cut in the middle")[:chance.randrange(1, 20)]),
            lambda: socket.socket.shutdown(sockets.SHUT_WR), lambda: self.server.publish(channel, "from beside"),
            lambda: socket.recv_frame() if socket.buffer else None,
            lambda: socket.send_frame(TEXT, deflate(b"squeezed"), rsv=RSV1),
        ]
        try:
            for _ in range(chance.randrange(1, 15)):
                chance.choice(actions)()
        except (OSError, EOFError):
            pass
        if chance.random() < 0.5:  # a reset instead of an orderly end
            socket.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close()

    def test_a_thousand_scripts(self):
        descriptors = self.server.descriptors()
        chance = random.Random(20)
        for i in range(1000):
            self.script(chance, f"chaos-{i % 7}")
        self.settle(descriptors)


class T21ParserOverflow(AttackTest):
    SEEDS = [
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n\r\n" +
        client_frame(TEXT, "hello") + client_frame(PING) + client_frame(BINARY, bytes(200)),
        b"POST /pub/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /poll?channel=a&channel=%62&since=-5&timeout=1 HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: abcdefgh:17\r\n\r\n",
        b'POST /api/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\n{"channel":"x","data":[1,"a"]}',
    ]

    def test_mutated_bytes(self):
        chance = random.Random(21)
        for _ in range(1500):
            data = bytearray(chance.choice(self.SEEDS))
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(data))
                choice = chance.randrange(4)
                if choice == 0:
                    data[at] = chance.randrange(256)
                elif choice == 1:
                    del data[at:at + chance.randrange(1, 20)]
                elif choice == 2:
                    data[at:at] = data[chance.randrange(len(data)):][:50]
                else:
                    data[at:at] = bytes([chance.randrange(256)]) * chance.randrange(1, 40)
            with self.server.connect() as connection:
                try:
                    connection.send(bytes(data))
                    connection.socket.shutdown(sockets.SHUT_WR)
                    connection.read_to_end()
                except OSError:
                    pass


class T22UnmaskTails(AttackTest):
    def test_every_length_at_every_alignment(self):
        socket = self.server.ws("/echo")
        for length in range(0, 301):
            payload = os.urandom(length)
            socket.send(client_frame(BINARY, payload))
            self.assertEqual(socket.recv(), payload)
        for start in range(64):  # the frame begins at another place of the receive buffer
            payload = os.urandom(97)
            socket.send(client_frame(BINARY, b"f" * start) + client_frame(BINARY, payload))
            self.assertEqual(socket.recv(), b"f" * start)
            self.assertEqual(socket.recv(), payload)


class T25CloseHandshake(AttackTest):
    def test_codes(self):
        valid = set(range(1000, 1004)) | set(range(1007, 1015)) | set(range(3000, 5000))
        chance = random.Random(25)
        codes = list(range(995, 1030)) + [0, 1, 2999, 3000, 4999, 5000, 65535] + chance.sample(range(65536), 400)
        for code in codes:
            socket = self.server.ws("/echo")
            socket.send_close(code)
            if code in valid:
                self.assertEqual(socket.expect_close()[0], code)
                socket.close()
            else:
                self.assert_closed(1002, "E_CLOSE_CODE", socket)

    def test_two_closes_and_data_after_a_close(self):
        channel = self.channel()
        for late in (client_frame(8, struct.pack("!H", 1001)), client_frame(TEXT, "late")):
            socket = self.server.ws(f"/ws/{channel}")
            socket.send(client_frame(8, struct.pack("!H", 1000)) + late)
            self.assertEqual(socket.expect_close()[0], 1000)
        self.assertEqual(self.server.http("GET", f"/api/history?channel={channel}").json["messages"], [])


class T26SubprotocolsThatKilledOthers(AttackTest):
    def test_bytes_that_are_no_token(self):
        for value in (b"\xff\xfe", "протокол".encode(), b"a\x00b", b"a\x7fb", b"a,,b", b"\"", b"()", b"wirebird\x0b", b"wirebird.bearer."):
            head = (b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " + value + b"\r\n\r\n")
            with self.subTest(value):
                self.assertIn(self.request(head).status, (101, 400, 401))


class T30CrossSiteHijack(AttackTest):
    arguments = ("--auth-allowed-origins", "https://app.example.com")
    GOOD = ["https://app.example.com"]
    BAD = ["null", "", "https://app.example.com.evil", "https://evil.app.example.com", "https://app.example.com.", "http://app.example.com",
           "https://app.example.com:444", "https://app.example.com:443x", "https://APP.example.com.evil", "https://appXexample.com",
           "https://app.example.com/", "https://app.example.com/path", "https://app.example.com@evil.com", "https://evil.com#app.example.com",
           "https://evil.com/https://app.example.com", "app.example.com", "//app.example.com", "https:app.example.com", "https://",
           "https://xn--pp-8ka.example.com", "https://\u0430pp.example.com", "https://app.example.com, https://evil.com",
           "https://evil.com https://app.example.com", "https://app.example.com https://evil.com", "file://", "chrome-extension://abc",
           "https://localhost.evil", "http://127.0.0.1.evil", "http://127.0.0.1@evil.com", "http://[::1].evil", "https://app.example.comx",
           "https://app-example.com", "https://app.example.co", "ttps://app.example.com", "https://app.example.com\t.evil",
           "https://app.example.com%2eevil", "https://app.example.com\\.evil", "https://app.example.com:0", "https://app.example.com::443",
           "HTTPS://APP.EXAMPLE.COM.EVIL", "*", "https://*", "https://*.example.com", "undefined", "https://app.example.com\u200b"]

    def answer(self, target, *origins, upgrade=True):
        lines = [f"GET {target} HTTP/1.1", "Host: localhost"] + [f"Origin: {origin}" for origin in origins]
        if upgrade:
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        with self.server.connect() as connection:
            connection.send("\r\n".join(lines).encode() + b"\r\n\r\n")
            status, headers = connection.read_head()
            body = connection.read(int(dict(headers)["Content-Length"])) if status >= 400 else b""
            return wire.Response(status, headers, body)

    def test_other_origins_are_refused_before_anything_happens(self):
        for origin in self.BAD:
            with self.subTest(origin):
                answer = self.answer("/ws/hijack", origin)
                if answer.status == 400:  # not even a header value
                    continue
                self.assert_refused(403, "E_ORIGIN", answer)
        self.assertEqual(self.server.http("GET", "/api/channels?prefix=hijack").json["channels"], [])

    def test_two_origins(self):
        self.assertIn(self.answer("/ws/hijack", self.GOOD[0], self.GOOD[0]).status, (400, 403))
        self.assertIn(self.answer("/ws/hijack", self.GOOD[0], "https://evil.com").status, (400, 403))

    def test_the_right_origin_and_clients_that_are_no_browsers(self):
        for origin in self.GOOD:
            self.assertEqual(self.answer("/ws/hijack-not", origin).status, 101)
        self.assertEqual(self.answer("/ws/hijack-not").status, 101)

    def test_publishing_from_another_site(self):
        answer = self.server.http("POST", "/pub/hijack-pub", "x", {"Origin": "https://evil.com", "Content-Type": "text/plain"})
        self.assert_refused(403, "E_ORIGIN", answer)


class T30SameOriginByDefault(AttackTest):
    """Without a list only the server's own pages; with --dev also those that another server of this machine serves."""

    canaries = False
    options = {"dev": False, "config": '[channels]\nsubscribe = "anyone"\npublish = "anyone"\n'}

    def refused(self, origin):
        with self.assertRaises(Refused) as caught:
            self.server.ws("/ws/t30", {"Origin": origin})
        self.assert_refused(403, "E_ORIGIN", caught.exception.response)

    def test_only_pages_of_this_server(self):
        host = f"127.0.0.1:{self.server.port}"
        self.assertEqual(self.server.ws("/ws/t30", {"Origin": f"http://{host}"}).response.status, 101)
        for origin in ("http://127.0.0.1", f"http://localhost:{self.server.port}", "https://evil.com", f"https://{host}.evil", "null"):
            with self.subTest(origin):
                self.refused(origin)


class T30Dev(T30SameOriginByDefault):
    canaries = True
    options = {}

    def test_only_pages_of_this_server(self):
        for origin in ("http://127.0.0.1", "http://localhost:5173", "http://[::1]:8080"):
            with self.subTest(origin):
                self.assertEqual(self.server.ws("/echo", {"Origin": origin}).response.status, 101)
        for origin in ("https://evil.com", "http://localhost.evil", "http://127.0.0.1.evil", "http://10.0.0.1", "null"):
            with self.subTest(origin):
                self.refused(origin)


class T30DnsRebinding(AttackTest):
    """A page of another site whose own name was made to resolve to 127.0.0.1 comes with Host and Origin of that site."""

    def ask(self, host, target="/pub/welcome", method="POST"):
        return self.server.http(method, target, "x" if method == "POST" else None, {"Host": host, "Origin": f"http://{host}"})

    def test_other_names_are_refused(self):
        port = self.server.port
        for host in (f"evil.example:{port}", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0"):
            for method, target in (("POST", "/pub/rebound"), ("GET", "/poll/rebound"), ("GET", "/api/info"), ("GET", "/metrics"), ("GET", "/"),
                                   ("GET", "/health"), ("GET", "/sse/rebound"), ("GET", "/ws/rebound")):
                with self.subTest(host=host, target=target):
                    self.assert_refused(403, "E_HOST", self.ask(host, target, method))
        self.assertEqual(self.server.http("GET", "/api/channels?prefix=rebound").json["channels"], [])

    def test_names_of_this_machine(self):
        for host in ("localhost", "LOCALHOST:1", "app.localhost:8000", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8000"):
            with self.subTest(host):
                self.assertEqual(self.ask(host).status, 200)

    def test_dev_public_takes_any_name(self):
        with rig.Server("--dev-public") as server:
            host = {"Host": f"box.example:{server.port}"}
            self.assertEqual(server.http("POST", "/pub/x", "x", host).status, 200)

    def test_without_dev_the_host_is_not_looked_at(self):
        with rig.Server(dev=False, config='[channels]\npublish = "anyone"\n') as server:
            self.assertEqual(server.http("POST", "/pub/x", "x", {"Host": "box.example"}).status, 200)


class T40SmugglingOnUpgrade(AttackTest):
    UPGRADE = ("GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: {}\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n")
    SECOND = "POST /pub/smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"

    def tearDown(self):
        self.assertEqual(self.server.http("GET", "/api/channels?prefix=smuggled").json["channels"], [])

    def one_answer(self, text):
        with self.server.connect() as connection:
            connection.send(text.encode())
            response = connection.read_response()
            self.assertIn("close", response.tokens("Connection"))
            self.assertTrue(connection.at_end(), "the second request was answered")
            return response

    def test_a_wrong_version_closes_before_the_next_request(self):
        for version in ("777", "12", ""):
            response = self.one_answer(self.UPGRADE.format(version, "") + self.SECOND)
            self.assert_refused(426, "E_UPGRADE", response)
            self.assertEqual(response.header("Sec-WebSocket-Version"), "13")

    def test_a_body_with_the_upgrade(self):
        for extra in ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"):
            self.assertEqual(self.one_answer(self.UPGRADE.format("13", extra) + "0\r\n\r\n" + self.SECOND).status, 400)

    def test_length_and_chunked_together(self):
        response = self.one_answer("POST /pub/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + self.SECOND)
        self.assert_refused(400, "E_BAD_REQUEST", response)

    def test_what_follows_a_101_is_frames(self):
        with self.server.connect() as connection:
            connection.send((self.UPGRADE.format("13", "") + self.SECOND).encode())
            self.assertEqual(connection.read_response().status, 101)
            rest = connection.read_to_end()
            self.assertEqual(rest[:1], b"\x88", "a Close frame and nothing else")


class T41HttpFraming(AttackTest):
    def test_requests_that_others_read_differently(self):
        cases = {
            "bare LF": "GET /health HTTP/1.1\nHost: localhost\n\n", "bare LF in headers": "GET /health HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
            "bare CR": "GET /health HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n", "folded header": "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
            "space before colon": "GET /health HTTP/1.1\r\nHost : x\r\n\r\n", "space in name": "GET /health HTTP/1.1\r\nHost: localhost\r\nX Y: z\r\n\r\n",
            "no colon": "GET /health HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n", "empty name": "GET /health HTTP/1.1\r\nHost: localhost\r\n: y\r\n\r\n",
            "space first": " GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", "two spaces": "GET  /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "tab": "GET\t/health HTTP/1.1\r\nHost: localhost\r\n\r\n", "space in target": "GET /hea lth HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "no version": "GET /health\r\nHost: localhost\r\n\r\n", "lower-case version": "GET /health http/1.1\r\nHost: localhost\r\n\r\n",
            "NUL": "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", "two hosts": "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n",
            "no host": "GET /health HTTP/1.1\r\n\r\n", "bad method": "G(T /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "control in target": "GET /hea\x01lth HTTP/1.1\r\nHost: localhost\r\n\r\n",
        }
        body = "POST /pub/x HTTP/1.1\r\nHost: localhost\r\n"
        bodies = {
            "two lengths": "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "same length twice": "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            "list of lengths": "Content-Length: 1, 1\r\n\r\nx", "signed length": "Content-Length: +1\r\n\r\nx",
            "negative length": "Content-Length: -1\r\n\r\nx", "hexadecimal length": "Content-Length: 0x1\r\n\r\nx",
            "length with a space": "Content-Length: 1 1\r\n\r\nx", "empty length": "Content-Length:\r\n\r\n",
            "length that wraps": "Content-Length: 18446744073709551617\r\n\r\nx", "chunked twice": "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "chunked not last": "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "x-chunked": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "quoted chunked": "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "vertical tab": "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
            "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            "chunk size 0x": "Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n", "chunk size +1": "Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
            "chunk size empty": "Transfer-Encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n", "chunk size wraps": "Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n",
            "chunk ends with LF": "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n", "chunk extension with LF": "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
            "chunk extension with CR": "Transfer-Encoding: chunked\r\n\r\n1;a\rb\r\nx\r\n0\r\n\r\n",
            "data longer than its chunk": "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n", "space before chunk size": "Transfer-Encoding: chunked\r\n\r\n 1\r\nx\r\n0\r\n\r\n",
            "folded trailer": "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n c\r\n\r\n",
        }
        cases.update((name, body + rest) for name, rest in bodies.items())
        for name, text in cases.items():
            with self.subTest(name), self.server.connect() as connection:
                connection.send(text.encode("latin-1") + b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                response = connection.read_response()
                self.assertIn(response.status, (400, 501, 505, 413) if "wraps" in name or "version" in name or "Encoding" in text else (400,))
                self.assertTrue(connection.at_end(), "read on after a refusal")

    def test_chunked_with_http_1_0(self):
        answer = self.request("POST /pub/x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
        self.assertEqual(answer.status, 400)

    def test_other_versions(self):
        for version in ("HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3", "HTTP/11.1", "HTTP/1.10"):
            with self.subTest(version):
                self.assertIn(self.request(f"GET /health {version}\r\nHost: localhost\r\n\r\n").status, (400, 505))

    def test_the_http_2_preface(self):
        answer = self.request("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.assertIn(answer.status, (400, 505))

    def test_pipelined_requests_are_answered_in_order(self):
        with self.server.connect() as connection:
            connection.send(b"".join(f"POST /pub/t41 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n{i:03d}".encode() for i in range(100)))
            self.assertEqual([connection.read_response().json["offset"] for _ in range(100)], list(range(1, 101)))

    def test_absolute_and_other_targets(self):
        self.assertIn(self.request("GET http://x/health HTTP/1.1\r\nHost: localhost\r\n\r\n").status, (200, 400))
        for target in ("health", "*", "//health", "x:80", "http://"):
            with self.subTest(target):
                self.assertIn(self.request(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").status, (400, 404))


class T42HeaderInjection(AttackTest):
    def test_bytes_in_every_reflected_value(self):
        """Subprotocol and extension come back in the answer; nothing of theirs may end a line there."""
        head = (b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
        for byte in [0, *range(1, 9), 11, 12, *range(14, 32), 127, *range(128, 256)]:
            for name in (b"Sec-WebSocket-Protocol: wirebird", b"Sec-WebSocket-Extensions: permessage-deflate", b"Origin: http://x"):
                with self.subTest((byte, name)):
                    response = self.request(head + name + bytes([byte]) + b"injected\r\n\r\n")
                    self.assertIn(response.status, (400, 403))

    def test_line_ends_in_a_decoded_channel(self):
        for name in ("a%0d%0aX-Injected:%201", "a%0aX-Injected:%201", "%0d%0a%0d%0abody"):
            for target in (f"/sse/{name}", f"/poll/{name}", f"/ws/{name}", f"/pub/{name}"):
                response = self.request(f"{'POST' if 'pub' in target else 'GET'} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(response.status, (400, 426))
                self.assertIsNone(response.header("X-Injected"))


class T43LogInjection(AttackTest):
    arguments = ("--log-level=debug",)

    def test_every_byte_in_every_field(self):
        odd = [bytes([b]) for b in range(1, 256) if b not in (10, 13)] + ["\u2028".encode(), "\u202e".encode(), b"\x1b[31m", b"\x9b"]
        for piece in odd:
            for data in (b"GET /log" + piece + b"injected HTTP/1.1\r\nHost: localhost\r\n\r\n",
                         b"GET /x HTTP/1.1\r\nHost: x" + piece + b"injected\r\nUser-Agent: " + piece + b"\r\nOrigin: http://" + piece + b"\r\n\r\n"):
                with self.server.connect() as connection:
                    connection.send(data)
                    connection.read_response()
        for data in (b"%1b%5b31mred", "\u202e".encode(), b"%0a%0dline"):
            with self.server.connect() as connection:
                connection.send(b"POST /pub/" + data + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")
                connection.read_response()
        text = self.server.log_path.read_bytes().decode("utf-8")  # valid UTF-8 throughout
        self.assertIsNone(re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text))
        self.assertFalse([line for line in text.splitlines() if line.startswith("injected")])


if __name__ == "__main__":
    rig.main()
