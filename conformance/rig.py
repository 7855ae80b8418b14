"""Starts the server under test on a free port, stops it by its process id, and keeps healthy canaries beside a test.

The binary is named by the environment variable WIREBIRD.
"""
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import wire

# Sanitizers keep freed memory; then what the process holds says nothing about the server.
SANITIZED = bool(os.environ.get("SANITIZED"))
HERE = pathlib.Path(__file__).resolve().parent
BINARY = os.environ.get("WIREBIRD", str(HERE.parent / "build/release/wirebird"))


def reserve_port():
    """A free port that no other test gets, and what keeps it so until it is closed: a name in the abstract namespace. The
    ports lie below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(18_000, 32_000)
        keeper = socket.socket(socket.AF_UNIX)
        try:
            keeper.bind(f"\0wirebird-test-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            return port, keeper
        except OSError:
            keeper.close()


class Server:
    """`with Server("--workers", "2") as server:` a running server; leaving stops it and looks at how it ended.

    `config` is the text of a configuration file, in which PORT, ADMIN and FOLDER stand for two free ports and a folder of
    this server's own. Without `listen` the server is told to listen on PORT unless the text does.
    """

    def __init__(self, *arguments, dev=True, config=None, environment=None, listen=None):
        self.port, keeper = reserve_port()
        self.admin_port, admin_keeper = reserve_port()
        self._keepers = [keeper, admin_keeper]
        self._folder = tempfile.TemporaryDirectory(prefix="wirebird-test-")
        self.folder = pathlib.Path(self._folder.name)
        self.log_path = self.folder / "log"
        self.config_path = self.folder / "wirebird.toml"
        self.address = ("127.0.0.1", self.port)
        self.admin_address = ("127.0.0.1", self.admin_port)
        command = [BINARY, "serve"] + (["--dev"] if dev else [])
        if config is not None:
            self.configure(config)
            command += ["--config", str(self.config_path)]
        if listen is None and "PORT" not in (config or ""):
            listen = f"127.0.0.1:{self.port}"
        for address in [listen] if isinstance(listen, str) else listen or []:
            command += ["--listen", self.filled(address)]
        self.command = command + [self.filled(argument) for argument in arguments]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("WIREBIRD_")}
        batcher = {"WIREBIRD_SERVER_SEND_BATCHER": "false"} if os.environ.get("CONFORMANCE_WITHOUT_BATCHER") else {}
        self.environment = {**inherited, **batcher, **(environment or {})}
        self.process = None

    def filled(self, text):
        return text.replace("PORT", str(self.port)).replace("ADMIN", str(self.admin_port)).replace("FOLDER", str(self.folder))

    def configure(self, text):
        """Writes the configuration file, whole or not at all: the server may read it at any moment."""
        fresh = self.folder / "fresh"
        fresh.write_text(self.filled(text), encoding="utf-8")
        fresh.replace(self.config_path)

    def start(self):
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
                                            cwd=self.folder)
        watch = Deadline()
        while not self._is_ready():
            if self.process.poll() is not None:
                text = f"{' '.join(self.command)} ended with {self.process.returncode}:\n{self.log()}"
                self._give_back()
                raise AssertionError(text)
            watch.check(lambda: f"the server did not become ready:\n{self.log()}")
        return self

    def ready(self):
        """One question; tests of other listeners replace it."""
        with wire.Connection(self.address) as connection:
            return connection.request("GET", "/ready").status == 200

    def _is_ready(self):
        try:
            return self.ready()
        except (OSError, EOFError):
            self._pause()
            return False

    def _pause(self):
        """Up to 20 ms for the process to go on, or until it ends."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.02)

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def signal(self, number):
        os.kill(self.process.pid, number)

    def wait(self):
        return self.process.wait(wire.DEADLINE_S)

    def stop(self):
        """SIGTERM; the process must end with 0."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"SIGTERM did not end the server:\n{self.log()[-5000:]}") from None
        finally:
            log = self.log()
            self._give_back()
        assert code == 0, f"the server ended with {code}:\n{log[-5000:]}"

    def gone(self):
        """It has ended by itself, or was killed."""
        self._give_back()

    def _give_back(self):
        for keeper in self._keepers:
            keeper.close()
        self._folder.cleanup()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # Short forms

    def http(self, method, target, body=None, headers=()):
        with wire.Connection(self.address) as connection:
            return connection.request(method, target, body, {**dict(headers), "Connection": "close"})

    def raw(self, data):
        """Sends bytes as they are and reads one answer."""
        with wire.Connection(self.address) as connection:
            connection.send(data)
            return connection.read_response()

    def ws(self, target, headers=(), **options):
        return wire.WebSocket(self.address, target, headers, **options)

    def events(self, target, last_event_id=None, **options):
        return wire.EventSource(self.address, target, last_event_id, **options)

    def connect(self):
        return wire.Connection(self.address)

    def publish(self, channel, body, content_type="text/plain", headers=()):
        answer = self.http("POST", f"/pub/{channel}", body, {"Content-Type": content_type, **dict(headers)})
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json

    def metrics(self):
        """{'name{labels}': value} of /metrics."""
        lines = self.http("GET", "/metrics").body.decode().splitlines()
        return {key: float(value) for key, _, value in (l.rpartition(" ") for l in lines if l and l[0] != "#")}

    def until(self, condition, text):
        """Waits, asking again, until something is so."""
        watch = Deadline()
        while not (result := condition()):
            watch.check(text)
            self._pause()
        return result

    def resident_bytes(self):
        pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def descriptors(self):
        """Sockets: a worker opens its io_uring when it first has many sends at once, and keeps it."""
        count = 0
        for each in os.scandir(f"/proc/{self.process.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(each.path).startswith("socket:")
        return count


class Deadline:
    """For loops that wait for something outside: fails loudly when it never comes."""

    def __init__(self, seconds=wire.DEADLINE_S):
        import time
        self._clock = time.monotonic
        self._end = self._clock() + seconds

    def check(self, text):
        if self._clock() > self._end:
            raise AssertionError(text() if callable(text) else text)


class Proxy:
    """A line between clients and the server that can be cut: `with Proxy(server) as proxy: ... proxy.cut()`."""

    def __init__(self, server):
        self.target = server.address
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.lines = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def cut(self):
        """Ends every connection that is open now."""
        lines, self.lines = self.lines, []
        for end in lines:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        return len(lines) // 2

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.target)
                self.lines += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pass(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Canaries:
    """Ten healthy clients on each door and a publisher of numbered messages, in a process of their own (canaries.py).

    with Canaries(server): ...attack...   fails if any canary lost, doubled or reordered a message, or was cut off.
    """

    def __init__(self, server, per_door=10):
        self.command = [sys.executable, str(HERE / "canaries.py"), str(server.port), str(per_door)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line == "watching\n", f"the canaries did not start: {line!r}"
        return self

    def __exit__(self, kind, *_):
        out, _ = self.process.communicate("stop\n", timeout=wire.DEADLINE_S)
        self.verdict = json.loads(out)
        if kind is None:
            assert not self.verdict["problems"], self.verdict["problems"][:5]


class ServerTest(unittest.TestCase):
    """Tests of one class share one server; `arguments` and the like say how it is started."""

    arguments = ()
    options = {}
    canaries = False  # True: healthy clients watch during the whole class, and must lose nothing

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.arguments, **cls.options).start()
        cls.addClassCleanup(cls.server.stop)
        if cls.canaries:
            watch = Canaries(cls.server)
            watch.__enter__()
            cls.addClassCleanup(watch.__exit__, None)

    _names = 0

    def channel(self):
        """A name no other test uses."""
        ServerTest._names += 1
        return f"{type(self).__name__}.{self._testMethodName}.{ServerTest._names}"[-200:]

    def assert_held(self, before, most):
        """The server holds at most that many bytes more than before."""
        if not SANITIZED:
            self.assertLess(self.server.resident_bytes() - before, most)

    def assert_refused(self, status, code, response):
        self.assertEqual((response.status, response.code), (status, code), response.body)
        self.assertEqual(response.header("Content-Type"), "application/json")
        self.assertTrue(response.json["message"])

    def assert_closed(self, code, reason_code, socket):
        got, reason = socket.expect_close()
        self.assertEqual((got, reason.split(" ")[0]), (code, reason_code), reason)
        self.assertLessEqual(len(reason.encode()), 123)
        socket.close()


def main():
    # Sockets that a test leaves open end with it; saying so would hide what matters.
    unittest.main(module="__main__", warnings="ignore")
