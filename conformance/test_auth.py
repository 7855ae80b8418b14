"""Who may do what: namespaces, tokens on every way they travel, tickets, API keys, and what --dev refuses."""
import base64
import hashlib
import json
import pathlib
import subprocess
import tempfile
import unittest

import rig
import wire
from tokens import KEY, claims, encode, token
from wire import Refused

API_KEY = "an-api-key-for-tests-only-0123456789"
CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
[auth]
token_keys = ["{KEY}", "an-older-key-0123456789abcdef0123456789"]
api_keys = ["{API_KEY}"]
[namespaces.open]
subscribe = "anyone"
publish = "anyone"
[namespaces.read]
subscribe = "anyone"
publish = "token"
[namespaces.tok]
subscribe = "token"
publish = "token"
"""


class AuthTest(rig.ServerTest):
    options = {"dev": False, "config": CONFIG}

    def bearer(self, value):
        return {"Authorization": f"Bearer {value}"}

    def outcomes(self, channel, headers=()):
        """(status, code) of subscribing by each door and of publishing."""
        result = {}
        try:
            self.server.ws(f"/ws/{channel}", headers).close()
            result["ws"] = (101, None)
        except Refused as refused:
            result["ws"] = (refused.response.status, refused.response.code)
        try:
            self.server.events(f"/sse/{channel}", headers=headers).close()
            result["sse"] = (200, None)
        except Refused as refused:
            result["sse"] = (refused.response.status, refused.response.code)
        answer = self.server.http("GET", f"/poll/{channel}", headers=headers)
        result["poll"] = (answer.status, answer.code if answer.status != 200 else None)
        answer = self.server.http("POST", f"/pub/{channel}", "x", headers)
        result["pub"] = (answer.status, answer.code if answer.status != 200 else None)
        return result

    def all_doors(self, channel, headers, subscribe, publish):
        ok = {"ws": (101, None), "sse": (200, None), "poll": (200, None), "pub": (200, None)}
        expected = {door: ok[door] if subscribe is None else subscribe for door in ("ws", "sse", "poll")}
        expected["pub"] = ok["pub"] if publish is None else publish
        self.assertEqual(self.outcomes(channel, headers), expected, channel)


class Permissions(AuthTest):
    def test_the_default_namespace_is_closed(self):
        self.all_doors("anything", {}, (403, "E_FORBIDDEN"), (403, "E_FORBIDDEN"))
        self.all_doors("unknown:anything", {}, (403, "E_FORBIDDEN"), (403, "E_FORBIDDEN"))

    def test_open_for_anyone(self):
        self.all_doors("open:x", {}, None, None)

    def test_everybody_reads_tokens_write(self):
        self.all_doors("read:x", {}, None, (401, "E_AUTH_REQUIRED"))
        self.all_doors("read:x", self.bearer(token(claims())), None, None)

    def test_tokens_only(self):
        self.all_doors("tok:x", {}, (401, "E_AUTH_REQUIRED"), (401, "E_AUTH_REQUIRED"))
        self.all_doors("tok:x", self.bearer(token(claims())), None, None)

    def test_the_channels_of_a_token(self):
        headers = self.bearer(token(claims(channels=["tok:mine", "tok:team*"])))
        self.all_doors("tok:mine", headers, None, None)
        self.all_doors("tok:team-7", headers, None, None)
        self.all_doors("tok:other", headers, (403, "E_FORBIDDEN"), (403, "E_FORBIDDEN"))

    def test_different_channels_for_subscribing_and_publishing(self):
        rights = claims(channels=[], subscribe=["tok:in"], publish=["tok:out"])
        del rights["channels"]
        self.all_doors("tok:in", self.bearer(token(rights)), None, (403, "E_FORBIDDEN"))
        self.all_doors("tok:out", self.bearer(token(rights)), (403, "E_FORBIDDEN"), None)

    def test_one_forbidden_channel_among_several(self):
        headers = self.bearer(token(claims(channels=["tok:a"])))
        with self.assertRaises(Refused) as caught:
            self.server.events("/sse?channel=tok:a&channel=tok:b", headers=headers)
        self.assert_refused(403, "E_FORBIDDEN", caught.exception.response)

    def test_a_websocket_that_may_read_and_not_write(self):
        with self.server.ws("/ws/read:x?meta=1") as socket:
            socket.recv_json()
            socket.send_text("no")
            self.assertIn(socket.recv_json()["error"]["code"], ("E_AUTH_REQUIRED", "E_FORBIDDEN"))

    def test_nothing_of_a_refused_channel_leaks(self):
        self.server.http("POST", "/pub/tok:secret", "the secret", self.bearer(token(claims())))
        for target in ("/sse/tok:secret?since=-10", "/poll/tok:secret?since=-10"):
            answer = self.server.http("GET", target)
            self.assertEqual(answer.status, 401)
            self.assertNotIn(b"the secret", answer.body)


class Tokens(AuthTest):  # threat T33
    def test_wrong_tokens(self):
        good = token(claims())
        head, body, signature = good.split(".")
        none = encode(json.dumps({"alg": "none"}).encode())
        wrong = {
            "other key": token(claims(), key="another-key-0123456789abcdef0123456789"), "empty key": token(claims(), key=""),
            "no signature": f"{head}.{body}.", "alg none": f"{none}.{body}.", "alg none with a signature": f"{none}.{body}.{signature}",
            "HS512": token(claims(), header={"alg": "HS512"}, digest=hashlib.sha512), "HS384 by name only": token(claims(), header={"alg": "HS384"}),
            "RS256 by name only": token(claims(), header={"alg": "RS256"}), "no alg": token(claims(), header={"typ": "JWT"}),
            "alg as a number": token(claims(), header={"alg": 256}), "lower-case alg": token(claims(), header={"alg": "hs256"}),
            "two parts": f"{head}.{body}", "four parts": f"{good}.x", "empty": "", "not base64": f"{head}.{body}.****",
            "padded": good + "=", "cut": good[:-2], "changed": f"{head}.{encode(json.dumps(claims(subject='root')).encode())}.{signature}",
            "not JSON": token("x")[:-5] + "AAAAA", "claims are no object": token([1, 2]), "no exp": token({"sub": "x", "channels": ["*"]}),
            "exp as a text": token({**claims(), "exp": "tomorrow"}), "channels as a text": token({**claims(), "channels": "*"}),
            "crit": token(claims(), header={"alg": "HS256", "crit": ["b64"], "b64": False}), "huge": "a" * 9000,
        }
        for name, value in wrong.items():
            with self.subTest(name):
                answer = self.server.http("POST", "/pub/tok:x", "x", self.bearer(value))
                self.assertIn((answer.status, answer.code), ((401, "E_TOKEN"), (401, "E_AUTH_REQUIRED"), (431, "E_HEADERS_TOO_LARGE")), name)

    def test_the_message_says_what_is_wrong_with_it(self):
        good = token(claims())
        for value, text in ((good[:-2], "signature"), (token(claims(), key="another-key-0123456789abcdef0123456789"), "signature"),
                            ("nonsense", "malformed"), (token({"sub": "x"}), "no exp"), (token(claims(nbf=claims()["exp"])), "not valid yet"),
                            (token({**claims(), "exp": "x"}), "claim"), (token(claims(), header={"alg": "HS512"}), "for its alg"),
                            (token(claims(), header={"alg": "none"}), "alg that is known")):
            with self.subTest(text):
                answer = self.server.http("POST", "/pub/tok:x", "x", self.bearer(value))
                self.assert_refused(401, "E_TOKEN", answer)
                self.assertIn(text, answer.json["message"])
        answer = self.server.http("GET", "/poll/tok:x?ticket=" + "0" * 36)
        self.assertIn("ticket was used", answer.json["message"])

    def test_expired(self):
        for age in (-3600, -120):
            answer = self.server.http("POST", "/pub/tok:x", "x", self.bearer(token(claims(age))))
            self.assert_refused(401, "E_TOKEN_EXPIRED", answer)

    def test_every_configured_key_is_accepted(self):
        older = token(claims(), key="an-older-key-0123456789abcdef0123456789")
        self.all_doors("tok:x", self.bearer(older), None, None)

    def test_a_bad_token_is_refused_even_where_none_is_needed(self):
        answer = self.server.http("POST", "/pub/open:x", "x", self.bearer("nonsense"))
        self.assert_refused(401, "E_TOKEN", answer)

    def test_in_a_subprotocol_and_never_echoed(self):
        good = token(claims())
        with self.server.ws("/ws/tok:x", {"Sec-WebSocket-Protocol": f"wirebird.bearer.{good}"}) as socket:
            self.assertIsNone(socket.response.header("Sec-WebSocket-Protocol"))
        with self.server.ws("/ws/tok:x", {"Sec-WebSocket-Protocol": f"wirebird, wirebird.bearer.{good}"}) as socket:
            self.assertEqual(socket.response.header("Sec-WebSocket-Protocol"), "wirebird")
        with self.assertRaises(Refused) as caught:
            self.server.ws("/ws/tok:x", {"Sec-WebSocket-Protocol": "wirebird.bearer.nonsense"})
        self.assert_refused(401, "E_TOKEN", caught.exception.response)

    def test_in_the_query_it_is_refused(self):
        answer = self.server.http("GET", f"/poll/tok:x?token={token(claims())}")
        self.assert_refused(401, "E_TOKEN_IN_QUERY", answer)

    def test_a_connection_ends_when_its_token_expires(self):
        short = self.bearer(token(claims(-57)))  # clocks may differ by 60 s: three are left
        with self.server.ws("/ws/tok:x", short) as socket, self.server.events("/sse/tok:x", headers=short) as events:
            self.assert_closed(4401, "E_TOKEN_EXPIRED", socket)
            events.read_to_end()

    def test_secrets_are_not_logged(self):
        canary = token(claims(subject="canary-subject"))
        for headers in (self.bearer(canary), self.bearer(canary + "x"), {"X-API-Key": "canary-api-key-0123456789"}):
            self.server.http("POST", "/pub/tok:log", "x", headers)
        self.server.http("GET", f"/poll/tok:x?token={canary}")
        ticket = self.server.http("POST", "/api/ticket", "", self.bearer(canary)).json["ticket"]
        self.server.http("GET", f"/poll/tok:x?ticket={ticket}")
        self.server.http("GET", f"/nowhere?ticket={ticket}&token={canary}")
        log = self.server.log()
        for secret in (canary.split(".")[2], ticket, "canary-api-key", KEY, API_KEY):
            self.assertNotIn(secret, log)


class Tickets(AuthTest):
    def ticket(self):
        answer = self.server.http("POST", "/api/ticket", "", self.bearer(token(claims(channels=["tok:x"]))))
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["ticket"]

    def test_a_ticket_opens_one_connection(self):
        ticket = self.ticket()
        with self.server.events(f"/sse/tok:x?ticket={ticket}") as events:
            events.next()
        with self.assertRaises(Refused) as caught:
            self.server.events(f"/sse/tok:x?ticket={ticket}")
        self.assert_refused(401, "E_TOKEN", caught.exception.response)

    def test_on_every_door_and_on_every_worker(self):
        for _ in range(8):
            self.server.ws(f"/ws/tok:x?ticket={self.ticket()}").close()
            self.server.events(f"/sse/tok:x?ticket={self.ticket()}").close()
            self.assertEqual(self.server.http("GET", f"/poll/tok:x?ticket={self.ticket()}").status, 200)
            self.assertEqual(self.server.http("POST", f"/pub/tok:x?ticket={self.ticket()}", "x").status, 200)

    def test_a_ticket_carries_the_rights_of_its_token(self):
        answer = self.server.http("GET", f"/poll/tok:other?ticket={self.ticket()}")
        self.assert_refused(403, "E_FORBIDDEN", answer)

    def test_wrong_tickets(self):
        good = self.ticket()
        for ticket in ("", "x", good[:-1], good + "A", "0" * len(good), "ffff" + good[4:]):
            with self.subTest(ticket):
                answer = self.server.http("GET", f"/poll/tok:x?ticket={ticket}")
                self.assertEqual(answer.status, 401)

    def test_a_ticket_needs_a_token(self):
        self.assertEqual(self.server.http("POST", "/api/ticket", "").status, 401)
        self.assert_refused(401, "E_TOKEN", self.server.http("POST", "/api/ticket", "", self.bearer("nonsense")))


class ApiKeys(AuthTest):
    def admin(self, method, target, body=None, headers=()):
        with wire.Connection(self.server.admin_address) as connection:
            return connection.request(method, target, body, headers)

    def test_the_api_is_not_on_the_main_listener(self):
        for target in ("/api/info", "/metrics"):
            self.assert_refused(404, "E_NOT_FOUND", self.server.http("GET", target, headers={"X-API-Key": API_KEY}))

    def test_the_admin_listener_wants_the_key(self):
        self.assertEqual(self.admin("GET", "/api/info", headers={"X-API-Key": API_KEY}).status, 200)
        for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": API_KEY[:-1]}, {"X-API-Key": API_KEY + "x"}, {"X-API-Key": API_KEY.upper()}):
            with self.subTest(headers):
                self.assert_refused(401, "E_API_KEY", self.admin("GET", "/api/info", headers=headers))

    def test_a_key_may_do_everything(self):
        body = json.dumps({"channel": "closed-channel", "text": "by key"})
        answer = self.admin("POST", "/api/publish", body, {"X-API-Key": API_KEY, "Content-Type": "application/json"})
        self.assertEqual(answer.status, 200, answer.body)
        answer = self.admin("GET", "/api/history?channel=closed-channel", headers={"X-API-Key": API_KEY})
        self.assertEqual(answer.json["messages"][0]["text"], "by key")

    def test_metrics_health_ready(self):
        for target in ("/metrics", "/health", "/ready", "/version"):
            self.assertEqual(self.admin("GET", target).status, 200, target)
        for target in ("/health", "/ready"):
            self.assertEqual(self.server.http("GET", target).status, 200)


class TokensInTheQuery(AuthTest):
    arguments = ("--auth-token-in-query",)

    def test_switched_on(self):
        value = token(claims())
        self.assertEqual(self.server.http("GET", f"/poll/tok:x?token={value}").status, 200)
        self.assert_refused(401, "E_TOKEN", self.server.http("GET", "/poll/tok:x?token=nonsense"))
        self.assertNotIn(value.split(".")[2], self.server.log())


class Dev(rig.ServerTest):
    def test_dev_does_not_listen_for_other_machines(self):
        for address in ("0.0.0.0:0", "[::]:0", f"{'192.0.2.1'}:0"):
            run = subprocess.run([rig.BINARY, "serve", "--dev", "--listen", address], capture_output=True, text=True, timeout=wire.DEADLINE_S)
            self.assertNotEqual(run.returncode, 0)
            self.assertIn("--dev-public", run.stderr + run.stdout)

    def test_everything_is_open(self):
        self.assertEqual(self.server.publish("any:thing", "x")["offset"], 1)
        self.assertEqual(self.server.http("GET", "/api/info").status, 200)
        self.assertEqual(self.server.http("GET", "/metrics").status, 200)


class GenToken(rig.ServerTest):
    options = {"dev": False, "config": CONFIG}

    def test_gen_token_makes_what_serve_accepts(self):
        run = subprocess.run([rig.BINARY, "gen-token", "--config", str(self.server.config_path), "--sub", "someone", "--channel", "tok:x"],
                             capture_output=True, text=True, timeout=wire.DEADLINE_S)
        self.assertEqual(run.returncode, 0, run.stderr)
        made = run.stdout.split()[-1]
        answer = self.server.http("POST", "/pub/tok:x", "x", {"Authorization": f"Bearer {made}"})
        self.assertEqual(answer.status, 200, answer.body)


class PublicKeys(unittest.TestCase):
    """Tokens signed with a private key that the server does not have."""

    def run_tool(self, *command, code=0):
        run = subprocess.run(command, capture_output=True, text=True, timeout=wire.DEADLINE_S)
        self.assertEqual(run.returncode, code, run.stderr + run.stdout)
        return run.stdout

    def key_pair(self, folder, name, *algorithm):
        private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
        self.run_tool("openssl", "genpkey", "-algorithm", *algorithm, "-out", str(private))
        self.run_tool("openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public))
        return private, public

    def token_of(self, private, *more):
        return self.run_tool(rig.BINARY, "gen-token", "--private-key-file", str(private), "--channel", "tok:x", *more).strip()

    def status(self, server, value):
        return server.http("POST", "/pub/tok:x", "x", {"Authorization": f"Bearer {value}"}).status

    def test_every_kind_of_key_and_no_other_key(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            pairs = [self.key_pair(folder, "rsa", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
                     self.key_pair(folder, "p256", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
                     self.key_pair(folder, "p384", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
                     self.key_pair(folder, "p521", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
                     self.key_pair(folder, "ed25519", "ED25519")]
            stranger, _ = self.key_pair(folder, "stranger", "ED25519")
            bundle = folder / "bundle.pem"
            bundle.write_text("".join(public.read_text() for _, public in pairs))
            config = CONFIG.replace("[auth]", f'[auth]\ntoken_public_keys_file = "{bundle}"\ntoken_issuer = "me"')
            with rig.Server(dev=False, config=config) as server:
                for private, public in pairs:
                    good = self.token_of(private, "--iss", "me")
                    self.assertEqual(self.status(server, good), 200, private)
                    self.assertEqual(self.status(server, self.token_of(private, "--iss", "you")), 401, private)
                    head, body, _ = good.split(".")
                    confused = token(json.loads(base64.urlsafe_b64decode(body + "==")), key=public.read_text())
                    self.assertEqual(self.status(server, confused), 401, "the public key as an HMAC secret")
                    self.assertIn("good until", self.run_tool(rig.BINARY, "check-token", "--public-keys-file", str(bundle), good))
                self.assertEqual(self.status(server, self.token_of(pairs[0][0], "--iss", "me", "--algorithm", "PS512")), 200)
                self.assertEqual(self.status(server, self.token_of(stranger, "--iss", "me")), 401)
                self.assertEqual(self.status(server, token(claims(iss="me"))), 200, "the secrets still count")
                self.assertIn("fits no key", self.run_tool(rig.BINARY, "check-token", "--public-keys-file", str(bundle),
                                                           self.token_of(stranger), code=1))


if __name__ == "__main__":
    rig.main()
