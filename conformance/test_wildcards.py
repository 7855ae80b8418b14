"""One subscription to many channels (Centrifuge clients): what comes, what does not, and how it ends. Who may have what of it
is in test_authz_matrix.py.
"""
import json
import signal

import authz_doors as doors
import rig
import tokens
import wire

API_KEY = "an-api-key-for-tests-only"
CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
workers = WORKERS
[auth]
token_keys = ["{tokens.KEY}"]
api_keys = ["{API_KEY}"]
private_channels = true
[centrifuge]
anonymous_without_token = true
[channels]
subscribe = "anyone"
publish = "anyone"
allow_wildcards = true
presence = true
join_leave = true
force_push_join_leave = true
force_recovery = true
allow_tags_filter = true
allow_delta = true
[namespaces.plain]
subscribe = "anyone"
[namespaces.limited]
subscribe = "user"
allow_wildcards = true
user_limited_channels = true
"""


class Client(rig.ServerTest):
    workers = 3

    @classmethod
    def setUpClass(cls):
        cls.options = {"dev": False, "config": CONFIG.replace("WORKERS", str(cls.workers))}
        super().setUpClass()

    def client(self, carrier=doors.CentrifugeSocket, **connect):
        client = carrier(self.server, {}, connect)
        self.addCleanup(client.close)
        return client

    def publish(self, channel, data, **more):
        with wire.Connection(self.server.admin_address) as connection:
            answer = connection.request("POST", "/api/publish", json.dumps({"channel": channel, "data": data, **more}), {"X-API-Key": API_KEY})
        self.assertEqual(answer.status, 200, answer.body)

    def subscribe(self, client, channel, **more):
        reply = client.command(subscribe={"channel": channel, **more})
        self.assertIn("subscribe", reply)
        return reply["subscribe"]

    def takes(self, client, count):
        return [(push["channel"], push["pub"].get("channel"), push["pub"]["data"]) for push in (client.push("pub") for _ in range(count))]


class Wildcards(Client):
    def test_all_channels_come_with_their_names(self):
        for carrier in (doors.CentrifugeSocket, doors.CentrifugeStream):
            client = self.client(carrier)
            self.assertEqual(self.subscribe(client, "w.*", recover=True, recoverable=True, positioned=True, epoch="x", offset=1, delta="fossil"), {})
            names = [f"w.{i}" for i in range(40)]
            for name in ("w", "w.1.2", "v.1", "plain:w.1", *names, "w.last:not"):
                self.publish(name, name)
            got = self.takes(client, len(names))
            self.assertEqual(sorted(got), sorted(("w.*", name, name) for name in names))
            self.assertNotIn("offset", json.dumps(client.pushes))

    def test_order_is_that_of_each_channel(self):
        client = self.client()
        self.subscribe(client, "order.**")
        for n in range(30):
            for name in ("order.a", "order.b.c", "order.d"):
                self.publish(name, n)
        got = self.takes(client, 90)
        for name in ("order.a", "order.b.c", "order.d"):
            self.assertEqual([data for _, channel, data in got if channel == name], list(range(30)))

    def test_a_client_gets_what_it_asked_for_twice_twice(self):
        client = self.client()
        for channel in ("twice.*", "twice.**", "twice.a"):
            self.subscribe(client, channel)
        self.publish("twice.a", 1)
        got = {push["channel"]: push["pub"].get("channel") for push in (client.push("pub") for _ in range(3))}
        self.assertEqual(got, {"twice.*": "twice.a", "twice.**": "twice.a", "twice.a": None})

    def test_protobuf_and_filters(self):
        client = self.client()
        self.subscribe(client, "tagged.*", tf={"key": "k", "cmp": "eq", "val": "yes"})
        self.publish("tagged.a", 1, tags={"k": "no"})
        self.publish("tagged.a", 2, tags={"k": "yes"})
        self.assertEqual(self.takes(client, 1), [("tagged.*", "tagged.a", 2)])

    def test_it_is_no_channel_to_be_in(self):
        client = self.client()
        self.subscribe(client, "in.*", join_leave=True)
        presence = client.command(presence={"channel": "in.*"})
        self.assertEqual(presence["presence"], {"presence": {}})
        self.assertEqual(client.command(subscribe={"channel": "in.*"})["error"]["code"], 105)
        client.command(unsubscribe={"channel": "in.*"})
        self.subscribe(client, "in.a")  # its own join comes, and no publication of the wildcard's
        self.publish("in.a", 1)
        self.assertEqual(self.takes(client, 1), [("in.a", None, 1)])

    def test_where_it_is_not_allowed_it_is_a_name(self):
        client = self.client()
        self.subscribe(client, "plain:*")
        self.publish("plain:a", 1)
        self.publish("plain:*", 2)
        self.assertEqual(self.takes(client, 1), [("plain:*", None, 2)])

    def test_a_channel_with_that_name_is_itself_alone(self):
        client = self.client()
        self.subscribe(client, "star.*")
        self.subscribe(client, "star.**")
        self.publish("star.*", 1)
        self.publish("star.**", 2)
        self.assertEqual(sorted(self.takes(client, 2)), [("star.*", "star.*", 1), ("star.**", "star.**", 2)])

    def test_it_stays_in_its_namespace(self):
        client = self.client()
        self.subscribe(client, "**")
        self.subscribe(client, "*:x")
        for name in ("plain:x", "limited:x", "$secret", "x"):
            self.publish(name, name)
        for i in range(20):  # on every home
            self.publish(f"end-{i}", i)
        got = [channel for _, channel, _ in self.takes(client, 21)]
        self.assertEqual(sorted(got), sorted(["x", *(f"end-{i}" for i in range(20))]))

    def test_channels_of_others_do_not_come(self):
        """Neither with the right to the namespace nor with a token for the wildcard itself."""
        mine = tokens.token({"sub": "ann", "channel": "limited:*", "exp": tokens.claims()["exp"]})
        for more in ({}, {"token": mine}):
            client = self.client(token=tokens.token({"sub": "ann", "exp": tokens.claims()["exp"]}))
            self.subscribe(client, "limited:*", **more)
            for name in ("limited:a#bob", "limited:b#ann", "limited:c#bob,ann", "limited:d"):
                self.publish(name, name)
            for i in range(20):
                self.publish(f"limited:end-{i}", i)
            got = [channel for _, channel, _ in self.takes(client, 23)]
            self.assertEqual(sorted(got), sorted(["limited:b#ann", "limited:c#bob,ann", "limited:d", *(f"limited:end-{i}" for i in range(20))]))
            client.close()

    def test_the_server_subscribes_and_ends_it(self):
        value = tokens.token({"sub": "ann", "exp": tokens.claims()["exp"], "subs": {"by-token.*": {}}})
        client = self.client(token=value)
        self.assertIn("by-token.*", client.connected["connect"]["subs"])
        self.publish("by-token.a", 1)
        self.assertEqual(self.takes(client, 1), [("by-token.*", "by-token.a", 1)])
        with wire.Connection(self.server.admin_address) as connection:
            connection.request("POST", "/api/unsubscribe", json.dumps({"user": "ann", "channel": "by-token.*"}), {"X-API-Key": API_KEY})
        self.assertEqual(client.push("unsubscribe")["channel"], "by-token.*")
        with doors.Unidirectional(self.server, {}, {"subs": {"uni.*": {}}}) as uni:
            self.assertIn("uni.*", uni.next()["connect"]["subs"])
            self.publish("uni.a", 1)
            push = uni.next()
            self.assertEqual((push["channel"], push["pub"]["channel"]), ("uni.*", "uni.a"))


class OneWorker(Wildcards):
    workers = 1


class Reload(Client):
    def test_one_that_allows_none_ends_them(self):
        client = self.client()
        self.subscribe(client, "reload.*")
        self.server.configure(self.options["config"].replace("allow_wildcards = true", "", 1))
        self.server.process.send_signal(signal.SIGHUP)
        end = client.push("unsubscribe")
        self.assertEqual((end["channel"], end["unsubscribe"]["code"]), ("reload.*", 2500))
        self.subscribe(client, "reload.*")
        self.publish("reload.a", 1)
        self.publish("reload.*", 2)
        self.assertEqual(self.takes(client, 1), [("reload.*", None, 2)])


class ExcludedSender(rig.ServerTest):
    options = {"dev": False, "config": CONFIG.replace("WORKERS", "2").replace("[channels]", '[channels]\nexclude_sender = true\npublish_debounce = "70ms"')}

    def test_who_publishes_does_not_get_it(self):
        with doors.CentrifugeSocket(self.server, {}, {}) as one, doors.CentrifugeStream(self.server, {}, {}) as other:
            for client in (one, other):
                for channel in ("echo.a", "echo.*"):
                    self.assertEqual(client.command(subscribe={"channel": channel})["subscribe"]["publish_debounce"], 70)
            for n, client in enumerate((one, other, one, other)):
                client.command(publish={"channel": "echo.a", "data": n})
            for client, wanted in ((one, [1, 3]), (other, [0, 2])):
                for channel in ("echo.a", "echo.*"):
                    got = [push["pub"]["data"] for push in (self.of(client, channel), self.of(client, channel))]
                    self.assertEqual(got, wanted)
            with wire.Connection(self.server.admin_address) as connection:
                connection.request("POST", "/api/publish", '{"channel":"echo.a","data":"end"}', {"X-API-Key": API_KEY})
            for client in (one, other):
                for channel in ("echo.a", "echo.*"):
                    self.assertEqual(self.of(client, channel)["pub"]["data"], "end")

    @staticmethod
    def of(client, channel):
        """The next publication of that subscription; those of others stay."""
        others = []
        while (push := client.push("pub"))["channel"] != channel:
            others.append(push)
        client.pushes[:0] = others
        return push

    def test_nothing_is_missing_behind_it(self):
        """What was left out counts as seen: a positioned subscription goes on."""
        with doors.CentrifugeSocket(self.server, {}, {}) as one:
            one.command(subscribe={"channel": "seen", "positioned": True, "recoverable": True})
            for n in range(5):
                one.command(publish={"channel": "seen", "data": n})
            with wire.Connection(self.server.admin_address) as connection:
                connection.request("POST", "/api/publish", '{"channel":"seen","data":"end"}', {"X-API-Key": API_KEY})
            push = one.push("pub")
            self.assertEqual((push["pub"]["data"], push["pub"]["offset"]), ("end", 6))
            self.assertFalse([push for push in one.pushes if "unsubscribe" in push])


if __name__ == "__main__":
    rig.main()
