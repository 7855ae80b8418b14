"""What the server asks and tells back ends: hooks, keys of issuers, events (docs/hooks.md), with a back end of the test's own."""
import hashlib
import hmac
import json
import signal
import subprocess
import tempfile
import time

import authz_doors
import rig
import wire
from backend import Backend
from tokens import KEY, claims, encode, token

EVENT_KEY = "an-event-key-0123456789abcdef-012345"

CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
[auth]
token_keys = ["{KEY}"]
[hooks]
connect_hook = "main"
rpc_hook = "main"
[hooks.main]
url = "BACKEND/hooks?key=very-secret"
timeout = "5s"
headers = ["Authorization: Bearer very-secret"]
forward_headers = ["Cookie", "X-Request-Id"]
include_meta = true
status_rules = ["403 error 1403 not allowed", "401 disconnect 4501 unauthorized"]
[namespaces.asked]
subscribe_hook = "main"
publish_hook = "main"
history_messages_max = 10
channel_pattern = "[a-z0-9-]+*"
user_limited_channels = true
"""


class Client(wire.WebSocket):
    """A connection of the Centrifuge protocol, command by command."""

    def __init__(self, address, headers=()):
        super().__init__(address, "/connection/websocket", headers)
        self.number = 0
        self.pushes = []

    def ask(self, **command):
        self.number += 1
        self.send_text(json.dumps({"id": self.number, **command}))
        while True:
            for line in self.recv().splitlines():
                reply = json.loads(line)
                if reply == {}:
                    self.send_text("{}")
                elif reply.get("id") == self.number:
                    return reply
                else:
                    self.pushes.append(reply)


class HooksTest(rig.ServerTest):
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        cls.backend = Backend().__enter__()
        cls.addClassCleanup(cls.backend.__exit__)
        cls.options = {"dev": False, "config": cls.config.replace("BACKEND", cls.backend.url)}
        super().setUpClass()

    def setUp(self):
        self.backend.forget()
        self.backend.answer = lambda question: (200, {"result": {"user": "56"} if question.hook == "connect" else {}})

    def client(self, headers=(), **connect):
        client = Client(self.server.address, headers)
        client.welcome = client.ask(connect=connect)
        return client


class Hooks(HooksTest):
    def test_connect(self):
        self.backend.answer = lambda _: (200, {"result": {"user": "56", "data": {"hello": 1}, "meta": {"plan": "gold"},
                                                          "info": {"name": "A"}}})
        headers = {"Cookie": "session=1", "X-Request-Id": "r7", "X-Other": "no"}
        client = self.client(headers, data={"from": "client"}, name="js", version="1.2")
        question = self.backend.next("connect")
        self.assertEqual(question.method, "POST")
        self.assertEqual(question.path, "/hooks?key=very-secret")
        self.assertEqual(question.headers["Content-Type"], "application/json")
        self.assertEqual(question.headers["Authorization"], "Bearer very-secret")
        self.assertEqual((question.headers["Cookie"], question.headers["X-Request-Id"]), ("session=1", "r7"))
        self.assertIsNone(question.headers["X-Other"])
        asked = question.json
        self.assertEqual(asked, {"client": client.welcome["connect"]["client"], "transport": "websocket", "protocol": "json",
                                 "encoding": "json", "data": {"from": "client"}, "name": "js", "version": "1.2"})
        self.assertEqual(client.welcome["connect"]["data"], {"hello": 1})
        client.ask(rpc={"method": "who", "data": {}})
        asked = self.backend.next("rpc").json
        self.assertEqual((asked["user"], asked["meta"], asked["method"]), ("56", {"plan": "gold"}, "who"))

    def test_a_token_is_not_asked_about(self):
        client = self.client(token=token(claims()))
        self.assertIn("connect", client.welcome)
        self.assertTrue(self.backend.questions.empty())

    def test_refused_connections(self):
        self.backend.answer = lambda _: (200, {"error": {"code": 1000, "message": "not today", "temporary": True}})
        self.assertEqual(self.client().welcome["error"], {"code": 1000, "message": "not today", "temporary": True})
        for answer, code, reason in (((200, {"disconnect": {"code": 4500, "reason": "go away"}}), 4500, "go away"),
                                     ((401, {}), 4501, "unauthorized")):
            self.backend.answer = lambda _, answer=answer: answer
            client = Client(self.server.address)
            client.send_text(json.dumps({"id": 1, "connect": {}}))
            self.assertEqual(client.expect_close(), (code, reason))

    # Nobody gets in because a back end is broken; who comes again later may.
    def test_no_decision(self):
        for answer in ((200, b"<html>"), (200, {"error": {"code": 5}}), (500, {}), (302, {}, {"Location": self.backend.url}), None):
            self.backend.answer = lambda _, answer=answer: answer
            client = Client(self.server.address)
            client.send_text(json.dumps({"id": 1, "connect": {}}))
            self.assertEqual(client.expect_close()[0], 3004, answer)
            self.backend.answer = lambda question: (200, {"result": {"user": "56"} if question.hook == "connect" else {}})
            self.assertIn("connect", self.client().welcome)

    def test_subscribe(self):
        client = self.client()
        self.backend.answer = lambda _: (200, {"result": {"data": {"topic": "x"}}})
        reply = client.ask(subscribe={"channel": "asked:a", "data": {"want": 1}})
        self.assertEqual(reply["subscribe"]["data"], {"topic": "x"})
        asked = self.backend.next("subscribe").json
        self.assertEqual((asked["channel"], asked["user"], asked["data"]), ("asked:a", "56", {"want": 1}))
        self.backend.answer = lambda _: (403, b"")
        self.assertEqual(client.ask(subscribe={"channel": "asked:b"})["error"], {"code": 1403, "message": "not allowed"})
        self.backend.answer = lambda _: (200, b"[]")
        self.assertEqual(client.ask(subscribe={"channel": "asked:c"})["error"]["code"], 100)
        self.assertTrue(client.ask(subscribe={"channel": "asked:c"})["error"]["temporary"])

    def test_what_no_hook_is_asked_about(self):
        client = self.client()
        self.backend.forget()
        self.assertEqual(client.ask(subscribe={"channel": "asked:UPPER"})["error"]["code"], 107)
        self.assertEqual(client.ask(subscribe={"channel": "asked:x#57"})["error"]["code"], 103)
        self.assertIn("subscribe", client.ask(subscribe={"channel": "asked:x#56,57"}))
        self.assertTrue(self.backend.questions.empty())

    def test_channels_of_a_unidirectional_client(self):
        def answer(question):
            if question.hook == "connect":
                return 200, {"result": {"user": "56"}}
            if question.json["channel"] == "asked:no":
                return 200, {"error": {"code": 1000, "message": "no"}}
            return (500, {}) if question.json["channel"] == "asked:broken" else (200, {"result": {"info": {"of": "hook"}}})
        self.backend.answer = answer
        channels = {"asked:yes": {}, "asked:no": {}, "asked:broken": {}, "asked:UPPER": {}, "asked:x#57": {}, "asked:x#56": {}}
        with authz_doors.Unidirectional(self.server, {}, {"subs": channels}) as client:
            self.assertEqual(set(client.next()["connect"]["subs"]), {"asked:yes", "asked:x#56"})
            asked = {self.backend.next("subscribe").json["channel"] for _ in range(3)}
            self.assertEqual(asked, {"asked:yes", "asked:no", "asked:broken"})
        self.backend.answer = lambda question: (200, {"result": {"user": "56"}} if question.hook == "connect" else {"disconnect": {"code": 4502, "reason": "go"}})
        with authz_doors.Unidirectional(self.server, {}, {"subs": {"asked:yes": {}}}) as client:
            self.assertEqual(client.next()["disconnect"]["code"], 4502)

    def test_publish_may_be_changed(self):
        client = self.client()
        client.ask(subscribe={"channel": "asked:p"})
        self.backend.answer = lambda question: (200, {"result": {"data": {"seen": question.json["data"]}}})
        self.assertIn("publish", client.ask(publish={"channel": "asked:p", "data": {"n": 1}}))
        asked = self.backend.next("publish").json
        self.assertEqual((asked["channel"], asked["data"]), ("asked:p", {"n": 1}))
        while not any("pub" in push.get("push", {}) for push in client.pushes):
            client.pushes += [json.loads(line) for line in client.recv().splitlines()]
        push = next(push["push"] for push in client.pushes if "pub" in push.get("push", {}))
        self.assertEqual(push["pub"]["data"], {"seen": {"n": 1}})
        self.backend.answer = lambda _: (200, {"error": {"code": 1001, "message": "no"}})
        self.assertEqual(client.ask(publish={"channel": "asked:p", "data": {}})["error"]["code"], 1001)

    def test_rpc(self):
        client = self.client()
        self.backend.answer = lambda _: (200, {"result": {"data": {"year": 2026}}})
        self.assertEqual(client.ask(rpc={"method": "year", "data": 1})["rpc"], {"data": {"year": 2026}})
        self.backend.answer = lambda _: (200, {"disconnect": {"code": 4000, "reason": "again"}})
        client.send_text(json.dumps({"id": 99, "rpc": {"method": "x"}}))
        self.assertEqual(client.expect_close(), (4000, "again"))

    def test_many_clients_share_connections(self):
        before = self.backend.connections
        for _ in range(30):
            self.client().close()
        self.assertLess(self.backend.connections - before, 30, "connections are kept")

    def test_secrets_stay_out_of_the_log(self):
        self.backend.answer = lambda _: (200, b"very-secret answer")
        client = Client(self.server.address)
        client.send_text(json.dumps({"id": 1, "connect": {}}))
        client.expect_close()
        self.server.until(lambda: "hook_failed" in self.server.log(), lambda: self.server.log())
        self.assertIn('hook="main"', self.server.log())
        self.assertNotIn("very-secret", self.server.log())


class BrokenBackend(HooksTest):
    config = CONFIG.replace('timeout = "5s"', 'timeout = "100ms"').replace('listen = ["127.0.0.1:PORT"]', 'listen = ["127.0.0.1:PORT"]\nworkers = 1')

    def test_it_is_spared_and_asked_again(self):
        self.backend.answer = lambda _: None
        for _ in range(5):
            client = Client(self.server.address)
            client.send_text(json.dumps({"id": 1, "connect": {}}))
            self.assertEqual(client.expect_close()[0], 3004)
        self.server.until(lambda: "hook_circuit_open" in self.server.log(), lambda: self.server.log())
        self.backend.forget()
        client = Client(self.server.address)
        client.send_text(json.dumps({"id": 1, "connect": {}}))
        self.assertEqual(client.expect_close()[0], 3004)
        self.assertTrue(self.backend.questions.empty(), "it was asked while it should be left alone")
        self.backend.answer = lambda _: (200, {"result": {"user": "1"}})

        def connects():
            client = Client(self.server.address)
            client.send_text(json.dumps({"id": 1, "connect": {}}))
            try:
                return client.recv()
            except wire.Closed:
                return False
        self.server.until(connects, lambda: self.server.log())
        self.assertIn("hook_circuit_closed", self.server.log())


class T44EgressGuard(HooksTest):
    config = CONFIG.replace("[hooks]", "[hooks]\nallow_private_addresses = false")

    # The back end is on this machine, so it is not reached; nor is it by any other name.
    def test_nothing_private_is_reached(self):
        for url in ("BACKEND/", "http://localhost:PORT2/", "http://127.1.2.3:PORT2/", "http://[::ffff:127.0.0.1]:PORT2/",
                    "http://169.254.169.254/latest/meta-data/", "http://[::1]:PORT2/"):
            filled = url.replace("BACKEND", self.backend.url).replace("PORT2", str(self.backend.port))
            self.server.configure(self.config.replace("BACKEND/hooks?key=very-secret", filled))
            before = self.server.log().count("event=reloaded")
            self.server.signal(signal.SIGHUP)
            self.server.until(lambda before=before: self.server.log().count("event=reloaded") > before, lambda: self.server.log())
            client = Client(self.server.address)
            client.send_text(json.dumps({"id": 1, "connect": {}}))
            self.assertEqual(client.expect_close()[0], 3004, url)
            self.assertEqual(self.backend.connections, 0, url)
        self.assertIn("denied", self.server.log())

    def test_urls_that_mean_something_else_are_refused(self):
        for url in ("http://2130706433/", "http://0x7f.0.0.1/", "http://a:b@c/", "gopher://a/", "http://a\\\\@b/", "http://a#b/"):
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                file.write(f'[hooks.x]\nurl = "{url}"\n')
                file.flush()
                checked = subprocess.run([rig.BINARY, "check-config", file.name], capture_output=True, text=True, check=False)
                self.assertNotEqual(checked.returncode, 0, url)
                self.assertIn("hooks.x.url", checked.stdout + checked.stderr)


class SigningKey:
    """An RSA key, by the command openssl."""

    def __init__(self, kid):
        self.kid = kid
        self.folder = tempfile.TemporaryDirectory(prefix="wirebird-test-")
        self.path = f"{self.folder.name}/key.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.path, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True, text=True)
        number = bytes.fromhex(modulus.stdout.strip().partition("=")[2])
        self.jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": encode(number), "e": encode(b"\x01\x00\x01")}

    def token(self, issuer, **header):
        head = {"alg": "RS256", "typ": "JWT", "kid": self.kid, **header}
        text = f"{encode(json.dumps(head).encode())}.{encode(json.dumps(claims(iss=issuer)).encode())}"
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(), check=True, capture_output=True)
        return f"{text}.{encode(signed.stdout)}"


class T32TrustBeforeVerify(rig.ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.keys = {"a": [SigningKey("same")], "b": [SigningKey("same")]}
        cls.backend = Backend(lambda question: (200, {"keys": [key.jwk for key in cls.keys[question.path[1:]]]})).__enter__()
        cls.addClassCleanup(cls.backend.__exit__)
        cls.stranger = Backend().__enter__()
        cls.addClassCleanup(cls.stranger.__exit__)
        cls.options = {"dev": False, "config": f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
[channels]
subscribe = "token"
publish = "token"
[issuers.a]
jwks_url = "{cls.backend.url}/a"
issuer = "A"
[issuers.b]
jwks_url = "{cls.backend.url}/b"
issuer = "B"
"""}
        super().setUpClass()
        cls.server.until(lambda: cls.server.log().count("event=keys_fetched") == 2, cls.server.log)

    def status(self, token):
        return self.server.http("POST", "/pub/x", "hello", {"Authorization": f"Bearer {token}", "Content-Type": "text/plain"}).status

    def test_each_issuer_signs_for_itself(self):
        a, b = self.keys["a"][0], self.keys["b"][0]
        self.assertEqual((self.status(a.token("A")), self.status(b.token("B"))), (200, 200))
        self.assertEqual((self.status(a.token("B")), self.status(b.token("A"))), (401, 401))
        self.assertEqual(self.status(a.token("C")), 401)

    def test_tokens_do_not_choose_urls(self):
        forger = SigningKey("same")
        url = self.stranger.url
        for header in ({"jku": url}, {"x5u": url}, {"jwk": forger.jwk}, {"kid": f"{url}/keys"}, {"jku": url, "kid": "new"}):
            self.assertIn(self.status(forger.token(url, **header)), (401, 503))
        self.assertEqual(self.stranger.connections, 0)

    def test_a_new_key_is_fetched(self):
        fresh = SigningKey("fresh")
        self.keys["a"].append(fresh)
        signed = fresh.token("A")
        # Until it is here the answer is "come again" or "not valid", never "welcome".
        self.server.until(lambda: {200: True, 401: False, 503: False}[self.status(signed)], self.server.log)
        self.assertEqual(self.status(self.keys["a"][0].token("A")), 200)


class Events(rig.ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.backend = Backend().__enter__()
        cls.addClassCleanup(cls.backend.__exit__)
        cls.config = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
workers = 2
[auth]
token_keys = ["{KEY}"]
[events]
url = "{cls.backend.url}/events"
signing_keys = ["{EVENT_KEY}", "another-key-0123456789abcdef-0123456"]
[channels]
subscribe = "token"
"""
        cls.options = {"dev": False, "config": cls.config}
        super().setUpClass()

    def setUp(self):
        self.told = []
        self.ids = set()
        self.backend.answer = lambda _: (200, b"")

    def wait_for(self, wanted):
        """Reads batches until `wanted` events, as (type, client or None, channel or None), have come."""
        while not all(any(self.fits(event, want) for event in self.told) for want in wanted):
            question = self.backend.next()
            self.assertEqual(question.path, "/events")
            self.check_signature(question)
            for event in question.json:
                if event["id"] not in self.ids:
                    self.ids.add(event["id"])
                    self.told.append(event)

    @staticmethod
    def fits(event, want):
        kind, client, channel = want
        return event["type"] == kind and client in (None, event.get("client")) and channel in (None, event.get("channel"))

    def check_signature(self, question):
        parts = [part.split("=", 1) for part in question.headers["Wirebird-Signature"].split(",")]
        sent = next(value for name, value in parts if name == "t")
        right = hmac.new(EVENT_KEY.encode(), sent.encode() + b"." + question.body, hashlib.sha256).hexdigest()
        self.assertIn(["v1", right], parts)
        self.assertEqual(len(parts), 3)
        self.assertLess(abs(time.time() - int(sent)), 60)

    def test_the_life_of_a_connection(self):
        channel = self.channel()
        client = Client(self.server.address)
        welcome = client.ask(connect={"token": token(claims(subject="ann"))})["connect"]["client"]
        user_token = token({"sub": "ann", "channel": channel, "exp": int(time.time()) + 100})
        self.assertIn("subscribe", client.ask(subscribe={"channel": channel, "token": user_token}))
        self.wait_for([("connected", welcome, None), ("subscribed", welcome, channel), ("occupied", None, channel)])
        client.ask(unsubscribe={"channel": channel})
        self.wait_for([("unsubscribed", welcome, channel)])
        client.close()
        self.wait_for([("disconnected", welcome, None), ("vacated", None, channel)])
        mine = [event["type"] for event in self.told if event.get("client") == welcome]
        self.assertEqual(mine, ["connected", "subscribed", "unsubscribed", "disconnected"])
        self.assertEqual({event["user"] for event in self.told if event.get("client") == welcome}, {"ann"})

    def test_other_doors(self):
        channel = self.channel()
        socket = self.server.ws(f"/ws?channel={channel}", {"Authorization": f"Bearer {token(claims(subject='bob'))}"})
        self.wait_for([("connected", None, None), ("subscribed", None, channel), ("occupied", None, channel)])
        socket.close()
        self.wait_for([("unsubscribed", None, channel), ("disconnected", None, None)])
        mine = [event for event in self.told if event.get("user") == "bob"]
        self.assertEqual([event["type"] for event in mine], ["connected", "subscribed", "unsubscribed", "disconnected"])
        self.assertEqual(len({event["client"] for event in mine}), 1)

    def test_a_back_end_that_is_down_gets_them_later(self):
        self.backend.answer = lambda _: (503, b"")
        client = Client(self.server.address)
        welcome = client.ask(connect={"token": token(claims())})["connect"]["client"]
        self.wait_for([("connected", welcome, None)])
        first = [event["id"] for event in self.told if event.get("client") == welcome]
        self.server.until(lambda: "events_not_told" in self.server.log(), self.server.log)
        self.backend.answer = lambda _: (204, b"")
        again = self.backend.next()
        while not any(event["id"] == first[0] for event in again.json):
            again = self.backend.next()
        self.server.until(lambda: "events_told" in self.server.log(), self.server.log)
        client.close()

    def test_the_last_ones_at_the_end(self):
        with rig.Server(dev=False, config=self.config) as server:
            client = Client(server.address)
            welcome = client.ask(connect={"token": token(claims())})["connect"]["client"]
        self.wait_for([("connected", welcome, None), ("disconnected", welcome, None)])
        ended = next(event for event in self.told if event["type"] == "disconnected" and event["client"] == welcome)
        self.assertEqual(ended["code"], 3001)


if __name__ == "__main__":
    rig.main()
