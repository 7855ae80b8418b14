"""Real clients: the examples, npm ws, Debian's python3-websockets and python3-websocket, curl, and a browser."""
import asyncio
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import unittest

import rig
import wire

EXAMPLES = rig.HERE.parent / "examples"
NODE = shutil.which("node")
NODE_MODULES = rig.HERE / "node_modules"
CURL = shutil.which("curl")

needs_node = unittest.skipUnless(NODE and (NODE_MODULES / "ws").is_dir(), "needs Node.js and the packages of conformance/package-lock.json")


class ClientTest(rig.ServerTest):
    def ws_url(self, target):
        return f"ws://127.0.0.1:{self.server.port}{target}"

    def url(self, target):
        return f"http://127.0.0.1:{self.server.port}{target}"

    def run_program(self, *command):
        environment = {**os.environ, "NODE_PATH": str(NODE_MODULES), "PYTHONUNBUFFERED": "1"}
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=wire.DEADLINE_S, env=environment)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def watching(self, channel, *command):
        """Runs a program that prints three messages and ends; publishes one before and two after it has subscribed."""
        self.server.publish(channel, "first")
        environment = {**os.environ, "NODE_PATH": str(NODE_MODULES), "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, env=environment) as process:
            lines = [process.stdout.readline()]
            self.server.publish(channel, "second")
            self.server.publish(channel, '{"n": 3}', "application/json")
            lines += process.stdout.readlines()
            self.assertEqual(process.wait(wire.DEADLINE_S), 0)
        return "".join(lines)


class Examples(ClientTest):
    def test_python_websockets(self):
        self.assertEqual(self.run_program(sys.executable, EXAMPLES / "python/echo_websockets.py", self.ws_url("/echo")), "received: Hello, World!\n")
        out = self.watching("py-websockets", sys.executable, EXAMPLES / "python/feed_websockets.py", self.ws_url("/ws/py-websockets"), 3)
        self.assertEqual(out, "1: first\n2: second\n3: {'n': 3}\n")

    def test_python_websocket_client(self):
        self.assertEqual(self.run_program(sys.executable, EXAMPLES / "python/echo_websocket_client.py", self.ws_url("/echo")),
                         "received: Hello, World!\n")
        out = self.watching("py-client", sys.executable, EXAMPLES / "python/feed_websocket_client.py", self.ws_url("/ws/py-client"), 3)
        self.assertEqual(out.splitlines()[:2], ["first", "second"])
        self.assertEqual(json.loads(out.splitlines()[2]), {"n": 3})

    @needs_node
    def test_node(self):
        self.assertEqual(self.run_program(NODE, EXAMPLES / "node/echo.js", self.ws_url("/echo")), "received: Hello, World!\nclosed: 1005\n")
        out = self.watching("node", NODE, EXAMPLES / "node/feed.js", self.ws_url("/ws/node"), 3)
        self.assertEqual(out, '1: first\n2: second\n3: {"n":3}\n')


FEEDS = ["python/feed_websockets.py", "python/feed_websocket_client.py"]
ECHOES = ["python/echo_websockets.py", "python/echo_websocket_client.py"]


class RefusedExamples(ClientTest):
    """A server that refuses: the examples say so and end, without a traceback."""

    options = {"dev": False}

    def ends(self, status, *command):
        run = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=wire.DEADLINE_S,
                             env={**os.environ, "NODE_PATH": str(NODE_MODULES)})
        self.assertEqual(run.stdout, "")
        self.assertIn(status, run.stderr)
        self.assertNotIn("Traceback", run.stderr)
        return run.returncode

    def test_python(self):
        for program in FEEDS + ECHOES:
            with self.subTest(program):
                target, status = ("/ws/news", "403") if program in FEEDS else ("/nowhere", "404")
                self.assertEqual(self.ends(status, sys.executable, EXAMPLES / program, self.ws_url(target)), 1)

    @needs_node
    def test_node(self):
        self.assertEqual(self.ends("403", NODE, EXAMPLES / "node/feed.js", self.ws_url("/ws/news")), 1)


class EndedExamples(ClientTest):
    def test_ctrl_c(self):
        for program in FEEDS:
            with self.subTest(program):
                channel = self.channel()
                self.server.publish(channel, "first")
                with subprocess.Popen([sys.executable, "-u", str(EXAMPLES / program), self.ws_url(f"/ws/{channel}")], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) as process:
                    line = process.stdout.readline()
                    process.send_signal(signal.SIGINT)
                    _, errors = process.communicate(timeout=wire.DEADLINE_S)
                    self.assertIn("first", line)
                    self.assertEqual(process.returncode, 0, errors)
                    self.assertNotIn("Traceback", errors)


class DrainedExamples(unittest.TestCase):
    """A server that restarts names a window: the examples come back within it. Chance is replaced by its middle, and what would
    wait says for how long."""

    WAITS_MS = (100 + 600_000) / 2  # server.drain_window is 10 min, and begins after 100 ms

    def waits(self, *command):
        with rig.Server("--drain-window=10m") as server:
            server.publish("news", "first")
            with subprocess.Popen([*command, f"ws://127.0.0.1:{server.port}/ws/news"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True, env={**os.environ, "NODE_PATH": str(NODE_MODULES)}) as process:
                lines = [process.stdout.readline()]
                server.signal(signal.SIGTERM)
                lines.append(process.stdout.readline())
                process.kill()
        self.assertEqual(lines[0], "1: first\n")
        return float(lines[1])

    def test_python_websockets(self):
        program = ("import random, runpy, sys\n"
                   "random.uniform = lambda least, most: print((least + most) / 2 * 1000) or 1e6\n"
                   "del sys.argv[0]\n"
                   "runpy.run_path(sys.argv[0])\n")
        self.assertEqual(self.waits(sys.executable, "-u", "-c", program, str(EXAMPLES / "python/feed_websockets.py")), self.WAITS_MS)

    @needs_node
    def test_node(self):
        program = ("const real = setTimeout; Math.random = () => 0.5;"
                   "globalThis.setTimeout = (f, ms) => f.name === 'watch' ? console.log(ms) : real(f, ms);"
                   "setInterval(() => {}, 1e6); require(process.argv[1]);")
        self.assertEqual(self.waits(NODE, "-e", program, str(EXAMPLES / "node/feed.js")), self.WAITS_MS)


class Libraries(ClientTest):
    """Compression, pings, subprotocols and large messages as each library does them."""

    def test_python_websockets(self):
        import websockets

        async def talk():
            for compression in ("deflate", None):
                async with websockets.connect(self.ws_url("/echo"), compression=compression, subprotocols=["wirebird"], max_size=None) as socket:
                    self.assertEqual(socket.subprotocol, "wirebird")
                    for message in ("", "text", "κόσμε" * 1000, b"", os.urandom(300_000), "z" * 1_000_000):
                        await socket.send(message)
                        self.assertEqual(await socket.recv(), message)
                    await socket.send(["in ", "several ", "fragments"])
                    self.assertEqual(await socket.recv(), "in several fragments")
                    await (await socket.ping(b"payload"))
                self.assertEqual(socket.close_code, 1000)

        asyncio.run(talk())

    def test_python_websocket_client(self):
        import websocket
        socket = websocket.create_connection(self.ws_url("/echo"), timeout=wire.DEADLINE_S)
        for message in ("text", "κόσμε" * 1000, "z" * 1_000_000):
            socket.send(message)
            self.assertEqual(socket.recv(), message)
        socket.send_binary(b"\0\1\2")
        self.assertEqual(socket.recv(), b"\0\1\2")
        socket.ping("p")
        self.assertEqual(socket.recv_frame().opcode, websocket.ABNF.OPCODE_PONG)
        socket.close()

    @needs_node
    def test_npm_ws(self):
        program = """
          const WebSocket = require('ws'); const crypto = require('crypto');
          const messages = ['', 'text', 'κόσμε'.repeat(1000), crypto.randomBytes(300000), 'z'.repeat(1000000)];
          const run = (options) => new Promise((resolve, reject) => {
            const socket = new WebSocket(process.argv[1], options); let at = 0;
            socket.on('open', () => socket.send(messages[0]));
            socket.on('message', (data, binary) => {
              const want = messages[at++];
              const same = typeof want === 'string' ? !binary && data.toString() === want : binary && data.equals(want);
              if (!same) reject(new Error('message ' + (at - 1)));
              else if (at < messages.length) socket.send(messages[at]);
              else socket.ping('p');
            });
            socket.on('pong', () => socket.close(1000));
            socket.on('close', (code) => code === 1000 ? resolve(socket.extensions) : reject(new Error('code ' + code)));
            socket.on('error', reject);
          });
          (async () => {
            console.log(await run({perMessageDeflate: false}));
            console.log(await run({perMessageDeflate: true}));
            console.log(await run({perMessageDeflate: {threshold: 0, clientNoContextTakeover: true, serverMaxWindowBits: 10}}));
          })().catch((error) => { console.error(error); process.exit(1); });
        """
        lines = self.run_program(NODE, "-e", program, self.ws_url("/echo")).splitlines()
        self.assertEqual(lines, ["", "permessage-deflate", "permessage-deflate"])


class Curl(ClientTest):
    def test_publish_and_poll(self):
        out = self.run_program(CURL, "-sS", "-d", "hello", self.url("/pub/curl"))
        self.assertEqual(json.loads(out)["offset"], 1)
        out = json.loads(self.run_program(CURL, "-sS", self.url("/poll/curl?since=-10")))
        self.assertEqual([record["text"] for record in out["messages"]], ["hello"])
        out = self.run_program(CURL, "-sS", "-H", "Content-Type: application/json", "-d", '{"any":"json"}', self.url("/pub/curl"))
        self.assertEqual(json.loads(out)["offset"], 2)

    def test_an_event_stream(self):
        self.server.publish("curl-sse", "old")
        with subprocess.Popen([CURL, "-sSN", self.url("/sse/curl-sse?since=-10&meta=0")], stdout=subprocess.PIPE, text=True) as process:
            lines = []
            while "data: old\n" not in lines:
                lines.append(process.stdout.readline())
            self.server.publish("curl-sse", "new")
            while "data: new\n" not in lines:
                lines.append(process.stdout.readline())
            process.terminate()

    def test_a_large_upload_with_expect(self):
        body = "u" * 500_000
        out = subprocess.run([CURL, "-sS", "-H", "Expect: 100-continue", "-H", "Content-Type: text/plain", "--data-binary", "@-", self.url("/pub/curl-big")],
                             input=body, capture_output=True, text=True, timeout=wire.DEADLINE_S)
        self.assertEqual(json.loads(out.stdout)["offset"], 1)


class Files(http.server.SimpleHTTPRequestHandler):
    """examples/browser, and the page of README.md as /readme.html."""

    readme = ""

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=str(EXAMPLES / "browser"))

    def do_GET(self):
        if self.path != "/readme.html":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.readme.encode())

    def log_message(self, *_):
        pass


class Browser(ClientTest):
    arguments = ("--auth-allowed-origins=*",)

    @classmethod
    def setUpClass(cls):
        import browser
        cls.browser = browser
        if not browser.BINARY:
            raise unittest.SkipTest("needs Chromium")
        super().setUpClass()

    def test_the_example_page(self):
        channel = self.channel()
        with self.browser.site(Files) as url, self.server.ws(f"/ws/{channel}") as socket, \
                self.browser.Page(f"{url}/index.html?url={self.ws_url('/ws/' + channel)}%3Fkind=json") as page:
            self.assertEqual(json.loads(socket.recv()), {"from": "a page", "text": "Hello, World!"})
            self.assertEqual(page.until("document.querySelector('li')?.textContent"), "a page: Hello, World!")
            self.assertEqual(page.evaluate("document.getElementById('state').textContent"), "open")
            self.server.publish(channel, '{"from":"curl","text":"hi"}', "application/json")
            self.assertEqual(page.until("document.querySelectorAll('li')[1]?.textContent"), "curl: hi")
            page.evaluate("document.getElementById('text').value = 'typed'; document.querySelector('button').click()")
            self.assertEqual(json.loads(socket.recv())["from"], "curl")
            self.assertEqual(json.loads(socket.recv())["text"], "typed")
            page.evaluate("socket.close(3001, 'enough')")
            self.assertEqual(page.until("document.getElementById('state').textContent.startsWith('closed') && "
                                        "document.getElementById('state').textContent.split(' ')[1]"), "3001")

    @staticmethod
    def page_of_the_readme():
        return (rig.HERE.parent / "README.md").read_text(encoding="utf-8").split("```html\n", 1)[1].split("```", 1)[0]

    def test_the_page_of_the_readme_misses_nothing(self):
        page_text = self.page_of_the_readme()
        for i in range(12):
            self.server.publish("news", f"old {i}")
        items = "[...document.querySelectorAll('li')].map((item) => item.textContent).join()"
        with rig.Proxy(self.server) as proxy, self.browser.site(Files) as url:
            Files.readme = page_text.replace("127.0.0.1:8000", f"127.0.0.1:{proxy.address[1]}")
            with self.browser.Page(f"{url}/readme.html") as page:
                page.until("document.querySelectorAll('li').length === 10")
                self.assertEqual(page.evaluate(items), ",".join(f"old {i}" for i in range(2, 12)))
                for round in range(3):
                    self.assertEqual(proxy.cut(), 1)
                    self.server.publish("news", f'{{"round": {round}}}', "application/json")
                    self.server.publish("news", bytes([0, round]), "application/octet-stream")
                    page.until(f"document.querySelectorAll('li').length === {12 + 2 * round}")
                self.assertTrue(page.evaluate(items).endswith('old 11,{"round":0},binary: AAA=,{"round":1},binary: AAE=,{"round":2},binary: AAI='))

    def test_the_example_page_says_that_it_must_be_served(self):
        with self.browser.Page((EXAMPLES / "browser/index.html").as_uri()) as page:
            self.assertIn("python3 -m http.server 8080 --directory examples/browser", page.evaluate("document.getElementById('state').textContent"))

    def test_the_page_of_the_readme_comes_back_within_the_window_of_a_restarting_server(self):
        Files.readme = self.page_of_the_readme()
        with self.browser.site(Files) as url, rig.Server("--drain-window=10m", "--auth-allowed-origins=*") as server:
            server.publish("news", "first")
            Files.readme = Files.readme.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
            with self.browser.Page(f"{url}/readme.html") as page:
                page.until("document.querySelectorAll('li').length === 1")
                page.evaluate("Math.random = () => 0.5; window.setTimeout = (f, ms) => { window.waits = ms; }; 0")
                server.signal(signal.SIGTERM)
                self.assertEqual(page.until("window.waits"), DrainedExamples.WAITS_MS)

    def test_event_source_resumes_by_itself(self):
        channel = self.channel()
        self.server.publish(channel, "one")
        with self.browser.site(Files) as url, self.browser.Page(f"{url}/index.html") as page:
            page.evaluate(f"""window.seen = []; window.source = new EventSource("{self.url('/sse/' + channel)}?since=-10&meta=0");
                source.onmessage = (event) => seen.push(event.data + '@' + event.lastEventId.split(':')[1]);""")
            page.until("seen.length === 1")
            self.server.publish(channel, "two")
            page.until("seen.length === 2")
            self.assertEqual(page.evaluate("seen.join()"), "one@1,two@2")
            page.evaluate("source.close()")


if __name__ == "__main__":
    rig.main()
