#!/usr/bin/python3
"""The client library over real sockets: pub, sub, demo feed, bench and the examples against a server, also through a
proxy that cuts. Run by ctest; by hand: WIREBIRD=build/release/wirebird src/client/sockets_test.py
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
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "conformance"))
import rig  # noqa: E402

EXAMPLES = pathlib.Path(os.environ.get("EXAMPLES", ROOT / "build/release/examples/cpp"))
DEADLINE_S = 120  # only ends what hangs


def run(*arguments, stdin=None, environment=None):
    """A verb to its end: (code, stdout bytes, stderr text)."""
    done = subprocess.run([rig.BINARY, *arguments], input=stdin, capture_output=True, timeout=DEADLINE_S,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr.decode()


class Running:
    """A verb that runs beside the test: lines of its output as they come."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, encoding="utf-8")

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def record(self):
        return json.loads(self.line())

    def end(self, number=None):
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class CuttingProxy:
    """TCP in between that ends both sides of a connection after a random count of bytes, in either direction.

    A cut drops what the other side had sent and not yet got: the answer to a publish, or some records.
    """

    def __init__(self, target, seed, bytes_least, bytes_most):
        self.target = target
        self.luck = random.Random(seed)
        self.bytes_least, self.bytes_most = bytes_least, bytes_most
        self.cuts = 0
        self.cutting = True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.target)
                connection = _Cut(self, near, far, self.luck.randint(self.bytes_least, self.bytes_most))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=connection.pump, args=(source, sink), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class _Cut:
    def __init__(self, proxy, near, far, budget):
        self.proxy, self.near, self.far, self.budget = proxy, near, far, budget
        self.lock = threading.Lock()

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                with self.lock:
                    allowed = data if not self.proxy.cutting else data[: max(0, self.budget)]
                    self.budget -= len(data)
                sink.sendall(allowed)
                if len(allowed) < len(data):
                    self.proxy.cuts += 1
                    break
        for end in (self.near, self.far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class OtherServer:
    """A WebSocket server as others write them: rooms, and JSON with words of its own. `with OtherServer() as other:`

    /talk   {"do":"join","room":R} is answered and subscribes; {"do":"say","room":R,"text":T} goes to the others in the room
    /sloppy the same, but of every ten messages one is lost, one comes twice and one is damaged
    /echo   sends everything back
    """

    PROGRAM = """
import asyncio, collections, json, sys
import websockets

rooms = collections.defaultdict(set)
said = collections.Counter()

async def serve(connection):
    joined = set()
    path = connection.path
    try:
        async for message in connection:
            if path == "/echo":
                await connection.send(message)
                continue
            order = json.loads(message)
            room = order["room"]
            if order["do"] == "join":
                rooms[room].add(connection)
                joined.add(room)
                await connection.send(json.dumps({"joined": room}))
                continue
            said[room] += 1
            text, copies = order["text"], 1
            if path == "/sloppy":
                turn = said[room] % 10
                copies = {3: 0, 5: 2}.get(turn, 1)
                text = text[:-1] + "?" if turn == 7 else text
            for _ in range(copies):
                websockets.broadcast(rooms[room] - {connection} if QUIET else rooms[room], json.dumps({"room": room, "said": text}))
    except websockets.ConnectionClosed:
        pass
    finally:
        for room in joined:
            rooms[room].discard(connection)

async def main():
    async with websockets.serve(serve, "127.0.0.1", 0, compression=None) as listener:
        print(listener.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()

QUIET = "quiet" in sys.argv
asyncio.run(main())
"""

    def __init__(self, *arguments):
        self.running = Running("/usr/bin/python3", "-c", self.PROGRAM, *arguments)
        self.port = int(self.running.line())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.__exit__()


class Clients(rig.ServerTest):
    def setUp(self):
        self.url = f"http://127.0.0.1:{self.server.port}"

    def sub(self, *arguments, url=None):
        return Running(rig.BINARY, "sub", "--url", url or self.url, *arguments)

    def pub(self, *arguments, stdin=None, url=None):
        return run("pub", "--url", url or self.url, *arguments, stdin=stdin)

    # pub and sub

    def test_every_kind_arrives_as_it_was_sent(self):
        channel = self.channel()
        everything = bytes(range(256))
        with self.sub(channel, "--json", "--count", "4") as sub:
            start = sub.record()["position"]
            self.assertTrue(start.endswith(":0"))
            epoch = start.split(":")[0]
            code, out, err = self.pub(channel, "gr\u00fc\u00df \U0001f426\n")
            self.assertEqual((code, out.decode(), err), (0, f"{channel} {epoch}:1\n", ""))
            self.assertEqual(self.pub(channel, "--json", '{"n": 1.50e3}')[0], 0)
            with tempfile.NamedTemporaryFile() as file:
                file.write(everything)
                file.flush()
                self.assertEqual(self.pub(channel, "--binary", "--file", file.name)[0], 0)
            self.assertEqual(self.pub(channel, "")[0], 0)
            records = [sub.record() for _ in range(4)]
            self.assertEqual([r["offset"] for r in records], [1, 2, 3, 4])
            self.assertEqual(records[0]["text"], "gr\u00fc\u00df \U0001f426\n")
            self.assertEqual(records[1]["data"], {"n": 1500})
            self.assertEqual(records[2]["base64"], __import__("base64").b64encode(everything).decode())
            self.assertEqual(records[3]["text"], "")
            self.assertEqual(sub.end(), (0, "", ""))
        code, out, _ = run("sub", "--url", self.url, channel, "--since", "-4", "--count", "4")
        self.assertEqual((code, out), (0, "gr\u00fc\u00df \U0001f426\n\n".encode() + b'{"n": 1.50e3}\n' + everything + b"\n\n"))
        code, out, _ = run("sub", "--url", self.url, channel, "--since", "-2", "--count", "2", "--no-newline")
        self.assertEqual((code, out), (0, everything))

    def test_lines_of_stdin_and_where_they_went(self):
        channel = self.channel()
        code, out, err = self.pub(channel, stdin=b"one\ntwo\r\n\nfour")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual([line.rsplit(":", 1)[1] for line in out.decode().splitlines()], ["1", "2", "3", "4"])
        code, out, _ = run("sub", "--url", self.url, channel, "--since", "-10", "--count", "4")
        self.assertEqual((code, out), (0, b"one\ntwo\n\nfour\n"))

    def test_one_key_publishes_once(self):
        channel = self.channel()
        first = self.pub(channel, "a", "--key", "k")
        self.assertEqual(self.pub(channel, "a", "--key", "k"), first)
        code, _, err = self.pub(channel, "b", "--key", "k")
        self.assertEqual(code, 1)
        self.assertIn("E_IDEMPOTENCY", err)

    def test_lines_stop_at_the_first_refusal(self):
        channel = self.channel()
        code, out, err = self.pub(channel, "--json", stdin=b"1\n2\n{\n4\n")
        self.assertEqual((code, len(out.splitlines())), (1, 2))
        self.assertIn("E_JSON", err)
        self.assertIn("stopped at line 3", err)

    def test_several_channels_from_a_cursor(self):
        a, b = self.channel(), self.channel()
        epochs = [self.server.publish(name, "old")["epoch"] for name in (a, b)]
        for name in (a, b):
            self.server.publish(name, "new")
        cursor = ",".join(f"{epoch}:1" for epoch in epochs)
        code, out, _ = run("sub", "--url", self.url, a, b, "--since", cursor, "--count", "2")
        self.assertEqual((code, out), (0, b"new\nnew\n"))

    def test_signals_and_closed_pipes_end_it_quietly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.sub(self.channel(), "--json") as sub:
                sub.record()
                self.assertEqual(sub.end(number), (0, "", ""))
        channel = self.channel()
        with self.sub(channel, "--json") as sub:
            sub.record()
            sub.process.stdout.close()
            self.server.publish(channel, "nobody reads this")
            self.assertEqual(sub.process.wait(DEADLINE_S), 0)

    def test_a_name_with_several_addresses(self):
        # localhost is often ::1 first, where nobody listens.
        self.assertEqual(self.pub(self.channel(), "x", url=f"http://localhost:{self.server.port}")[0], 0)

    def test_a_time_limit(self):
        code, out, err = run("sub", "--url", self.url, self.channel(), "--for", "1s")
        self.assertEqual((code, out, err), (0, b"", ""))

    # Cut connections

    def test_a_subscription_that_is_cut_again_and_again_is_complete(self):
        # A few cuts: each doubles the wait before the next attempt, as long as no connection lasts 30 s.
        channel, count = self.channel(), 2000
        with CuttingProxy(self.server.address, 1, 40_000, 60_000) as proxy, \
                self.sub(channel, "--json", "--count", str(count), "-v", url=proxy.url) as sub:
            start = sub.record()
            self.assertIn("position", start)
            last, errors = 0, []
            drain = threading.Thread(target=lambda: errors.extend(sub.process.stderr))
            drain.start()
            with self.server.connect() as connection:
                for number in range(1, count + 1):
                    self.assertEqual(connection.request("POST", f"/pub/{channel}", str(number)).status, 200)
                    if number % 50 == 0:  # in step, so that many connections live in the middle of the stream
                        while last < number:
                            record = sub.record()
                            self.assertNotIn("gap", record)
                            if "offset" in record:
                                last += 1
                                self.assertEqual((record["offset"], record["text"]), (last, str(last)))
            self.assertEqual(sub.process.wait(DEADLINE_S), 0)
            drain.join()
            self.assertEqual(last, count)
            self.assertGreater(proxy.cuts, 2)
            self.assertFalse([line for line in errors if "gap" in line])
            self.assertTrue([line for line in errors if "connected again" in line])

    def test_lines_published_through_cuts_are_neither_lost_nor_doubled(self):
        channel, count = self.channel(), 300
        with CuttingProxy(self.server.address, 2, 500, 6_000) as proxy:
            code, out, err = self.pub(channel, "--timeout", "2m", url=proxy.url,
                                      stdin="".join(f"line {n}\n" for n in range(1, count + 1)).encode())
            self.assertEqual((code, err), (0, ""))
            self.assertGreater(proxy.cuts, 10)
        self.assertEqual(len(out.splitlines()), count)
        history = self.server.http("GET", f"/api/history?channel={channel}&since=-1000&limit=1000").json
        self.assertEqual([m["text"] for m in history["messages"]], [f"line {n}" for n in range(1, count + 1)])

    def test_a_server_that_restarts_is_found_again_and_its_new_epoch_announced(self):
        channel = self.channel()
        server = rig.Server().start()
        try:
            with self.sub(channel, "--json", "-v", url=f"http://127.0.0.1:{server.port}") as sub:
                sub.record()
                server.publish(channel, "before")
                self.assertEqual(sub.record()["text"], "before")
                server.signal(signal.SIGKILL)
                server.wait()
                server.start()
                records = [sub.record(), sub.record()]
                gaps = [r for r in records if "gap" in r]
                self.assertEqual(gaps[0]["gap"]["reason"], "epoch_changed")
                server.publish(channel, "after")
                self.assertEqual(sub.record()["text"], "after")
                code, _, err = sub.end(signal.SIGTERM)
                self.assertEqual(code, 0)
                self.assertIn("gap in", err)
                self.assertIn("connected again", err)
        finally:
            server.stop()

    # What can go wrong

    def test_exit_codes(self):
        port, keeper = rig.reserve_port()  # nobody listens
        with contextlib.closing(keeper):
            nowhere = f"http://127.0.0.1:{port}"
            code, out, err = self.pub(self.channel(), "x", "--timeout", "300ms", url=nowhere)
            self.assertEqual((code, out), (4, b""))
            self.assertIn("not sent", err)
            code, _, err = run("sub", "--url", nowhere, self.channel(), "--no-reconnect")
            self.assertEqual(code, 4)
            self.assertIn("refused", err.lower())
            code, _, err = run("sub", "--url", nowhere, self.channel(), "--for", "1s")
            self.assertEqual(code, 4)
            self.assertEqual(err.count("sub: cannot connect: "), 1, err)
            self.assertIn("sub: never connected: ", err.splitlines()[-1])
            self.assertNotIn(" 0 ", err)
            code, _, err = run("demo", "feed", "--url", nowhere, "--count", "2")
            self.assertEqual(err.count("demo feed: cannot reach the server: "), 1, err)
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, answers nothing
            code, _, err = self.pub(self.channel(), "x", "--timeout", "300ms",
                                    url=f"http://127.0.0.1:{silent.getsockname()[1]}")
            self.assertEqual(code, 3)
            self.assertIn("unknown", err)
        code, _, err = self.pub(self.channel(), "x", "--key", "a b")
        self.assertEqual((code, err[:26]), (1, "pub: refused: E_PARAMETER "))
        code, _, err = self.pub("a\nb", "x")
        self.assertEqual(code, 1)
        self.assertIn("E_CHANNEL", err)
        code, _, err = run("sub", "--url", self.url, self.channel(), "--since", "nonsense")
        self.assertEqual(code, 1)
        self.assertIn("E_CURSOR", err)
        for wrong in (["--url", "ftp://x"], ["--url", "http://u@x"], ["--token", "a b"]):
            self.assertEqual(self.pub(self.channel(), "x", *wrong)[0], 2, wrong)
            self.assertEqual(run("sub", self.channel(), *wrong)[0], 2, wrong)
        channel = self.channel()
        self.assertEqual(run("sub", "--url", self.url, channel, channel)[0], 2)

    def test_a_token_that_is_needed(self):
        key = "0123456789abcdef0123456789abcdef"
        with tempfile.TemporaryDirectory() as folder:
            key_file = pathlib.Path(folder, "key")
            key_file.write_text(key)
            with rig.Server("--auth-token-keys-file", str(key_file), "--channels-subscribe", "token", "--channels-publish",
                            "token", dev=False) as server:
                url = f"http://127.0.0.1:{server.port}"
                for verb in (["pub", "--url", url, "news", "x"], ["sub", "--url", url, "news"]):
                    code, _, err = run(*verb)
                    self.assertEqual(code, 1, err)
                    self.assertIn("E_AUTH_REQUIRED", err)
                code, token, err = run("gen-token", "--key-file", str(key_file), "--sub", "alice", "--ttl", "1h", "--channel",
                                       "news")
                self.assertEqual((code, err), (0, ""))
                environment = {"WIREBIRD_TOKEN": token.decode().strip()}
                self.assertEqual(run("pub", "--url", url, "news", "x", environment=environment)[0], 0)
                code, out, _ = run("sub", "--url", url, "news", "--since", "-1", "--count", "1", environment=environment)
                self.assertEqual((code, out), (0, b"x\n"))
                for verb in (["pub", "--url", url, "other", "x"], ["sub", "--url", url, "other"],
                             ["sub", "--url", url, "other", "another"]):
                    code, _, err = run(*verb, environment=environment)
                    self.assertEqual(code, 1)
                    self.assertIn("E_FORBIDDEN", err)

    # Other transports

    def test_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/w.sock"
            with rig.Server("--listen", f"unix:{path}"):
                self.assertEqual(self.pub("news", "over a file", url=f"unix:{path}")[0], 0)
                code, out, _ = run("sub", "--url", f"unix:{path}", "news", "--since", "-1", "--count", "1")
                self.assertEqual((code, out), (0, b"over a file\n"))
                self.assertEqual(bench("echo", f"unix:{path}", "--connections", "3")["connections"]["opened"], 3)

    def test_tls_with_a_certificate_that_must_be_right(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = pathlib.Path(folder, "pem"), pathlib.Path(folder, "key")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                            "2", "-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key),
                            "-out", str(certificate)], check=True, capture_output=True)
            environment = {"WIREBIRD_TLS_CERTIFICATE_FILE": str(certificate), "WIREBIRD_TLS_KEY_FILE": str(key)}
            with rig.Server("--listen", "https://127.0.0.1:ADMIN", environment=environment) as server:
                url = f"https://127.0.0.1:{server.admin_port}"
                trust = ["--ca-file", str(certificate)]
                big = "s" * 300_000  # many records
                self.assertEqual(self.pub("news", *trust, stdin=(big + "\nend\n").encode(), url=url)[0], 0)
                code, out, err = run("sub", "--url", url, *trust, "news", "--since", "-2", "--count", "2")
                self.assertEqual((code, out.decode(), err), (0, big + "\nend\n", ""))
                self.assertEqual(run("sub", "--url", url, "--insecure", "news", "--since", "-1", "--count", "1")[1], b"end\n")
                code, _, err = self.pub("news", "x", "--timeout", "300ms", url=url)
                self.assertEqual(code, 4)
                self.assertIn("certificate", err)
                self.assertNotIn("TLS: TLS", err)
                code, _, err = run("sub", "--url", url, "news", "--for", "1s")
                self.assertEqual(code, 4)
                self.assertRegex(err, "sub: cannot connect: .*certificate")
                report = bench("echo", f"wss://127.0.0.1:{server.admin_port}/echo", "--connections", "5", *trust)
                self.assertTrue(report["flawless"], report)
                self.assertEqual(report["times_us"]["tls"]["count"], 5)

    # demo feed

    def test_the_demo_feed_is_the_same_for_the_same_seed(self):
        seen = []
        for prefix in (self.channel(), self.channel()):
            code, _, err = run("demo", "feed", "--url", self.url, "--prefix", prefix + ":", "--seed", "7", "--rate", "10000",
                               "--count", "80")
            self.assertEqual(code, 0, err)
            feeds = {}
            for name, count in (("ticker", 60), ("weather", 10), ("scores", 10)):
                code, out, _ = run("sub", "--url", self.url, f"{prefix}:{name}", "--since", "-100", "--count", str(count))
                self.assertEqual(code, 0)
                feeds[name] = [json.loads(line) for line in out.splitlines()]
            seen.append(feeds)
        self.assertEqual(seen[0], seen[1])
        self.assertGreater(seen[0]["ticker"][0]["price"], 0)

    def test_the_demo_feed_ends_by_a_signal(self):
        prefix = self.channel()
        with self.sub(f"{prefix}ticker", "--json") as sub:
            sub.record()
            with Running(rig.BINARY, "demo", "feed", "--url", self.url, "--prefix", prefix, "--rate", "100") as feed:
                self.assertIn("symbol", sub.record()["data"])
                self.assertEqual(feed.end(signal.SIGINT)[0], 0)

    # bench

    def test_bench_echo(self):
        report = bench("echo", f"ws://127.0.0.1:{self.server.port}/echo", "--connections", "20", "--in-flight", "4")
        self.assertTrue(report["flawless"], report)
        self.assertEqual(report["connections"]["opened"], 20)
        messages = report["messages"]
        self.assertEqual(messages["sent"], messages["received"])
        self.assertGreater(messages["received"], 80)
        times = report["times_us"]
        self.assertEqual(times["total"]["count"], messages["received"])
        self.assertEqual(times["connect"]["count"], 20)
        self.assertLessEqual(times["tcp"]["p50"], times["connect"]["p50"])
        self.assertEqual(sum(second["messages"] for second in report["seconds"]), messages["received"])

    def test_bench_echo_of_large_messages(self):
        report = bench("echo", f"ws://127.0.0.1:{self.server.port}/echo", "--connections", "2", "--bytes", "1000000")
        self.assertTrue(report["flawless"], report)
        self.assertGreater(report["times_us"]["transfer"]["p50"], 0)

    def test_bench_fan_out(self):
        report = bench("fan-out", self.url, "--connections", "30", "--channels", "3", "--rate", "300", "--channel-prefix",
                       self.channel())
        self.assertTrue(report["flawless"], report)
        messages = report["messages"]
        self.assertGreater(messages["sent"], 10)
        self.assertEqual(messages["received"], messages["sent"] * 10)  # each channel has ten subscribers
        self.assertEqual(report["times_us"]["total"]["count"], messages["received"])
        self.assertEqual(report["times_us"]["processing"]["count"], messages["sent"])

    def test_bench_fan_in(self):
        report = bench("fan-in", self.url, "--connections", "30", "--channels", "2", "--rate", "600", "--channel-prefix",
                       self.channel())
        self.assertTrue(report["flawless"], report)
        messages, times = report["messages"], report["times_us"]
        self.assertGreater(messages["sent"], 20)
        self.assertEqual(messages["received"], messages["sent"])  # one copy, to the one subscriber
        self.assertEqual(times["answer"]["count"], messages["sent"])  # they publish by POST
        self.assertEqual(report["connections"]["opened"], 30)

    def test_bench_mixed(self):
        report = bench("mixed", self.url, "--connections", "30", "--channels", "3", "--publishers", "7", "--rate", "300",
                       "--channel-prefix", self.channel())
        self.assertTrue(report["flawless"], report)
        messages = report["messages"]
        self.assertGreater(messages["sent"], 10)
        self.assertEqual(messages["received"], messages["sent"] * 10)  # each channel has ten subscribers
        self.assertEqual(report["times_us"]["processing"]["count"], messages["sent"])
        self.assertEqual(report["settings"]["publishers"], 7)

    def test_bench_reconnect(self):
        report = bench("reconnect", self.url, "--connections", "40", "--connect-rate", "4000", "--channel-prefix", self.channel())
        self.assertTrue(report["flawless"], report)
        storm = report["reconnects"]
        self.assertGreater(storm["rounds"], 1)
        self.assertEqual(storm["complete_rounds"], storm["rounds"])
        self.assertEqual((storm["attempts"], storm["succeeded"]), (40 * storm["rounds"], 40 * storm["rounds"]))
        self.assertEqual(report["connections"]["opened"], 40 + storm["attempts"])
        self.assertGreater(report["times_us"]["all_back"]["p50"], 9_000)  # 40 at 4,000 per second

    def test_bench_reconnect_to_a_server_that_is_gone(self):
        server = rig.Server().start()
        with Running(rig.BINARY, "bench", "reconnect", "--url", f"http://127.0.0.1:{server.port}", "--connections", "5",
                     "--connect-rate", "100", "--duration", "3s", "--progress", "--json") as storm:
            self.assertIn(" open", storm.process.stderr.readline())  # it has begun
            server.stop()
            code, out, _ = storm.end()
        self.assertEqual(code, 4)
        report = json.loads(out)
        self.assertLess(report["reconnects"]["succeeded"], report["reconnects"]["attempts"])
        self.assertGreater(report["connections"]["failed"], 0)

    def test_bench_looks_at_the_server(self):
        pid = self.server.process.pid
        report = bench("fan-out", self.url, "--connections", "20", "--rate", "2000", "--channel-prefix", self.channel(),
                       "--server-pid", str(pid))
        server = report["server"]
        self.assertEqual(server["pids"], [pid])
        memory = server["resident_bytes"]
        self.assertGreaterEqual(memory["peak"], memory["begin"])
        self.assertGreater(memory["start"], 1 << 20)
        cpu = server["cpu_measured"]
        spent = cpu["user_s"] + cpu["system_s"]
        self.assertAlmostEqual(cpu["time_s"], report["messages"]["measured_s"], 2)
        received = report["messages"]["received_per_s"] * cpu["time_s"]
        self.assertAlmostEqual(cpu["us_per_message"], 1e6 * spent / received, delta=0.01 + 0.01 * cpu["us_per_message"])
        gone = subprocess.Popen(["true"])
        gone.wait()
        code, _, err = run("bench", "idle", "--url", self.url, "--server-pid", str(gone.pid))
        self.assertEqual(code, 2)
        self.assertIn(f"no process {gone.pid}", err)

    def test_bench_progress_and_plot(self):
        with tempfile.TemporaryDirectory() as folder:
            plot = pathlib.Path(folder, "plot.svg")
            code, out, err = run("bench", "echo", "--url", self.url, "--connections", "5", "--duration", "1200ms", "--progress",
                                 "--plot", str(plot))
            self.assertEqual(code, 0, out)
            self.assertRegex(err, r"^ +1 s  measuring +5 open +[0-9,]+ messages/s   p99 [0-9.]+ [um]s\n")
            picture = xml.etree.ElementTree.parse(plot).getroot()
            words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
            for word in ("wirebird bench echo", "Latency by percentile", "99.9 %", "Throughput", "Open connections"):
                self.assertIn(word, words)
            self.assertEqual(len(list(picture.iter("{http://www.w3.org/2000/svg}polyline"))), 5)
            code, out, err = run("bench", "echo", "--url", self.url, "--duration", "100ms")
            self.assertEqual((code, err), (0, ""))  # no terminal, no progress
            code, _, err = run("bench", "echo", "--url", self.url, "--plot", f"{folder}/nowhere/plot.svg")
            self.assertEqual(code, 2)
            self.assertIn("cannot write", err)

    def test_bench_of_another_server(self):
        with OtherServer() as other:
            url = f"ws://127.0.0.1:{other.port}"
            words = ["--path", "/talk", "--subscribe-text", '{"do":"join","room":"{channel}"}', "--publish-text",
                     '{"do":"say","room":"{channel}","text":"{payload}"}']
            for mode, copies in (("fan-out", 5), ("fan-in", 1), ("mixed", 5)):
                report = bench(mode, url, "--connections", "10", "--channels", "2", "--rate", "200", *words)
                self.assertTrue(report["flawless"], report)
                messages = report["messages"]
                self.assertGreater(messages["sent"], 5)
                self.assertEqual(messages["received"], messages["sent"] * copies, mode)
                self.assertGreaterEqual(messages["other"], 10 if mode != "fan-in" else 2)  # each subscription was answered
            report = bench("reconnect", url, "--connections", "5", *words)
            self.assertTrue(report["flawless"], report)
            report = bench("echo", url, "--connections", "5", "--path", "/echo", "--binary", "--publish-text",
                           '\\x00{channel}\\r\\n{payload}\\0')
            self.assertTrue(report["flawless"], report)
            self.assertEqual(report["messages"]["other"], 0)

    def test_bench_of_a_server_that_does_not_send_back_to_the_sender(self):
        with OtherServer("quiet") as other:
            report = bench("mixed", f"ws://127.0.0.1:{other.port}", "--connections", "6", "--publishers", "2", "--rate", "200",
                           "--path", "/talk", "--subscribe-text", '{"do":"join","room":"{channel}"}', "--publish-text",
                           '{"do":"say","room":"{channel}","text":"{payload}"}')
            self.assertTrue(report["flawless"], report)
            self.assertEqual(report["messages"]["received"], report["messages"]["sent"] * 5)

    def test_bench_sees_what_another_server_does_wrong(self):
        with OtherServer() as other:
            report = bench("fan-out", f"ws://127.0.0.1:{other.port}", "--connections", "2", "--rate", "500", "--path", "/sloppy",
                           "--subscribe-text", '{"do":"join","room":"{channel}"}', "--publish-text",
                           '{"do":"say","room":"{channel}","text":"{payload}"}', code=4)
            messages = report["messages"]
            self.assertGreater(messages["lost"], 0)
            self.assertGreater(messages["doubled"], 0)
            self.assertGreater(messages["damaged"], 0)

    def test_bench_publishes_where_it_is_told(self):
        channel = self.channel()
        report = bench("fan-out", self.url, "--connections", "4", "--rate", "200", "--channel-prefix", channel, "--post")
        self.assertTrue(report["flawless"], report)
        self.assertEqual(report["times_us"]["answer"]["count"], report["messages"]["sent"])
        # Envelopes instead of bare payloads: the payload is found in them.
        report = bench("fan-out", self.url, "--connections", "4", "--rate", "200", "--channel-prefix", channel, "--path",
                       "/ws/{channel}?meta=1", "--publish-path", "/pub/{channel}", "--post")
        self.assertTrue(report["flawless"], report)
        self.assertEqual(report["messages"]["received"], 4 * report["messages"]["sent"])
        report = bench("fan-in", self.url, "--connections", "4", "--publish-path", "/nothing/{channel}", "--post", code=4)
        self.assertIn("E_NOT_FOUND", " ".join(report["connections"]["reasons"]))

    def test_bench_refuses_what_makes_no_sense(self):
        for flags in (["echo", "--bytes", "31"], ["fan-in", "--channels", "0"], ["mixed", "--publishers", "101"],
                      ["mixed", "--connections", "50000", "--publishers", "50000"], ["mixed", "--post"], ["echo", "--path", "x"],
                      ["fan-out", "--publish-text", "always the same"], ["echo", "--binary", "--hello-text", "\\q"]):
            code, out, err = run("bench", *flags, "--url", self.url)
            self.assertEqual((code, out), (2, b""), flags)
            self.assertTrue(err.startswith("bench: --"), err)

    def test_bench_idle_and_connect(self):
        for mode in ("idle", "connect"):
            report = bench(mode, self.url, "--connections", "50", "--channel-prefix", self.channel())
            self.assertTrue(report["flawless"], report)
            self.assertEqual(report["connections"]["opened"], 50)
            self.assertNotIn("messages", report)

    def test_bench_tells_failures(self):
        port, keeper = rig.reserve_port()
        with contextlib.closing(keeper):
            report = bench("echo", f"ws://127.0.0.1:{port}/echo", "--connections", "5", code=4)
        self.assertFalse(report["flawless"])
        self.assertEqual(report["connections"]["failed"], 5)
        report = bench("echo", f"ws://127.0.0.1:{self.server.port}/nothing-here", "--connections", "5", code=4)
        self.assertEqual(report["connections"]["failed"], 5)
        self.assertIn("E_NOT_FOUND", " ".join(report["connections"]["reasons"]))

    # examples

    def test_the_examples(self):
        channel = self.channel()
        done = subprocess.run([EXAMPLES / "example_publish", self.url, channel, "one", "two"], capture_output=True, text=True,
                              timeout=DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        epoch = done.stdout.split(":")[0]
        self.assertEqual(done.stdout, f"{epoch}:1\n{epoch}:2\n")
        with tempfile.TemporaryDirectory() as folder:
            cursor = pathlib.Path(folder, "cursor")
            cursor.write_text(f"{epoch}:0\n")
            with Running(str(EXAMPLES / "example_watch"), self.url, channel, str(cursor)) as watch:
                self.assertEqual([watch.line(), watch.line()], ["one", "two"])
                self.server.publish(channel, "three")
                self.assertEqual(watch.line(), "three")
                # The cursor is written after the message is handed out.
                self.server.until(lambda: cursor.read_text() == f"{epoch}:3\n", "the cursor was not written")
                watch.process.kill()
            self.server.publish(channel, "four")
            with Running(str(EXAMPLES / "example_watch"), self.url, channel, str(cursor)) as watch:
                self.assertEqual(watch.line(), "four")


def bench(mode, url, *arguments, code=0):
    got, out, err = run("bench", mode, "--url", url, "--duration", "200ms", "--json", *arguments)
    assert got == code, (got, out, err)
    return json.loads(out)


if __name__ == "__main__":
    rig.main()
