"""The doors as the authorisation matrix uses them: each method does one thing to one channel and says what came of it,
"allow" or the reason of the refusal (authz_model.py). What a refusal brings beside its code is looked at here: nothing.
"""
import json
import urllib.parse

import wire

REASON_OF_HTTP = {(400, "E_CHANNEL"): "name", (401, "E_AUTH_REQUIRED"): "missing", (403, "E_FORBIDDEN"): "forbidden"}
REASON_OF_ERROR = {102: "unknown", 103: "forbidden", 107: "name"}
SECRET = "for those who may read"


def on_http(verdict):
    """Whether a namespace exists is told to nobody by these doors."""
    return "forbidden" if verdict == "unknown" else verdict


def on_centrifuge(verdict):
    """This protocol has one code for both."""
    return "forbidden" if verdict == "missing" else verdict


def refusal(response):
    assert SECRET not in response.body.decode(), response.body
    return REASON_OF_HTTP.get((response.status, response.code), f"{response.status} {response.body!r}")


def text_of(envelope):
    """Published as text by some doors, as a JSON string by others."""
    return envelope.get("text", envelope.get("data"))


def quoted(channel):
    return urllib.parse.quote(channel, safe=":$,")


def query_of(**values):
    return "?" + urllib.parse.urlencode({key: value for key, value in values.items() if value is not None}, doseq=True)


class Raw:
    """Wirebird's own doors. `since`: None, or where a replay is to start; then a message must come of it."""

    def __init__(self, server, headers):
        self.server, self.headers = server, headers

    def websocket(self, channel, since=None):
        try:
            with self.server.ws(f"/ws/{quoted(channel)}{query_of(meta=1, since=since)}", self.headers) as socket:
                return self.replayed(socket.recv_json, since)
        except wire.Refused as refused:
            return refusal(refused.response)

    def sse(self, channel, since=None):
        try:
            with self.server.events(f"/sse/{quoted(channel)}{query_of(since=since)}", headers=self.headers) as events:
                def record():
                    data = events.next()["data"]
                    return json.loads(data) if data is not None else {"position": ""}
                return self.replayed(record, since)
        except wire.Refused as refused:
            return refusal(refused.response)

    @staticmethod
    def replayed(record, since):
        first = record()
        while since is not None and "offset" not in first:
            assert "error" not in first, first
            first = record()
        assert since is None or text_of(first) == SECRET, first
        return "allow"

    def poll(self, channel, since=None):
        answer = self.server.http("GET", f"/poll/{quoted(channel)}{query_of(since=since)}", headers=self.headers)
        if answer.status != 200:
            return refusal(answer)
        assert since is None or text_of(answer.json["messages"][0]) == SECRET, answer.json
        return "allow"

    def among_others(self, door, channel, other):
        """One request for two channels, of which the other is allowed."""
        target = f"/{door}{query_of(channel=[other, channel])}"
        try:
            if door == "poll":
                answer = self.server.http("GET", target, headers=self.headers)
                return "allow" if answer.status == 200 else refusal(answer)
            (self.server.ws if door == "ws" else self.server.events)(target, headers=self.headers).close()
            return "allow"
        except wire.Refused as refused:
            return refusal(refused.response)

    def publish(self, channel):
        answer = self.server.http("POST", f"/pub/{quoted(channel)}", SECRET, self.headers)
        return "allow" if answer.status == 200 else refusal(answer)

    def publish_by_socket(self, channel):
        """For those who may subscribe."""
        with self.server.ws(f"/ws/{quoted(channel)}?meta=1", self.headers) as socket:
            socket.recv_json()
            socket.send_text(SECRET)
            record = socket.recv_json()
            if "error" not in record:
                assert text_of(record) == SECRET, record
                return "allow"
            return {"E_AUTH_REQUIRED": "missing", "E_FORBIDDEN": "forbidden"}.get(record["error"]["code"], str(record))


class Centrifuge:
    """A bidirectional client of the Centrifuge protocol in JSON: what the carriers below share."""

    def __init__(self, server, headers, connect):
        self.server, self.number, self.pushes = server, 1, []
        self.open(server, headers, json.dumps({"id": 1, "connect": connect}))
        self.connected, self.ended = None, None
        try:
            self.connected = self.reply()
        except (wire.Closed, EOFError) as end:
            self.ended = self.code_of(end)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def code_of(self, end):
        """Of a connection that the server has ended: in the Close frame, or by the last push."""
        return end.code if isinstance(end, wire.Closed) else self.pushes[-1].get("disconnect", {}).get("code")

    def wait_for_end(self):
        """The code with which the server ends the connection. What came before it stays in `pushes`."""
        try:
            while True:
                self.push("never")
        except (wire.Closed, EOFError) as end:
            return self.code_of(end)

    def reply(self):
        """The next reply; pushes before it are kept, pings answered."""
        while True:
            while not self.lines:
                self.lines = [json.loads(line) for line in self.more().split("\n") if line]
            record = self.lines.pop(0)
            if not record:
                self.send("{}")
            elif "id" in record:
                return record
            else:
                self.pushes.append(record["push"])

    def push(self, kind):
        """The next push of that kind."""
        while True:
            for push in self.pushes:
                if kind in push:
                    self.pushes.remove(push)
                    return push
            while not self.lines:
                self.lines = [json.loads(line) for line in self.more().split("\n") if line]
            record = self.lines.pop(0)
            if not record:
                self.send("{}")
            else:
                self.pushes.append(record["push"])

    def command(self, **request):
        self.number += 1
        self.send(json.dumps({"id": self.number, **request}))
        reply = self.reply()
        assert reply["id"] == self.number, reply
        return reply

    def outcome(self, reply):
        if "error" not in reply:
            return "allow"
        assert SECRET not in json.dumps(reply), reply
        return REASON_OF_ERROR.get(reply["error"]["code"], str(reply["error"]))

    def ask(self, method, channel, **more):
        reply = self.command(**{method: {"channel": channel, **more}})
        if method == "history" and "error" not in reply:
            assert reply["history"]["publications"][0]["data"] == SECRET, reply
        return self.outcome(reply)

    def page_of_map(self, channel, phase, keep=False, **more):
        """A first page of a map, which brings what is in it; and leaves again, unless it is to `keep`."""
        reply = self.command(subscribe={"channel": channel, "type": 1, "phase": phase, **more})
        if "subscribe" in reply:
            result = reply["subscribe"]
            assert phase == 0 or result["state" if phase == 2 else "publications"][0]["data"] == SECRET, reply
            if not keep:
                self.command(unsubscribe={"channel": channel})
        return self.outcome(reply)

    def change_map(self, channel, **more):
        return self.outcome(self.command(publish={"channel": channel, "type": 1, **more}))

    def subscribe(self, channel, **more):
        """And leaves again."""
        reply = self.command(subscribe={"channel": channel, **more})
        result = reply.get("subscribe", {})
        if "subscribe" in reply:
            if more.get("recover"):
                assert result["recovered"] and result["publications"][0]["data"] == SECRET, reply
            self.command(unsubscribe={"channel": channel})
        return self.outcome(reply)


class CentrifugeSocket(Centrifuge):
    def open(self, server, headers, first):
        self.lines = []
        self.socket = server.ws("/connection/websocket", headers)
        self.send(first)

    def send(self, text):
        self.socket.send_text(text)

    def more(self):
        return self.socket.recv()

    def close(self):
        self.socket.close()


class CentrifugeStream(Centrifuge):
    """fetch() with a stream as its answer, and requests beside it."""

    def open(self, server, headers, first):
        self.lines = []
        self.stream, self.beside = server.connect(), server.connect()
        fields = {"Host": self.stream.host, "Content-Type": "application/json", "Content-Length": len(first), **headers}
        self.stream.send(("POST /connection/http_stream HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
                          + "\r\n" + first).encode())
        status, _ = self.stream.read_head()
        assert status == 200, status

    def send(self, text):
        result = self.connected["connect"]
        body = json.dumps({"session": result["session"], "node": result["node"], "data": text})
        answer = self.beside.request("POST", "/emulation", body, {"Content-Type": "application/json"})
        assert answer.status == 204, (answer.status, answer.body)

    def more(self):
        return self.stream.read_line().decode()

    def close(self):
        self.stream.close()
        self.beside.close()


class Unidirectional:
    """An event stream of pushes: one connection for each thing that is asked."""

    def __init__(self, server, headers, connect):
        target = f"/connection/uni_sse?cf_connect={urllib.parse.quote(json.dumps(connect))}"
        self.events = server.events(target, headers=headers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.events.close()

    def next(self):
        while not (push := json.loads(self.events.next()["data"])):
            pass
        return push

    def subscribed(self, channel):
        """What came of subs: {channel: ...}."""
        first = self.next()
        if "disconnect" in first:
            assert SECRET not in json.dumps(first), first
            return first["disconnect"]["code"]
        return "allow" if channel in first["connect"].get("subs", {}) else "forbidden"
