"""Memory that comes back: after very many have left, the server gives to the system what it held for them."""
import resource
import socket
import unittest

import rig

UPGRADE = (b"GET /ws/crowd HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
ROUND = 500  # connections at once, so that no listener's queue is too long


class Crowd:
    """`with Crowd(server, count):` that many idle WebSockets, each of which watches a channel."""

    def __init__(self, server, count):
        self.server, self.count, self.sockets = server, count, []

    def __enter__(self):
        while len(self.sockets) < self.count:
            fresh = [socket.create_connection(self.server.address, 10) for _ in range(min(ROUND, self.count - len(self.sockets)))]
            self.sockets += fresh
            for each in fresh:
                each.sendall(UPGRADE)
            for each in fresh:
                answer = each.recv(4096)
                assert answer.startswith(b"HTTP/1.1 101"), answer[:200]
        return self

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()


class MassDisconnect(unittest.TestCase):
    @unittest.skipIf(rig.SANITIZED, "sanitizers keep freed memory")
    def test_what_a_crowd_needed_comes_back(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(9000, hard - 500)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 500)), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with rig.Server("--workers", "2") as server:
            with Crowd(server, ROUND):  # what the first few need is not what it is about
                pass
            before = server.resident_bytes()
            with Crowd(server, count):
                grown = server.resident_bytes() - before
            self.assertGreater(grown, 100 * count, "the crowd costs nothing: this test sees nothing")
            server.until(lambda: server.resident_bytes() - before < grown * 0.3,
                         lambda: f"of {grown:,} bytes for {count:,} connections {server.resident_bytes() - before:,} are still held")
            with Crowd(server, ROUND):  # and it goes on
                pass


if __name__ == "__main__":
    rig.main()
