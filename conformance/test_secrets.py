"""Credentials in every place where one may travel: nothing of them is found where others look (threat T31), and who tries
wrong ones learns nothing from the answers (threat T37).
"""
import json
import secrets
import urllib.parse

import centrifuge_wire
import rig
import wire
from backend import Backend
from tokens import KEY, claims, token

API_KEY = "canary-api-key-" + secrets.token_hex(16)
HOOK_SECRET = "canary-hook-" + secrets.token_hex(16)
URL_SECRET = "canary-url-" + secrets.token_hex(16)
CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
log_level = "debug"
[auth]
token_keys = ["{KEY}"]
api_keys = ["{API_KEY}"]
token_in_query = true
[api]
key_in_query = true
[hooks]
rpc_hook = "main"
[hooks.main]
url = "BACKEND/?key={URL_SECRET}"
timeout = "5s"
headers = ["X-Secret: {HOOK_SECRET}"]
[namespaces.tok]
subscribe = "token"
publish = "token"
presence = true
"""


def signature(value):
    return value.rsplit(".", 1)[-1]


class SecretsTest(rig.ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.backend = Backend(lambda _: (500, {})).__enter__()
        cls.addClassCleanup(cls.backend.__exit__)
        cls.options = {"dev": False, "config": CONFIG.replace("BACKEND", cls.backend.url)}
        super().setUpClass()

    def admin(self, method, target, body=None, headers=()):
        with wire.Connection(self.server.admin_address) as connection:
            return connection.request(method, target, body, dict(headers))

    def api(self, method, body, headers=(("X-API-Key", API_KEY),)):
        return self.admin("POST", f"/api/{method}", json.dumps(body), headers)


class T31SecretsStayHidden(SecretsTest):
    def setUp(self):
        self.hidden = {KEY, API_KEY, HOOK_SECRET, URL_SECRET}
        self.said = []  # what the server said to anybody

    def good(self, **more):
        value = token(claims(jti=secrets.token_hex(8), **more))
        self.hidden.add(signature(value))
        return value

    def bad(self):
        value = token(claims(), key=secrets.token_hex(16))
        self.hidden.add(signature(value))
        return value

    def ask(self, *arguments):
        answer = self.server.http(*arguments)
        self.said.append(f"{answer.headers} {answer.body}")
        return answer

    def raw_doors(self):
        for value in (self.good(), self.bad()):
            bearer = {"Authorization": f"Bearer {value}"}
            self.ask("POST", "/pub/tok:a", "x", bearer)
            for target in (f"/poll/tok:a?token={value}", f"/poll/tok:a?ticket={value}", f"/nowhere?token={value}&ticket={value}"):
                self.ask("GET", target)
            self.ask("GET", "/poll/tok:a", None, {"X-API-Key": value})
            for headers, query in ((bearer, ""), ({"Sec-WebSocket-Protocol": f"wirebird.bearer.{value}"}, ""), ({}, f"?token={value}")):
                try:
                    with self.server.ws(f"/ws/tok:a{query}", headers) as socket:
                        socket.send_text("x")
                        self.said.append(str(socket.response.headers))
                except wire.Refused as refused:
                    self.said.append(f"{refused.response.headers} {refused.response.body}")
            answer = self.ask("POST", "/api/ticket", "", bearer)
            if answer.status == 200:
                ticket = answer.json["ticket"]
                self.said.pop()  # the one place where it belongs
                self.hidden.add(ticket)
                for _ in range(2):  # it is good once
                    self.ask("GET", f"/poll/tok:a?ticket={ticket}")

    def centrifuge_doors(self):
        client = centrifuge_wire.Socket(self.server)
        self.said.append(json.dumps(client.ask(connect={"token": self.good()})))
        for request in ({"subscribe": {"channel": "tok:a", "token": self.good(channel="tok:a")}},
                        {"subscribe": {"channel": "tok:b", "token": self.bad()}},
                        {"sub_refresh": {"channel": "tok:a", "token": self.good(channel="tok:a")}},
                        {"refresh": {"token": self.good()}},
                        {"rpc": {"method": "x", "data": {}}}):  # its hook fails
            self.said.append(json.dumps(client.call(**request)))
        client.send(client.numbered({"refresh": {"token": self.bad()}}))
        self.said.append(str(client.closed()))
        for value in (self.good(), self.bad()):
            connect = urllib.parse.quote(json.dumps({"token": value}))
            try:
                with self.server.events(f"/connection/uni_sse?cf_connect={connect}") as events:
                    self.said.append(str(events.next()))
            except wire.Refused as refused:
                self.said.append(str(refused.response.body))

    def operators(self):
        wrong = API_KEY[:-1] + "x"
        for key in (API_KEY, wrong):
            for target, headers in (("/api/info", {"X-API-Key": key}), ("/api/info", {"Authorization": f"apikey {key}"}),
                                    (f"/api/info?api_key={key}", {})):
                answer = self.admin("POST", target, "{}", headers)
                self.said.append(f"{answer.headers} {answer.body}")
        self.hidden.add(wrong)
        for method, body in (("connections", {}), ("channels", {}), ("presence", {"channel": "tok:a"})):
            self.said.append(str(self.api(method, body).body))
        for target in ("/metrics", "/health", "/ready", "/version", "/"):
            self.said.append(str(self.admin("GET", target).body))

    def test_in_every_place_where_one_may_travel(self):
        with self.server.ws("/ws/tok:a", {"Authorization": f"Bearer {self.good()}"}):  # somebody to list
            self.raw_doors()
            self.centrifuge_doors()
            self.operators()
        self.server.until(lambda: "hook_failed" in self.server.log(), "the hook has not failed")
        log = self.server.log()
        self.assertIn("refused", log, "nothing is hidden from a log that is not written")
        self.assertGreater(len(self.hidden), 15)
        for secret in self.hidden:
            self.assertNotIn(secret, log)
            self.assertFalse([text for text in self.said if secret in text])


class T37NothingToLearnByTrying(SecretsTest):
    """There are no passwords: tokens are signed with keys of 32 bytes and more, API keys and tickets are random. So guesses are
    not counted; what matters is that an answer to a wrong one does not say what would have been right."""

    def answers(self, requests):
        """All the same; then that one."""
        got = {(answer.status, answer.body) for answer in requests}
        self.assertEqual(len(got), 1, got)
        return got.pop()

    def test_who_exists_is_told_to_nobody(self):
        """Of a known, an unknown and a blocked user alike: a token that is signed wrongly is that and nothing else."""
        known = {"Authorization": f"Bearer {token(claims(subject='known'))}"}
        with self.server.ws("/ws/tok:a", known):
            self.assertEqual(self.api("block_user", {"user": "blocked"}).status, 200)
            forged = [token(claims(subject=user), key="another-key-0123456789abcdef0123456789") for user in ("known", "blocked", "nobody")]
            for target in ("/poll/tok:a", "/poll/tok:not-there"):
                status, _ = self.answers(self.server.http("GET", target, None, {"Authorization": f"Bearer {value}"}) for value in forged)
                self.assertEqual(status, 401)
            ends = set()
            for value in forged:
                client = centrifuge_wire.Socket(self.server)
                client.send(client.numbered({"connect": {"token": value}}))
                ends.add(client.closed())
            self.assertEqual([code for code, _ in ends], [3500], ends)

    def test_expired_tokens_that_were_never_ours(self):
        """What a token claims is not looked at before its signature."""
        values = [token(claims(seconds), key="another-key-0123456789abcdef0123456789") for seconds in (-3600, 3600)]
        self.answers(self.server.http("POST", "/pub/tok:a", "x", {"Authorization": f"Bearer {value}"}) for value in values)

    def test_keys_and_tickets(self):
        """Nearly right and not right at all are the same."""
        wrong = ("x", API_KEY[:-1], API_KEY[:-1] + "~", API_KEY + "x", secrets.token_hex(32))
        status, _ = self.answers(self.api("info", {}, {"X-API-Key": key}) for key in wrong)
        self.assertEqual(status, 401)
        answer = self.server.http("POST", "/api/ticket", "", {"Authorization": f"Bearer {token(claims())}"})
        ticket = answer.json["ticket"]
        self.assertEqual(self.server.http("GET", f"/poll/tok:a?ticket={ticket}").status, 200)
        wrong = (ticket, ticket[:-1] + ("A" if ticket[-1] != "A" else "B"), secrets.token_hex(len(ticket) // 2))
        status, _ = self.answers(self.server.http("GET", f"/poll/tok:a?ticket={value}") for value in wrong)
        self.assertEqual(status, 401)

    def test_guessing_harms_nobody_else(self):
        """Guessing costs the one who guesses: others are served meanwhile, and the log does not grow with it."""
        guesses = 2000
        before = len(self.server.log())
        with self.server.connect() as connection:
            for _ in range(guesses):
                head = f"GET /poll/tok:a HTTP/1.1\r\nHost: {connection.host}\r\nAuthorization: Bearer {secrets.token_hex(20)}\r\n\r\n"
                connection.send(head.encode())
                self.assertEqual(connection.read_response().status, 401)
        good = {"Authorization": f"Bearer {token(claims())}"}
        self.assertEqual(self.server.http("POST", "/pub/tok:a", "x", good).status, 200)
        self.assertLess(len(self.server.log()) - before, guesses * 10)


if __name__ == "__main__":
    rig.main()
