"""Configurations of Centrifugo as `wirebird import centrifugo` makes them ours: who came with them finds the server as it was."""
import json
import subprocess
import unittest

import rig
import tokens
import wire
from centrifuge_wire import Socket

SHORT_KEY = "secret"  # shorter than a key of ours may be


def imported(document):
    """The text of our configuration; what the import changes is said on the standard error."""
    document = {"http_server": {"address": "127.0.0.1", "port": 18000}, **document}
    made = subprocess.run([rig.BINARY, "import", "centrifugo", "-"], input=json.dumps(document), capture_output=True, text=True,
                          timeout=wire.DEADLINE_S)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout.replace("127.0.0.1:18000", "127.0.0.1:PORT").replace("[server]", '[server]\nadmin_listen = ["127.0.0.1:ADMIN"]'), made.stderr


class Insecure(unittest.TestCase):
    def test_everybody_may_do_everything_and_the_api_wants_its_key(self):
        config, said = imported({"client": {"insecure": True, "token": {"hmac_secret_key": SHORT_KEY}}, "http_api": {"key": "short"},
                                 "channel": {"without_namespace": {"presence": True, "history_size": 10, "history_ttl": "60s", "force_recovery": True}}})
        self.assertIn("client.insecure", said)
        with rig.Server(dev=False, config=config) as server:
            socket = Socket(server)
            self.addCleanup(socket.close)
            socket.ask(connect={})
            subscribed = socket.ask(subscribe={"channel": "news"})
            self.assertTrue(subscribed["recoverable"])
            socket.ask(publish={"channel": "news", "data": {"n": 1}})
            self.assertEqual(len(socket.ask(history={"channel": "news", "limit": 10})["publications"]), 1)
            self.assertEqual(len(socket.ask(presence={"channel": "news"})["presence"]), 1)
            bad = Socket(server)
            self.addCleanup(bad.close)
            bad.send({"id": 1, "connect": {"token": "not.a.token"}})
            self.assertEqual(bad.closed()[0], 3500)
            good = Socket(server)
            self.addCleanup(good.close)
            good.ask(connect={"token": tokens.token({"sub": "ann"}, key=SHORT_KEY)})
            for headers, status in (({}, 401), ({"X-API-Key": "wrong"}, 401), ({"X-API-Key": "short"}, 200)):
                answer = server.http("POST", "/api/publish", b'{"channel":"news","data":{"n":2}}', {"Content-Type": "application/json", **headers})
                self.assertEqual(answer.status, status, answer.body)
            self.assertEqual(server.http("GET", "/metrics").status, 404)


class Secure(unittest.TestCase):
    def test_what_was_forbidden_stays_forbidden(self):
        config, _ = imported({"client": {"token": {"hmac_secret_key": SHORT_KEY}},
                              "channel": {"without_namespace": {"allow_publish_for_subscriber": True}}})
        with rig.Server(dev=False, config=config) as server:
            nobody = Socket(server)
            self.addCleanup(nobody.close)
            nobody.send({"id": 1, "connect": {}})
            self.assertEqual(nobody.closed()[0], 3501)
            ann = Socket(server)
            self.addCleanup(ann.close)
            ann.ask(connect={"token": tokens.token({"sub": "ann"}, key=SHORT_KEY)})
            self.assertEqual(ann.refusal(subscribe={"channel": "news"}), 103)
            with_token = {"channel": "news", "token": tokens.token({"sub": "ann", "channel": "news"}, key=SHORT_KEY)}
            ann.ask(subscribe=with_token)
            ann.ask(publish={"channel": "news", "data": {}})


if __name__ == "__main__":
    rig.main()
