"""The Centrifuge client protocol over answers that do not end (HTTP stream, event stream) with what clients say by POST /emulation,
and from the server only: byte by byte what SDKs hide."""
import concurrent.futures
import json
import signal
import unittest
import urllib.parse

import rig
from centrifuge_wire import Json, Protobuf, Socket, Stream, pushed
from test_centrifuge_raw import CONFIG, Raw, later, token

WAYS = (("http_stream", Json, False), ("http_stream", Protobuf, False), ("sse", Json, False), ("sse", Json, True))


def in_each_way(test):
    """Calls a test with each transport: (self, kind, form, whether the first commands come in the query)."""
    def run(self):
        for way in WAYS:
            with self.subTest(kind=way[0], format=way[1].name, get=way[2]):
                test(self, *way)
    return run


class Streams(Raw):
    def stream(self, kind, form, get, *commands):
        stream = Stream(self.server, kind, form, form.commands(*commands), get)
        self.addCleanup(stream.close)
        stream.number = len(commands)
        return stream

    def connected(self, kind, form, get):
        stream = self.stream(kind, form, get, {"id": 1, "connect": {"token": token()}})
        stream.connect = stream.reply(1)["connect"]
        return stream


class Emulation(Streams):
    origin = "https://app.example"
    options = {"dev": False, "config": CONFIG.replace("[auth]", f'[auth]\nallowed_origins = ["{origin}"]')}

    @in_each_way
    def test_answer(self, kind, form, get):
        stream = self.connected(kind, form, get)
        self.assertEqual(set(stream.connect), {"client", "version", "ping", "pong", "session", "node", "time"})
        media = {"sse": "text/event-stream"}.get(kind, form.content_type)
        self.assertEqual(stream.response.header("Content-Type").split(";")[0], media)

    @in_each_way
    def test_several_commands_come_first(self, kind, form, get):
        channel = self.channel()
        stream = self.stream(kind, form, get, {"id": 1, "connect": {"token": token()}}, {"id": 2, "subscribe": {"channel": channel}})
        self.assertIn("connect", stream.next())
        self.assertEqual(stream.next(), {"id": 2, "subscribe": {}})
        self.put(channel, '{\n"text": "κόσμε\\n"\n}')
        self.assertEqual(stream.push()[2]["data"], {"text": "κόσμε\n"})

    @in_each_way
    def test_commands_out_of_order_and_at_once(self, kind, form, get):
        stream = self.connected(kind, form, get)
        channels = [self.channel() for _ in range(5)]
        commands = [{"id": 10 - n, "subscribe": {"channel": channel}} for n, channel in enumerate(channels)]
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            for _ in pool.map(stream.send, commands):
                pass
        self.assertEqual(sorted(stream.next()["id"] for _ in commands), list(range(6, 11)))
        stream.send({"id": 20, "presence_stats": {"channel": channels[0]}}, {"id": 21, "rpc": {"method": "x"}})
        self.assertEqual(sorted(stream.next()["id"] for _ in range(2)), [20, 21])
        for n, channel in enumerate(channels):
            self.put(channel, str(n))
        self.assertEqual([stream.push()[2]["data"] for _ in channels], list(range(5)))

    @in_each_way
    def test_what_emulation_refuses(self, kind, form, get):
        stream, other = self.connected(kind, form, get), self.connected(kind, form, get)
        data = form.commands({"id": 2, "rpc": {"method": "x"}})
        guess = stream.session[:-1] + ("0" if stream.session[-1] != "0" else "1")
        for changes in ({"session": guess}, {"session": ""}, {"session": "x"}, {"node": "x"}, {"node": ""}, {"node": stream.node[:-1] + "f"},
                        {"session": stream.session + "0"}):
            with self.subTest(changes=changes):
                self.assertEqual(stream.emulate(data, **changes).status, 404)
        for body in (b"{", b"\x05", b"nonsense"):
            with self.subTest(body=body):
                self.assertEqual(self.server.http("POST", "/emulation", body, {"Content-Type": form.content_type}).status, 400)
        self.assertEqual(stream.emulate(b"x" * 80_000).status, 413)
        self.assertEqual(self.server.http("GET", "/emulation").status, 405)
        # None of that was heard.
        self.assertEqual(stream.refusal(rpc={"method": "x"}), 108)
        self.assertEqual(other.refusal(rpc={"method": "x"}), 108)
        other.close()
        self.server.until(lambda: other.emulate(data).status == 404, "the session is gone")

    @in_each_way
    def test_the_end_is_told_before_it_comes(self, kind, form, get):
        for wrong, said in (((b"{" if form is Json else b"\x05"), (3501, "bad request")),
                            (form.commands({"send": {"data": 1}}), (3508, "not available")),
                            (form.commands({"id": 2, "connect": {"token": token()}}), (3501, "bad request")),
                            (form.commands({}), (3501, "bad request"))):
            with self.subTest(wrong=wrong):
                stream = self.connected(kind, form, get)
                self.assertEqual(stream.emulate(wrong).status, 204)
                last = stream.to_end()[-1]
                self.assertEqual(pushed(last["push"]), ("disconnect", "", {"code": said[0], "reason": said[1]}))

    @in_each_way
    def test_who_is_not_let_in(self, kind, form, get):
        for connect, code in (({}, 3501), ({"token": "x"}, 3500)):
            stream = self.stream(kind, form, get, {"id": 1, "connect": connect})
            self.assertEqual([pushed(reply["push"])[2]["code"] for reply in stream.to_end()], [code])
        stream = self.stream(kind, form, get, {"id": 1, "rpc": {}})
        self.assertEqual([pushed(reply["push"])[2]["code"] for reply in stream.to_end()], [3501])
        stream = self.stream(kind, form, get, {"id": 1, "connect": {"token": token(exp=later(-3600))}})
        self.assertEqual(stream.next()["error"]["code"], 109)

    def test_requests_that_are_none(self):
        self.assertEqual(self.server.http("GET", "/connection/http_stream").status, 405)
        self.assertEqual(self.server.http("PUT", "/connection/sse", b"{}").status, 405)
        self.assertEqual(self.server.http("POST", "/connection/websocket", b"{}").status, 405)
        self.assertEqual(self.server.http("GET", "/connection/websocket").status, 426)
        self.assertEqual(self.server.http("GET", "/connection/nothing").status, 404)
        for method, target in (("GET", "/connection/sse"), ("POST", "/connection/sse"), ("POST", "/connection/http_stream")):
            body = b"" if method == "POST" else None
            self.assertEqual(self.server.http(method, target, body).status, 400, target)
        self.assertEqual(self.server.http("POST", "/connection/http_stream", b"x" * 80_000, {"Content-Type": "application/json"}).status, 413)

    def test_other_origins_are_asked_about_first(self):
        for target in ("/connection/http_stream", "/connection/sse", "/emulation"):
            with self.subTest(target):
                asks = {"Origin": self.origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
                answer = self.server.http("OPTIONS", target, headers=asks)
                self.assertEqual(answer.status, 204)
                self.assertEqual(answer.header("Access-Control-Allow-Origin"), self.origin)
                self.assertIn("post", answer.tokens("Access-Control-Allow-Methods"))
                self.assertIn("content-type", answer.tokens("Access-Control-Allow-Headers"))


class Pings(Streams):
    options = {"dev": False, "config": CONFIG + '[websocket]\nping_interval = "1s"\n'}

    @in_each_way
    def test_pongs_come_by_emulation(self, kind, form, get):
        stream = self.connected(kind, form, get)
        while stream.pings < 3:
            replies = stream.receive()
            self.assertEqual(replies, [{}])
            stream.pings += 1
            stream.send({})

    def test_no_pong(self):
        streams = [self.connected(*way) for way in WAYS]
        for stream in streams:
            stream.pongs = False
        for stream in streams:
            self.assertEqual(pushed(stream.to_end()[-1]["push"]), ("disconnect", "", {"code": 3012, "reason": "no pong", "reconnect": True}))


class Unidirectional(Streams):
    """The first message is the connect request itself, and what comes are pushes."""

    def socket(self, request, form=Json, query=False):
        if query:
            target = f"/connection/uni_websocket?cf_connect={urllib.parse.quote(json.dumps(request))}"
            socket = Socket(self.server, form, target)
        else:
            socket = Socket(self.server, form, "/connection/uni_websocket")
            socket.send_frame(form.message("ConnectRequest", request))
        self.addCleanup(socket.close)
        socket.pongs = False
        return socket

    def uni(self, kind, form, get, request):
        stream = Stream(self.server, f"uni_{kind}", form, form.message("ConnectRequest", request), get)
        self.addCleanup(stream.close)
        stream.pongs = False
        stream.receive = lambda: Stream.receive(stream, "Push")
        return stream

    def pass_through(self, session, channel):
        kind, _, connect = pushed(session.next())
        self.assertEqual(kind, "connect")
        self.assertFalse(connect.get("pong", False))
        self.assertNotIn("node", connect)
        result = connect["subs"][channel]
        self.assertTrue(result["recoverable"] and result["positioned"])
        self.assertEqual((result["recovered"], [pub["data"] for pub in result["publications"]]), (True, [2, 3]))
        own = pushed(session.next())
        self.assertEqual((own[0], own[2]["info"]["client"]), ("join", connect["client"]))
        at = self.put(channel, '{\n"n": 4}')
        kind, name, pub = pushed(session.next())
        self.assertEqual((kind, name, pub["data"], pub["offset"]), ("pub", channel, {"n": 4}, at["offset"]))

    def recovery(self):
        channel = self.channel()
        epoch = [self.put(channel, str(n)) for n in (1, 2, 3)][0]["epoch"]
        return channel, {"token": token(), "subs": {channel: {"recover": True, "epoch": epoch, "offset": 1}}}

    def test_websocket(self):
        for query in (False, True):
            with self.subTest(query=query):
                channel, request = self.recovery()
                socket = self.socket(request, query=query)
                self.pass_through(socket, channel)
                socket.send_frame(b"what a unidirectional client says goes nowhere")
                self.put(channel, "5")
                self.assertEqual(pushed(socket.next())[2]["data"], 5)

    @in_each_way
    def test_streams(self, kind, form, get):
        channel, request = self.recovery()
        self.pass_through(self.uni(kind, form, get, request), channel)

    @in_each_way
    def test_refusals_of_streams(self, kind, form, get):
        for request, said in (({}, (3501, "bad request")), ({"token": "x"}, (3500, "invalid token")),
                              ({"token": token(exp=later(-3600))}, (3005, "connection expired"))):
            with self.subTest(request=request):
                body = {"code": said[0], "reason": said[1]}
                if said[0] < 3500:
                    body["reconnect"] = True
                self.assertEqual([pushed(push) for push in self.uni(kind, form, get, request).to_end()], [("disconnect", "", body)])

    @in_each_way
    def test_channels_that_are_not_allowed_are_left_out(self, kind, form, get):
        subs = {"closed:x": {}, "open:y": {}, "unheard-of:z": {}, "open:z": {}}
        _, _, connect = pushed(self.uni(kind, form, get, {"token": token(), "subs": subs}).next())
        self.assertEqual(sorted(connect.get("subs", [])), ["open:y", "open:z"])

    def test_refusals_of_websocket(self):
        for request, said in (({}, (3501, "bad request")), ({"token": "x"}, (3500, "invalid token")),
                              ({"token": token(exp=later(-3600))}, (3005, "connection expired"))):
            with self.subTest(request=request):
                socket = self.socket(request)
                kind, _, body = pushed(socket.next())
                self.assertEqual((kind, body["code"], body["reason"]), ("disconnect", *said))
                self.assertEqual(socket.closed(), said)
        socket = Socket(self.server, Json, "/connection/uni_websocket")
        socket.send_frame(b"{")
        self.assertEqual(pushed(socket.next())[2]["code"], 3501)
        socket.close()


class Drain(unittest.TestCase):
    def test_shutdown(self):
        server = rig.Server(dev=False, config=CONFIG).start()
        connect = {"token": token()}
        streams = [Stream(server, kind, form, form.commands({"id": 1, "connect": connect}), get) for kind, form, get in WAYS]
        streams += [Stream(server, f"uni_{kind}", form, form.message("ConnectRequest", connect), get) for kind, form, get in WAYS]
        for stream in streams:
            if "uni" in stream.kind:
                stream.receive = lambda stream=stream: Stream.receive(stream, "Push")
            self.assertIn("connect", stream.next())
        server.signal(signal.SIGTERM)
        for stream in streams:
            with self.subTest(stream.kind):
                last = stream.to_end()[-1]
                self.assertEqual(pushed(last.get("push", last)), ("disconnect", "", {"code": 3001, "reason": "shutdown", "reconnect": True}))
        server.stop()


if __name__ == "__main__":
    rig.main()
