"""HTTP/1.1 and WebSocket by hand over blocking sockets, for tests that must say exactly which bytes they send.

Written from RFC 9112, RFC 6455 and RFC 7692, and from nothing of the server: both sides must not share a mistake.
Every wait has the same generous deadline, which only a hang reaches.
"""
import base64
import collections
import hashlib
import json
import os
import socket
import struct
import zlib

DEADLINE_S = float(os.environ.get("DEADLINE_S", "60"))

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN = 0x80
RSV1, RSV2, RSV3 = 0x40, 0x20, 0x10

Frame = collections.namedtuple("Frame", "fin rsv opcode payload")


class Refused(Exception):
    """The upgrade was answered with something else than 101."""

    def __init__(self, response):
        super().__init__(f"{response.status} {response.body!r}")
        self.response = response


class Closed(Exception):
    """A Close frame came, or the end of the stream without one (code 1006)."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


def mask(payload, key):
    if not payload:
        return b""
    repeated = (key * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def frame_head(opcode, length, fin=True, rsv=0, key=b"", form=None):
    """`form` forces how the length is written (7, 16 or 64 bits); by default the shortest one, as the RFC demands."""
    if form is None:
        form = 7 if length < 126 else 16 if length < 65536 else 64
    masked = 0x80 if key else 0
    head = bytes([(FIN if fin else 0) | rsv | opcode])
    if form == 7:
        head += bytes([masked | length])
    elif form == 16:
        head += struct.pack("!BH", masked | 126, length)
    else:
        head += struct.pack("!BQ", masked | 127, length)
    return head + key


def client_frame(opcode, payload=b"", fin=True, rsv=0, form=None):
    if isinstance(payload, str):
        payload = payload.encode()
    key = os.urandom(4)
    return frame_head(opcode, len(payload), fin, rsv, key, form) + mask(payload, key)


def close_payload(code, reason=b""):
    return struct.pack("!H", code) + (reason.encode() if isinstance(reason, str) else reason)


def deflate(payload, wbits=-15):
    """One message of RFC 7692 section 7.2.1: flushed, without the final 00 00 ff ff."""
    maker = zlib.compressobj(wbits=wbits)
    return (maker.compress(payload) + maker.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(payload, wbits=-15):
    return zlib.decompressobj(wbits=wbits).decompress(payload + b"\x00\x00\xff\xff")


class EventParser:
    """text/event-stream as the HTML standard reads it, line by line."""

    def __init__(self, last_event_id=None):
        self.last_event_id = last_event_id
        self.retry = None
        self.comments = 0
        self._clear()

    def _clear(self):
        self._event, self._data, self._has_id = "message", [], False

    def take(self, line):
        """A line without its end. Returns {"event", "data", "id"} when it ends an event, else None. An event with an
        id and no data, which a browser does not dispatch, has data None."""
        if line == "":
            event = {"event": self._event, "data": "\n".join(self._data) if self._data else None, "id": self.last_event_id}
            seen = self._data or self._has_id
            self._clear()
            return event if seen else None
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "":
            self.comments += 1
        elif name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id":
            self.last_event_id, self._has_id = value, True
        elif name == "retry":
            self.retry = int(value)
        return None


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name):
        """The only value of that name; None if there is none; a doubled header is a failure."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def tokens(self, name):
        """Everything in the lists of that name, in lower case."""
        lists = [value for key, value in self.headers if key.lower() == name.lower()]
        return [token.strip().lower() for value in lists for token in value.split(",")]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The E_... code of an error answer."""
        return self.json.get("code")


class Connection:
    """A TCP (or Unix, or TLS) connection with a read buffer."""

    def __init__(self, address, tls=None, server_name=None, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(DEADLINE_S)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self.host = "localhost" if isinstance(address, str) else f"{address[0]}:{address[1]}"
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_slowly(self, data, pieces):
        """The same bytes in that many separate segments."""
        step = max(1, len(data) // pieces)
        for i in range(0, len(data), step):
            self.socket.sendall(data[i:i + step])

    def _more(self):
        """Reads once; False at the end of the stream (a reset counts as the end)."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        self.buffer += data
        return bool(data)

    def read(self, count):
        while len(self.buffer) < count:
            if not self._more():
                raise EOFError(bytes(self.buffer))
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def read_line(self):
        while b"\n" not in self.buffer:
            if not self._more():
                raise EOFError(bytes(self.buffer))
        return self.read(self.buffer.index(b"\n") + 1)

    def at_end(self):
        """True if the server closed the connection and sent nothing more."""
        return not self.buffer and not self._more()

    def read_to_end(self):
        while self._more():
            pass
        data = bytes(self.buffer)
        self.buffer.clear()
        return data

    # HTTP

    def read_head(self):
        line = self.read_line()
        assert line.endswith(b"\r\n"), line
        version, status, _ = line.decode("ascii").split(" ", 2)
        assert version == "HTTP/1.1", line
        headers = []
        while True:
            line = self.read_line()
            assert line.endswith(b"\r\n") and b"\r" not in line[:-2], line
            if line == b"\r\n":
                return int(status), headers
            name, value = line.decode("ascii").split(":", 1)
            headers.append((name, value.strip()))

    def read_chunk(self):
        size = int(self.read_line().strip(), 16)
        data = self.read(size)
        assert self.read(2) == b"\r\n"
        return data

    def read_response(self, method="GET"):
        status, headers = self.read_head()
        response = Response(status, headers, b"")
        if method == "HEAD" or status in (101, 204, 304) or 100 <= status < 200:
            return response
        if (response.header("Transfer-Encoding") or "").lower() == "chunked":
            while chunk := self.read_chunk():
                response.body += chunk
        elif response.header("Content-Length") is not None:
            response.body = self.read(int(response.header("Content-Length")))
        else:
            response.body = self.read_to_end()
        return response

    def request(self, method, target, body=None, headers=()):
        fields = {"Host": self.host, **dict(headers)}
        lines = [f"{method} {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items()]
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        return self.read_response(method)


class WebSocket(Connection):
    def __init__(self, address, target, headers=(), tls=None, server_name=None, deflate_offer=None, receive_buffer=None):
        super().__init__(address, tls, server_name, receive_buffer)
        self.key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": self.host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": self.key,
                  "Sec-WebSocket-Version": "13"}
        if deflate_offer:
            fields["Sec-WebSocket-Extensions"] = deflate_offer
        fields.update(headers)
        self.send("\r\n".join([f"GET {target} HTTP/1.1"] + [f"{k}: {v}" for k, v in fields.items() if v is not None])
                  .encode() + b"\r\n\r\n")
        self.response = self.read_response()
        if self.response.status != 101:
            self.close()
            raise Refused(self.response)
        accept = base64.b64encode(hashlib.sha1((self.key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert self.response.header("Sec-WebSocket-Accept") == accept.decode()
        self.agreed = self.response.header("Sec-WebSocket-Extensions")

    def send_frame(self, opcode, payload=b"", **options):
        self.send(client_frame(opcode, payload, **options))

    def send_text(self, text):
        self.send_frame(TEXT, text)

    def send_binary(self, data):
        self.send_frame(BINARY, data)

    def send_close(self, code=None, reason=b""):
        self.send_frame(CLOSE, b"" if code is None else close_payload(code, reason))

    def recv_frame(self):
        first, second = self.read(2)
        assert not second & 0x80, "a server must not mask"
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack("!H", self.read(2))
            assert length > 125, "not the shortest form"
        elif length == 127:
            length, = struct.unpack("!Q", self.read(8))
            assert length > 65535, "not the shortest form"
        assert first & 0x0F < 8 or (length <= 125 and first & FIN), "a bad control frame"
        return Frame(bool(first & FIN), first & 0x70, first & 0x0F, self.read(length))

    def recv(self):
        """The next data message (str or bytes); answers pings; Closed at a Close frame or the end of the stream."""
        parts, kind, compressed = [], None, False
        while True:
            try:
                frame = self.recv_frame()
            except EOFError:
                raise Closed(1006, "") from None
            if frame.opcode == PING:
                self.send_frame(PONG, frame.payload)
            elif frame.opcode == CLOSE:
                code = struct.unpack("!H", frame.payload[:2])[0] if frame.payload else 1005
                raise Closed(code, frame.payload[2:].decode())
            elif frame.opcode in (TEXT, BINARY, CONTINUATION):
                if frame.opcode != CONTINUATION:
                    assert kind is None
                    kind, compressed = frame.opcode, bool(frame.rsv & RSV1)
                parts.append(frame.payload)
                if frame.fin:
                    payload = b"".join(parts)
                    if compressed:
                        payload = inflate(payload)
                    return payload.decode() if kind == TEXT else payload
            else:
                assert frame.opcode == PONG

    def recv_json(self):
        return json.loads(self.recv())

    def expect_close(self):
        """(code, reason) of the Close frame; answers it; then the server must end the stream."""
        while True:
            try:
                self.recv()
            except Closed as closed:
                if closed.code != 1006:
                    try:
                        self.send_close(closed.code if closed.code != 1005 else None)
                    except OSError:
                        pass
                    self.read_to_end()
                return closed.code, closed.reason

    def finish(self, code=1000):
        """The closing handshake from our side: (code, reason) that the server echoed."""
        self.send_close(code)
        result = self.expect_close()
        self.close()
        return result


class EventSource(Connection):
    """A client of server-sent events that does not reconnect by itself."""

    def __init__(self, address, target, last_event_id=None, headers=(), tls=None, server_name=None):
        super().__init__(address, tls, server_name)
        lines = [f"GET {target} HTTP/1.1", f"Host: {self.host}", "Accept: text/event-stream"]
        if last_event_id is not None:
            lines.append(f"Last-Event-ID: {last_event_id}")
        lines += [f"{name}: {value}" for name, value in dict(headers).items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n")
        status, fields = self.read_head()
        self.response = Response(status, fields, b"")
        if status != 200:
            self.response.body = self.read(int(self.response.header("Content-Length")))
            self.close()
            raise Refused(self.response)
        self.parser = EventParser(last_event_id)
        self.chunked = (self.response.header("Transfer-Encoding") or "").lower() == "chunked"
        self._text = b""

    def _line(self):
        while b"\n" not in self._text:
            if self.chunked:
                data = self.read_chunk()
            else:
                if not self.buffer:
                    self._more()
                data = self.read(len(self.buffer))
            if not data:
                raise EOFError("the event stream ended")
            self._text += data
        line, self._text = self._text.split(b"\n", 1)
        return line.decode()

    def next(self):
        while True:
            event = self.parser.take(self._line())
            if event:
                return event

    def comment(self):
        """Waits for the next comment line."""
        before = self.parser.comments
        while self.parser.comments == before:
            self.parser.take(self._line())
