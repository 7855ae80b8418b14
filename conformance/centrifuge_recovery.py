"""Clients of the Centrifuge protocol (JSON, raw frames over WebSocket) that are cut, fall behind and recover at random while
publishers run. They judge nothing: they write down what they saw, and recovery_model.py decides.

run(port, reconnects, clients, seed) -> ({name: recovery_model.Channel}, {client: records})
"""
import asyncio
import json
import random
import time

import recovery_model
import streams

CONFIG = """
[limits]
queue_bytes_max = "256KiB"
message_bytes_max = "64KiB"
queue_age_max = "1m"
history_bytes_total_max = "1GiB"
memory_bytes_max = "4GiB"
[namespaces.all]
history_messages_max = 10000000
history_bytes_max = "256MiB"
[namespaces.count]
history_messages_max = 40
[namespaces.age]
history_messages_max = 10000000
history_age_max = "1s"
[namespaces.both]
history_messages_max = 100
history_age_max = "2s"
[namespaces.drop]
slow_reader = "drop"
history_messages_max = 10000000
history_bytes_max = "256MiB"
[namespaces.dropshort]
slow_reader = "drop"
history_messages_max = 30
"""
HISTORIES = {"all": recovery_model.History(), "count": recovery_model.History(40), "age": recovery_model.History(None, 1000),
             "both": recovery_model.History(100, 2000), "drop": recovery_model.History(drops=True), "dropshort": recovery_model.History(30, drops=True)}
CHANNELS_EACH = 1
PUBLISHERS = 3
BURST, BURST_BYTES = 120, 8000  # more than the kernel and the server hold for one that does not read
NARROW = 16384


def wall_ms():
    return time.time() * 1000


class World:
    """The channels, and what all tasks share."""

    def __init__(self, port, seed, reconnects, namespaces):
        self.port, self.seed = port, seed
        self.left = reconnects
        self.stop = False
        self.channels = {f"{name}:{i}": recovery_model.Channel(f"{name}:{i}", HISTORIES[name]) for name in namespaces for i in range(CHANNELS_EACH)}
        self.numbers = {}
        self.bursts = []
        self.moved = asyncio.Event()

    async def publish(self, http, publisher, channel, size):
        number = self.numbers[publisher, channel] = self.numbers.get((publisher, channel), 0) + 1
        body = json.dumps({"p": publisher, "n": number, "fill": "x" * size})
        sent = wall_ms()
        answer = await http.json("POST", f"/pub/{channel}", body, "application/json")
        self.channels[channel].published((publisher, number), len(body), answer, sent, wall_ms())
        self.moved.set()

    async def run_publisher(self, publisher):
        chance = random.Random(f"{self.seed} publisher {publisher}")
        http = await streams.Http.open(self.port)
        names = list(self.channels)
        for name in names:
            await self.publish(http, publisher, name, 0)
        while not self.stop:
            name = chance.choice(names)
            for _ in range(chance.choice((1, 1, 1, 4, 20))):
                await self.publish(http, publisher, name, chance.choice((0, 10, 300)))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.uniform(0, 0.01))
        http.abort()

    async def burst(self, publisher, channel):
        """Goes on when whoever waits for it is cut: what a server has numbered must have been written down."""
        self.bursts.append(asyncio.create_task(self.run_burst(publisher, channel)))
        await asyncio.shield(self.bursts[-1])

    async def run_burst(self, publisher, channel):
        http = await streams.Http.open(self.port)
        for _ in range(BURST):
            await self.publish(http, publisher, channel, BURST_BYTES)
        http.abort()

    async def reached(self, channel, offset):
        while self.channels[channel].head < offset and not self.stop:
            self.moved.clear()
            await self.moved.wait()


class Client:
    def __init__(self, world, number):
        self.world, self.name = world, f"client {number}"
        self.chance = random.Random(f"{world.seed} client {number}")
        self.narrow = number % 3 == 0  # notices at once when it does not read
        names = [n for n in world.channels if HISTORIES[n.partition(":")[0]].drops == self.narrow] or list(world.channels)
        self.wanted = self.chance.sample(names, min(len(names), self.chance.randrange(1, 4)))
        self.position = {}  # channel: [offset, epoch]
        self.records = []
        self.bursts = 0

    def subscribe(self, channel, honest=False):
        """The command, written down."""
        self.command += 1
        self.commands[self.command] = channel
        self.live.discard(channel)
        request = {"channel": channel, "positioned": True, "recoverable": True}
        flag, recover = 0, None
        if channel in self.position:
            offset, epoch = self.position[channel]
            lie = 1 if honest else self.chance.random()
            if lie < 0.03:
                recover = (offset, "_", False)  # what SDKs send when they know they have lost their place
            elif lie < 0.06:
                recover = (offset + 100_000, epoch, False)
            elif lie < 0.1:
                recover = (offset, "", True)
            else:
                recover = (offset, epoch, True)
            flag = 2 if not honest and self.chance.random() < 0.1 else 0
            request.update(recover=True, offset=recover[0], epoch=recover[1], flag=flag)
        self.records.append(("ask", channel, recover, flag, wall_ms()))
        return json.dumps({"id": self.command, "subscribe": request})

    def send(self, *commands):
        self.socket.send(1, "\n".join(commands).encode())

    def take(self, record, honest):
        """Returns how many messages it brought."""
        at = wall_ms()
        if not record:
            self.send("{}")
        elif record.get("id") == 1:
            assert "connect" in record, record
        elif "id" in record:
            return self.answered(self.commands.pop(record["id"]), record, at, honest)
        elif "pub" in record["push"]:
            publication = record["push"]["pub"]
            self.write_pub(record["push"]["channel"], publication, at)
            return 1
        elif "unsubscribe" in record["push"]:
            channel = record["push"]["channel"]
            self.records.append(("unsub", channel, record["push"]["unsubscribe"]["code"]))
            self.send(self.subscribe(channel, honest))
        else:
            raise AssertionError(record)
        return 0

    def answered(self, channel, record, at, honest):
        if "error" in record:
            self.records.append(("error", channel, record["error"]["code"], at))
            self.position.pop(channel, None)
            self.send(self.subscribe(channel, honest))
            return 0
        result = record["subscribe"]
        publications = result.pop("publications", [])
        self.position[channel] = [result.get("offset", 0), result["epoch"]]
        if publications:
            self.position[channel][0] = publications[-1]["offset"]
        self.records.append(("answer", channel, {**result, "publications": [self.of(p) for p in publications]}, at))
        self.live.add(channel)
        return len(publications)

    @staticmethod
    def of(publication):
        return publication.get("offset", 0), (publication["data"]["p"], publication["data"]["n"]), publication.get("epoch")

    def write_pub(self, channel, publication, at):
        self.records.append(("pub", channel, *self.of(publication), at))
        if channel in self.position:
            self.position[channel][0] = publication.get("offset", 0)

    async def connection(self, enough, honest=False, stall_at=None):
        """One connection, until `enough(messages)` says so."""
        self.command, self.commands, self.live = 1, {}, set()
        self.socket = await streams.WebSocket.open(self.world.port, "/connection/websocket", receive_buffer=NARROW if self.narrow else None)
        try:
            subscribes = [self.subscribe(channel, honest) for channel in self.wanted]
            if self.chance.random() < 0.5:  # as SDKs do
                self.send('{"id":1,"connect":{}}', *subscribes)
            else:
                for command in ('{"id":1,"connect":{}}', *subscribes):
                    self.send(command)
            seen = 0
            async for frame in self.socket.messages():
                for line in frame.split(b"\n"):
                    if line:
                        seen += self.take(json.loads(line), honest)
                if enough(seen):
                    return
                if stall_at is not None and seen >= stall_at and self.live:
                    stall_at = None
                    self.bursts += 1
                    await self.world.burst(f"{self.name} burst {self.bursts}", self.chance.choice(sorted(self.live)))
        finally:
            self.socket.abort()
            # What was asked and not answered is asked again from the same place.
            self.records.append(("cut", None))

    async def connect(self, enough, limit, **options):
        try:
            await asyncio.wait_for(self.connection(enough, **options), limit)
        except asyncio.TimeoutError:
            pass
        except streams.Closed as closed:
            self.records.append(("closed", None, closed.code, closed.reason))
        except (OSError, EOFError) as error:
            self.records.append(("closed", None, 1006, repr(error)))

    async def away(self):
        choice = self.chance.random()
        channel = self.chance.choice(self.wanted)
        if choice < 0.4:
            return
        if choice < 0.85:
            await self.world.reached(channel, self.world.channels[channel].head + self.chance.choice((1, 5, 28, 29, 30, 31, 38, 39, 40, 41, 60)))
        else:
            await asyncio.sleep(self.chance.choice((0.3, 0.6, 1.1)))

    async def run(self):
        while self.world.left > 0:
            self.world.left -= len(self.wanted)
            wanted = self.chance.choice((0, 1, 3, 10, 40))
            # Some are cut by time instead: anywhere in the handshake, the answers or between two messages.
            limit = self.chance.uniform(0, 0.03) if self.chance.random() < 0.25 else 3
            stall_at = self.chance.randrange(0, 5) if self.narrow and self.chance.random() < 0.2 else None
            if stall_at is not None:
                wanted, limit = BURST + 100, 10
            await self.connect(lambda seen: seen >= wanted and not self.commands, limit, stall_at=stall_at)
            await self.away()

    async def finish(self):
        """After the publishers have stopped: up to the heads."""
        def at_heads(_):
            return not self.commands and all(self.position.get(c, [-1])[0] == self.world.channels[c].head for c in self.wanted)

        for _ in range(20):
            await self.connect(at_heads, 10, honest=True)
            if at_heads(0):
                self.records.append(("end", None))
                return


async def run(port, reconnects, clients, seed, namespaces=tuple(HISTORIES)):
    world = World(port, seed, reconnects, namespaces)
    publishers = [asyncio.create_task(world.run_publisher(str(i))) for i in range(PUBLISHERS)]
    while not all(channel.head for channel in world.channels.values()):
        await asyncio.wait([*publishers, asyncio.create_task(world.moved.wait())], return_when=asyncio.FIRST_COMPLETED)
        world.moved.clear()
    crowd = [Client(world, number) for number in range(clients)]
    running = asyncio.gather(*(client.run() for client in crowd))
    done, _ = await asyncio.wait([running, *publishers], return_when=asyncio.FIRST_COMPLETED)
    world.stop = True
    for task in done:
        task.result()  # a publisher that ended is a failure
    await asyncio.gather(*publishers, *world.bursts)
    await asyncio.gather(*(client.finish() for client in crowd))
    return world.channels, {client.name: client.records for client in crowd}
