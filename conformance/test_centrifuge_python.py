"""The official Python SDK of the Centrifuge protocol (PyPI centrifuge-python), unmodified, in JSON and in Protobuf.

./dev test puts it and what it needs into build/venv, as requirements.txt says.
"""
import asyncio
import functools
import json
import logging
import sys
import time
import unittest

import rig
import tokens
import wire

sys.path[:0] = map(str, (rig.HERE.parent / "build/venv").glob("lib/python3*/site-packages"))  # before Debian's own packages
try:
    import centrifuge
except ImportError:
    centrifuge = None

API_KEY = "an-api-key-for-tests-only"
CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
workers = 2
[auth]
token_keys = ["{tokens.KEY}"]
api_keys = ["{API_KEY}"]
strict_namespaces = true
[websocket]
ping_interval = "1s"
[namespaces.open]
subscribe = "user"
publish = "user"
presence = true
join_leave = true
[namespaces.delta]
subscribe = "user"
allow_delta = true
delta_publish = true
[namespaces.token]
subscribe = "token"
[namespaces.closed]
"""
EVENTS = ("connecting", "connected", "disconnected", "error", "subscribing", "subscribed", "unsubscribed", "publication", "join", "leave")


class Log:
    """An event handler of the SDK that keeps what it is told, by the names of the events."""

    def __init__(self):
        self.queues = {name: asyncio.Queue() for name in EVENTS}
        for name in EVENTS:
            setattr(self, f"on_{name}", self.queues[name].put)

    async def next(self, name):
        return await asyncio.wait_for(self.queues[name].get(), wire.DEADLINE_S)


def in_each_format(test):
    @functools.wraps(test)
    async def run(self):
        for self.protobuf in (False, True):
            with self.subTest(format="Protobuf" if self.protobuf else "JSON"):
                await test(self)
    return run


@unittest.skipUnless(centrifuge, "needs the Python SDK in build/venv; ./dev test installs it where pip can")
class Sdk(rig.ServerTest, unittest.IsolatedAsyncioTestCase):
    options = {"dev": False, "config": CONFIG}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        logging.getLogger("centrifuge").setLevel(logging.CRITICAL)  # it tells of each cut connection

    def channel(self, namespace="open"):
        return f"{namespace}:{super().channel()}"

    def token(self, **claims):
        return tokens.token({"sub": "alice", **claims})

    def pack(self, value):
        return json.dumps(value).encode() if self.protobuf else value

    def unpack(self, data):
        return json.loads(data) if self.protobuf else data

    def put(self, channel, value):
        return self.server.publish(channel, json.dumps(value), "application/json", {"X-API-Key": API_KEY})

    def client(self, port=None, **options):
        options = {"token": self.token(), "min_reconnect_delay": 0.02, "max_reconnect_delay": 0.2, **options}
        log = Log()
        client = centrifuge.Client(f"ws://127.0.0.1:{port or self.server.port}/connection/websocket", events=log, proxy=None,
                                   use_protobuf=self.protobuf, **options)
        client.log = log
        self.addAsyncCleanup(client.disconnect)
        return client

    async def connected(self, **options):
        client = self.client(**options)
        await client.connect()
        client.context = await client.log.next("connected")
        return client

    async def subscribed(self, client, channel, **options):
        log = Log()
        sub = client.new_subscription(channel, events=log, min_resubscribe_delay=0.02, max_resubscribe_delay=0.2, **options)
        sub.log = log
        await sub.subscribe()
        sub.context = await log.next("subscribed")
        return sub

    async def data(self, sub, count):
        return [self.unpack((await sub.log.next("publication")).pub.data) for _ in range(count)]

    async def assert_refused(self, code, awaitable):
        with self.assertRaises(centrifuge.ReplyError) as refused:
            await awaitable
        self.assertEqual(refused.exception.code, code)


class Connection(Sdk):
    @in_each_format
    async def test_connect_and_disconnect(self):
        client = await self.connected(data=self.pack({"any": "data"}), name="tests")
        self.assertRegex(client.context.client, r"^[0-9a-f-]{36}$")
        self.assertIn("Wirebird", client.context.version)
        await client.disconnect()
        gone = await client.log.next("disconnected")
        self.assertEqual((gone.code, client.state), (0, centrifuge.ClientState.DISCONNECTED))
        await client.connect()
        self.assertNotEqual((await client.log.next("connected")).client, client.context.client)

    @in_each_format
    async def test_pings_keep_it(self):
        client, pings, handle = self.client(max_server_ping_delay=5), asyncio.Queue(), None

        async def count():
            await handle()
            await pings.put(1)
        handle, client._handle_ping = client._handle_ping, count
        await client.connect()
        await client.log.next("connecting")
        for _ in range(3):  # more than a client lives that does not answer
            await asyncio.wait_for(pings.get(), wire.DEADLINE_S)
        self.assertEqual(client.state, centrifuge.ClientState.CONNECTED)
        self.assertTrue(client.log.queues["connecting"].empty() and client.log.queues["disconnected"].empty())

    @in_each_format
    async def test_tokens(self):
        client = self.client(token="nonsense")
        await client.connect()
        gone = await client.log.next("disconnected")
        self.assertEqual((gone.code, gone.reason), (3500, "invalid token"))
        client = self.client(token="")
        await client.connect()
        self.assertEqual((await client.log.next("disconnected")).code, 3501)

        async def fresh():
            return self.token(exp=int(time.time()) + 3600)
        client = await self.connected(token=self.token(exp=int(time.time()) - 3600), get_token=fresh)
        await client.ready()

    @in_each_format
    async def test_calls_that_nobody_serves(self):
        client = await self.connected()
        await self.assert_refused(108, client.rpc("any", self.pack({"a": 1})))
        await client.ready()


class Channels(Sdk):
    @in_each_format
    async def test_publish_and_history(self):
        client, channel = await self.connected(), self.channel()
        sub = await self.subscribed(client, channel, positioned=True)
        self.assertTrue(sub.context.positioned)
        await sub.publish(self.pack({"n": 1, "text": "κόσμε\n"}))
        await client.publish(channel, self.pack({"n": 2}))
        first = (await sub.log.next("publication")).pub
        self.assertEqual((self.unpack(first.data), first.offset), ({"n": 1, "text": "κόσμε\n"}, 1))
        self.assertEqual((first.info.user, first.info.client), ("alice", client.context.client))
        self.assertEqual(await self.data(sub, 1), [{"n": 2}])
        self.put(channel, 3)
        self.assertEqual(await self.data(sub, 1), [3])
        history = await sub.history(limit=10)
        self.assertEqual([(pub.offset, self.unpack(pub.data)) for pub in history.publications], [(1, {"n": 1, "text": "κόσμε\n"}), (2, {"n": 2}), (3, 3)])
        self.assertEqual((history.offset, history.epoch), (3, sub.context.stream_position.epoch))
        since = centrifuge.StreamPosition(offset=2, epoch=history.epoch)
        self.assertEqual([pub.offset for pub in (await sub.history(limit=10, since=since)).publications], [3])
        self.assertEqual([pub.offset for pub in (await sub.history(limit=2, reverse=True)).publications], [3, 2])
        await self.assert_refused(112, sub.history(limit=1, since=centrifuge.StreamPosition(offset=2, epoch="aaaaaaaa")))

    @in_each_format
    async def test_presence(self):
        channel = self.channel()
        alice, bob = await self.connected(), await self.connected(token=self.token(sub="bob", info={"name": "Bob"}))
        sub = await self.subscribed(alice, channel, join_leave=True)
        self.assertEqual((await sub.log.next("join")).info.client, alice.context.client)
        other = await self.subscribed(bob, channel)
        self.assertEqual((await sub.log.next("join")).info.user, "bob")
        clients = (await sub.presence()).clients
        self.assertEqual({id: info.user for id, info in clients.items()}, {alice.context.client: "alice", bob.context.client: "bob"})
        self.assertEqual(self.unpack(clients[bob.context.client].conn_info), {"name": "Bob"})
        stats = await sub.presence_stats()
        self.assertEqual((stats.num_clients, stats.num_users), (2, 2))
        await other.unsubscribe()
        self.assertEqual((await sub.log.next("leave")).info.user, "bob")
        self.assertEqual((await other.log.next("unsubscribed")).code, 0)

    @in_each_format
    async def test_refusals(self):
        client = await self.connected()
        for channel, code in (("closed:x", 103), ("unheard-of:x", 102)):
            log = Log()
            sub = client.new_subscription(channel, events=log)
            await sub.subscribe()
            self.assertEqual((await log.next("unsubscribed")).code, code)
            await self.assert_refused(code, client.publish(channel, self.pack(1)))
            await self.assert_refused(code, client.history(channel))
            await self.assert_refused(code, client.presence(channel))
            client.remove_subscription(sub)

    @in_each_format
    async def test_tokens_of_subscriptions(self):
        client, channel, asked = await self.connected(), self.channel("token"), []

        async def get_token(name):
            asked.append(name)
            return self.token(channel=name, exp=int(time.time()) + (3600 if len(asked) > 1 else -3600))
        sub = await self.subscribed(client, channel, get_token=get_token)
        self.assertEqual(asked, [channel, channel])
        self.put(channel, 1)
        self.assertEqual(await self.data(sub, 1), [1])

    @in_each_format
    async def test_subscriptions_by_the_server(self):
        channel = self.channel("closed")
        client = await self.connected(token=self.token(channels=[channel]))
        self.assertEqual((await client.log.next("subscribed")).channel, channel)
        self.put(channel, {"n": 1})
        context = await client.log.next("publication")
        self.assertEqual((context.channel, self.unpack(context.pub.data)), (channel, {"n": 1}))


class Recovery(Sdk):
    async def pass_through(self, channel, **options):
        with rig.Proxy(self.server) as proxy:
            client = await self.connected(port=proxy.address[1])
            sub = await self.subscribed(client, channel, recoverable=True, **options)
            number = 0
            for _ in range(3):
                for _ in range(3):
                    number += 1
                    self.put(channel, {"n": number, "text": "κόσμε 🙂" * 30})
                self.assertGreater(proxy.cut(), 0)
                for _ in range(4):
                    number += 1
                    self.put(channel, {"n": number, "text": "κόσμε 🙂" * 30})
                again = await sub.log.next("subscribed")
                self.assertTrue(again.was_recovering and again.recovered)
            self.assertEqual([value["n"] for value in await self.data(sub, number)], list(range(1, number + 1)))
            self.assertTrue(all(sub.log.queues[name].empty() for name in ("unsubscribed", "publication")))
            await client.disconnect()

    @in_each_format
    async def test_cut_connections(self):
        await self.pass_through(self.channel())

    @in_each_format
    async def test_cut_connections_with_deltas(self):
        await self.pass_through(self.channel("delta"), delta=centrifuge.DeltaType.FOSSIL)

    @in_each_format
    async def test_what_cannot_be_recovered(self):
        channel = self.channel()
        self.put(channel, 1)

        async def get_state(_):
            return centrifuge.StreamPosition(offset=7, epoch="aaaaaaaa") if (states.append(0) or len(states) == 1) else centrifuge.StreamPosition(offset=0, epoch="")
        states = []
        client = await self.connected()
        sub = await self.subscribed(client, channel, recoverable=True, get_state=get_state)
        self.assertEqual(await self.data(sub, 1), [1])
        self.assertEqual(len(states), 2)


class Ends(Sdk):
    def call(self, method, **body):
        with wire.Connection(self.server.admin_address) as connection:
            answer = connection.request("POST", f"/api/{method}", json.dumps(body), {"Content-Type": "application/json", "X-API-Key": API_KEY})
        self.assertEqual(answer.status, 200, answer.body)

    @in_each_format
    async def test_codes_of_the_api(self):
        user = f"user{time.monotonic_ns()}"
        client, channel = await self.connected(token=self.token(sub=user)), self.channel()
        sub = await self.subscribed(client, channel)
        self.call("unsubscribe", user=user, channel=channel)
        gone = await sub.log.next("unsubscribed")
        self.assertEqual((gone.code, gone.reason), (2000, "server unsubscribe"))
        await client.log.next("connecting")
        self.call("disconnect", user=user, disconnect={"code": 4000, "reason": "come back"})
        back = await client.log.next("connecting")
        self.assertEqual((back.code, back.reason), (4000, "come back"))
        await client.log.next("connected")
        self.call("disconnect", user=user, disconnect={"code": 4500, "reason": "go away"})
        gone = await client.log.next("disconnected")
        self.assertEqual((gone.code, gone.reason), (4500, "go away"))

    @in_each_format
    async def test_codes_of_the_protocol(self):
        client = await self.connected()
        channel = self.channel()
        await self.subscribed(client, channel)
        await client._send_commands([{"id": 77, "connect": {}}])
        gone = await client.log.next("disconnected")
        self.assertEqual((gone.code, gone.reason), (3501, "bad request"))


if __name__ == "__main__":
    if centrifuge is None:
        print("skipped: the Python SDK is not there; ./dev test installs it where pip can", file=sys.stderr)
    rig.main()
