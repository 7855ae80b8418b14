"""RFC 6455 over real sockets: every MUST on the server, one named test each, section by section.

Covers the case groups 1-7, 9 and 10 of the Autobahn test suite as well (docs/evidence/autobahn.md has the run itself).
"""
import os
import random
import struct

import rig
from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, RSV1, RSV2, RSV3, TEXT, Closed, client_frame, close_payload
from wire import frame_head, mask

SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20]


class EchoTest(rig.ServerTest):
    def open(self, **headers):
        return self.server.ws("/echo", headers)

    def echoes(self, socket, message=None):
        """The connection is alive and in step."""
        message = message or "still here"
        socket.send_text(message)
        self.assertEqual(socket.recv(), message)

    def fails(self, code, reason_code, *frames):
        """These bytes, after a healthy exchange, end the connection with exactly this."""
        socket = self.open()
        self.echoes(socket)
        for frame in frames:
            socket.send(frame)
        self.assert_closed(code, reason_code, socket)


class Section4OpeningHandshake(EchoTest):
    KEY = "dGhlIHNhbXBsZSBub25jZQ=="
    GOOD = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY,
            "Sec-WebSocket-Version": "13"}

    def shake(self, line="GET /echo HTTP/1.1", extra=(), **changes):
        fields = dict(self.GOOD)
        for name, value in changes.items():
            fields[name.replace("_", "-")] = value
        lines = [line] + [f"{k}: {v}" for k, v in fields.items() if v is not None] + list(extra)
        return self.server.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    def test_accept_is_that_of_the_rfc_example(self):
        answer = self.shake()
        self.assertEqual(answer.status, 101)
        self.assertEqual(answer.header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertEqual(answer.header("Upgrade").lower(), "websocket")
        self.assertEqual(answer.header("Connection").lower(), "upgrade")
        self.assertIsNone(answer.header("Sec-WebSocket-Protocol"))
        self.assertIsNone(answer.header("Sec-WebSocket-Extensions"))

    def test_names_and_tokens_in_any_case_and_in_lists(self):
        for changes in ({"Upgrade": "WebSocket"}, {"Connection": "keep-alive, upgrade"}, {"Connection": "UPGRADE"}):
            with self.subTest(changes):
                self.assertEqual(self.shake(**changes).status, 101)
        lines = ["GET /echo HTTP/1.1"] + [f"{name.lower()}:{value}" for name, value in self.GOOD.items()]
        self.assertEqual(self.server.raw("\r\n".join(lines).encode() + b"\r\n\r\n").status, 101)

    def test_upgrade_missing_or_other(self):
        for value in (None, "h2c", "websockets"):
            with self.subTest(value):
                self.assert_refused(426, "E_UPGRADE", self.shake(Upgrade=value))

    def test_connection_missing_or_other(self):
        for value in (None, "keep-alive"):
            with self.subTest(value):
                self.assertIn(self.shake(Connection=value).status, (400, 426))

    def test_key_missing_doubled_or_not_16_bytes(self):
        for value in (None, "", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZXg=", "*" * 24,
                      "dGhlIHNhbXBsZSBub25jZR=="):  # the last: bits set where padding must be zero
            with self.subTest(value):
                self.assert_refused(400, "E_HANDSHAKE", self.shake(Sec_WebSocket_Key=value))
        doubled = self.shake(extra=[f"Sec-WebSocket-Key: {self.KEY}"])
        self.assert_refused(400, "E_HANDSHAKE", doubled)

    def test_version_other_than_13_is_told_13(self):
        self.assert_refused(400, "E_HANDSHAKE", self.shake(Sec_WebSocket_Version=None))
        for value in ("", "12", "8", "14", "013", "13, 8", "x", "777"):
            with self.subTest(value):
                answer = self.shake(Sec_WebSocket_Version=value)
                self.assert_refused(426, "E_UPGRADE", answer)
                self.assertEqual(answer.header("Sec-WebSocket-Version"), "13")

    def test_method_must_be_get(self):
        answer = self.shake("POST /echo HTTP/1.1")
        self.assertIn(answer.status, (400, 405, 426))

    def test_http_1_0_is_not_enough(self):
        self.assertIn(self.shake("GET /echo HTTP/1.0").status, (400, 426))

    def test_host_missing_or_doubled(self):
        self.assertEqual(self.shake(Host=None).status, 400)
        self.assertEqual(self.shake(extra=["Host: localhost"]).status, 400)

    def test_no_body_with_an_upgrade(self):
        for extra in (["Content-Length: 5"], ["Transfer-Encoding: chunked"]):
            with self.subTest(extra):
                self.assertEqual(self.shake(extra=extra).status, 400)

    def test_path_without_a_door(self):
        self.assert_refused(404, "E_NOT_FOUND", self.shake("GET /nowhere HTTP/1.1"))

    def test_only_an_offered_subprotocol_is_answered(self):
        self.assertEqual(self.open(**{"Sec-WebSocket-Protocol": "chat, wirebird"}).response.header("Sec-WebSocket-Protocol"),
                         "wirebird")
        self.assertIsNone(self.open(**{"Sec-WebSocket-Protocol": "chat"}).response.header("Sec-WebSocket-Protocol"))

    def test_subprotocols_must_be_tokens_and_differ(self):
        for value in ("a b", "chat, chat", "a/b", "a, , @", "\"chat\""):
            with self.subTest(value):
                self.assertEqual(self.shake(Sec_WebSocket_Protocol=value).status, 400)

    def test_unknown_extensions_are_declined(self):
        socket = self.open(**{"Sec-WebSocket-Extensions": "x-unknown; a=1; b=\"two\", x-other"})
        self.assertIsNone(socket.agreed)
        self.echoes(socket)

    def test_malformed_extensions(self):
        for value in ("a;", "a; =b", "permessage-deflate; ;", "a b", "a; b=\"c", ";"):
            with self.subTest(value):
                self.assert_refused(400, "E_EXTENSION", self.shake(Sec_WebSocket_Extensions=value))

    def test_frames_sent_with_the_handshake_are_read_after_it(self):
        with self.server.connect() as connection:
            head = "\r\n".join(["GET /echo HTTP/1.1"] + [f"{k}: {v}" for k, v in self.GOOD.items()]).encode() + b"\r\n\r\n"
            connection.send(head + client_frame(TEXT, "early"))
            self.assertEqual(connection.read_response().status, 101)
            self.assertEqual(connection.read(7), b"\x81\x05early")

    def test_handshake_byte_by_byte(self):
        with self.server.connect() as connection:
            head = "\r\n".join(["GET /echo HTTP/1.1"] + [f"{k}: {v}" for k, v in self.GOOD.items()]).encode() + b"\r\n\r\n"
            connection.send_slowly(head + client_frame(TEXT, "slow"), len(head) + 10)
            self.assertEqual(connection.read_response().status, 101)
            self.assertEqual(connection.read(6), b"\x81\x04slow")


class Section5_1Masking(EchoTest):
    def test_an_unmasked_frame_ends_the_connection(self):
        for opcode in (TEXT, BINARY, PING, PONG):
            with self.subTest(opcode):
                self.fails(1002, "E_UNMASKED", frame_head(opcode, 3) + b"abc")
        self.fails(1002, "E_UNMASKED", frame_head(CLOSE, 2) + close_payload(1000))
        self.fails(1002, "E_UNMASKED", client_frame(TEXT, "a", fin=False), frame_head(CONTINUATION, 1) + b"b")

    def test_any_mask_is_undone(self):
        socket = self.open()
        for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04", b"\x80\0\0\x7f"):
            for size in (1, 3, 4, 5, 8, 31, 64, 1000):
                payload = bytes(i & 0xFF for i in range(size))
                socket.send(frame_head(BINARY, size, key=key) + mask(payload, key))
                self.assertEqual(socket.recv(), payload)

    def test_the_server_does_not_mask(self):
        socket = self.open()
        socket.send_text("x")
        self.assertEqual(socket.read(3), b"\x81\x01x")


class Section5_2BaseFraming(EchoTest):
    def test_reserved_bits_without_an_extension(self):
        for rsv in (RSV1, RSV2, RSV3, RSV1 | RSV2, RSV1 | RSV3, RSV2 | RSV3, RSV1 | RSV2 | RSV3):
            for opcode in (TEXT, BINARY, PING, PONG, CLOSE):
                with self.subTest((rsv, opcode)):
                    self.fails(1002, "E_RESERVED_BITS", client_frame(opcode, b"", rsv=rsv))
        self.fails(1002, "E_RESERVED_BITS", client_frame(TEXT, "a", fin=False), client_frame(CONTINUATION, "b", rsv=RSV2))

    def test_reserved_opcodes(self):
        for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF):
            for payload in (b"", b"x"):
                with self.subTest((opcode, payload)):
                    self.fails(1002, "E_OPCODE", client_frame(opcode, payload))

    def test_every_length_comes_back(self):
        socket = self.open()
        for size in SIZES:
            for opcode in (TEXT, BINARY):
                payload = b"*" * size
                socket.send_frame(opcode, payload)
                frame_kind = str if opcode == TEXT else bytes
                got = socket.recv()
                self.assertIsInstance(got, frame_kind)
                self.assertEqual(len(got), size)
                self.assertEqual(got, payload.decode() if opcode == TEXT else payload)

    def test_every_length_in_small_pieces(self):
        socket = self.open()
        for size in (0, 1, 125, 126, 1000, 65535, 65536):
            payload = os.urandom(size)
            socket.send_slowly(client_frame(BINARY, payload), min(size + 14, 300))
            self.assertEqual(socket.recv(), payload)

    def test_lengths_not_in_their_shortest_form(self):
        for length, form in ((0, 16), (125, 16), (0, 64), (125, 64), (126, 64), (65535, 64)):
            with self.subTest((length, form)):
                self.fails(1002, "E_FRAME_LENGTH", client_frame(BINARY, b"x" * length, form=form))

    def test_the_top_bit_of_a_64_bit_length_is_zero(self):
        for length in (1 << 63, (1 << 64) - 1, (1 << 63) + 5):
            with self.subTest(length):
                self.fails(1002, "E_FRAME_LENGTH", frame_head(BINARY, length, key=b"abcd"))

    def test_several_frames_in_one_segment(self):
        socket = self.open()
        socket.send(b"".join(client_frame(TEXT, f"message {i}") for i in range(500)))
        self.assertEqual([socket.recv() for _ in range(500)], [f"message {i}" for i in range(500)])


class Section5_4Fragmentation(EchoTest):
    def test_fragments_make_one_message(self):
        socket = self.open()
        for opcode in (TEXT, BINARY):
            for parts in (["ab", "cd"], ["", "x"], ["x", ""], ["", ""], ["", "", "mid", "", ""], list("letters"), ["z" * 70000] * 3):
                socket.send(b"".join(
                    client_frame(opcode if i == 0 else CONTINUATION, part, fin=i == len(parts) - 1)
                    for i, part in enumerate(parts)))
                whole = "".join(parts)
                self.assertEqual(socket.recv(), whole if opcode == TEXT else whole.encode())

    def test_control_frames_between_fragments_are_answered_at_once(self):
        socket = self.open()
        socket.send_frame(TEXT, "one ", fin=False)
        socket.send_frame(PING, "between")
        frame = socket.recv_frame()
        self.assertEqual((frame.opcode, frame.payload), (PONG, b"between"))
        socket.send_frame(CONTINUATION, "two ", fin=False)
        socket.send_frame(PONG, "unasked")
        socket.send_frame(CONTINUATION, "three")
        self.assertEqual(socket.recv(), "one two three")

    def test_a_ping_is_answered_before_the_message_that_ends_behind_it(self):
        socket = self.open()  # also when all of it comes in one segment
        socket.send(client_frame(TEXT, "one ", fin=False) + client_frame(PING, "between") + client_frame(CONTINUATION, "two"))
        frame = socket.recv_frame()
        self.assertEqual((frame.opcode, frame.payload), (PONG, b"between"))
        self.assertEqual(socket.recv(), "one two")

    def test_a_close_between_fragments_ends_the_connection(self):
        socket = self.open()
        socket.send_frame(TEXT, "never whole", fin=False)
        self.assertEqual(socket.finish(1000)[0], 1000)

    def test_a_continuation_of_nothing(self):
        for fin in (True, False):
            self.fails(1002, "E_FRAGMENT", client_frame(CONTINUATION, "x", fin=fin))
        self.fails(1002, "E_FRAGMENT", client_frame(TEXT, "a", fin=False), client_frame(CONTINUATION, "b"),
                   client_frame(CONTINUATION, "c"))

    def test_a_new_message_inside_another(self):
        for first in (TEXT, BINARY):
            for second in (TEXT, BINARY):
                for fin in (True, False):
                    with self.subTest((first, second, fin)):
                        self.fails(1002, "E_FRAGMENT", client_frame(first, "a", fin=False), client_frame(second, "b", fin=fin))

    def test_at_most_64_fragments(self):
        socket = self.open()
        for i in range(64):
            socket.send_frame(BINARY if i == 0 else CONTINUATION, b"x", fin=i == 63)
        self.assertEqual(socket.recv(), b"x" * 64)
        for i in range(65):
            socket.send_frame(BINARY if i == 0 else CONTINUATION, b"x", fin=False)
        self.assert_closed(1009, "E_TOO_MANY_FRAGMENTS", socket)


class Section5_5ControlFrames(EchoTest):
    def test_ping_is_answered_with_its_payload(self):
        socket = self.open()
        for payload in (b"", b"hello", bytes(range(125)), b"\0\xff\xfe", b"x" * 125):
            socket.send_frame(PING, payload)
            frame = socket.recv_frame()
            self.assertEqual((frame.opcode, frame.payload, frame.fin), (PONG, payload, True))

    def test_ping_in_single_bytes(self):
        socket = self.open()
        socket.send_slowly(client_frame(PING, b"slow ping"), 20)
        self.assertEqual(socket.recv_frame().payload, b"slow ping")

    def test_of_many_pings_the_newest_is_answered(self):
        socket = self.open()  # 5.5.3: a pong may answer only the most recent ping
        socket.send(b"".join(client_frame(PING, f"{i}") for i in range(10)))
        seen = []
        while not seen or seen[-1] != 9:
            frame = socket.recv_frame()
            self.assertEqual(frame.opcode, PONG)
            seen.append(int(frame.payload))
        self.assertEqual(seen, sorted(set(seen)))

    def test_an_unasked_pong_is_ignored(self):
        socket = self.open()
        socket.send_frame(PONG, "unasked")
        self.echoes(socket)

    def test_a_control_frame_is_at_most_125_bytes(self):
        for opcode in (PING, PONG, CLOSE):
            for size in (126, 127, 65536):
                with self.subTest((opcode, size)):
                    self.fails(1002, "E_CONTROL_FRAME", client_frame(opcode, close_payload(1000, b"x" * (size - 2))))

    def test_a_control_frame_is_not_fragmented(self):
        for opcode in (PING, PONG, CLOSE):
            with self.subTest(opcode):
                self.fails(1002, "E_CONTROL_FRAME", client_frame(opcode, b"", fin=False))


class Section5_5_1And7Close(EchoTest):
    VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    INVALID = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]

    def test_every_valid_code_is_echoed(self):
        for code in self.VALID:
            with self.subTest(code):
                self.assertEqual(self.open().finish(code)[0], code)

    def test_an_empty_close_is_answered_with_an_empty_close(self):
        socket = self.open()
        socket.send_close()
        self.assertEqual(socket.recv_frame(), (True, 0, CLOSE, b""))
        self.assertTrue(socket.at_end())

    def test_invalid_codes(self):
        for code in self.INVALID:
            with self.subTest(code):
                self.fails(1002, "E_CLOSE_CODE", client_frame(CLOSE, close_payload(code)))

    def test_a_payload_of_one_byte(self):
        self.fails(1002, "E_CLOSE_CODE", client_frame(CLOSE, b"\x03"))

    def test_a_reason_of_123_bytes(self):
        socket = self.open()
        socket.send_close(1000, "r" * 123)
        self.assertEqual(socket.expect_close()[0], 1000)

    def test_a_reason_that_is_not_utf8(self):
        self.fails(1007, "E_UTF8", client_frame(CLOSE, close_payload(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80")))

    def test_what_comes_after_a_close_is_not_read(self):
        for late in (client_frame(TEXT, "late"), client_frame(PING, "late"), client_frame(CLOSE, close_payload(1001)),
                     client_frame(3, b"bad"), b"\xff" * 1000):
            socket = self.open()
            socket.send(client_frame(CLOSE, close_payload(1000)) + late)
            frame = socket.recv_frame()
            self.assertEqual((frame.opcode, frame.payload[:2]), (CLOSE, close_payload(1000)))
            self.assertTrue(socket.at_end())

    def test_the_server_ends_the_tcp_connection_first(self):
        socket = self.open()
        socket.send_close(1000)
        socket.recv_frame()
        self.assertTrue(socket.at_end())

    def test_messages_before_the_close_are_answered_before_it(self):
        socket = self.open()
        socket.send(client_frame(TEXT, "last words") + client_frame(CLOSE, close_payload(1000)))
        self.assertEqual(socket.recv(), "last words")
        self.assertEqual(socket.expect_close()[0], 1000)

    def test_after_an_error_the_rest_is_not_read(self):
        socket = self.open()
        socket.send(client_frame(3) + client_frame(TEXT, "must not come back") * 100)
        with self.assertRaises(Closed) as caught:
            socket.recv()
        self.assertEqual(caught.exception.code, 1002)


GOOD_UTF8 = [
    "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "日本語", "\U0001F409", "\0", "\x7f", "\u0080", "\u07ff", "\u0800", "\uffff", "\U00010000",
    "\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "\ufdd0", "\ufffe", "\U0001fffe", "a" * 1000 + "é",
]
BAD_UTF8 = [
    b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xed\xa0\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80",
    b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xc2", b"\xe2\x82", b"\xf0\x9f\x90",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", b"fine until \xe2\x28\xa1 here",
]


class Section8_1Utf8(EchoTest):
    def test_valid_text_comes_back(self):
        socket = self.open()
        for text in GOOD_UTF8:
            self.echoes(socket, text)

    def test_valid_text_cut_at_every_byte(self):
        socket = self.open()
        for text in GOOD_UTF8[:16]:
            data = text.encode()
            for cut in range(len(data) + 1):
                socket.send(client_frame(TEXT, data[:cut], fin=False) + client_frame(CONTINUATION, data[cut:]))
                self.assertEqual(socket.recv(), text)

    def test_invalid_text_ends_the_connection(self):
        for data in BAD_UTF8:
            with self.subTest(data):
                self.fails(1007, "E_UTF8", client_frame(TEXT, data))

    def test_invalid_text_in_single_bytes(self):
        for data in BAD_UTF8:
            with self.subTest(data):
                frames = [client_frame(TEXT if i == 0 else CONTINUATION, data[i:i + 1], fin=False) for i in range(len(data))]
                self.fails(1007, "E_UTF8", *frames, client_frame(CONTINUATION))

    def test_the_end_of_a_text_must_end_a_character(self):
        self.fails(1007, "E_UTF8", client_frame(TEXT, b"\xe2\x82", fin=False), client_frame(CONTINUATION, b""))

    def test_a_wrong_byte_is_found_before_the_message_is_whole(self):
        self.fails(1007, "E_UTF8", client_frame(TEXT, b"good so far ", fin=False), client_frame(CONTINUATION, b"\xf4\x90", fin=False))

    def test_binary_messages_are_any_bytes(self):
        socket = self.open()
        for data in BAD_UTF8:
            socket.send_binary(data)
            self.assertEqual(socket.recv(), data)

    def test_every_pair_and_triple_at_the_borders(self):
        """Around every border of the table of well-formed byte sequences, against Python's decoder."""
        borders = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEE, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF]
        socket = self.open()
        bad = []
        for a in borders:
            for b in borders:
                for tail in (b"", b"\x80", b"\x80\x80", b"\xbf\xbf"):
                    data = bytes([a, b]) + tail
                    try:
                        data.decode()
                    except UnicodeDecodeError:
                        bad.append(data)
                    else:
                        socket.send_frame(TEXT, data)
                        self.assertEqual(socket.recv(), data.decode())
        for data in random.Random(6455).sample(bad, 150):
            self.fails(1007, "E_UTF8", client_frame(TEXT, data))


class Section10Limits(EchoTest):
    """10.4: an implementation must guard itself. The limit of a message is 1 MiB."""

    def test_a_message_of_exactly_the_limit(self):
        socket = self.open()
        for fragments in (1, 4, 64):
            part = b"m" * ((1 << 20) // fragments)
            socket.send(b"".join(client_frame(BINARY if i == 0 else CONTINUATION, part, fin=i == fragments - 1)
                                 for i in range(fragments)))
            self.assertEqual(len(socket.recv()), 1 << 20)

    def test_a_message_one_byte_longer(self):
        self.fails(1009, "E_MESSAGE_TOO_BIG", frame_head(BINARY, (1 << 20) + 1, key=b"abcd"))
        self.fails(1009, "E_MESSAGE_TOO_BIG", client_frame(BINARY, b"m" * (1 << 20), fin=False), client_frame(CONTINUATION, b"m"))

    def test_a_declared_length_is_judged_before_its_bytes_come(self):
        for length in (1 << 24, 1 << 32, 1 << 62):
            with self.subTest(length):
                self.fails(1009, "E_MESSAGE_TOO_BIG", frame_head(BINARY, length, key=b"abcd"))

    def test_a_limit_cannot_be_passed_by_a_sum_that_wraps(self):
        self.fails(1009, "E_MESSAGE_TOO_BIG", client_frame(BINARY, b"x", fin=False),
                   frame_head(CONTINUATION, (1 << 63) - 1, key=b"abcd"))

    def test_large_messages_in_chops(self):
        """Autobahn 9.5: one message in segments of many sizes."""
        socket = self.open()
        payload = os.urandom(1 << 20)
        for chop in (64, 997, 65536):
            data = client_frame(BINARY, payload)
            for i in range(0, len(data), chop * 16):
                socket.send(data[i:i + chop * 16])
            self.assertEqual(socket.recv(), payload)

    def test_a_thousand_round_trips(self):
        """Autobahn 9.7, 9.8."""
        socket = self.open()
        for size in (0, 16, 64, 256, 1024, 4096):
            for i in range(170):
                data = struct.pack("!I", i) + b"x" * size
                socket.send_binary(data)
                self.assertEqual(socket.recv(), data)

    def test_long_message_sent_whole(self):
        """Autobahn 10.1: the server need not keep the fragments of a long message."""
        socket = self.open()
        payload = "*" * 65536
        for i in range(0, 65536, 1300):
            socket.send_frame(TEXT if i == 0 else CONTINUATION, payload[i:i + 1300], fin=i + 1300 >= 65536)
        self.assertEqual(socket.recv(), payload)


if __name__ == "__main__":
    rig.main()
