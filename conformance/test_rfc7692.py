"""RFC 7692 (permessage-deflate) over real sockets: every MUST on the server, one named test each. Covers the case
groups 12 and 13 of the Autobahn test suite as well."""
import itertools
import os
import random
import zlib

import rig
from wire import BINARY, CONTINUATION, PING, RSV1, RSV2, TEXT, Refused, deflate, inflate

OFFER = "permessage-deflate"
TEXTS = ["", "Hello", "Hello" * 100, "κόσμε " * 500, "x" * 65536, '{"id":1,"name":"wirebird","values":[1,2,3]}' * 1000]


def parameters(agreed):
    """{'name': value or None} of the one permessage-deflate in an answer."""
    name, *rest = [part.strip() for part in agreed.split(";")]
    assert name == OFFER, agreed
    pairs = [part.partition("=") for part in rest]
    assert len({pair[0] for pair in pairs}) == len(pairs), agreed
    return {key.strip(): value.strip() or None for key, _, value in pairs}


class DeflateTest(rig.ServerTest):
    def open(self, offer=OFFER):
        return self.server.ws("/echo", deflate_offer=offer)

    def echo_deflated(self, socket, text, wbits=-15, data=None):
        socket.send_frame(TEXT, deflate(text.encode(), wbits) if data is None else data, rsv=RSV1)
        self.assertEqual(socket.recv(), text)


class Section5Negotiation(DeflateTest):
    def test_accepted_with_parameters_that_were_allowed(self):
        for offer in (OFFER, f"{OFFER}; client_max_window_bits", f"{OFFER}; server_no_context_takeover",
                      f"{OFFER}; client_no_context_takeover", f"{OFFER}; client_max_window_bits=12; server_max_window_bits=11",
                      f"x-other, {OFFER}", f'{OFFER}; server_max_window_bits="10"', f"{OFFER} ; client_no_context_takeover "):
            with self.subTest(offer):
                socket = self.open(offer)
                agreed = parameters(socket.agreed)
                self.assertLessEqual(set(agreed), {"server_no_context_takeover", "client_no_context_takeover",
                                                   "server_max_window_bits", "client_max_window_bits"})
                self.echo_deflated(socket, "a message " * 50, -9)

    def test_server_no_context_takeover_is_answered_with_itself(self):
        self.assertIn("server_no_context_takeover", parameters(self.open(f"{OFFER}; server_no_context_takeover").agreed))

    def test_server_window_is_not_larger_than_asked(self):
        for bits in range(9, 16):
            agreed = parameters(self.open(f"{OFFER}; server_max_window_bits={bits}").agreed)
            self.assertIn("server_max_window_bits", agreed)
            self.assertLessEqual(int(agreed["server_max_window_bits"]), bits)

    def test_a_window_of_8_is_declined_or_kept(self):
        agreed = self.open(f"{OFFER}; server_max_window_bits=8").agreed  # zlib cannot keep 256 bytes
        self.assertTrue(agreed is None or parameters(agreed)["server_max_window_bits"] == "8")

    def test_client_window_is_only_set_when_it_was_offered(self):
        self.assertNotIn("client_max_window_bits", parameters(self.open().agreed))
        for bits in range(8, 16):
            agreed = parameters(self.open(f"{OFFER}; client_max_window_bits={bits}").agreed)
            if "client_max_window_bits" in agreed:
                self.assertLessEqual(int(agreed["client_max_window_bits"]), bits)

    def test_an_offer_with_a_bad_parameter_is_declined(self):
        for bad in ("server_max_window_bits=7", "server_max_window_bits=16", "server_max_window_bits=0", "server_max_window_bits",
                    "server_max_window_bits=", "server_max_window_bits=010", "server_max_window_bits=09", "server_max_window_bits=+9",
                    "client_max_window_bits=7", "client_max_window_bits=16", "client_max_window_bits=99999999999999999999",
                    "client_no_context_takeover=1", "server_no_context_takeover=true", "unknown", "unknown=1",
                    "client_no_context_takeover; client_no_context_takeover",
                    "server_max_window_bits=10; server_max_window_bits=10", 'server_max_window_bits=""'):
            with self.subTest(bad):
                try:
                    socket = self.open(f"{OFFER}; {bad}")
                except Refused as refused:
                    self.assert_refused(400, "E_EXTENSION", refused.response)
                else:
                    self.assertIsNone(socket.agreed)
                    socket.send_text("plain")
                    self.assertEqual(socket.recv(), "plain")

    def test_the_first_offer_that_can_be_kept_is_taken(self):
        socket = self.open(f"{OFFER}; unknown=1, {OFFER}; server_max_window_bits=7, {OFFER}; server_max_window_bits=12")
        self.assertEqual(parameters(socket.agreed)["server_max_window_bits"], "12")

    def test_one_answer_to_many_offers(self):
        self.assertNotIn(",", self.open(f"{OFFER}, {OFFER}, {OFFER}; client_max_window_bits").agreed)

    def test_without_an_offer_there_is_no_compression(self):
        socket = self.server.ws("/echo")
        self.assertIsNone(socket.agreed)
        socket.send_frame(TEXT, deflate(b"x"), rsv=RSV1)
        self.assert_closed(1002, "E_RESERVED_BITS", socket)


class Section6Framing(DeflateTest):
    def test_rsv1_only_on_the_first_frame(self):
        socket = self.open()
        data = deflate(b"Hello" * 10)
        socket.send_frame(TEXT, data[:3], fin=False, rsv=RSV1)
        socket.send_frame(CONTINUATION, data[3:], rsv=RSV1)
        self.assert_closed(1002, "E_RESERVED_BITS", socket)

    def test_rsv1_on_a_control_frame(self):
        socket = self.open()
        socket.send_frame(PING, b"x", rsv=RSV1)
        self.assert_closed(1002, "E_RESERVED_BITS", socket)

    def test_other_reserved_bits_stay_reserved(self):
        socket = self.open()
        socket.send_frame(TEXT, deflate(b"x"), rsv=RSV1 | RSV2)
        self.assert_closed(1002, "E_RESERVED_BITS", socket)

    def test_messages_without_compression_are_taken_too(self):
        socket = self.open()
        for i in range(20):
            if i % 2:
                socket.send_text(f"plain {i}")
                self.assertEqual(socket.recv(), f"plain {i}")
            else:
                self.echo_deflated(socket, f"deflated {i}")

    def test_control_frames_inside_a_compressed_message(self):
        socket = self.open()
        data = deflate(b"Hello" * 100)
        socket.send_frame(TEXT, data[:5], fin=False, rsv=RSV1)
        socket.send_frame(PING, b"here")
        self.assertEqual(socket.recv_frame().payload, b"here")
        socket.send_frame(CONTINUATION, data[5:])
        self.assertEqual(socket.recv(), "Hello" * 100)


class Section7Compression(DeflateTest):
    def test_texts_come_back(self):
        socket = self.open()
        for text in TEXTS:
            self.echo_deflated(socket, text)

    def test_binary_comes_back(self):
        socket = self.open()
        for data in (b"", os.urandom(10), os.urandom(100_000), bytes(500_000)):
            socket.send_frame(BINARY, deflate(data), rsv=RSV1)
            self.assertEqual(socket.recv(), data)

    def test_the_examples_of_the_rfc(self):
        socket = self.open()
        for data in (bytes.fromhex("f248cdc9c90700"),  # 7.2.3.1 one block
                     bytes.fromhex("000500faff48656c6c6f00"),  # 7.2.3.3 a block without compression
                     bytes.fromhex("f348cdc9c9070000"),  # 7.2.3.4 BFINAL set
                     bytes.fromhex("f24805000000ffffcac9c90700")):  # 7.2.3.5 two blocks
            with self.subTest(data.hex()):
                self.echo_deflated(socket, "Hello", data=data)

    def test_fragments_of_any_size(self):
        socket = self.open()
        text = "fragmented " * 30
        data = deflate(text.encode())
        for size in (1, 2, 3, 7):
            pieces = [data[i:i + size] for i in range(0, len(data), size)]
            self.assertLess(len(pieces), 65)
            for i, piece in enumerate(pieces):
                socket.send_frame(TEXT if i == 0 else CONTINUATION, piece, fin=False, rsv=RSV1 if i == 0 else 0)
            socket.send_frame(CONTINUATION, b"")
            self.assertEqual(socket.recv(), text)

    def test_every_strategy_and_level(self):
        socket = self.open()
        text = "".join(random.Random(7692).choices("abcdefgh ", k=5000))
        for level, strategy in itertools.product((0, 1, 6, 9), (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_FIXED)):
            maker = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
            data = (maker.compress(text.encode()) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4]
            self.echo_deflated(socket, text, data=data)

    def test_what_the_server_sends_fits_the_window_it_promised(self):
        text = "".join(random.Random(1).choices("abc", k=20000)) * 3
        for bits in range(9, 16):
            socket = self.open(f"{OFFER}; server_max_window_bits={bits}")
            promised = int(parameters(socket.agreed)["server_max_window_bits"])
            socket.send_frame(TEXT, deflate(text.encode()), rsv=RSV1)
            frame = socket.recv_frame()
            self.assertTrue(frame.fin)
            payload = inflate(frame.payload, -promised) if frame.rsv else frame.payload
            self.assertEqual(payload.decode(), text)

    def test_large_repeating_answers_are_compressed(self):
        socket = self.open()
        socket.send_frame(TEXT, deflate(b"repeat " * 10000), rsv=RSV1)
        frame = socket.recv_frame()
        self.assertEqual(frame.rsv, RSV1)
        self.assertLess(len(frame.payload), 2000)

    def test_text_must_be_utf8_once_inflated(self):
        for data in (b"\xff", b"ok \xed\xa0\x80", b"\xe2\x82"):
            socket = self.open()
            socket.send_frame(TEXT, deflate(data), rsv=RSV1)
            self.assert_closed(1007, "E_UTF8", socket)

    def test_bytes_that_cannot_be_inflated(self):
        for data in (b"\x07", b"\xff" * 50, b"\x06\x00", b"\x01\x05\x00\x00\x00hello", deflate(b"x" * 5000)[:-3] + b"\xff\xff\xff"):
            with self.subTest(data):
                socket = self.open()
                socket.send_frame(BINARY, data, rsv=RSV1)
                self.assert_closed(1007, "E_INFLATE", socket)

    def test_a_distance_before_the_message_is_refused_without_takeover(self):
        socket = self.open(f"{OFFER}; client_no_context_takeover")
        maker = zlib.compressobj(wbits=-15)
        first = (maker.compress(b"shared words " * 20) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4]
        second = (maker.compress(b"shared words " * 20) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4]
        socket.send_frame(BINARY, first, rsv=RSV1)
        self.assertEqual(socket.recv(), b"shared words " * 20)
        self.assertIn("client_no_context_takeover", parameters(socket.agreed))
        socket.send_frame(BINARY, second, rsv=RSV1)
        self.assert_closed(1007, "E_INFLATE", socket)

    def test_a_bomb_ends_at_the_limit(self):
        socket = self.open()
        socket.send_frame(BINARY, deflate(bytes(1 << 20)), rsv=RSV1)
        self.assertEqual(len(socket.recv()), 1 << 20)
        socket.send_frame(BINARY, deflate(bytes((1 << 20) + 1)), rsv=RSV1)
        self.assert_closed(1009, "E_INFLATED_TOO_BIG", socket)


class Section7_1_1ContextTakeover(DeflateTest):
    arguments = ("--websocket-deflate-context-takeover=true",)

    def test_agreed_when_the_server_allows_it(self):
        agreed = parameters(self.open().agreed)
        self.assertNotIn("client_no_context_takeover", agreed)
        self.assertNotIn("server_no_context_takeover", agreed)

    def test_both_sides_keep_their_window(self):
        socket = self.open()
        maker, reader = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
        sizes = []
        for i in range(50):
            text = f'{{"sequence":{i},"text":"the same words over and over, so that the window helps"}}'
            socket.send_frame(TEXT, (maker.compress(text.encode()) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=RSV1)
            frame = socket.recv_frame()
            if frame.rsv:
                sizes.append(len(frame.payload))
                self.assertEqual(reader.decompress(frame.payload + b"\x00\x00\xff\xff").decode(), text)
            else:
                self.assertEqual(frame.payload.decode(), text)
        self.assertLess(sizes[-1], sizes[0] / 2)

    def test_every_pair_of_windows(self):
        for server_bits, client_bits in itertools.product((9, 12, 15), (9, 12, 15)):
            socket = self.open(f"{OFFER}; server_max_window_bits={server_bits}; client_max_window_bits={client_bits}")
            agreed = parameters(socket.agreed)
            reader = zlib.decompressobj(wbits=-int(agreed["server_max_window_bits"]))
            self.assertLessEqual(int(agreed["client_max_window_bits"]), client_bits)
            maker = zlib.compressobj(wbits=-int(agreed["client_max_window_bits"]))
            for i in range(20):
                data = bytes(random.Random(i).choices(b"abcd", k=3000))
                socket.send_frame(BINARY, (maker.compress(data) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4], rsv=RSV1)
                frame = socket.recv_frame()
                self.assertEqual(reader.decompress(frame.payload + b"\x00\x00\xff\xff") if frame.rsv else frame.payload, data)

    def test_each_side_may_still_ask_for_none(self):
        agreed = parameters(self.open(f"{OFFER}; server_no_context_takeover; client_no_context_takeover").agreed)
        self.assertIn("server_no_context_takeover", agreed)

class ContextBudget(DeflateTest):
    arguments = ("--websocket-deflate-context-takeover=true", "--websocket-deflate-context-bytes-max=160KiB", "--workers=1")

    def keeps(self, socket):
        return "server_no_context_takeover" not in parameters(socket.agreed)

    def test_windows_end_with_the_budget_and_come_back_with_it(self):
        sockets = [self.open() for _ in range(4)]
        self.assertEqual([self.keeps(socket) for socket in sockets], [True, True, False, False])
        for socket in sockets:
            self.echo_deflated(socket, "a message " * 50)
        sockets[0].close()
        self.server.until(lambda: self.keeps(self.open()), "the window of one that is gone is given to another")


class SharedFrames(DeflateTest):
    arguments = ("--workers=1",)

    def test_receivers_with_small_windows_share_frames_too(self):
        sockets = [self.server.ws("/ws/small", deflate_offer=f"{OFFER}; server_max_window_bits={bits}")
                   for bits in (9, 9, 10, 11, 12, 15)]
        data = bytes(random.Random(7).choices(b"abcd", k=6000)).decode()
        blocks = self.server.metrics()["wirebird_fan_out_blocks_total"]
        self.server.publish("small", data)
        for socket, bits in zip(sockets, (9, 9, 10, 11, 12, 15)):
            frame = socket.recv_frame()
            self.assertEqual(frame.rsv, RSV1)
            reader = zlib.decompressobj(wbits=-bits)
            self.assertEqual(reader.decompress(frame.payload + b"\x00\x00\xff\xff").decode(), data)
        self.assertEqual(self.server.metrics()["wirebird_fan_out_blocks_total"] - blocks, 2)


if __name__ == "__main__":
    rig.main()
