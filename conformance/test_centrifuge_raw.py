"""The Centrifuge client protocol frame by frame, where SDKs hide it: framing, formats, the order of commands and answers, pings, every
refusal, and what stands in a message and what does not. Over a WebSocket; test_centrifuge_streams.py has the other transports."""
import functools
import json
import signal
import threading
import time
import unittest

import rig
import tokens
import wire
from centrifuge_wire import Json, Protobuf, Socket, pushed, varint

API_KEY = "an-api-key-for-tests-only"
CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
workers = 2
drain_window = "0s"
[auth]
token_keys = ["{tokens.KEY}"]
api_keys = ["{API_KEY}"]
strict_namespaces = true
[limits]
message_bytes_max = "64KiB"
queue_bytes_max = "64KiB"
queue_age_max = "5m"
channels_per_peer_max = 6
[namespaces.open]
subscribe = "user"
publish = "user"
presence = true
join_leave = true
[namespaces.nohistory]
subscribe = "user"
history_messages_max = 0
[namespaces.short]
subscribe = "user"
history_messages_max = 3
[namespaces.delta]
subscribe = "user"
allow_delta = true
[namespaces.closed]
[namespaces.token]
subscribe = "token"
[namespaces.drop]
subscribe = "user"
slow_reader = "drop"
"""
FORMATS = (Json, Protobuf)
BAD_REQUEST = (3501, "bad request")
ALWAYS = {"user", "client", "publications", "epoch", "offset", "presence", "num_clients", "num_users"}


def token(**claims):
    return tokens.token({"sub": "alice", **claims})


def later(seconds=3600):
    return int(time.time()) + seconds


def in_each_format(test):
    """Calls a test with each format."""
    @functools.wraps(test)
    def run(self):
        for form in FORMATS:
            with self.subTest(format=form.name):
                test(self, form)
    return run


class Raw(rig.ServerTest):
    options = {"dev": False, "config": CONFIG}

    def open(self, form=Json, **options):
        socket = Socket(self.server, form, **options)
        self.addCleanup(socket.close)
        return socket

    def connected(self, form=Json, claims=(), **options):
        socket = self.open(form, **options)
        socket.connect = socket.ask(connect={"token": token(**dict(claims))})
        return socket

    def channel(self, namespace="open"):
        return f"{namespace}:{super().channel()}"

    def put(self, channel, body, content_type="application/json"):
        return self.server.publish(channel, body, content_type, {"X-API-Key": API_KEY})

    def lagging(self, channel):
        with wire.Connection(self.server.admin_address) as connection:
            answer = connection.request("GET", f"/api/channels?prefix={channel}", headers={"X-API-Key": API_KEY})
        return answer.json["channels"][0]["lagging"]

    def metrics(self):
        with wire.Connection(self.server.admin_address) as connection:
            lines = connection.request("GET", "/metrics").body.decode().splitlines()
        return {key: float(value) for key, _, value in (line.rpartition(" ") for line in lines if line and line[0] != "#")}

    def assert_no_zeros(self, value, *always):
        """What is zero does not stand in a message; payloads are not looked at."""
        if isinstance(value, list):
            for each in value:
                self.assert_no_zeros(each, *always)
        for name, each in value.items() if isinstance(value, dict) else ():
            if name in ("data", "conn_info", "chan_info"):
                continue
            self.assertTrue(name in always or each not in (0, "", False, None) and each != [] and each != {}, (name, value))
            self.assert_no_zeros(each, *always)


class Framing(Raw):
    @in_each_format
    def test_commands_of_one_frame_are_answered_in_one_frame(self, form):
        socket = self.connected(form)
        frame = form.commands({"id": 11, "rpc": {"method": "a"}}, {"id": 12, "ping": {}}, {"id": 13, "rpc": {"method": "b"}})
        socket.send_frame(frame)
        self.assertEqual([reply["id"] for reply in socket.receive()], [11, 12, 13])
        if form is Json:
            socket.send_frame(frame + b"\n")
            self.assertEqual([reply["id"] for reply in socket.receive()], [11, 12, 13])

    @in_each_format
    def test_connect_and_what_follows_in_one_frame(self, form):
        socket, channel = self.open(form), self.channel()
        socket.send({"id": 1, "connect": {"token": token()}}, {"id": 2, "subscribe": {"channel": channel}},
                    {"id": 3, "publish": {"channel": channel, "data": {"n": 1}}})
        self.assertEqual([socket.next().get("id") for _ in range(2)], [1, 2])
        rest = [socket.next() for _ in range(2)]
        self.assertEqual(sorted(reply.get("id", 0) for reply in rest), [0, 3])

    @in_each_format
    def test_frames_that_are_no_commands(self, form):
        wrong = {
            Json: (b"", b"\n", b"{", b"[]", b"[{}]", b'"x"', b"1", b"nonsense", b"{}}", b'{"id":2}', b'{"rpc":{}}', b'{"id":-2,"rpc":{}}', b'{"id":"2","rpc":{}}',
                   b'{"id":2.5,"rpc":{}}', b'{"id":4294967296,"rpc":{}}', b'{"id":2,"rpc":[]}', b'{"id":2,"rpc":{"method":1}}', b'{"id":2,"rpc":{}}{',
                   b'{"id":2,"rpc":{}}\n{', b'{"id":2,"nothing":{}}'),
            Protobuf: (b"", b"\x05\x08\x02", b"\x02\xff\xff", b"\xff" * 11, b"\x02\x08\x02", b"\x04\x08\x02\x6a\x05", b"\x03\x08\x02\x6b",
                       b"\x02\x6a\x00", b"\x80"),
        }
        for frame in wrong[form]:
            with self.subTest(frame=frame):
                socket = self.connected(form)
                socket.send_frame(frame)
                self.assertEqual(socket.closed(), BAD_REQUEST)

    @in_each_format
    def test_what_came_before_is_answered(self, form):
        socket = self.connected(form)
        socket.send_frame(form.commands({"id": 2, "rpc": {"method": "a"}}) + (b"\n{" if form is Json else b"\x05"))
        self.assertEqual(socket.next()["error"]["code"], 108)
        self.assertEqual(socket.closed(), BAD_REQUEST)

    def test_unknown_fields_do_not_count(self):
        socket = self.connected()
        socket.send_frame(b'{"id":2,"shape":[{"deep":null}],"rpc":{"method":"x","colour":"red"}}')
        self.assertEqual(socket.next(), {"id": 2, "error": {"code": 108, "message": "not available"}})
        socket = self.connected(Protobuf)
        command = b"\x08\x02" + varint(13 << 3 | 2) + b"\x00" + varint(500 << 3 | 2) + b"\x03abc" + varint(501 << 3) + b"\x07"
        socket.send_frame(varint(len(command)) + command)
        self.assertEqual(socket.next(), {"id": 2, "error": {"code": 108, "message": "not available"}})

    @in_each_format
    def test_of_several_requests_the_first_by_number_counts(self, form):
        socket, channel = self.connected(form), self.channel()
        socket.send({"id": 2, "history": {"channel": channel}, "publish": {"channel": channel, "data": 1}})
        self.assertEqual(socket.next(), {"id": 2, "publish": {}})

    @in_each_format
    def test_the_largest_frame(self, form):
        channel = self.channel()
        socket = self.connected(form)
        rest = len(form.commands({"id": 1 << 30, "publish": {"channel": channel, "data": ""}}))
        data = "x" * (64 * 1024 - rest - 8)
        socket.send({"id": 1 << 30, "publish": {"channel": channel, "data": data}})
        self.assertEqual(socket.next(), {"id": 1 << 30, "publish": {}})
        socket.send({"id": 2, "publish": {"channel": channel, "data": "x" * 64 * 1024}})
        self.assertEqual(socket.closed()[0], 1009)

    def test_a_frame_in_fragments(self):
        socket = self.connected()
        for part, opcode, fin in ((b'{"id":2,', wire.TEXT, False), (b'"rpc"', wire.CONTINUATION, False), (b":{}}", wire.CONTINUATION, True)):
            socket.socket.send_frame(opcode, part, fin=fin)
        self.assertEqual(socket.next()["error"]["code"], 108)

    def test_newlines_inside_payloads(self):
        channel = self.channel()
        sockets = [self.connected(form) for form in FORMATS]
        for socket in sockets:
            socket.ask(subscribe={"channel": channel})
        self.put(channel, '{\n "a":\r\n [1,\n2],\n "b": "\\n\\u2028"\n}\n')
        self.put(channel, "two\nlines\r\n", "text/plain")
        for socket in sockets:
            self.assertEqual(socket.push()[2]["data"], {"a": [1, 2], "b": "\n\u2028"})
        frame = sockets[0].socket.recv()
        self.assertNotIn("\n", frame.removesuffix("\n"))
        self.assertEqual(json.loads(frame)["push"]["pub"]["data"], "two\nlines\r\n")


class Formats(Raw):
    def agreed(self, offered=None, query=""):
        """(the subprotocol of the answer, whether it speaks Protobuf)"""
        headers = {} if offered is None else {"Sec-WebSocket-Protocol": offered}
        socket = self.open(Json, target=f"/connection/websocket{query}", headers=headers)
        socket.socket.send_frame(wire.TEXT, b"{")  # malformed in JSON; in Protobuf the length of what does not come
        self.assertEqual(socket.closed()[0], 3501)
        for form in FORMATS:
            again = self.open(Json, target=f"/connection/websocket{query}", headers=headers)
            again.form = form
            again.send({"id": 1, "connect": {"token": token()}})
            try:
                again.receive()
            except wire.Closed as closed:
                self.assertEqual(closed.code, 3501)
                continue
            self.assertEqual(again.socket.response.header("Sec-WebSocket-Protocol"), socket.socket.response.header("Sec-WebSocket-Protocol"))
            return socket.socket.response.header("Sec-WebSocket-Protocol"), form is Protobuf
        return self.fail("neither format is understood")

    def test_subprotocols(self):
        for offered, expected in ((None, (None, False)), ("", (None, False)), ("centrifuge-json", ("centrifuge-json", False)),
                                  ("centrifuge-protobuf", ("centrifuge-protobuf", True)), ("chat, centrifuge-protobuf", ("centrifuge-protobuf", True)),
                                  ("chat", (None, False))):
            with self.subTest(offered):
                self.assertEqual(self.agreed(offered), expected)
        subprotocol, protobuf = self.agreed("centrifuge-json, centrifuge-protobuf")
        self.assertEqual(protobuf, subprotocol == "centrifuge-protobuf")

    def test_query(self):
        for query, protobuf in (("?format=protobuf", True), ("?cf_protocol=protobuf", True), ("?format=json", False), ("?cf_protocol_version=v2", False)):
            with self.subTest(query):
                self.assertEqual(self.agreed(query=query), (None, protobuf))
        self.assertEqual(self.agreed("centrifuge-json", "?format=protobuf"), ("centrifuge-json", False))

    def test_no_compression(self):
        socket = wire.WebSocket(self.server.address, "/connection/websocket", deflate_offer="permessage-deflate")
        self.assertIsNone(socket.agreed)
        socket.close()


class Connecting(Raw):
    @in_each_format
    def test_nothing_comes_before_connect(self, form):
        channel = self.channel()
        early = ({}, {"id": 1, "subscribe": {"channel": channel}}, {"id": 1, "unsubscribe": {"channel": channel}},
                 {"id": 1, "publish": {"channel": channel, "data": 1}}, {"id": 1, "presence": {"channel": channel}}, {"id": 1, "presence_stats": {"channel": channel}},
                 {"id": 1, "history": {"channel": channel}}, {"id": 1, "ping": {}}, {"send": {"data": 1}}, {"id": 1, "rpc": {}},
                 {"id": 1, "refresh": {"token": token()}}, {"id": 1, "sub_refresh": {"channel": channel, "token": "x"}}, {"connect": {"token": token()}})
        for command in early:
            with self.subTest(command=command):
                socket = self.open(form)
                socket.send(command)
                self.assertEqual(socket.closed(), BAD_REQUEST)

    @in_each_format
    def test_once(self, form):
        socket = self.connected(form)
        socket.send({"id": 2, "connect": {"token": token()}})
        self.assertEqual(socket.closed(), BAD_REQUEST)
        socket = self.open(form)
        socket.send({"id": 1, "connect": {"token": token()}}, {"id": 2, "connect": {"token": token()}})
        self.assertIn("connect", socket.next())
        self.assertEqual(socket.closed(), BAD_REQUEST)

    @in_each_format
    def test_answer(self, form):
        socket = self.connected(form)
        self.assertEqual(set(socket.connect), {"client", "version", "ping", "pong", "time"})
        self.assertEqual((socket.connect["ping"], socket.connect["pong"]), (25, True))
        self.assertLess(abs(socket.connect["time"] / 1000 - time.time()), 60)
        socket = self.connected(form, {"exp": later(), "channels": ["open:own"]})
        self.assertTrue(socket.connect["expires"])
        self.assertLessEqual(abs(socket.connect["ttl"] - 3600), 5)
        self.assertEqual(list(socket.connect["subs"]), ["open:own"])
        self.assert_no_zeros(socket.connect)

    @in_each_format
    def test_credentials(self, form):
        invalid = (3500, "invalid token")
        header = {"alg": "none", "typ": "JWT"}
        for connect, expected in (({}, BAD_REQUEST), ({"token": ""}, BAD_REQUEST), ({"token": "x"}, invalid), ({"token": "a.b.c"}, invalid),
                                  ({"token": tokens.token({"sub": "alice"}, key="another-key" * 5)}, invalid),
                                  ({"token": tokens.token({"sub": "alice"}, header=header)}, invalid)):
            with self.subTest(connect=connect):
                socket = self.open(form)
                socket.send({"id": 1, "connect": connect})
                self.assertEqual(socket.closed(), expected)

    @in_each_format
    def test_an_expired_token_is_an_error_and_the_end(self, form):
        expired = {"id": 1, "connect": {"token": token(exp=later(-3600))}}
        for after in ({"id": 2, "connect": {"token": token()}}, {"id": 2, "rpc": {}}, {}):
            socket = self.open(form)
            socket.send(expired)
            self.assertEqual(socket.next(), {"id": 1, "error": {"code": 109, "message": "token expired"}})
            socket.send(after)
            self.assertEqual(socket.closed(), BAD_REQUEST)

    @in_each_format
    def test_refresh(self, form):
        socket = self.connected(form, {"exp": later()})
        result = socket.ask(refresh={"token": token(exp=later(7200))})
        self.assertEqual((result["client"], result["version"], result["expires"]), (socket.connect["client"], socket.connect["version"], True))
        self.assertLessEqual(abs(result["ttl"] - 7200), 5)
        self.assertEqual(set(socket.ask(refresh={"token": token()})), {"client", "version"})
        for wrong, code in ((token(sub="bob"), 3500), ("x", 3500), (token(exp=later(-3600)), 3005)):
            socket = self.connected(form)
            socket.send({"id": 2, "refresh": {"token": wrong}})
            self.assertEqual(socket.closed()[0], code)

    def test_origins(self):
        socket = self.open(headers={"Origin": f"http://127.0.0.1:{self.server.port}"})
        socket.ask(connect={"token": token()})
        with self.assertRaises(wire.Refused) as refused:
            self.open(headers={"Origin": "https://elsewhere.example"})
        self.assertEqual(refused.exception.response.status, 403)


class Stale(Raw):
    def test_who_does_not_connect_in_time(self):
        begin = time.monotonic()
        silent, refused = self.open(), self.open(Protobuf)
        refused.send({"id": 1, "connect": {"token": token(exp=later(-3600))}})
        self.assertEqual(silent.closed(), (3502, "stale"))
        self.assertGreater(time.monotonic() - begin, 14)
        self.assertEqual(refused.closed(), (3502, "stale"))


class Pings(Raw):
    options = {"dev": False, "config": CONFIG + '[websocket]\nping_interval = "2s"\n'}

    @in_each_format
    def test_first_ping_and_those_after(self, form):
        socket = self.connected(form)
        begin = time.monotonic()
        self.assertEqual((socket.connect["ping"], socket.connect["pong"]), (2, True))
        times = []
        for _ in range(2):
            data = socket.socket.recv()
            self.assertIn(data, ("{}", "{}\n") if form is Json else (b"\0",))
            times.append(time.monotonic() - begin)
            socket.send({})
        self.assertGreater(times[0], 0.9)
        self.assertLess(times[0], 3)
        self.assertGreater(times[1] - times[0], 1)

    def test_no_pong(self):
        sockets = [self.connected(form) for form in (Json, Protobuf)]
        for socket in sockets:
            socket.pongs = False
            socket.receive()
        for socket in sockets:
            self.assertEqual(socket.closed(), (3012, "no pong"))

    @in_each_format
    def test_a_pong_may_be_later_than_the_next_ping(self, form):
        socket = self.connected(form)
        self.assertEqual(socket.receive(), [{}])
        socket.socket.socket.settimeout(3)  # longer than the interval
        with self.assertRaises(TimeoutError, msg="another ping came before the pong"):
            socket.receive()
        socket.socket.socket.settimeout(wire.DEADLINE_S)
        for _ in range(2):
            socket.send({})
            self.assertEqual(socket.receive(), [{}])

    @in_each_format
    def test_pongs_that_nobody_asked_for(self, form):
        socket = self.connected(form)
        socket.send({})
        self.assertEqual(socket.closed(), BAD_REQUEST)
        socket = self.connected(form)
        socket.receive()
        socket.send({}, {})
        self.assertEqual(socket.closed(), BAD_REQUEST)

    @in_each_format
    def test_pings_of_websocket(self, form):
        socket = self.connected(form, target="/connection/websocket?cf_ws_frame_ping_pong=true")
        self.assertFalse({"ping", "pong"} & set(socket.connect))
        for _ in range(2):
            ping = socket.socket.recv_frame()
            self.assertEqual(ping.opcode, wire.PING)
            socket.socket.send_frame(wire.PONG, ping.payload)
        self.assertEqual(socket.refusal(rpc={"method": "x"}), 108)

    @in_each_format
    def test_pings_of_websocket_that_are_not_answered(self, form):
        socket = self.connected(form, target="/connection/websocket?cf_ws_frame_ping_pong=true")
        opcodes = []
        while wire.CLOSE not in opcodes and len(opcodes) < 4:
            opcodes.append(socket.socket.recv_frame().opcode)
        self.assertEqual(opcodes, [wire.PING, wire.CLOSE])


class Subscribing(Raw):
    @in_each_format
    def test_answer(self, form):
        socket, channel = self.connected(form), self.channel()
        self.assertEqual(socket.ask(subscribe={"channel": channel}), {})
        socket.ask(unsubscribe={"channel": channel})
        result = socket.ask(subscribe={"channel": channel, "positioned": True, "recoverable": True})
        self.assertEqual(set(result), {"recoverable", "positioned", "epoch"})
        self.put(channel, "1")
        pub = socket.push()[2]
        self.assertEqual((pub["data"], pub["offset"]), (1, 1))
        self.assertEqual(pub.get("epoch", result["epoch"]), result["epoch"])
        self.assert_no_zeros(pub)
        self.assertNotIn("info", pub)
        socket.ask(unsubscribe={"channel": channel})
        result = socket.ask(subscribe={"channel": channel, "recoverable": True, "recover": True, "epoch": result["epoch"]})
        self.assert_no_zeros(result)
        self.assertEqual([pub["data"] for pub in result["publications"]], [1])
        self.assertTrue(result["recovered"] and result["was_recovering"])
        # With history no offset, and without a position no epoch.
        channel = self.channel("nohistory")
        self.assertEqual(socket.ask(subscribe={"channel": channel, "positioned": True, "recoverable": True}), {})
        self.put(channel, "1")
        self.assertFalse({"offset", "epoch"} & set(socket.push()[2]))

    @in_each_format
    def test_the_answer_comes_before_publications(self, form):
        channel, over = self.channel(), threading.Event()

        def publish():
            with self.server.connect() as connection:
                while not over.is_set():
                    connection.request("POST", f"/pub/{channel}", "1", {"Content-Type": "application/json", "X-API-Key": API_KEY})

        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            socket = self.connected(form)
            for number in range(2, 60, 2):
                socket.send({"id": number, "subscribe": {"channel": channel, "positioned": True}})
                reply = socket.next()
                self.assertEqual(reply.get("id"), number)
                self.assertEqual(socket.push()[2]["offset"], reply["subscribe"].get("offset", 0) + 1)
                socket.send({"id": number + 1, "unsubscribe": {"channel": channel}})
                while socket.next().get("id") != number + 1:
                    pass
        finally:
            over.set()
            publisher.join()

    @in_each_format
    def test_the_own_join_comes_after_the_answer(self, form):
        socket, channel = self.connected(form), self.channel()
        socket.send({"id": 2, "subscribe": {"channel": channel, "join_leave": True}})
        self.assertEqual(socket.next(), {"id": 2, "subscribe": {}})
        client = socket.connect["client"]
        self.assertEqual(socket.push(), ("join", channel, {"info": {"user": "alice", "client": client}}))
        other = self.connected(form)
        other.ask(subscribe={"channel": channel})
        who = {"info": {"user": "alice", "client": other.connect["client"]}}
        self.assertEqual(socket.push(), ("join", channel, who))
        other.ask(unsubscribe={"channel": channel})
        self.assertEqual(socket.push(), ("leave", channel, who))

    @in_each_format
    def test_unsubscribe_before_the_subscription_has_begun(self, form):
        socket, channel = self.connected(form), self.channel()
        subscribe, unsubscribe = {"subscribe": {"channel": channel}}, {"unsubscribe": {"channel": channel}}
        socket.send({"id": 2, **subscribe}, {"id": 3, **unsubscribe}, {"id": 4, **subscribe}, {"id": 5, **unsubscribe})
        self.assertEqual([socket.next() for _ in range(4)],
                         [{"id": 2, "subscribe": {}}, {"id": 3, "unsubscribe": {}}, {"id": 4, "subscribe": {}}, {"id": 5, "unsubscribe": {}}])
        self.assertEqual(socket.ask(presence_stats={"channel": channel}).get("num_clients", 0), 0)
        self.assertEqual(socket.ask(unsubscribe={"channel": channel}), {})  # of what is not subscribed

    @in_each_format
    def test_errors(self, form):
        channel = self.channel()
        errors = ((102, {"channel": "unheard-of:x"}), (103, {"channel": "closed:x"}), (103, {"channel": "token:x"}), (105, {"channel": channel}),
                  (107, {"channel": "open:" + "x" * 300}), (107, {"channel": "open:map", "type": 1}), (108, {"channel": "open:poll", "type": 4}), (103, {"channel": "token:x", "token": "y"}),
                  (109, {"channel": "token:x", "token": token(channel="token:x", exp=later(-3600))}))
        socket = self.connected(form)
        socket.ask(subscribe={"channel": channel})
        for code, request in errors:
            with self.subTest(code=code):
                self.assertEqual(socket.refusal(subscribe=request), code)
        for number in range(5):
            socket.ask(subscribe={"channel": f"{channel}.{number}"})
        self.assertEqual(socket.refusal(subscribe={"channel": f"{channel}.more"}), 106)

    @in_each_format
    def test_tokens_of_subscriptions(self, form):
        socket, channel = self.connected(form), self.channel("token")
        result = socket.ask(subscribe={"channel": channel, "token": token(channel=channel, exp=later(), info={"role": 1}), "join_leave": True})
        self.assertTrue(result["expires"])
        self.assertLessEqual(abs(result["ttl"] - 3600), 5)
        result = socket.ask(sub_refresh={"channel": channel, "token": token(channel=channel, exp=later(7200))})
        self.assertLessEqual(abs(result["ttl"] - 7200), 5)
        for wrong in ({"channel": "token:other"}, {"channel": channel, "sub": "bob"}, {"channel": channel, "client": "another"}):
            socket = self.connected(form)
            socket.send({"id": 2, "subscribe": {"channel": channel, "token": token(**wrong)}})
            self.assertEqual(socket.closed(), (3500, "invalid token"))

    @in_each_format
    def test_what_ends_a_connection(self, form):
        commands = ({"subscribe": {}}, {"unsubscribe": {}}, {"publish": {"data": 1}}, {"publish": {"channel": "open:x"}}, {"presence": {}},
                    {"presence_stats": {}}, {"history": {}}, {"sub_refresh": {"token": "x"}}, {"subscribe": {"channel": "delta:x", "delta": "xdelta"}})
        for command in commands:
            with self.subTest(command=command):
                socket = self.connected(form)
                socket.send({"id": 2, **command})
                self.assertEqual(socket.closed(), BAD_REQUEST)

    @in_each_format
    def test_delta(self, form):
        socket, channel = self.connected(form), self.channel("delta")
        self.assertEqual(socket.ask(subscribe={"channel": channel, "delta": "fossil"}), {"delta": True})
        self.assertEqual(socket.ask(subscribe={"channel": self.channel(), "delta": "fossil"}), {})

    @in_each_format
    def test_positions(self, form):
        channel = self.channel("short")
        epoch = self.put(channel, "1")["epoch"]
        socket = self.connected(form)
        for epoch_asked, offset in ((epoch, (1 << 64) - 1), (epoch, 1 << 63), (epoch, (1 << 53) + 1), (epoch, 2), ("_", 1), ("aaaaaaaa", 0)):
            with self.subTest(epoch=epoch_asked, offset=offset):
                request = {"channel": channel, "recoverable": True, "recover": True, "epoch": epoch_asked, "offset": offset}
                self.assertEqual(socket.refusal(subscribe={**request, "flag": 2}), 112)
                self.assertEqual(socket.ask(subscribe=request), {"recoverable": True, "positioned": True, "was_recovering": True,
                                                                 "epoch": epoch, "offset": 1})
                socket.ask(unsubscribe={"channel": channel})
        for n in range(2, 7):
            self.put(channel, str(n))
        request = {"channel": channel, "recoverable": True, "recover": True, "epoch": epoch}
        self.assertEqual(socket.refusal(subscribe={**request, "offset": 1, "flag": 2}), 112)  # only 4, 5, 6 are kept
        result = socket.ask(subscribe={**request, "offset": 3})
        self.assertEqual((result["offset"], [pub["offset"] for pub in result["publications"]]), (3, [4, 5, 6]))
        for offset in (1 << 64, -1):
            socket = self.connected()
            socket.send({"id": 2, "subscribe": {"channel": "open:x", "recover": True, "offset": offset}})
            self.assertEqual(socket.closed(), BAD_REQUEST)


class Asking(Raw):
    @in_each_format
    def test_errors(self, form):
        errors = ((102, {"publish": {"channel": "unheard-of:x", "data": 1}}), (103, {"publish": {"channel": "short:x", "data": 1}}),
                  (107, {"publish": {"channel": "open:" + "x" * 300, "data": 1}}), (102, {"history": {"channel": "unheard-of:x"}}),
                  (108, {"presence": {"channel": "short:x"}}), (108, {"presence_stats": {"channel": "short:x"}}), (102, {"presence": {"channel": "unheard-of:x"}}),
                  (108, {"rpc": {"method": "x"}}), (108, {"ping": {}}), (103, {"history": {"channel": "closed:x"}}))
        socket = self.connected(form)
        socket.ask(subscribe={"channel": "short:x"})
        socket.ask(subscribe={"channel": "nohistory:x"})
        for code, request in errors:
            with self.subTest(request=request):
                self.assertEqual(socket.refusal(**request), code)
        self.assertEqual(socket.refusal(history={"channel": "nohistory:x"}), 108)
        self.put("open:asking", "1")
        self.assertEqual(socket.refusal(history={"channel": "open:asking", "limit": 1, "since": {"offset": 1, "epoch": "aaaaaaaa"}}), 112)

    @in_each_format
    def test_send_ends_it(self, form):
        socket = self.connected(form)
        socket.send({"send": {"data": 1}})
        self.assertEqual(socket.closed(), (3508, "not available"))

    @in_each_format
    def test_error_has_no_zeros(self, form):
        socket = self.connected(form)
        self.assertEqual(socket.call(rpc={"method": "x"}), {"error": {"code": 108, "message": "not available"}})

    @in_each_format
    def test_what_is_always_written(self, form):
        socket, channel = self.connected(form), self.channel()
        history = socket.ask(history={"channel": channel})
        if form is Json:
            self.assertEqual(set(history), {"publications", "epoch", "offset"})
            self.assertEqual((history["publications"], history["offset"]), ([], 0))
            self.assertRegex(history["epoch"], "^[a-z0-9]{8}$")  # the one with which the channel will begin
            self.assertEqual(socket.ask(presence={"channel": channel}), {"presence": {}})
            self.assertEqual(socket.ask(presence_stats={"channel": channel}), {"num_clients": 0, "num_users": 0})
        else:
            self.assertEqual(list(history), ["epoch"])
            self.assertEqual(socket.ask(presence={"channel": channel}), {})
            self.assertEqual(socket.ask(presence_stats={"channel": channel}), {})

    @in_each_format
    def test_history(self, form):
        socket, channel = self.connected(form), self.channel()
        epoch = self.put(channel, '{"n": 1}')["epoch"]
        for n in range(2, 6):
            self.put(channel, json.dumps({"n": n}))
        ask = lambda **request: [pub["offset"] for pub in socket.ask(history={"channel": channel, **request}).get("publications", [])]
        self.assertEqual(ask(), [])
        self.assertEqual(ask(limit=3), [1, 2, 3])
        self.assertEqual(ask(limit=2, reverse=True), [5, 4])
        self.assertEqual(ask(limit=10, since={"offset": 2, "epoch": epoch}), [3, 4, 5])
        self.assertEqual(ask(limit=10, since={"offset": 5, "epoch": epoch}), [])
        self.assertEqual(ask(limit=10, since={"offset": 3, "epoch": epoch}, reverse=True), [2, 1])
        result = socket.ask(history={"channel": channel, "limit": 1})
        self.assertEqual((result["offset"], result["epoch"]), (5, epoch))
        self.assert_no_zeros(result, *ALWAYS)

    @in_each_format
    def test_presence(self, form):
        channel = self.channel()
        sockets = [self.connected(form, {"sub": "ann", "info": {"name": "Ann"}}), self.connected(form, {"sub": "bob"})]
        for socket in sockets:
            socket.ask(subscribe={"channel": channel})
        found = lambda: (result := sockets[0].ask(presence={"channel": channel})["presence"]) and len(result) == 2 and result
        ann, bob = (socket.connect["client"] for socket in sockets)
        self.assertEqual(self.server.until(found, "both are present"),
                         {ann: {"user": "ann", "client": ann, "conn_info": {"name": "Ann"}}, bob: {"user": "bob", "client": bob}})

    @in_each_format
    def test_publications_of_clients_say_who(self, form):
        socket, channel = self.connected(form, {"info": {"name": "Alice"}}), self.channel()
        socket.ask(subscribe={"channel": channel})
        socket.send({"id": 9, "publish": {"channel": channel, "data": {"κ": "\n"}}})
        kind, name, pub = socket.push() if (first := socket.next()).get("id") == 9 else pushed(first["push"])
        self.assertEqual((kind, name, pub["data"]), ("pub", channel, {"κ": "\n"}))
        self.assertEqual(pub["info"], {"user": "alice", "client": socket.connect["client"], "conn_info": {"name": "Alice"}})


class Anonymous(Raw):
    options = {"dev": False, "config": CONFIG.replace('subscribe = "user"', 'subscribe = "anyone"') + "[centrifuge]\nanonymous_without_token = true\n"}

    @in_each_format
    def test_user_and_client_are_always_written(self, form):
        socket, channel = self.open(form), self.channel()
        client = socket.ask(connect={})["client"]
        socket.ask(subscribe={"channel": channel, "join_leave": True})
        who = {"user": "", "client": client} if form is Json else {"client": client}
        self.assertEqual(socket.push(), ("join", channel, {"info": who}))


class SlowReaders(Raw):
    def publish_until(self, channel, over, most=600):
        with self.server.connect() as connection:
            for _ in range(most):
                answer = connection.request("POST", f"/pub/{channel}", json.dumps("x" * 16_000), {"Content-Type": "application/json", "X-API-Key": API_KEY})
                self.assertEqual(answer.status, 200)
                if over():
                    return
        self.fail(f"nothing happened after {most} messages")

    @in_each_format
    def test_who_does_not_read_is_disconnected(self, form):
        channel = self.channel()
        socket = self.connected(form, receive_buffer=8192)
        socket.ask(subscribe={"channel": channel})
        slow = lambda: sum(value for key, value in self.metrics().items() if "SLOW_CONSUMER" in key)
        before = slow()
        self.publish_until(channel, lambda: slow() > before)
        self.assertEqual(socket.closed(), (3008, "slow"))

    @in_each_format
    def test_what_was_dropped_ends_a_positioned_subscription(self, form):
        channel = self.channel("drop")
        socket = self.connected(form, receive_buffer=8192)
        result = socket.ask(subscribe={"channel": channel, "recoverable": True})
        self.publish_until(channel, lambda: self.lagging(channel) > 0)
        expected = 1
        while (push := socket.push())[0] == "pub":
            self.assertEqual(push[2]["offset"], expected)
            expected += 1
        self.assertEqual(push, ("unsubscribe", channel, {"code": 2500, "reason": "insufficient state"}))
        # As an SDK does: the same again, with the position.
        again = socket.ask(subscribe={"channel": channel, "recoverable": True, "recover": True, "epoch": result["epoch"], "offset": expected - 1})
        self.assertTrue(again["was_recovering"])


class Drain(unittest.TestCase):
    def test_shutdown(self):
        server = rig.Server(dev=False, config=CONFIG).start()
        sockets = [Socket(server, form) for form in FORMATS * 5]
        for socket in sockets:
            socket.ask(connect={"token": token()})
        server.signal(signal.SIGTERM)
        for socket in sockets:
            self.assertEqual(socket.closed(), (3001, "shutdown"))
        server.stop()


if __name__ == "__main__":
    rig.main()
