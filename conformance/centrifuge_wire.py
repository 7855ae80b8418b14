"""The Centrifuge client protocol v2 by hand, for tests that say exactly which frames they send: JSON and Protobuf over a WebSocket,
over answers that do not end, and from the server only.

Written from the protocol's documentation and from nothing of the server. A message is a dict either way; payloads are Python values.
"""
import collections
import json
import urllib.parse

import wire

# {message: {number: (name, kind)}}. Kinds: u unsigned, z zigzag, b bool, s text, j bytes that hold JSON, another message; *kind repeated,
# %kind a map from text.
MESSAGES = {
    "Error": {1: ("code", "u"), 2: ("message", "s"), 3: ("temporary", "b")},
    "ClientInfo": {1: ("user", "s"), 2: ("client", "s"), 3: ("conn_info", "j"), 4: ("chan_info", "j")},
    "Publication": {4: ("data", "j"), 5: ("info", "ClientInfo"), 6: ("offset", "u"), 7: ("tags", "%s"), 8: ("delta", "b"), 9: ("time", "u"),
                    11: ("key", "s"), 12: ("removed", "b"), 13: ("score", "z"), 14: ("epoch", "s")},
    "Position": {1: ("offset", "u"), 2: ("epoch", "s")},
    "ConnectRequest": {1: ("token", "s"), 2: ("data", "j"), 3: ("subs", "%SubscribeRequest"), 4: ("name", "s"), 5: ("version", "s")},
    "ConnectResult": {1: ("client", "s"), 2: ("version", "s"), 3: ("expires", "b"), 4: ("ttl", "u"), 5: ("data", "j"),
                      6: ("subs", "%SubscribeResult"), 7: ("ping", "u"), 8: ("pong", "b"), 9: ("session", "s"), 10: ("node", "s"), 11: ("time", "u")},
    "SubscribeRequest": {1: ("channel", "s"), 2: ("token", "s"), 3: ("recover", "b"), 6: ("epoch", "s"), 7: ("offset", "u"),
                         9: ("positioned", "b"), 10: ("recoverable", "b"), 11: ("join_leave", "b"), 12: ("delta", "s"), 14: ("flag", "u"), 15: ("type", "u"),
                         16: ("phase", "u"), 17: ("cursor", "s"), 18: ("limit", "u"), 19: ("asc", "b")},
    "SubscribeResult": {1: ("expires", "b"), 2: ("ttl", "u"), 3: ("recoverable", "b"), 6: ("epoch", "s"), 7: ("publications", "*Publication"),
                        8: ("recovered", "b"), 9: ("offset", "u"), 10: ("positioned", "b"), 11: ("data", "j"), 12: ("was_recovering", "b"),
                        13: ("delta", "b"), 14: ("id", "u"), 15: ("type", "u"), 16: ("phase", "u"), 17: ("cursor", "s"), 18: ("state", "*Publication")},
    "Channel": {1: ("channel", "s")},
    "PublishRequest": {1: ("channel", "s"), 2: ("data", "j"), 3: ("type", "u"), 4: ("key", "s"), 5: ("removed", "b")},
    "PresenceResult": {1: ("presence", "%ClientInfo")},
    "PresenceStatsResult": {1: ("num_clients", "u"), 2: ("num_users", "u")},
    "HistoryRequest": {1: ("channel", "s"), 7: ("limit", "u"), 8: ("since", "Position"), 9: ("reverse", "b")},
    "HistoryResult": {1: ("publications", "*Publication"), 2: ("epoch", "s"), 3: ("offset", "u")},
    "RpcRequest": {1: ("data", "j"), 2: ("method", "s")},
    "Data": {1: ("data", "j")},
    "RefreshRequest": {1: ("token", "s")},
    "RefreshResult": {1: ("client", "s"), 2: ("version", "s"), 3: ("expires", "b"), 4: ("ttl", "u")},
    "SubRefreshRequest": {1: ("channel", "s"), 2: ("token", "s")},
    "SubRefreshResult": {1: ("expires", "b"), 2: ("ttl", "u")},
    "Empty": {},
    "Info": {1: ("info", "ClientInfo")},
    "Code": {1: ("code", "u"), 2: ("reason", "s"), 3: ("reconnect", "b")},
    "Unsubscribe": {2: ("code", "u"), 3: ("reason", "s")},
    "SubscribePush": {1: ("recoverable", "b"), 4: ("epoch", "s"), 5: ("offset", "u"), 6: ("positioned", "b"), 7: ("data", "j")},
    "ConnectPush": {1: ("client", "s"), 2: ("version", "s"), 3: ("data", "j"), 4: ("subs", "%SubscribeResult"), 5: ("expires", "b"),
                    6: ("ttl", "u"), 7: ("ping", "u"), 8: ("pong", "b"), 9: ("session", "s"), 10: ("node", "s"), 11: ("time", "u")},
    "Push": {1: ("id", "u"), 2: ("channel", "s"), 4: ("pub", "Publication"), 5: ("join", "Info"), 6: ("leave", "Info"), 7: ("unsubscribe", "Unsubscribe"),
             8: ("message", "Data"), 9: ("subscribe", "SubscribePush"), 10: ("connect", "ConnectPush"), 11: ("disconnect", "Code"),
             12: ("refresh", "SubRefreshResult")},
    "Command": {1: ("id", "u"), 4: ("connect", "ConnectRequest"), 5: ("subscribe", "SubscribeRequest"), 6: ("unsubscribe", "Channel"),
                7: ("publish", "PublishRequest"), 8: ("presence", "Channel"), 9: ("presence_stats", "Channel"), 10: ("history", "HistoryRequest"),
                11: ("ping", "Empty"), 12: ("send", "Data"), 13: ("rpc", "RpcRequest"), 14: ("refresh", "RefreshRequest"),
                15: ("sub_refresh", "SubRefreshRequest")},
    "Reply": {1: ("id", "u"), 2: ("error", "Error"), 4: ("push", "Push"), 5: ("connect", "ConnectResult"), 6: ("subscribe", "SubscribeResult"),
              7: ("unsubscribe", "Empty"), 8: ("publish", "Empty"), 9: ("presence", "PresenceResult"), 10: ("presence_stats", "PresenceStatsResult"),
              11: ("history", "HistoryResult"), 13: ("rpc", "Data"), 14: ("refresh", "RefreshResult"), 15: ("sub_refresh", "SubRefreshResult")},
    "EmulationRequest": {1: ("node", "s"), 2: ("session", "s"), 3: ("data", "bytes")},
}


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            assert value < 1 << 64
            return value, at


def end_of_first(data):
    """Where the first of several messages behind their lengths ends; None: later."""
    try:
        length, at = read_varint(data, 0)
    except IndexError:
        return None
    return at + length if at + length <= len(data) else None


def field(number, kind, value):
    if kind in "ub":
        return varint(number << 3) + varint(int(value) & (1 << 64) - 1)
    if kind == "s":
        data = value.encode()
    elif kind == "j":
        data = json.dumps(value).encode()
    elif kind == "bytes":
        data = value
    else:
        data = encode(kind, value)
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode(message, values):
    """Protobuf of a dict; a field that the message does not have is a mistake of the test."""
    numbers = {name: (number, kind) for number, (name, kind) in MESSAGES[message].items()}
    out = b""
    for name, value in values.items():
        number, kind = numbers[name]
        if kind[0] == "*":
            out += b"".join(field(number, kind[1:], each) for each in value)
        elif kind[0] == "%":
            for key, each in value.items():
                entry = field(1, "s", key) + field(2, kind[1:], each)
                out += varint(number << 3 | 2) + varint(len(entry)) + entry
        else:
            out += field(number, kind, value)
    return out


def fields_of(data):
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
        else:
            assert tag & 7 == 2, f"wire type {tag & 7}"
            length, at = read_varint(data, at)
            assert at + length <= len(data), "cut off"
            value, at = data[at:at + length], at + length
        yield tag >> 3, value


def value_of(kind, raw):
    if kind == "u":
        return raw
    if kind == "z":
        return raw >> 1 ^ -(raw & 1)
    if kind == "b":
        return bool(raw)
    if kind == "s":
        return raw.decode()
    if kind == "j":
        return json.loads(raw)
    return decode(kind, raw)


def decode(message, data):
    """A dict of what stands in the bytes; a single number or text that is zero must not stand there."""
    out = {}
    for number, raw in fields_of(data):
        name, kind = MESSAGES[message][number]
        if kind[0] == "*":
            out.setdefault(name, []).append(value_of(kind[1:], raw))
        elif kind[0] == "%":
            entry = dict(fields_of(raw))
            out.setdefault(name, {})[entry.get(1, b"").decode()] = value_of(kind[1:], entry.get(2, b""))
        else:
            assert name not in out, f"{name} stands twice"
            assert kind not in "ubsz" or raw, f"{message}.{name} is zero and was written"
            out[name] = value_of(kind, raw)
    return out


class Json:
    name = "JSON"
    content_type = "application/json"

    @staticmethod
    def commands(*commands):
        return "\n".join(json.dumps(command, ensure_ascii=False) for command in commands).encode()

    @staticmethod
    def message(_, values):
        return json.dumps(values).encode()

    @staticmethod
    def replies(data, message="Reply"):
        del message
        return [json.loads(line) for line in data.removesuffix(b"\n").split(b"\n")]


class Protobuf:
    name = "Protobuf"
    content_type = "application/octet-stream"

    @staticmethod
    def commands(*commands):
        return b"".join(varint(len(data)) + data for data in (encode("Command", command) for command in commands))

    message = staticmethod(encode)

    @staticmethod
    def replies(data, message="Reply"):
        out, at = [], 0
        while at < len(data):
            length, at = read_varint(data, at)
            assert at + length <= len(data), "a message is cut off"
            out.append(decode(message, data[at:at + length]))
            at += length
        return out


class Session:
    """Commands and what comes back; a transport says how frames travel. Pings are answered unless `pongs` is false."""

    def __init__(self, form):
        self.form = form
        self.pongs = True
        self.pings = 0
        self.seen = collections.deque()
        self.number = 0

    def numbered(self, request):
        self.number += 1
        return {"id": self.number, **request}

    def send(self, *commands):
        self.send_frame(self.form.commands(*commands))

    def next(self):
        """The next reply or push that is no ping."""
        while not self.seen:
            for reply in self.receive():
                if reply:
                    self.seen.append(reply)
                    continue
                self.pings += 1
                if self.pongs:
                    self.send({})
        return self.seen.popleft()

    def reply(self, number):
        """The reply to one command; what else comes meanwhile stays in its order."""
        others = []
        while (reply := self.next()).get("id") != number:
            others.append(reply)
        self.seen.extendleft(reversed(others))
        return reply

    def call(self, **request):
        """One command and its reply without the id."""
        command = self.numbered(request)
        self.send(command)
        reply = self.reply(command["id"])
        del reply["id"]
        return reply

    def ask(self, **request):
        """The result of a command that must succeed."""
        reply = self.call(**request)
        (name, result), = reply.items()
        assert name == next(iter(request)), reply
        return result

    def refusal(self, **request):
        """The code with which a command is refused."""
        reply = self.call(**request)
        assert list(reply) == ["error"], reply
        return reply["error"]["code"]

    def push(self):
        """The next push, as (kind, channel, body)."""
        reply = self.next()
        assert list(reply) == ["push"], reply
        return pushed(reply["push"])


def pushed(push):
    channel = push.pop("channel", "")
    (kind, body), = push.items()
    return kind, channel, body


class Socket(Session):
    """Over a WebSocket. Closed: see wire.WebSocket.recv."""

    def __init__(self, server, form=Json, target=None, headers=(), receive_buffer=None):
        super().__init__(form)
        subprotocol = {"Sec-WebSocket-Protocol": "centrifuge-protobuf"} if form is Protobuf else {}
        target = target or "/connection/websocket"
        self.socket = server.ws(target, {**subprotocol, **dict(headers)}, receive_buffer=receive_buffer)

    def send_frame(self, data):
        self.socket.send_frame(wire.TEXT if self.form is Json else wire.BINARY, data)

    def receive(self):
        data = self.socket.recv()
        assert isinstance(data, str if self.form is Json else bytes), data
        return self.form.replies(data.encode() if self.form is Json else data)

    def closed(self):
        """(code, reason) with which the server ends it; what comes before is dropped."""
        result = self.socket.expect_close()
        self.socket.close()
        return result

    def close(self):
        self.socket.close()


class Stream(Session):
    """Over an answer that does not end, of "http_stream" or "sse"; what the client says goes by POST /emulation."""

    def __init__(self, server, kind, form, first, get=False):
        super().__init__(form)
        self.server, self.kind = server, kind
        self.session = self.node = ""
        self.connection = server.connect()
        target, body = f"/connection/{kind}", first
        if get:
            target, body = f"{target}?cf_connect={urllib.parse.quote(first, safe='')}", None
        head = [f"{'GET' if get else 'POST'} {target} HTTP/1.1", f"Host: {self.connection.host}"]
        if body is not None:
            head += [f"Content-Type: {form.content_type}", f"Content-Length: {len(body)}"]
        self.connection.send("\r\n".join(head).encode() + b"\r\n\r\n" + (body or b""))
        status, fields = self.connection.read_head()
        self.response = wire.Response(status, fields, b"")
        if status != 200:
            self.response.body = self.connection.read(int(self.response.header("Content-Length")))
            self.connection.close()
            raise wire.Refused(self.response)
        self.chunked = (self.response.header("Transfer-Encoding") or "").lower() == "chunked"
        self.text = b""

    def more(self):
        """What came next; EOFError at the end of the answer."""
        data = self.connection.read_chunk() if self.chunked else self.connection.read(1)
        if not self.chunked:
            data += self.connection.read(len(self.connection.buffer))
        if not data:
            raise EOFError("the answer ended")
        return data

    def piece(self):
        """One message as its bytes."""
        if self.kind.endswith("sse"):
            while True:
                event, found, rest = self.text.partition(b"\n\n")
                if found:
                    self.text = rest
                    lines = [line[6:] for line in event.split(b"\n") if line.startswith(b"data: ")]
                    assert len(lines) <= 1, event
                    if lines:
                        return lines[0]
                else:
                    self.text += self.more()
        if self.form is Json:
            while b"\n" not in self.text:
                self.text += self.more()
            line, self.text = self.text.split(b"\n", 1)
            return line
        while (end := end_of_first(self.text)) is None:
            self.text += self.more()
        piece, self.text = self.text[:end], self.text[end:]
        return piece

    def receive(self, message="Reply"):
        replies = self.form.replies(self.piece(), message)
        for reply in replies:
            if "connect" in reply and not self.session:
                self.session, self.node = reply["connect"].get("session", ""), reply["connect"].get("node", "")
        return replies

    def emulate(self, data, **changes):
        """The answer to POST /emulation."""
        data = data.decode() if self.form is Json else data
        body = {"session": self.session, "node": self.node, "data": data, **changes}
        return self.server.http("POST", "/emulation", self.form.message("EmulationRequest", body), {"Content-Type": self.form.content_type})

    def send_frame(self, data):
        answer = self.emulate(data)
        assert answer.status == 204, (answer.status, answer.body)

    def to_end(self):
        """Everything up to the end of the answer."""
        out = list(self.seen)
        try:
            while True:
                out += self.receive()
        except EOFError:
            assert not self.text, self.text
            self.connection.close()
            return out

    def close(self):
        self.connection.close()
