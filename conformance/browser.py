"""A page in headless Chromium, steered over the DevTools protocol with our own WebSocket client."""
import contextlib
import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading

import rig
import wire

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextlib.contextmanager
def site(handler):
    """Pages on a port of their own, which is another origin than the server's: gives its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Page:
    """`with Page(url) as page: page.evaluate("document.title")`"""

    def __init__(self, url, language="en", width=1280, height=900):
        self.url, self.language, self.size = url, language, (width, height)

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="wirebird-chromium-", ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [BINARY, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--lang={self.language}",
             f"--accept-lang={self.language}", f"--window-size={self.size[0]},{self.size[1]}", f"--user-data-dir={self.profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        watch = rig.Deadline()
        port_file = pathlib.Path(self.profile.name) / "DevToolsActivePort"
        while not (port_file.exists() and len(port_file.read_text().splitlines()) == 2):
            assert self.process.poll() is None, "Chromium ended"
            watch.check("Chromium did not start")
            self.process.poll()
        port = int(port_file.read_text().splitlines()[0])
        with wire.Connection(("127.0.0.1", port)) as connection:
            targets = connection.request("GET", "/json/list").json
        path = next(t for t in targets if t["type"] == "page")["webSocketDebuggerUrl"].split(str(port), 1)[1]
        self.socket = wire.WebSocket(("127.0.0.1", port), path)
        self.number = 0
        self.console = []
        self.call("Runtime.enable")
        self.call("Page.enable")
        self.call("Page.navigate", url=self.url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.terminate()
        self.process.wait(wire.DEADLINE_S)
        self.profile.cleanup()

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send_text(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = self.socket.recv_json()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            if answer.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                self.console.append(answer["params"])

    def evaluate(self, expression):
        """The value of a JavaScript expression; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, condition):
        """Waits in the page until an expression is true; returns its value."""
        return self.evaluate(f"""new Promise((resolve, reject) => {{
          const end = Date.now() + {wire.DEADLINE_S * 1000};
          const look = () => {{
            const value = {condition};
            if (value) resolve(value);
            else if (Date.now() > end) reject(new Error('never true: ' + {json.dumps(condition)}));
            else requestAnimationFrame(look);
          }};
          look();
        }})""")
