"""What receivers of the Centrifuge protocol share: one encoding for each way to carry it, the same difference for all who had the same
message, and a filter that only chooses. Seen from outside by the count of encodings, and by everybody getting what is right."""
import json
from unittest import mock

import rig
import wire
from centrifuge_wire import Json, Protobuf, Socket, Stream
from test_centrifuge_raw import API_KEY, CONFIG, Raw, token

SHARING = CONFIG.replace("workers = 2", "workers = 1") + """
[namespaces.difference]
subscribe = "user"
allow_delta = true
delta_publish = true
slow_reader = "drop"
history_messages_max = 2
[namespaces.compact]
subscribe = "user"
join_leave = true
allow_channel_compaction = true
[namespaces.tags]
subscribe = "user"
allow_tags_filter = true
[namespaces.together]
subscribe = "user"
allow_tags_filter = true
max_delay = "20ms"
"""
STREAMS = (("http_stream", Json), ("http_stream", Protobuf), ("sse", Json))
FILLER = "the same words in every message, so that a difference is short " * 8


def integer(text, at):
    """A number of the delta format (base 64, the digits 0-9A-Z_a-z~) and where it ends."""
    digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
    value = 0
    while (digit := digits.find(text[at:at + 1])) >= 0 and at < len(text):
        value, at = value * 64 + digit, at + 1
    return value, at


def applied(base, delta):
    """The message that a fossil delta makes of the one before."""
    size, at = integer(delta, 0)
    assert delta[at:at + 1] == b"\n", delta
    out, at = b"", at + 1
    while True:
        count, at = integer(delta, at)
        operation, at = delta[at:at + 1], at + 1
        if operation == b"@":
            offset, at = integer(delta, at)
            assert delta[at:at + 1] == b"," and offset + count <= len(base), delta
            out, at = out + base[offset:offset + count], at + 1
        elif operation == b":":
            out, at = out + delta[at:at + count], at + count
        else:
            assert operation == b";" and at == len(delta) and len(out) == size, (delta, len(out), size)
            assert count == sum(int.from_bytes(out[i:i + 4].ljust(4, b"\0"), "big") for i in range(0, len(out), 4)) % (1 << 32), "the checksum"
            return out


class Reader:
    """What an SDK does with deltas of JSON clients."""

    def __init__(self):
        self.last = None
        self.deltas = 0

    def take(self, publication):
        text = publication["data"].encode()
        if publication.get("delta"):
            self.deltas += 1
            text = applied(self.last, text)
        self.last = text
        return json.loads(text)


class OneWorker(Raw):
    options = {"dev": False, "config": SHARING}

    def setUp(self):
        super().setUp()
        self.api = wire.Connection(self.server.admin_address)
        self.addCleanup(self.api.close)

    def blocks(self):
        return self.metrics()["wirebird_fan_out_blocks_total"]

    def stream(self, kind, form):
        stream = Stream(self.server, kind, form, form.commands({"id": 1, "connect": {"token": token()}}))
        self.addCleanup(stream.close)
        stream.number = 1
        stream.connect = stream.reply(1)["connect"]
        return stream

    def publish(self, channel, data, **options):
        body = json.dumps({"channel": channel, "data": data, **options})
        answer = self.api.request("POST", "/api/publish", body, {"Content-Type": "application/json", "X-API-Key": API_KEY})
        self.assertEqual((answer.status, "error" in answer.json), (200, False), answer.body)


class Sharing(OneWorker):
    def everybody(self):
        """Three of each way."""
        sockets = [self.connected(form) for form in (Json, Protobuf) for _ in range(3)]
        return sockets + [self.stream(*way) for way in STREAMS for _ in range(3)]

    def test_one_encoding_for_each_way(self):
        channel, everybody = self.channel("short"), self.everybody()
        for each in everybody:
            each.ask(subscribe={"channel": channel})
        before = self.blocks()
        for n in range(3):
            self.publish(channel, {"n": n})
            for each in everybody:
                self.assertEqual(each.push()[2]["data"], {"n": n})
        self.assertEqual(self.blocks() - before, 3 * 5)

    def test_joins_are_shared_too(self):
        channel = self.channel()
        streams = [self.stream(*way) for way in STREAMS for _ in range(3)]
        for each in streams:
            each.ask(subscribe={"channel": channel, "join_leave": True})
            others = streams[:streams.index(each)]
            for other in others:
                self.assertEqual(other.push()[0], "join")
        last = self.connected()
        before = self.blocks()
        last.ask(subscribe={"channel": channel})
        for each in streams:
            while (push := each.push())[2]["info"]["client"] != last.connect["client"]:
                self.assertEqual(push[0], "join")
        self.assertEqual(self.blocks() - before, 3)

    def test_who_had_the_same_message_gets_the_same_difference(self):
        channel = self.channel("difference")
        sockets = [self.connected(Json) for _ in range(4)]
        readers = [Reader() for _ in sockets]
        for each in sockets:
            each.ask(subscribe={"channel": channel, "delta": "fossil"})
        for n in range(5):
            before = self.blocks()
            self.publish(channel, {"n": n, "filler": FILLER})
            for each, reader in zip(sockets, readers):
                self.assertEqual(reader.take(each.push()[2]), {"n": n, "filler": FILLER})
            # Who came later got the whole, and from then on what the others get.
            self.assertEqual(self.blocks() - before, 2 if n == 3 else 1)
            if n == 2:
                sockets.append(self.connected(Json))
                readers.append(Reader())
                sockets[-1].ask(subscribe={"channel": channel, "delta": "fossil"})
        self.assertEqual([reader.deltas for reader in readers], [4, 4, 4, 4, 1])

    def test_what_was_dropped_is_no_base_of_a_difference(self):
        channel = self.channel("difference")
        socket, reader = self.connected(receive_buffer=8192), Reader()
        socket.ask(subscribe={"channel": channel, "delta": "fossil"})
        n, before = 0, self.metrics()["wirebird_messages_out_total"]

        def one_more():
            nonlocal n
            # A part that moves from message to message, so that a difference to another one is wrong, and one that is
            # always new, so that differences fill the queue too.
            self.publish(channel, {"n": n, "moves": [f"{(n + i) * 7919:x}" for i in range(500)],
                                   "new": [f"{n * 7919 + i * 104729:x}" for i in range(1500)]})
            n += 1

        for _ in range(600):
            one_more()
            if self.lagging(channel) > 0:
                break
        else:
            self.fail("it never lagged")
        for _ in range(5):
            one_more()  # these are dropped
        seen = []

        def read_to(last):
            while not seen or seen[-1] < last:
                seen.append(reader.take(socket.push()[2])["n"])

        read_to(self.metrics()["wirebird_messages_out_total"] - before - 1)  # all that was queued
        self.server.until(lambda: self.lagging(channel) == 0, "it lags for ever")
        for _ in range(3):
            one_more()
            read_to(n - 1)
        self.assertLess(len(seen), n, "nothing was dropped")
        self.assertEqual(seen, sorted(set(seen)))
        self.assertGreater(reader.deltas, len(seen) / 2)

    def filtered(self, channel, value):
        socket = self.connected()
        socket.ask(subscribe={"channel": channel, "tf": {"key": "kind", "cmp": "eq", "val": value}})
        return socket

    def test_a_filter_chooses_from_what_is_shared(self):
        channel = self.channel("tags")
        everything, a = self.connected(), [self.filtered(channel, "a") for _ in range(3)]
        b = self.filtered(channel, "b")
        everything.ask(subscribe={"channel": channel})
        before = self.blocks()
        for n, kind in enumerate("aabac"):
            self.publish(channel, n, tags={"kind": kind})
        self.assertEqual([everything.push()[2]["data"] for _ in range(5)], [0, 1, 2, 3, 4])
        for each in a:
            self.assertEqual([each.push()[2]["data"] for _ in range(3)], [0, 1, 3])
        self.assertEqual(b.push()[2]["data"], 2)
        self.assertEqual(self.blocks() - before, 5)

    def test_a_filter_takes_some_of_what_comes_together(self):
        channel = self.channel("together")
        everything, a, b = self.connected(), self.filtered(channel, "a"), self.filtered(channel, "b")
        everything.ask(subscribe={"channel": channel})
        for n in range(60):
            self.publish(channel, n, tags={"kind": "ab"[n % 3 == 0]})
        self.assertEqual([everything.push()[2]["data"] for _ in range(60)], list(range(60)))
        self.assertEqual([a.push()[2]["data"] for _ in range(40)], [n for n in range(60) if n % 3])
        self.assertEqual([b.push()[2]["data"] for _ in range(20)], [n for n in range(60) if n % 3 == 0])


class Numbers(OneWorker):
    """Channel compaction: numbers in place of names."""

    def subscribe(self, session, channel, **options):
        return session.ask(subscribe={"channel": channel, "flag": 1, **options}).get("id", 0)

    def numbered(self, session):
        """The next push of a session: (number, kind, body); it has no name."""
        push = session.next()["push"]
        self.assertNotIn("channel", push)
        number = push.pop("id")
        (kind, body), = push.items()
        return number, kind, body

    def test_the_same_number_for_all_connections_of_a_worker(self):
        channel, other = self.channel("compact"), self.channel("compact")
        sessions = [self.connected(), self.connected(), self.stream("sse", Json), self.stream("http_stream", Json)]
        numbers = {self.subscribe(each, channel) for each in sessions}
        self.assertEqual(len(numbers), 1)
        number = numbers.pop()
        self.assertGreater(number, 0)
        self.assertNotEqual(self.subscribe(sessions[0], other), number)
        by_name = self.connected()
        self.assertEqual(by_name.ask(subscribe={"channel": channel}), {})
        before = self.blocks()
        self.publish(channel, {"n": 1})
        for each in sessions:
            self.assertEqual(self.numbered(each), (number, "pub", {"data": {"n": 1}, "offset": 1, "epoch": mock.ANY}))
        self.assertEqual(by_name.push()[:2], ("pub", channel))
        self.assertEqual(self.blocks() - before, 4, "two for WebSockets, one for each kind of stream")

    def test_joins_and_leaves(self):
        channel = self.channel("compact")
        socket, guest = self.connected(), self.connected()
        number = self.subscribe(socket, channel, join_leave=True)
        self.assertEqual(self.numbered(socket)[:2], (number, "join"))
        self.subscribe(guest, channel)
        guest.ask(unsubscribe={"channel": channel})
        self.assertEqual([self.numbered(socket)[:2] for _ in range(2)], [(number, "join"), (number, "leave")])

    def test_a_number_may_be_used_again_behind_what_was_sent_by_it(self):
        socket = self.connected()
        for n in range(20):
            channel = self.channel("compact") + str(n)
            number = self.subscribe(socket, channel)
            self.publish(channel, n)
            self.assertEqual(self.numbered(socket), (number, "pub", {"data": n, "offset": 1, "epoch": mock.ANY}))
            self.publish(channel, "on its way when it ends")
            unsubscribe = socket.numbered({"unsubscribe": {"channel": channel}})
            following = socket.numbered({"subscribe": {"channel": channel + "+", "flag": 1}})
            socket.send(unsubscribe, following)
            # What comes by the number before the end of the one is its own, what comes behind the beginning of the other the other's.
            self.assertEqual(self.numbered(socket)[2]["data"], "on its way when it ends")
            self.assertEqual(socket.next(), {"id": unsubscribe["id"], "unsubscribe": {}})
            reply = socket.next()
            self.assertEqual(reply["id"], following["id"])
            self.publish(channel + "+", "other")
            self.assertEqual(self.numbered(socket)[::2], (reply["subscribe"]["id"], {"data": "other", "offset": 1, "epoch": mock.ANY}))
            socket.ask(unsubscribe={"channel": channel + "+"})

    def test_who_gets_names(self):
        channel = self.channel("compact")
        protobuf, stream = self.connected(Protobuf), self.stream("http_stream", Protobuf)
        named = self.connected()
        self.assertEqual([self.subscribe(each, channel) for each in (protobuf, stream)], [0, 0])
        self.assertEqual(self.subscribe(named, self.channel("tags")), 0, "its namespace does not say so")
        self.publish(channel, 1)
        for each in (protobuf, stream):
            self.assertEqual(each.push()[:2], ("pub", channel))

    def test_what_is_not_delivered_has_the_name(self):
        channel = self.channel("compact")
        socket = self.connected()
        self.subscribe(socket, channel)
        body = json.dumps({"user": "alice", "channel": channel})
        answer = self.api.request("POST", "/api/unsubscribe", body, {"Content-Type": "application/json", "X-API-Key": API_KEY})
        self.assertEqual(answer.status, 200)
        self.assertEqual(socket.push()[:2], ("unsubscribe", channel))


if __name__ == "__main__":
    rig.main()
