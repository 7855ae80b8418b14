"""Servers under measurement: started on a free port and on the CPUs they are given, stopped by their process id."""
import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "conformance"))
from rig import reserve_port  # noqa: E402  (the tests' way to a free port)

HOST = "127.0.0.1"
PRCTL = ctypes.CDLL(None).prctl  # looked up here: little may be done between fork and exec
PR_SET_PDEATHSIG = 1
DEADLINE_S = 30


class Failed(Exception):
    """Something that was measured did not work; the text says what."""


def cpus(count):
    """CPUs for that many threads of a server, and one for the client; (None, None) where there is nothing to choose."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return None, None
    return set(allowed[:count]), allowed[min(count, len(allowed) - 1)]


class Server:
    """`with Server(command, port, folder, cpus=1) as server:` a process that listens on `port`."""

    def __init__(self, command, port, folder, threads=1, keepers=()):
        self.keepers = keepers  # of ports: nobody else gets them while this lives
        self.command, self.port, self.folder = [str(word) for word in command], port, folder
        self.cpus, self.client_cpu = cpus(threads)

    def __enter__(self):
        self.log_path = pathlib.Path(self.folder, "log")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WIREBIRD_")}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            env=environment, preexec_fn=self._prepare)
        end = time.monotonic() + DEADLINE_S
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise Failed(f"{self.command[0]} did not start: {self.log_path.read_text(errors='replace')[-2000:]}")
        return self

    def _prepare(self):
        """In the new process: runs where it shall, and ends with us, however we end."""
        if self.cpus:
            os.sched_setaffinity(0, self.cpus)
        PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)

    def _listens(self):
        try:
            socket.create_connection((HOST, self.port), 1).close()
            return True
        except OSError:
            try:
                self.process.wait(0.02)  # until it ends, or to ask again
            except subprocess.TimeoutExpired:
                pass
            return False

    def __exit__(self, *_):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:
                    pass

    def pids(self):
        """The process and all its descendants."""
        found = [self.process.pid]
        for pid in found:
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        return found

    def resident_bytes(self):
        pages = sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return pages * os.sysconf("SC_PAGESIZE")


def run_json(command):
    """The object that a native program of the bench prints, also when it found a flaw; `flawless` says so."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr.strip()}") from None
    report.setdefault("flawless", done.returncode == 0)
    return report


class Idle:
    """`with Idle(drain, server, flags, count):` that many connections are open and silent."""

    def __init__(self, drain, server, flags, count):
        self.command = [str(drain), "idle", "--port", str(server.port), "--connections", str(count), *flags]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if "open" not in json.loads(line or "{}"):
            self.process.communicate()
            raise Failed(f"not all connections were opened: {line.strip()}")
        return self

    def __exit__(self, *_):
        self.process.communicate()  # the end of its input ends it


def folder():
    return tempfile.TemporaryDirectory(prefix="wirebird-bench-")
