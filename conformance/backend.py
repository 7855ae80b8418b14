"""An operator's back end: an HTTP server of the test's own that keeps what it is asked and answers as the test says."""
import http.server
import json
import queue
import threading


class Question:
    def __init__(self, handler, body):
        self.method = handler.command
        self.path = handler.path
        self.headers = handler.headers
        self.body = body
        self.hook = handler.headers.get("Wirebird-Hook")

    @property
    def json(self):
        return json.loads(self.body)


class Backend:
    """`with Backend() as backend:` listens on a free port of 127.0.0.1. `answer(question)` gives (status, body or value), or None
    to end the connection without a word."""

    def __init__(self, answer=lambda question: (200, {})):
        self.answer = answer
        self.questions = queue.Queue()
        self.connections = 0
        backend = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                backend.connections += 1

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                question = Question(self, body)
                backend.questions.put(question)
                answered = backend.answer(question)
                if answered is None:
                    self.close_connection = True
                    return
                status, value = answered[:2]
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                for name, text in (answered[2] if len(answered) > 2 else {}).items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = respond

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def next(self, hook=None):
        """The next question, or the next of that kind."""
        while True:
            question = self.questions.get(timeout=30)
            if hook is None or question.hook == hook:
                return question

    def forget(self):
        while not self.questions.empty():
            self.questions.get()
