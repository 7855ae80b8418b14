"""The doors' protocols by hand over asyncio streams, for tests with many clients at once. Small and quick; wire.py is
the one for exact bytes."""
import asyncio
import base64
import json
import os
import socket
import struct

import wire

HOST = "127.0.0.1"


class HttpError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status} {body[:300]!r}")
        self.status = status
        self.body = body


async def read_head(reader):
    """(status, {lower-case name: value}) of a response."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(lines[0].split(" ")[1]), headers


async def read_body(reader, headers):
    if headers.get("transfer-encoding") == "chunked":
        return b"".join([chunk async for chunk in chunks(reader)])
    return await reader.readexactly(int(headers.get("content-length", "0")))


async def chunks(reader):
    while True:
        size = int((await reader.readuntil(b"\r\n")).strip(), 16)
        data = await reader.readexactly(size + 2)
        if size == 0:
            return
        yield data[:-2]


class Http:
    """One keep-alive connection."""

    @classmethod
    async def open(cls, port):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(HOST, port, limit=1 << 24)
        return self

    async def request(self, method, target, body=None, content_type="text/plain", headers=""):
        data = body.encode() if isinstance(body, str) else body or b""
        length = f"Content-Length: {len(data)}\r\nContent-Type: {content_type}\r\n" if body is not None else ""
        self.writer.write(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{length}{headers}\r\n".encode() + data)
        status, fields = await read_head(self.reader)
        return status, fields, await read_body(self.reader, fields)

    async def json(self, *request, **options):
        status, _, body = await self.request(*request, **options)
        if status != 200:
            raise HttpError(status, body)
        return json.loads(body)

    def abort(self):
        self.writer.transport.abort()


class Closed(Exception):
    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class WebSocket:
    @classmethod
    async def open(cls, port, target, headers="", receive_buffer=None):
        """With a receive buffer (bytes) the other side notices when nothing is read."""
        self = cls()
        if receive_buffer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, port, limit=1 << 24)
        else:
            narrow = socket.socket()
            narrow.setblocking(False)
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            await asyncio.get_running_loop().sock_connect(narrow, (HOST, port))
            self.reader, self.writer = await asyncio.open_connection(sock=narrow, limit=receive_buffer)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n".encode())
        status, fields = await read_head(self.reader)
        if status != 101:
            raise HttpError(status, await read_body(self.reader, fields))
        return self

    def send(self, opcode, payload=b""):
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 65536:
            head += struct.pack("!BH", 0x80 | 126, len(payload))
        else:
            head += struct.pack("!BQ", 0x80 | 127, len(payload))
        self.writer.write(head + b"\0\0\0\0" + payload)  # a mask of zeros is a mask

    async def messages(self):
        """Text and binary messages as bytes; raises Closed at a Close frame, IncompleteReadError at a cut."""
        while True:
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                length, = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                length, = struct.unpack("!Q", await self.reader.readexactly(8))
            payload = await self.reader.readexactly(length)
            opcode = first & 0x0F
            if opcode in (1, 2):
                yield payload
            elif opcode == 9:
                self.send(10, payload)
            elif opcode == 8:
                self.send(8, payload[:2])
                code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                raise Closed(code, payload[2:].decode())

    def abort(self):
        self.writer.transport.abort()


class EventSource:
    """A client of server-sent events that does not reconnect by itself."""

    @classmethod
    async def open(cls, port, target, last_event_id=None):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(HOST, port, limit=1 << 24)
        resume = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id is not None else ""
        self.writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{resume}\r\n".encode())
        self.status, self.headers = await read_head(self.reader)
        if self.status != 200:
            raise HttpError(self.status, await read_body(self.reader, self.headers))
        self.parser = wire.EventParser(last_event_id)
        return self

    async def _lines(self):
        rest = b""
        if self.headers.get("transfer-encoding") == "chunked":
            source = chunks(self.reader)
        else:
            async def read_until_eof():
                while data := await self.reader.read(65536):
                    yield data
            source = read_until_eof()
        async for data in source:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line.rstrip(b"\r").decode()

    async def events(self):
        """Raises EOFError when the server ends the stream."""
        async for line in self._lines():
            if event := self.parser.take(line):
                yield event
        raise EOFError("the event stream ended")

    def abort(self):
        self.writer.transport.abort()
