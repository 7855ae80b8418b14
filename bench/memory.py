"""Memory per idle connection with one channel: the growth between two counts of connections, so that what a program needs anyway
drops out."""
import contextlib
import pathlib
import ssl
import socket
import statistics
import time

from page import Table, number, spread
from processes import HOST, Failed, Idle, folder


def settled(server):
    """Resident memory once it has not grown for a while."""
    seen, since = server.resident_bytes(), time.monotonic()
    end = since + 10
    while (now := time.monotonic()) < end and now - since < 0.5:
        value = server.resident_bytes()
        if value > seen:
            seen, since = value, now
        with contextlib.suppress(Exception):
            server.process.wait(0.05)
    return server.resident_bytes()


def slab_bytes():
    """Kernel memory in slabs, of everybody; None where only root may know."""
    try:
        lines = pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:]
    except OSError:
        return None
    return sum(int(parts[1]) * int(parts[3]) for parts in map(str.split, lines))


def growth(rig, contestant, opener, low, high):
    """(resident bytes, slab bytes or None) per connection."""
    with folder() as place, contestant.start(place) as server:
        with opener(server, low):
            resident, slab = settled(server), slab_bytes()
            with opener(server, high - low):
                resident = (settled(server) - resident) / (high - low)
                slab = None if slab is None else (slab_bytes() - slab) / (high - low)
    return resident, slab


def measure(rig, title, note, contestants, opener_of, low, high, repetitions):
    table = Table(f"{title}, {low:,} to {high:,} connections", ["server", "resident bytes", "kernel slab bytes, both ends", "flaws"], note)
    found, flaws = {one.name: [] for one in contestants}, {}
    for _ in range(repetitions):
        for one in contestants:
            try:
                found[one.name].append(growth(rig, one, opener_of(one), low, high))
            except (Failed, OSError) as failure:
                flaws[one.name] = str(failure).splitlines()[0]
    for one in contestants:
        slabs = [slab for _, slab in found[one.name] if slab is not None]
        table.add(one.name, spread([resident for resident, _ in found[one.name]]), spread(slabs) or "unknown", flaws.get(one.name, "none"))
        table.raw.append({"name": one.name, "growth": found[one.name]})
        if one.name in flaws:
            rig.flaws.append(f"{one.name}: {flaws[one.name]}")
    return table.close()


def idle(rig, contestants):
    low, high = rig.idle
    return measure(rig, "Idle memory, one channel each",
                   "Growth per connection. Slabs are of the whole machine: the sockets of server and client, and whoever else was busy.",
                   contestants, lambda one: lambda server, count: Idle(rig.drain, server, one.flags("fan-out", 128), count), low, high,
                   min(rig.repetitions, 3))


@contextlib.contextmanager
def tls_clients(server, count, request):
    """That many TLS connections, each with an answered request if there is one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            plain = stack.enter_context(socket.create_connection((HOST, server.port), 10))
            secure = stack.enter_context(context.wrap_socket(plain))
            if request:
                secure.sendall(request)
                answer = secure.recv(4096)
                if not answer.startswith(b"HTTP/1.1 101"):
                    raise Failed(f"no upgrade over TLS: {answer[:200]}")
        yield


UPGRADE = (b"GET /ws/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def tls(rig, ours, bare):
    low, high = rig.idle_tls
    return measure(rig, "Idle memory over TLS, one channel each",
                   "Growth per connection. The bare server holds OpenSSL objects with SSL_MODE_RELEASE_BUFFERS on sockets, no protocol.",
                   [ours, bare], lambda one: lambda server, count: tls_clients(server, count, UPGRADE if one is ours else None), low, high,
                   min(rig.repetitions, 3))
