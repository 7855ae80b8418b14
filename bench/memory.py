"""Memory per idle connection with one channel: the growth between two counts of connections, so that what a program needs anyway
drops out."""
import contextlib
import pathlib
import socket
import ssl
import subprocess
import time

from page import Table, spread
from processes import HOST, Failed, Idle, folder


def settled(server):
    """Resident memory once it has not grown for a while."""
    seen, since = server.resident_bytes(), time.monotonic()
    end = since + 10
    while (now := time.monotonic()) < end and now - since < 0.5:
        value = server.resident_bytes()
        if value > seen:
            seen, since = value, now
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(0.05)
    return server.resident_bytes()


def slab_bytes():
    """Kernel memory in slabs, of everybody; None where only root may know."""
    try:
        lines = pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:]
    except OSError:
        return None
    return sum(int(parts[1]) * int(parts[3]) for parts in map(str.split, lines))


def growth(contestant, opened, low, high):
    """(resident bytes, slab bytes or None) per connection."""
    with folder() as place, contestant.start(place) as server:
        with opened(contestant, server, low):
            resident, slab = settled(server), slab_bytes()
            with opened(contestant, server, high - low):
                resident = (settled(server) - resident) / (high - low)
                slab = None if slab is None else (slab_bytes() - slab) / (high - low)
    return resident, slab


def measure(rig, title, note, contestants, opened, counts):
    """`opened(contestant, server, count)`: a context in which that many more connections are open."""
    table = Table(f"{title}, {counts[0]:,} to {counts[1]:,} connections",
                  ["server", "resident bytes", "kernel slab bytes, both ends", "flaws"], "Growth per connection. " + note)
    found, flaws = {one.name: [] for one in contestants}, {}
    for _ in range(min(rig.repetitions, 3)):  # memory hardly varies
        for one in contestants:
            try:
                found[one.name].append(growth(one, opened, *counts))
            except (Failed, OSError) as failure:
                flaws[one.name] = str(failure).splitlines()[0]
                rig.flaws.append(f"{one.name}: {flaws[one.name]}")
    for name, values in found.items():
        slabs = [slab for _, slab in values if slab is not None]
        table.add(name, spread([resident for resident, _ in values]), spread(slabs) or "unknown", flaws.get(name, "none"))
        table.raw.append({"name": name, "growth": values})
    return table.close()


def idle(rig, contestants):
    def opened(contestant, server, count):
        return Idle(rig.drain, server, contestant.flags("fan-out", 128), count)

    return measure(rig, "Idle memory, one channel each", "Slabs are of the whole machine: the sockets of server and client, and "
                   "whoever else was busy.", contestants, opened, rig.idle)


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
    def opened(contestant, server, count):
        return tls_clients(server, count, UPGRADE if contestant is ours else None)

    return measure(rig, "Idle memory over TLS, one channel each", "The bare server holds OpenSSL objects with "
                   "SSL_MODE_RELEASE_BUFFERS on sockets, no protocol.", [ours, bare], opened, rig.idle_tls)
