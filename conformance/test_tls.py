"""TLS, Unix sockets and IPv6: the same doors, behind other listeners."""
import pathlib
import signal
import socket as sockets
import ssl
import subprocess
import tempfile
import time
import unittest

import rig
import wire


def make_certificate(folder, name, kind=("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")):
    certificate, key = pathlib.Path(folder) / f"{name}.pem", pathlib.Path(folder) / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", *kind, "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


class TlsTest(rig.ServerTest):
    arguments = ("--tls-handshake-time-max=2s",)

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="wirebird-tls-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.certificate, cls.key = make_certificate(cls.folder, "first")
        cls.options = {"listen": ["https://127.0.0.1:PORT", "127.0.0.1:ADMIN"],
                       "environment": {"WIREBIRD_TLS_CERTIFICATE_FILE": str(cls.certificate), "WIREBIRD_TLS_KEY_FILE": str(cls.key)}}
        rig.Server.ready, original = lambda server: wire.Connection(server.admin_address).request("GET", "/ready").status == 200, rig.Server.ready
        try:
            super().setUpClass()
        finally:
            rig.Server.ready = original

    def context(self, version=None):
        context = ssl.create_default_context(cafile=str(self.certificate))
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def secure(self, **options):
        return wire.Connection(self.server.address, self.context(**options), "localhost")


class Tls(TlsTest):
    def test_https_and_wss(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.secure(version=version) as connection:
                self.assertEqual(connection.socket.version(), "TLSv1.2" if version == ssl.TLSVersion.TLSv1_2 else "TLSv1.3")
                self.assertEqual(connection.request("GET", "/health").status, 200)
            with wire.WebSocket(self.server.address, "/echo", tls=self.context(version), server_name="localhost") as socket:
                for size in (0, 1, 16384, 16385, 1 << 20):
                    socket.send_text("s" * size)
                    self.assertEqual(len(socket.recv()), size)

    def test_every_door(self):
        channel = self.channel()
        options = {"tls": self.context(), "server_name": "localhost"}
        with wire.WebSocket(self.server.address, f"/ws/{channel}?meta=1", **options) as socket, \
                wire.EventSource(self.server.address, f"/sse/{channel}", **options) as events, self.secure() as http:
            socket.recv_json()
            events.next()
            for i in range(200):
                self.assertEqual(http.request("POST", f"/pub/{channel}", "x" * i * 20).status, 200)
            self.assertEqual([socket.recv_json()["offset"] for _ in range(200)], list(range(1, 201)))
            for i in range(200):
                self.assertTrue(events.next()["id"].endswith(f":{i + 1}"))

    def test_the_plain_listener_sees_the_same_channels(self):
        channel = self.channel()
        with self.secure() as http:
            http.request("POST", f"/pub/{channel}", "over TLS")
        with wire.WebSocket(self.server.admin_address, f"/ws/{channel}?since=-1") as socket:
            self.assertEqual(socket.recv(), "over TLS")

    def test_alpn_offers_http_1_1(self):
        context = self.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with wire.Connection(self.server.address, context, "localhost") as connection:
            self.assertEqual(connection.socket.selected_alpn_protocol(), "http/1.1")

    def test_old_versions_and_plain_text_are_refused(self):
        run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-tls1_1", "-cipher", "ALL@SECLEVEL=0"],
                             input="", capture_output=True, text=True, timeout=wire.DEADLINE_S)
        self.assertIn("Cipher is (NONE)", run.stdout)
        with self.server.connect() as connection:
            connection.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotIn(b"HTTP/1.1 200", connection.read_to_end())

    def test_renegotiation_is_refused(self):
        """T16: one connection must not ask for handshake after handshake."""
        run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-tls1_2", "-legacy_renegotiation"],
                             input="R\n" * 5, capture_output=True, text=True, timeout=wire.DEADLINE_S)
        self.assertRegex(run.stderr + run.stdout, "no renegotiation|RENEGOTIATING")
        self.assertLessEqual(run.stdout.count("verify return"), 1)
        with self.secure() as connection:
            self.assertEqual(connection.request("GET", "/health").status, 200)

    def test_a_handshake_that_does_not_finish_is_cut_off(self):
        """T10: a record that announces much and never comes."""
        opened = [self.server.connect() for _ in range(100)]
        for i, connection in enumerate(opened):
            connection.send((b"", b"\x16\x03\x01\x40\x00", b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + bytes(5000))[i % 3])
        for connection in opened:
            connection.read_to_end()
            connection.close()

    def test_cut_at_every_point_of_the_handshake(self):
        """F19: a client that vanishes after each number of bytes."""
        sent = bytearray()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            sent += outgoing.read()
        descriptors = self.server.descriptors()
        for cut in range(0, len(sent), 3):
            with self.server.connect() as connection:
                connection.send(sent[:cut])
        self.server.until(lambda: self.server.descriptors() <= descriptors, "descriptors were not given back")

    def test_resumption(self):
        context = self.context()
        with wire.Connection(self.server.address, context, "localhost") as connection:
            connection.request("GET", "/health")  # with TLS 1.3 the ticket comes after the handshake
            session = connection.socket.session
        resumed = 0
        for _ in range(8):  # lands on any worker: the keys of tickets are shared
            raw = sockets.create_connection(self.server.address)
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as again:
                resumed += again.session_reused
                again.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertTrue(again.recv(4096).startswith(b"HTTP/1.1 200"))
                session = again.session
        self.assertEqual(resumed, 8)


class HandshakeBudget(TlsTest):
    arguments = ("--tls-handshakes-per-s-max=5", "--workers=1")

    def test_a_flood_of_handshakes_waits_or_is_refused(self):
        """T16: cryptography for strangers has a budget; who has a connection does not notice."""
        begin = time.monotonic()
        with self.secure() as connected:
            served = refused = 0
            for _ in range(40):
                try:
                    with self.secure():
                        served += 1
                except (OSError, EOFError):
                    refused += 1
                self.assertEqual(connected.request("GET", "/health").status, 200)
            seconds = time.monotonic() - begin
        self.assertLessEqual(served, 5 * (seconds + 2))
        self.assertGreater(served, 0)
        self.assertEqual(served + refused, 40)


class CertificateReload(TlsTest):
    def test_a_new_certificate_counts_for_new_connections(self):
        with self.secure() as old:
            self.assertEqual(old.request("GET", "/health").status, 200)
            new_certificate, new_key = make_certificate(self.folder, "second")
            first = self.certificate.read_bytes()
            self.certificate.write_bytes(new_certificate.read_bytes())
            self.key.write_bytes(new_key.read_bytes())
            self.server.signal(signal.SIGHUP)

            def served():
                return ssl.get_server_certificate(self.server.address).encode()
            self.server.until(lambda: served().split() == new_certificate.read_bytes().split(), "the new certificate is not served")
            self.assertEqual(old.request("GET", "/health").status, 200)

            # A key that does not fit: the certificate in use stays.
            self.certificate.write_bytes(first)
            before = self.server.log().count("reload")
            self.server.signal(signal.SIGHUP)
            self.server.until(lambda: self.server.log().count("reload") > before, "no word of the reload")
            self.assertEqual(served().split(), new_certificate.read_bytes().split())


class UnixSocket(unittest.TestCase):
    def test_every_door_over_a_unix_socket(self):
        with rig.Server("--listen", "unix:FOLDER/socket") as server:
            path = str(server.folder / "socket")
            with wire.WebSocket(path, "/ws/unix?meta=1") as socket:
                socket.recv_json()
                with wire.Connection(path) as connection:
                    self.assertEqual(connection.request("POST", "/pub/unix", "by file").status, 200)
                self.assertEqual(socket.recv_json()["text"], "by file")
            with wire.EventSource(path, "/sse/unix?since=-1&meta=0") as events:
                self.assertEqual(events.next()["data"] or events.next()["data"], "by file")

    def test_a_stale_socket_file_is_replaced_and_a_live_one_is_not(self):
        with tempfile.TemporaryDirectory(prefix="wirebird-unix-") as folder:
            path = f"{folder}/socket"
            stale = sockets.socket(sockets.AF_UNIX)
            stale.bind(path)
            stale.close()
            with rig.Server("--listen", f"unix:{path}"):
                with wire.Connection(path) as connection:
                    self.assertEqual(connection.request("GET", "/health").status, 200)
                second = subprocess.run([rig.BINARY, "serve", "--dev", "--listen", f"unix:{path}"], capture_output=True, text=True,
                                        timeout=wire.DEADLINE_S)
                self.assertNotEqual(second.returncode, 0)
                with wire.Connection(path) as connection:
                    self.assertEqual(connection.request("GET", "/health").status, 200)


class Ipv6(unittest.TestCase):
    def test_loopback(self):
        with rig.Server("--listen", "[::1]:PORT") as server:
            with wire.WebSocket(("::1", server.port), "/echo", {"Host": f"[::1]:{server.port}"}) as socket:
                socket.send_text("six")
                self.assertEqual(socket.recv(), "six")


if __name__ == "__main__":
    rig.main()
