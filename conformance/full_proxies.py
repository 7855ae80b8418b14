#!/usr/bin/python3
"""Behind nginx and haproxy (./dev check --full): every door works, and what was made to be read differently by proxy and server
gets one verdict; a smuggled second request is never executed (threats T40, T41)."""
import json
import shutil
import subprocess
import unittest

import rig
import wire
from wire import Refused

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin")

NGINX_CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream wirebird {{ server 127.0.0.1:{server}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://wirebird; proxy_http_version 1.1; proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""
HAPROXY_CONFIG = """
global
  maxconn 512
defaults
  mode http
  timeout connect 10s
  timeout client 90s
  timeout server 90s
  timeout tunnel 1h
frontend front
  bind 127.0.0.1:{port}
  default_backend wirebird
backend wirebird
  http-reuse always
  server one 127.0.0.1:{server}
"""


class BehindProxy:
    """The tests; each proxy is a class below."""

    @classmethod
    def setUpClass(cls):
        cls.server = rig.Server().start()
        cls.addClassCleanup(cls.server.stop)
        cls.port, keeper = rig.reserve_port()
        cls.addClassCleanup(keeper.close)
        cls.front = ("127.0.0.1", cls.port)
        config = cls.server.folder / "proxy.conf"
        config.write_text(cls.CONFIG.format(folder=cls.server.folder, port=cls.port, server=cls.server.port))
        cls.process = subprocess.Popen(cls.command(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.end)
        cls.server.until(cls.is_up, "the proxy did not start")

    @classmethod
    def is_up(cls):
        try:
            with wire.Connection(cls.front) as connection:
                return connection.request("GET", "/health").status == 200
        except OSError:
            return False

    @classmethod
    def end(cls):
        cls.process.terminate()
        cls.process.wait(wire.DEADLINE_S)

    def test_every_door(self):
        with wire.WebSocket(self.front, "/ws/proxied?meta=1") as socket, wire.EventSource(self.front, "/sse/proxied") as events:
            socket.recv_json()
            events.next()
            with wire.Connection(self.front) as connection:
                for i in range(100):
                    self.assertEqual(connection.request("POST", "/pub/proxied", str(i)).json["offset"], i + 1)
                    self.assertEqual(socket.recv_json()["offset"], i + 1)
                    self.assertEqual(json.loads(events.next()["data"])["offset"], i + 1)
                answer = connection.request("GET", "/poll/proxied?since=-100&limit=1000").json
            self.assertEqual([record["offset"] for record in answer["messages"]], list(range(1, 101)))
            for size in (0, 125, 126, 65535, 65536, 1 << 20):
                with wire.WebSocket(self.front, "/echo") as echo:
                    echo.send_binary(bytes(size))
                    self.assertEqual(len(echo.recv()), size)

    def smuggle(self, text):
        """Sends it as it is and returns everything that comes back; nothing may appear on the channel `smuggled`."""
        with wire.Connection(self.front) as connection:
            connection.send(text.encode("latin-1"))
            connection.socket.settimeout(2)
            data = b""
            try:
                while piece := connection.socket.recv(65536):
                    data += piece
            except (TimeoutError, ConnectionError):
                pass
        return data

    SECOND = "POST /pub/smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"
    UPGRADE = ("GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: {}\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n")

    def smuggled(self):
        return self.server.http("GET", "/api/channels?prefix=smuggled").json["channels"]

    def test_what_follows_an_upgrade_is_never_a_request(self):
        self.smuggle(self.UPGRADE.format("13", "") + self.SECOND)
        self.assertEqual(self.smuggled(), [])

    def test_requests_hidden_in_bodies(self):
        hidden = {
            "length and chunked": "POST /pub/front HTTP/1.1\r\nHost: localhost\r\nContent-Length: {n}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "chunked, odd case": "POST /pub/front HTTP/1.1\r\nHost: localhost\r\nContent-Length: {n}\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "two lengths": "POST /pub/front HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: {n}\r\n\r\n",
            "chunk extension": "POST /pub/front HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;\nxx\r\n0\r\n\r\n",
            "upgrade with a body": self.UPGRADE.format("777", "Content-Length: {n}\r\n"),
        }
        for name, head in hidden.items():
            with self.subTest(name):
                # The length covers the second request: who believes it sees a body, who does not sees a request.
                answers = self.smuggle(head.format(n=len(self.SECOND)) + self.SECOND)
                self.assertEqual(self.smuggled(), [], answers)

    def test_a_get_with_a_body(self):
        text = f"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(self.SECOND)}\r\n\r\n{self.SECOND}"
        self.smuggle(text)
        self.assertEqual(self.smuggled(), [])

    def test_a_refused_upgrade_ends_there(self):
        """With another version the proxy may have gone into tunnel mode; the server has closed."""
        for version in ("777", "12"):
            with self.assertRaises(Refused) as caught:
                wire.WebSocket(self.front, "/echo", {"Sec-WebSocket-Version": version})
            self.assertEqual(caught.exception.response.status, 426)
            # A second request on that connection belongs to the client; it must not be answered as someone else's.
            self.smuggle(self.UPGRADE.format(version, ""))


@unittest.skipUnless(NGINX, "needs nginx")
class BehindNginx(BehindProxy, unittest.TestCase):
    CONFIG = NGINX_CONFIG

    @classmethod
    def command(cls, config):
        return [NGINX, "-p", str(cls.server.folder), "-c", str(config)]


@unittest.skipUnless(HAPROXY, "needs haproxy")
class BehindHaproxy(BehindProxy, unittest.TestCase):
    CONFIG = HAPROXY_CONFIG

    @classmethod
    def command(cls, config):
        return [HAPROXY, "-db", "-f", str(config)]


if __name__ == "__main__":
    rig.main()
