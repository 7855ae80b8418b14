#!/usr/bin/python3
"""The C++ client of the Centrifuge protocol against the server: both formats, tokens, recovery through cuts, presence,
history, deltas, TLS. CPP_CLIENT names the puppet (cpp_client.cc)."""
import json
import os
import pathlib
import queue
import subprocess
import tempfile
import threading
import time

import rig
import wire
from test_tls import make_certificate
from tokens import KEY, token

CPP_CLIENT = os.environ.get("CPP_CLIENT", str(rig.HERE.parent / "build/release/conformance/cpp_client"))
PATH = "/connection/websocket"
API_KEY = "an-api-key-for-tests-only-0123456789"
CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
[auth]
token_keys = ["{KEY}"]
api_keys = ["{API_KEY}"]
[centrifuge]
anonymous_without_token = true
personal_channel = true
[namespaces.open]
subscribe = "anyone"
publish = "anyone"
read_history = "anyone"
read_presence = "anyone"
presence = true
join_leave = true
allow_delta = true
delta_publish = true
allow_tags_filter = true
[namespaces.short]
subscribe = "anyone"
publish = "anyone"
history_messages_max = 3
[namespaces.tok]
subscribe = "token"
"""


def user_token(user, seconds=3600, **more):
    return token({"sub": user, "exp": int(time.time()) + seconds, **more})


class Client:
    """A puppet and what it says."""

    def __init__(self, address, format="json", scheme="ws", path=PATH, **options):
        self.process = subprocess.Popen([CPP_CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.n = 0
        self.do("open", url=f"{scheme}://{address[0]}:{address[1]}{path}", format=format, **options)

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put({"event": "ended"})

    def do(self, what, **order):
        self.process.stdin.write(json.dumps({"do": what, **order}) + "\n")
        self.process.stdin.flush()

    def next(self):
        return self.lines.get(timeout=wire.DEADLINE_S)

    def expect(self, event, **fields):
        """The next line of this kind, read over others."""
        seen = []
        while True:
            try:
                line = self.next()
            except queue.Empty:
                raise AssertionError(f"no {event} {fields} among {seen[-20:]}") from None
            seen.append(line)
            if line["event"] == "ended":
                raise AssertionError(f"the client ended: {seen[-20:]}")
            if line["event"] == event and fields.items() <= line.items():
                return line

    def call(self, what, **order):
        self.n += 1
        self.do(what, n=self.n, **order)
        return self.expect("answer", n=self.n)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(wire.DEADLINE_S) == 0
        self.process.stdout.close()


class ClientTest(rig.ServerTest):
    options = {"dev": False, "config": CONFIG}

    def client(self, address=None, connect=True, **options):
        client = Client(address or self.server.address, **options)
        self.addCleanup(client.__exit__)
        if connect:
            client.do("connect")
            client.expect("connected")
        return client

    def name(self, namespace="open"):
        return f"{namespace}:{self.channel()}"


class Basics(ClientTest):
    def test_both_formats_hear_each_other(self):
        for compression in (False, True):
            channel = self.name()
            json_client = self.client(compression=compression)
            protobuf_client = self.client(format="protobuf", compression=compression)
            for client in (json_client, protobuf_client):
                client.do("subscribe", channel=channel)
                client.expect("subscribed", channel=channel)
            for number, client in enumerate((json_client, protobuf_client), 1):
                data = json.dumps({"from": number, "text": "Zoë \"new\"\nline"})
                self.assertEqual(client.call("publish", channel=channel, data=data).keys(), {"event", "n"})
                for other in (json_client, protobuf_client):
                    heard = other.expect("publication", channel=channel)
                    self.assertEqual(json.loads(heard["data"]), json.loads(data))

    def test_other_doors(self):
        channel = self.name()
        client = self.client()
        client.do("subscribe", channel=channel)
        client.expect("subscribed")
        answer = self.server.publish(channel, '{"by":"curl"}', "application/json")
        heard = client.expect("publication")
        self.assertEqual((heard["data"], heard["offset"]), ('{"by":"curl"}', answer["offset"]))

    def test_history(self):
        channel = self.name()
        for number in range(1, 6):
            self.server.publish(channel, str(number), "application/json")
        for format in ("json", "protobuf"):
            client = self.client(format=format)
            top = client.call("history", channel=channel)
            self.assertEqual((top["offset"], top["publications"]), (5, []))
            self.assertEqual(client.call("history", channel=channel, limit=-1)["publications"], list("12345"))
            self.assertEqual(client.call("history", channel=channel, limit=2, reverse=True)["publications"], list("54"))
            since = {"offset": 2, "epoch": top["epoch"]}
            self.assertEqual(client.call("history", channel=channel, limit=2, since=since)["publications"], list("34"))
            lost = client.call("history", channel=channel, limit=2, since={"offset": 2, "epoch": "other"})
            self.assertEqual(lost["code"], 112)

    def test_presence_and_who_comes_and_goes(self):
        channel = self.name()
        for format in ("json", "protobuf"):
            ann = self.client(format=format, token=user_token("ann"))
            ann.do("subscribe", channel=channel, join_leave=True)
            ann.expect("subscribed")
            bob = self.client(format=format, token=user_token("bob"))
            bob.do("subscribe", channel=channel)
            bob.expect("subscribed")
            ann.expect("join", user="bob")
            self.assertEqual(sorted(ann.call("presence", channel=channel)["users"]), ["ann", "bob"])
            stats = ann.call("presence_stats", channel=channel)
            self.assertEqual((stats["clients"], stats["users"]), (2, 2))
            bob.do("unsubscribe", channel=channel)
            bob.expect("unsubscribed", code=0)
            ann.expect("leave", user="bob")
            ann.do("disconnect")
            ann.expect("disconnected", code=0)

    def test_errors(self):
        client = self.client()
        self.assertEqual(client.call("publish", channel="tok:x", data="1")["code"], 103)
        self.assertEqual(client.call("publish", channel="open:x", data="no json")["code"], 20)
        self.assertEqual(client.call("rpc", method="nothing", data="1")["code"], 108)  # no hook for it
        client.do("subscribe", channel="tok:x")
        client.expect("unsubscribed", channel="tok:x", code=103)

    def test_deltas(self):
        for format in ("json", "protobuf"):
            channel = self.name()
            client = self.client(format=format)
            client.do("subscribe", channel=channel, delta=True, recoverable=True)
            client.expect("subscribed")
            for number in range(20):
                text = json.dumps({"number": number, "text": "Zoë " * 50, "tail": "x" * number}, ensure_ascii=False)
                self.server.publish(channel, text.encode(), "application/json")
                self.assertEqual(client.expect("publication")["data"], text)

    def test_refused_before_the_upgrade(self):
        client = self.client(path="/nowhere", connect=False)
        client.do("connect")
        for _ in range(3):  # tried again and again
            self.assertTrue(client.expect("error", code=2)["message"].startswith("E_NOT_FOUND"))
        client.do("disconnect")
        client.expect("disconnected", code=0)


class Tokens(ClientTest):
    def test_connection_tokens(self):
        wrong = self.client(token=token({"sub": "ann"}, key="another-key-0123456789abcdef-0123456789"), connect=False)
        wrong.do("connect")
        self.assertEqual(wrong.expect("disconnected")["code"], 3500)
        expired = self.client(token=user_token("ann", -10), connect=False)
        expired.do("connect")
        self.assertEqual(expired.expect("error")["code"], 109)
        self.assertEqual(expired.expect("disconnected")["code"], 1)
        fresh = self.client(token=user_token("ann", -10), tokens=[user_token("ann")], connect=False)
        fresh.do("connect")
        self.assertEqual(fresh.expect("error")["code"], 109)
        fresh.expect("get_token")
        fresh.expect("connected")

    def test_a_token_is_replaced_before_it_expires(self):
        for format in ("json", "protobuf"):
            client = self.client(format=format, tokens=[user_token("ann", 3), user_token("ann", 3600)], connect=False)
            client.do("connect")
            client.expect("get_token")
            client.expect("connected")
            while (line := client.next())["event"] == "server_subscribed":
                pass
            self.assertEqual(line, {"event": "get_token"})
            # The answer to this comes after the answer to the refresh.
            client.do("publish", channel="open:after", data="1", n=1)
            self.assertEqual(client.next(), {"event": "answer", "n": 1})

    def test_subscription_tokens(self):
        client = self.client(token=user_token("ann"))
        channel = self.name("tok")
        good = user_token("ann", channel=channel)
        client.do("subscribe", channel=channel, tokens=[user_token("ann", -10, channel=channel), good])
        client.expect("get_token")
        self.assertEqual(client.expect("subscription_error")["code"], 109)
        client.expect("get_token")
        client.expect("subscribed", channel=channel)
        other = self.name("tok")
        client.do("subscribe", channel=other, token=good)  # of another channel
        self.assertIn(client.expect("disconnected")["code"], (3500,))

    def test_the_personal_channel(self):
        for format in ("json", "protobuf"):
            client = self.client(format=format, token=user_token("zoe"), connect=False)
            client.do("connect")
            client.expect("server_subscribed", channel="#zoe")
            self.server.publish("%23zoe", '"hello"', "application/json", {"X-API-Key": API_KEY})
            heard = client.expect("server_publication", channel="#zoe")
            self.assertEqual(heard["data"], '"hello"')
            client.do("disconnect")
            client.expect("disconnected")


class Recovery(ClientTest):
    def test_nothing_is_missed(self):
        for format in ("json", "protobuf"):
            channel = self.name()
            with rig.Proxy(self.server) as proxy:
                client = self.client(address=proxy.address, format=format)
                client.do("subscribe", channel=channel, recoverable=True)
                client.expect("subscribed", recoverable=True)
                for round in range(20):
                    for number in range(round * 10, round * 10 + 10):
                        if number % 10 == 5:
                            proxy.cut()
                        self.server.publish(channel, str(number), "application/json")
                        if number % 10 == 8:
                            client.expect("subscribed", was_recovering=True, recovered=True)
                heard = []
                while len(heard) < 1 or heard[-1] != 199:
                    line = client.next()
                    self.assertNotEqual(line.get("recovered"), False, line)
                    if line["event"] == "publication":
                        heard.append(int(line["data"]))
                # What was read over while waiting for `subscribed` is not in the list, but its order is seen.
                self.assertEqual(heard, sorted(set(heard)))
                client.do("disconnect")
                client.expect("disconnected")

    def test_every_publication_once(self):
        channel = self.name()
        with rig.Proxy(self.server) as proxy:
            client = self.client(address=proxy.address)
            client.do("subscribe", channel=channel, recoverable=True)
            client.expect("subscribed")
            heard = []
            for number in range(300):
                self.server.publish(channel, str(number), "application/json")
                if number % 30 == 17:
                    proxy.cut()
            while len(heard) < 300:
                line = client.next()
                if line["event"] == "publication":
                    heard.append(int(line["data"]))
                if line["event"] == "subscribed":
                    self.assertTrue(line["recovered"], line)
            self.assertEqual(heard, list(range(300)))

    def test_what_is_lost_is_told(self):
        channel = self.name("short")
        client = self.client()
        client.do("subscribe", channel=channel, recoverable=True)
        place = client.expect("subscribed")
        for number in range(10):
            self.server.publish(channel, str(number), "application/json")
        other = self.client()
        since = {"offset": place["offset"], "epoch": place["epoch"]}
        other.do("subscribe", channel=channel, recoverable=True, since=since)
        self.assertEqual(other.expect("subscribed", was_recovering=True)["recovered"], False)
        third = self.client()
        third.do("subscribe", channel=channel, recoverable=True, since={"offset": 8, "epoch": place["epoch"]})
        self.assertTrue(third.expect("subscribed", was_recovering=True)["recovered"])
        self.assertEqual([third.expect("publication")["data"] for _ in range(2)], ["8", "9"])

    def test_the_server_restarts(self):
        with rig.Server(dev=False, config=CONFIG) as first:
            client = self.client(address=first.address)
            client.do("subscribe", channel="open:x", recoverable=True)
            client.expect("subscribed")
            first.publish("open:x", "1", "application/json")
            client.expect("publication")
            first.signal(15)
            client.expect("connecting")
            first.wait()
            first.start()
            self.assertEqual(client.expect("subscribed", was_recovering=True)["recovered"], False)
            first.publish("open:x", "2", "application/json")
            self.assertEqual(client.expect("publication")["data"], "2")


class Tls(ClientTest):
    def test_wss(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = make_certificate(folder, "server")
            config = CONFIG.replace('listen = ["127.0.0.1:PORT"]', 'listen = ["https://127.0.0.1:PORT", "127.0.0.1:ADMIN"]')
            config = config.replace('admin_listen = ["127.0.0.1:ADMIN"]\n', "")
            config += f'[tls]\ncertificate_file = "{certificate}"\nkey_file = "{key}"\n'
            server = rig.Server(dev=False, config=config)
            server.ready = lambda: wire.Connection(server.admin_address).request("GET", "/ready").status == 200
            with server:
                for format in ("json", "protobuf"):
                    client = self.client(server.address, scheme="wss", ca=str(certificate), format=format)
                    client.do("subscribe", channel="open:tls")
                    client.expect("subscribed")
                    data = json.dumps("x" * 40000)
                    client.call("publish", channel="open:tls", data=data)
                    client.do("disconnect")
                    client.expect("disconnected")
                strangers = self.client(server.address, scheme="wss", connect=False)
                strangers.do("connect")
                self.assertIn("certificate", strangers.expect("error")["message"])
                strangers.do("destroy")


if __name__ == "__main__":
    rig.main()
